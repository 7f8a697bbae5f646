"""Painting covers on raw frames: on the planes themselves, without a way through other colours.

Nothing of what lay under a cover may be told from what comes out. A blurred cover is brought down to cells of a third
of its longer side, so to two by three for a head, and drawn up again smoothly from their means: what differs within a
cell is gone, not hidden. Every pixel that a cover so much as touches is replaced whole, in brightness and in colour;
edges are softened outwards only. How strong, and why: docs/decisions/0018.

It is reckoned in whole numbers of 16 bits, some rows at a time, so that all of it stays in the processor's cache. Of
each pixel so many parts of 128 are replaced, and 128 leave nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from media.covers import Cover, CoverShape, CoverStyle

Planes: TypeAlias = npt.NDArray[np.uint8]
_Numbers: TypeAlias = npt.NDArray[np.float32]
_Doubles: TypeAlias = npt.NDArray[np.floating[Any]]
_Parts: TypeAlias = npt.NDArray[np.int16]

_CELLS = 3
_LEAST_CELL = 8
_SAMPLES = 16
_SOFT = 0.08
_LEAST_SOFT = 2.0
_CORNER = 1.5
"""How many pixels further than its edge a cover reaches whole, so that it has each pixel of which it has a corner."""
_UNIT, _UNITS = 4, 64
"""Covers are made larger to the next multiple of 4 pixels; of 8 from a size of 128 on, of 12 from 192, and so on."""
_LEAST_ELLIPSE, _THIN = 8, 4
_GREY = (64, 128)
"""Of a solid cover: brightness and colour."""
_WHOLE, _SHIFT = 128, 7
"""So many parts are all of a pixel: 255 times as many still fit 16 bits."""
_FAR = 8000
_AT_ONCE, _FEW = 1 << 16, 1 << 14
"""Pixels."""


class Canvas:
    """One raw yuv420p frame in memory that is used again: all Y, then U, then V, without gaps.

    Args:
        width, height: in pixels, even.
    """

    def __init__(self, *, width: int, height: int) -> None:
        luma = width * height
        self._pixels: Planes = np.empty(luma * 3 // 2, np.uint8)
        self._light = self._pixels[:luma].reshape(1, height, width)
        self._colour = self._pixels[luma:].reshape(2, height // 2, width // 2)

    @property
    def raw(self) -> memoryview:
        """The frame's bytes, until the next one is taken."""
        return self._pixels.data

    def take(self, frame: VideoFrame) -> None:
        """Copy a frame of this very size and of yuv420p; the original may still be needed to decode others."""
        for mine, plane in zip((*self._light, *self._colour), frame.planes, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            mine[:] = rows[: mine.shape[0], : mine.shape[1]]

    def take_raw(self, raw: bytes) -> None:
        """Copy a frame that is packed already."""
        self._pixels[:] = np.frombuffer(raw, np.uint8)

    def cover(self, covers: Sequence[Cover]) -> None:
        """Paint covers, one over the other."""
        for one in covers:
            place = _even(one)
            _cover(self._light, place, style=one.style, step=1, grey=_GREY[0])
            _cover(self._colour, place, style=one.style, step=2, grey=_GREY[1])


class _Stretch(NamedTuple):
    """Some rows or columns of a plane, counted from the cover's own first one, which may lie off the plane.

    Attributes:
        first, last: those that are changed; ``last`` is the first that isn't.
        own_first, own_last: those of them that are the cover's own.
    """

    first: int
    last: int
    own_first: int
    own_last: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    """All about a cover that doesn't depend on the picture.

    Attributes:
        rows, columns: which of a plane it changes.
        edge: how much of each pixel is replaced.
        kept: all of it, where that isn't much.
        every: so manyth pixel is a sample.
        gathered: how much each row of samples adds to each row of cells.
        down: how much each row of cells adds to each row of pixels.
        across: how much each column of samples adds to each column of pixels, by way of the cells.
    """

    rows: _Stretch
    columns: _Stretch
    edge: _Edge
    kept: _Parts | None
    every: int
    gathered: _Numbers
    down: _Numbers
    across: _Numbers


@dataclass(frozen=True, slots=True)
class _Edge:
    """How much of each pixel is replaced, in parts of 128: by what its row and its column add to that.

    Attributes:
        shape: for an ellipse it is one less the other, for a box the smaller of the two.
        down, across: for each row, and for each column.
    """

    shape: CoverShape
    down: _Parts
    across: _Parts

    def parts(self, rows: slice) -> _Parts:
        """Of each pixel in some rows."""
        match self.shape:
            case CoverShape.ELLIPSE:
                parts: _Parts = np.subtract.outer(self.down[rows], self.across)
                return np.clip(parts, np.int16(0), np.int16(_WHOLE), out=parts)
            case CoverShape.BOX:
                return np.asarray(np.minimum.outer(self.down[rows], self.across), np.int16)


class _Place(NamedTuple):
    """Where a cover is painted: as ``Cover``, but larger than one may be."""

    x: int
    y: int
    width: int
    height: int
    shape: CoverShape


def _even(cover: Cover) -> _Place:
    """A cover on whole pixels of colour that has all of the other in it, of one of few sizes: stamps are kept.

    An ellipse may only be moved if it grows enough: one of half axes (1 + t)·a and (1 + t)·b, moved by d, has the other
    in it where t·min(a, b) is at least d. Very thin or small ones become boxes.
    """
    grown = _grown(cover.width, cover.height) if cover.shape is CoverShape.ELLIPSE else None
    if grown:
        width, height = grown
        x, y = 2 * round((2 * cover.x + cover.width) / 4), 2 * round((2 * cover.y + cover.height) / 4)
        return _Place(x - width // 2, y - height // 2, width, height, CoverShape.ELLIPSE)
    x, y = cover.x & ~1, cover.y & ~1
    width, height = _usual(cover.width + cover.x - x), _usual(cover.height + cover.y - y)
    return _Place(x, y, width, height, CoverShape.BOX)


@lru_cache(maxsize=4096)
def _grown(width: int, height: int) -> tuple[int, int] | None:
    """Width and height of the ellipse that has another in it wherever that is moved; nothing for thin or small ones."""
    smaller, larger = min(width, height), max(width, height)
    if smaller < _LEAST_ELLIPSE or larger > _THIN * smaller:
        return None
    grown = 1 + 2 * math.sqrt(2) / smaller
    return _usual(math.ceil(width * grown)), _usual(math.ceil(height * grown))


def _usual(size: int) -> int:
    unit = _UNIT * max(1, size // _UNITS)
    return -(-size // unit) * unit


def _cover(planes: Planes, cover: _Place, *, style: CoverStyle, step: int, grey: int) -> None:
    """Paint a cover on planes of which each pixel stands for ``step`` by ``step`` of the picture's."""
    x, y = cover.x // step, cover.y // step
    stamp = _stamp_at(cover, step=step, x=x, y=y, size=planes.shape)
    if stamp is None:
        return
    rows, columns = stamp.rows, stamp.columns
    there = planes[:, y + rows.first : y + rows.last, x + columns.first : x + columns.last]
    cells = None
    if style is CoverStyle.BLUR:
        samples = planes[
            :,
            y + rows.own_first : y + rows.own_last : stamp.every,
            x + columns.own_first : x + columns.own_last : stamp.every,
        ].astype(np.float32)
        lines = (stamp.gathered @ samples).reshape(-1, samples.shape[2]).dot(stamp.across)
        lines += 0.5  # so that cutting off what isn't whole rounds
        cells = lines.reshape(len(planes), -1, lines.shape[1])
    if stamp.kept is not None:
        _blend(there, grey if cells is None else stamp.down @ cells, parts=stamp.kept)
        return
    height = max(1, _AT_ONCE // (there.shape[0] * there.shape[2]))
    for first in range(0, there.shape[1], height):
        some = slice(first, first + height)
        _blend(
            there[:, some],
            grey if cells is None else stamp.down[some] @ cells,
            parts=stamp.edge.parts(some),
        )


def _blend(there: Planes, new: _Numbers | int, *, parts: _Parts) -> None:
    """Replace so many parts of 128 of each pixel."""
    old = there.astype(np.int16)
    change: _Parts = np.full_like(old, new) if isinstance(new, int) else new.astype(np.int16)
    change -= old
    change *= parts
    change >>= _SHIFT
    change += old  # where all is replaced this is the new, to the bit
    there[...] = change


def _stamp_at(cover: _Place, *, step: int, x: int, y: int, size: tuple[int, ...]) -> _Stamp | None:
    """The stamp of a cover at a place of a plane; nothing where all of it lies off the plane."""
    _, height, width = size
    whole = _whole_stamp(cover.width, cover.height, cover.shape, step)
    down, across = whole.rows, whole.columns
    inside = y + down.first >= 0 and x + across.first >= 0 and y + down.last <= height and x + across.last <= width
    if inside:
        return whole
    rows = _stretch(y, down.own_last, height, down.last - down.own_last)
    columns = _stretch(x, across.own_last, width, across.last - across.own_last)
    if rows.own_first >= rows.own_last or columns.own_first >= columns.own_last:
        return None
    return _stamp(cover.width, cover.height, cover.shape, step, rows, columns)


@lru_cache(maxsize=1024)
def _whole_stamp(width: int, height: int, shape: CoverShape, step: int) -> _Stamp:
    """Of a cover all of which lies on the plane."""
    more = _reach(width, height, step)
    rows, columns = (_Stretch(-more, size // step + more, 0, size // step) for size in (height, width))
    return _stamp(width, height, shape, step, rows, columns)


def _reach(width: int, height: int, step: int) -> int:
    """How many pixels of a plane around a cover may be changed with it."""
    return math.ceil(_soft(width, height, step=step) * max(width, height) / min(width, height) / step) + 2


def _soft(width: int, height: int, *, step: int) -> float:
    return max(_LEAST_SOFT * step, _SOFT * min(width, height))


def _stretch(start: int, length: int, size: int, more: int) -> _Stretch:
    """What a cover changes of a plane that is ``size`` long."""
    end = size - start
    return _Stretch(max(-more, -start), min(length + more, end), max(0, -start), min(length, end))


@lru_cache(maxsize=1024)
def _stamp(width: int, height: int, shape: CoverShape, step: int, rows: _Stretch, columns: _Stretch) -> _Stamp:
    cell = max(_LEAST_CELL, max(width, height) / _CELLS) / step
    every = max(1, int(cell / _SAMPLES))
    down, across = (max(1, int((one.own_last - one.own_first) / cell + 1e-6)) for one in (rows, columns))
    made = {CoverShape.ELLIPSE: _ellipse, CoverShape.BOX: _box}[shape]
    edge = made(width, height, step=step, rows=rows, columns=columns)
    few = len(edge.down) * len(edge.across) <= _FEW
    return _Stamp(
        rows=rows,
        columns=columns,
        edge=edge,
        kept=edge.parts(slice(None)) if few else None,
        every=every,
        gathered=_means(down, stretch=rows, every=every),
        down=_weights(down, stretch=rows),
        across=_means(across, stretch=columns, every=every).T @ _weights(across, stretch=columns).T,
    )


def _means(count: int, *, stretch: _Stretch, every: int) -> _Numbers:
    """How much each sample adds to each of ``count`` cells."""
    samples = -(-(stretch.own_last - stretch.own_first) // every)
    edges = [number * samples // count for number in range(count + 1)]
    means = np.zeros((count, samples), np.float32)
    for number, (first, last) in enumerate(pairwise(edges)):
        means[number, first:last] = 1 / (last - first)
    return means


def _weights(count: int, *, stretch: _Stretch) -> _Numbers:
    """How much each of ``count`` cells adds to each pixel: straight from one cell's middle to the next, then level."""
    length = stretch.own_last - stretch.own_first
    middles = np.arange(stretch.first, stretch.last, dtype=np.float32) + 0.5 - stretch.own_first
    places = (middles * (count / length) - 0.5).clip(0, count - 1)
    distance = np.abs(places[:, None] - np.arange(count, dtype=np.float32))
    return np.asarray(np.maximum(0, 1 - distance), np.float32)


def _ellipse(width: int, height: int, *, step: int, rows: _Stretch, columns: _Stretch) -> _Edge:
    """All of whatever the cover touches, less and less outside it; what isn't a whole part is rounded up."""
    down, across, high, wide, soft = _measured(width, height, step=step, rows=rows, columns=columns)
    end = (1 + soft / min(high, wide)) ** 2
    parts = (_WHOLE + 2) / (end - 1)  # rounding adds less than two parts; two are taken off again
    by_row = np.ceil((end - (down / high) ** 2) * parts) - 2
    by_column = np.floor((across / wide) ** 2 * parts)
    return _Edge(CoverShape.ELLIPSE, *(np.asarray(one.clip(-_FAR, 2 * _FAR), np.int16) for one in (by_row, by_column)))


def _box(width: int, height: int, *, step: int, rows: _Stretch, columns: _Stretch) -> _Edge:
    """Likewise."""
    down, across, high, wide, soft = _measured(width, height, step=step, rows=rows, columns=columns)
    left = (1 - (np.abs(one) - whole) / soft for one, whole in ((down, high), (across, wide)))
    return _Edge(CoverShape.BOX, *(np.asarray(np.ceil(one * _WHOLE).clip(0, _WHOLE), np.int16) for one in left))


def _measured(
    width: int, height: int, *, step: int, rows: _Stretch, columns: _Stretch
) -> tuple[_Doubles, _Doubles, float, float, float]:
    """Each row's and column's distance from the middle, half of what is covered whole, and how wide the edge is."""
    down = (np.arange(rows.first, rows.last) + 0.5) * step - height / 2
    across = (np.arange(columns.first, columns.last) + 0.5) * step - width / 2
    return down, across, height / 2 + _CORNER * step, width / 2 + _CORNER * step, _soft(width, height, step=step)
