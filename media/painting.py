"""Painting covers on raw frames: on the planes themselves, without a way through other colours.

Nothing of what lay under a cover may be told from what comes out. A blurred cover is brought down to cells of a third
of its longer side, so to two by three for a head, and drawn up again smoothly from their means: what differs within a
cell is gone, not hidden. Every pixel that a cover so much as touches is replaced whole, in brightness and in colour;
edges are softened outwards only. How strong, and why: docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Sequence
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
            _cover(self._light, one, step=1, grey=_GREY[0])
            _cover(self._colour, one, step=2, grey=_GREY[1])


def _cover(planes: Planes, cover: Cover, *, step: int, grey: int) -> None:
    """Paint a cover on planes of which each pixel stands for ``step`` by ``step`` of the picture's."""
    shorter = min(cover.width, cover.height)
    soft = max(_LEAST_SOFT * step, _SOFT * shorter)
    more = soft * max(cover.width, cover.height) / shorter + 2 * step
    rows = _touched(cover.y, cover.height, step=step, size=planes.shape[1], more=more)
    columns = _touched(cover.x, cover.width, step=step, size=planes.shape[2], more=more)
    own_rows = _touched(cover.y, cover.height, step=step, size=planes.shape[1], more=0)
    own_columns = _touched(cover.x, cover.width, step=step, size=planes.shape[2], more=0)
    if not (len(own_rows) and len(own_columns)):
        return
    there = planes[:, rows.start : rows.stop, columns.start : columns.stop]
    new: _Numbers | np.float32
    match cover.style:
        case CoverStyle.SOLID:
            new = np.float32(grey)
        case CoverStyle.BLUR:
            cell = max(_LEAST_CELL, max(cover.width, cover.height) / _CELLS) / step
            own = planes[:, own_rows.start : own_rows.stop, own_columns.start : own_columns.stop]
            new = _drawn_up(_means(own, cell=cell), own=(own_rows, own_columns), wanted=(rows, columns))
    share = _share(cover, rows=rows, columns=columns, step=step, soft=soft)
    painted = np.asarray((1 - share) * there, np.float32)
    painted += new * share  # where the share is one, nothing was left of the old
    np.rint(painted, out=painted)
    there[:] = painted


def _touched(start: int, length: int, *, step: int, size: int, more: float) -> range:
    """The pixels of a plane that a stretch touches, with ``more`` of the picture's on both sides, within the plane."""
    first, last = np.floor((start - more) / step), np.ceil((start + length + more) / step)
    return range(int(max(0, first)), int(min(size, max(0, last))))


def _means(own: Planes, *, cell: float) -> _Numbers:
    """The means of equal cells, none of them smaller than ``cell`` unless there is but one."""
    counts = [max(1, int(length / cell + 1e-6)) for length in own.shape[1:]]
    stride = max(1, int(cell / _SAMPLES))
    sampled = own[:, ::stride, ::stride]
    rows, columns = (
        [number * length // count for number in range(count + 1)]
        for count, length in zip(counts, sampled.shape[1:], strict=True)
    )
    sums = np.add.reduceat(sampled, rows[:-1], axis=1, dtype=np.uint32)
    sums = np.add.reduceat(sums, columns[:-1], axis=2)
    return np.asarray(sums / np.multiply.outer(np.diff(rows), np.diff(columns)), np.float32)


def _drawn_up(means: _Numbers, *, own: tuple[range, range], wanted: tuple[range, range]) -> _Numbers:
    """Cells' means as a smooth surface: straight from one cell's middle to the next, level outside the outermost."""
    down, across = (
        _weights(count, own=stretch, wanted=pixels)
        for count, stretch, pixels in zip(means.shape[1:], own, wanted, strict=True)
    )
    return np.asarray(down @ means @ across.T, np.float32)


def _weights(count: int, *, own: range, wanted: range) -> _Numbers:
    """How much each of ``count`` cells of a stretch adds to each of the wanted pixels."""
    places = (np.arange(wanted.start, wanted.stop, dtype=np.float32) + 0.5 - own.start) * (count / len(own)) - 0.5
    distance = np.abs(places.clip(0, count - 1)[:, None] - np.arange(count, dtype=np.float32))
    return np.asarray(np.maximum(0, 1 - distance), np.float32)


def _share(cover: Cover, *, rows: range, columns: range, step: int, soft: float) -> _Numbers:
    """How much of each pixel is replaced: all of whatever the cover touches, less and less outside it."""
    height, width = cover.height / 2 + _CORNER * step, cover.width / 2 + _CORNER * step
    down = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * step - (cover.y + cover.height / 2)
    across = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5) * step - (cover.x + cover.width / 2)
    match cover.shape:
        case CoverShape.ELLIPSE:
            end = (1 + soft / min(height, width)) ** 2
            share: _Numbers = np.add.outer((down / height) ** 2, (across / width) ** 2)
            np.subtract(end, share, out=share)
            share /= end - 1
        case CoverShape.BOX:
            beyond = np.maximum(np.abs(down) - height, 0), np.maximum(np.abs(across) - width, 0)
            share = np.maximum.outer(*beyond)
            share /= -soft
            share += 1
    np.clip(share, 0, 1, out=share)
    return share
