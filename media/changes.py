"""Which parts of a small picture show something that wasn't there when that part was last looked at.

A part in which nothing is new can't have got a new face. "New" is meant so that a shaking camera and the noise of its
sensor aren't: brightness is compared in cells of two by two pixels, after the picture as a whole was moved to where the
last one fits best, and a cell is explained by any brightness between the darkest and the lightest cell around it. What
is compared with is what was *looked at*, however long ago: what comes slowly is new as soon as it adds up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.small import Picture, Rect, means

BLOCK = 32
"""Parts are squares of so many pixels."""
_CELL = 2
_PER_BLOCK = BLOCK // _CELL
_LEAST, _SHARE = np.uint8(3), np.uint8(32)
"""By so many levels of brightness a cell must leave what explains it, and by this share of its brightness on top."""
_FEW = 8
"""So many cells of a part, of 256, may do so."""
_STRIDE = 4
_FARTHEST = 24
"""Cells by which the picture may have moved since the last time."""
_MOST = 24
"""No cell counts for more than so many levels when pictures are laid over one another."""

Cells = npt.NDArray[np.uint8]
Parts = npt.NDArray[np.bool_]
"""A truth for each part, row by row."""


class Changes:
    """What is new in a film's pictures, one after the other."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._now: Cells | None = None

    def forget(self) -> None:
        """Nothing was looked at yet; all of the next picture is new."""
        self._seen = None

    def new_in(self, picture: Picture) -> tuple[Parts, tuple[int, int]]:
        """The parts of a picture that show something new, and by how many pixels (across, down) it moved as a whole."""
        self._now = now = means(picture.y)
        if self._seen is None:
            self._seen = _Seen(now, np.full_like(now, 255), np.zeros_like(now))
            across = down = 0
        else:
            across, down = _shift(self._seen.cells, now)
            self._seen.move(across, down)
        room = _LEAST + now // _SHARE
        strange = (now > _up(self._seen.lightest, room)) | (now < _down(self._seen.darkest, room))
        rows, columns = now.shape[0] // _PER_BLOCK, now.shape[1] // _PER_BLOCK
        lines = np.add.reduce(strange.view(np.uint8).reshape(rows, _PER_BLOCK, -1), axis=1, dtype=np.uint8)
        counts = np.add.reduce(lines.reshape(rows, columns, _PER_BLOCK), axis=2, dtype=np.uint16)
        return counts >= _FEW, (across * _CELL, down * _CELL)

    def looked(self, rects: Iterable[Rect]) -> None:
        """The picture of which was last asked was looked at in these places."""
        if self._now is None or self._seen is None:
            message = "no picture was asked of"
            raise RuntimeError(message)
        fresh = _Seen(self._now, _reach(self._now, np.minimum), _reach(self._now, np.maximum))
        for left, top, right, bottom in rects:
            self._seen.take(fresh, np.s_[top // _CELL : bottom // _CELL, left // _CELL : right // _CELL])


@dataclass(slots=True)
class _Seen:
    """What was looked at, each cell when it last was; and the darkest and the lightest around it at that time."""

    cells: Cells
    darkest: Cells
    lightest: Cells

    def move(self, across: int, down: int) -> None:
        if across or down:
            self.cells, self.darkest, self.lightest = (
                _moved(one, across, down) for one in (self.cells, self.darkest, self.lightest)
            )

    def take(self, other: _Seen, place: tuple[slice, slice]) -> None:
        self.cells[place] = other.cells[place]
        self.darkest[place] = other.darkest[place]
        self.lightest[place] = other.lightest[place]


def _reach(cells: Cells, which: np.ufunc) -> Cells:
    """The darkest or lightest among each cell and its eight neighbours."""
    down = cells.copy()
    which(down[1:], cells[:-1], out=down[1:])
    which(down[:-1], cells[1:], out=down[:-1])
    across = down.copy()
    which(across[:, 1:], down[:, :-1], out=across[:, 1:])
    which(across[:, :-1], down[:, 1:], out=across[:, :-1])
    return across


def _up(cells: Cells, room: Cells) -> Cells:
    return np.where(cells > 255 - room, np.uint8(255), cells + room)


def _down(cells: Cells, room: Cells) -> Cells:
    return np.where(cells < room, np.uint8(0), cells - room)


def _moved(cells: Cells, across: int, down: int) -> Cells:
    """What comes into the picture is taken for the same as what was at its edge."""
    height, width = cells.shape
    top, left, bottom, right = max(0, down), max(0, across), height + min(0, down), width + min(0, across)
    made = np.empty_like(cells)
    made[top:bottom, left:right] = cells[top - down : bottom - down, left - across : right - across]
    made[top:bottom, :left], made[top:bottom, right:] = made[top:bottom, [left]], made[top:bottom, [right - 1]]
    made[:top], made[bottom:] = made[top], made[bottom - 1]
    return made


def _shift(before: Cells, now: Cells) -> tuple[int, int]:
    """By how many cells, across and down, the picture before is to be moved so that it fits this one best."""
    height, width = now.shape
    margin = min(_FARTHEST, height // 4, width // 4)
    points = now[margin : height - margin : _STRIDE, margin : width - margin : _STRIDE].astype(np.int16)

    def misfit(across: int, down: int) -> int:
        rows = slice(margin - down, height - margin - down, _STRIDE)
        there = before[rows, margin - across : width - margin - across : _STRIDE]
        return int(np.minimum(np.abs(points - there), _MOST).sum())

    best, least = (0, 0), misfit(0, 0)
    for far in (4, 1):
        while True:
            x, y = best
            near = [(x + far, y), (x - far, y), (x, y + far), (x, y - far)]
            tried = [(misfit(*place), place) for place in near if max(map(abs, place)) < margin]
            misfits, place = min(tried, default=(least, best))
            if misfits >= least:
                break
            best, least = place, misfits
    return best
