"""Painting covers on raw frames: on the planes themselves, without a way through other colours.

Nothing of what lay under a cover may be told from what comes out. A blurred cover is brought down to cells of a third
of its longer side, so to two by three for a head, and drawn up again smoothly from their means: what differs within a
cell is gone, not hidden. Every pixel that a cover so much as touches is replaced whole, in brightness and in colour;
edges are softened outwards only. How strong, and why: docs/decisions/0018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from media.covers import Cover, CoverShape, CoverStyle

Planes: TypeAlias = npt.NDArray[np.uint8]
_Numbers: TypeAlias = npt.NDArray[np.float32]

_CELLS = 3
_LEAST_CELL = 8
_SAMPLES = 16
_SOFT = 0.08
_LEAST_SOFT = 2.0
_CORNER = 1.5
"""How many pixels further than its edge a cover reaches whole, so that it has each pixel of which it has a corner."""
_UNIT, _UNITS = 4, 64
"""Covers are made larger to the next multiple of 4 pixels; of 8 from a size of 128 on, of 12 from 192, and so on."""
_MOST_KEPT = 256 * 256
_LEAST_ELLIPSE, _THIN = 8, 4
_GREY = (64, 128)
"""Of a solid cover: brightness and colour."""


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


@dataclass(frozen=True, slots=True)
class _Stretch:
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
        share: how much of each pixel is replaced; ``rest`` is how much of it stays.
        rows, columns: where cells begin among the samples.
        every: so manyth pixel is a sample.
        part: one over the number of samples in each cell.
        down, across: how much each cell adds to each row and column.
    """

    share: _Numbers
    rest: _Numbers
    rows: list[int]
    columns: list[int]
    every: int
    part: _Numbers
    down: _Numbers
    across: _Numbers


@dataclass(frozen=True, slots=True)
class _Place:
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
    smaller, larger = sorted((cover.width, cover.height))
    if cover.shape is CoverShape.ELLIPSE and smaller >= _LEAST_ELLIPSE and larger <= _THIN * smaller:
        grown = 1 + 2 * math.sqrt(2) / smaller
        width, height = (_usual(math.ceil(size * grown)) for size in (cover.width, cover.height))
        x, y = (2 * round(middle / 4) for middle in (2 * cover.x + cover.width, 2 * cover.y + cover.height))
        return _Place(x - width // 2, y - height // 2, width, height, CoverShape.ELLIPSE)
    x, y = cover.x & ~1, cover.y & ~1
    width, height = _usual(cover.width + cover.x - x), _usual(cover.height + cover.y - y)
    return _Place(x, y, width, height, CoverShape.BOX)


def _usual(size: int) -> int:
    unit = _UNIT * max(1, size // _UNITS)
    return -(-size // unit) * unit


def _cover(planes: Planes, cover: _Place, *, style: CoverStyle, step: int, grey: int) -> None:
    """Paint a cover on planes of which each pixel stands for ``step`` by ``step`` of the picture's."""
    soft = _soft(cover.width, cover.height, step=step)
    more = math.ceil(soft * max(cover.width, cover.height) / min(cover.width, cover.height) / step) + 2
    x, y = cover.x // step, cover.y // step
    rows = _stretch(y, cover.height // step, size=planes.shape[1], more=more)
    columns = _stretch(x, cover.width // step, size=planes.shape[2], more=more)
    if rows.own_first >= rows.own_last or columns.own_first >= columns.own_last:
        return
    make = _stamp if cover.width * cover.height <= _MOST_KEPT else _stamp.__wrapped__
    stamp = make(cover.width, cover.height, cover.shape, step, rows, columns)
    there = planes[:, y + rows.first : y + rows.last, x + columns.first : x + columns.last]
    painted = np.multiply(there, stamp.rest)
    new: _Numbers
    match style:
        case CoverStyle.SOLID:
            new = np.full((1, 1, 1), grey, np.float32)
        case CoverStyle.BLUR:
            own = planes[:, y + rows.own_first : y + rows.own_last, x + columns.own_first : x + columns.own_last]
            sums = np.add.reduceat(own[:, :: stamp.every, :: stamp.every], stamp.rows, axis=1, dtype=np.uint32)
            sums = np.add.reduceat(sums, stamp.columns, axis=2)
            new = stamp.down @ np.multiply(sums, stamp.part, dtype=np.float32) @ stamp.across
    painted += new * stamp.share  # where the share is one, nothing was left of the old
    np.rint(painted, out=painted)
    there[:] = painted


def _soft(width: int, height: int, *, step: int) -> float:
    return max(_LEAST_SOFT * step, _SOFT * min(width, height))


def _stretch(start: int, length: int, *, size: int, more: int) -> _Stretch:
    """What a cover changes of a plane that is ``size`` long."""
    end = size - start
    return _Stretch(max(-more, -start), min(length + more, end), max(0, -start), min(length, end))


@lru_cache(maxsize=256)
def _stamp(width: int, height: int, shape: CoverShape, step: int, rows: _Stretch, columns: _Stretch) -> _Stamp:
    cell = max(_LEAST_CELL, max(width, height) / _CELLS) / step
    every = max(1, int(cell / _SAMPLES))
    counts = [max(1, int((one.own_last - one.own_first) / cell + 1e-6)) for one in (rows, columns)]
    row_edges, column_edges = (
        [number * -(-(one.own_last - one.own_first) // every) // count for number in range(count + 1)]
        for count, one in zip(counts, (rows, columns), strict=True)
    )
    share = _share(width, height, shape=shape, step=step, rows=rows, columns=columns)
    return _Stamp(
        share=share,
        rest=1 - share,
        rows=row_edges[:-1],
        columns=column_edges[:-1],
        every=every,
        part=np.asarray(1 / np.multiply.outer(np.diff(row_edges), np.diff(column_edges)), np.float32),
        down=_weights(counts[0], stretch=rows),
        across=np.ascontiguousarray(_weights(counts[1], stretch=columns).T),
    )


def _weights(count: int, *, stretch: _Stretch) -> _Numbers:
    """How much each of ``count`` cells adds to each pixel: straight from one cell's middle to the next, then level."""
    length = stretch.own_last - stretch.own_first
    middles = np.arange(stretch.first, stretch.last, dtype=np.float32) + 0.5 - stretch.own_first
    places = (middles * (count / length) - 0.5).clip(0, count - 1)
    distance = np.abs(places[:, None] - np.arange(count, dtype=np.float32))
    return np.asarray(np.maximum(0, 1 - distance), np.float32)


def _share(width: int, height: int, *, shape: CoverShape, step: int, rows: _Stretch, columns: _Stretch) -> _Numbers:
    """How much of each pixel is replaced: all of whatever the cover touches, less and less outside it."""
    soft = _soft(width, height, step=step)
    high, wide = height / 2 + _CORNER * step, width / 2 + _CORNER * step
    down = (np.arange(rows.first, rows.last, dtype=np.float32) + 0.5) * step - height / 2
    across = (np.arange(columns.first, columns.last, dtype=np.float32) + 0.5) * step - width / 2
    match shape:
        case CoverShape.ELLIPSE:
            end = (1 + soft / min(high, wide)) ** 2
            share: _Numbers = np.add.outer((down / high) ** 2, (across / wide) ** 2)
            share = (end - share) / (end - 1)
        case CoverShape.BOX:
            beyond = np.maximum(np.abs(down) - high, 0), np.maximum(np.abs(across) - wide, 0)
            share = 1 - np.maximum.outer(*beyond) / soft
    return np.asarray(np.clip(share, 0, 1), np.float32)
