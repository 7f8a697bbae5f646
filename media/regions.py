"""Rectangles in which to look for faces (PURE): of whole cells of the network, none overlapping another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from media.centerface import CELL, Faces
from media.changes import BLOCK, Parts
from media.small import Rect

Truths = npt.NDArray[np.bool_]
AROUND = 2.5
"""Where somebody came or went, so many sizes to each side are looked at."""
_LEAST_AROUND = 48
_MOST_OF_IT = 0.7
_ROOM = 8
_AROUND_NEW, _MOST_AROUND_NEW = 0.25, 2 * BLOCK
"""Around parts that show something new, by this share of how far they reach, and by one part at least."""


def sizes(faces: Faces) -> npt.NDArray[np.float64]:
    """One number for how large each face is."""
    made: npt.NDArray[np.float64] = np.sqrt(faces[:, 2] * faces[:, 3])
    return made


def around(faces: Faces, *, reach: float, shape: tuple[int, ...]) -> list[Rect]:
    """A rectangle around each face.

    Args:
        faces: where.
        reach: how far from the middle, in sizes of the face.
        shape: height and width of the picture.
    """
    height, width = shape
    rects = []
    for x, y, wide, high, _ in faces:
        far = max(reach * float(np.sqrt(wide * high)), _LEAST_AROUND)
        middle_x, middle_y = x + wide / 2, y + high / 2
        rects.append(_cells((middle_x - far, middle_y - far, middle_x + far, middle_y + far), width, height))
    return rects


def around_new(parts: Parts, *, shape: tuple[int, ...]) -> list[Rect]:
    """A rectangle around each heap of parts that show something new, with room for a face that shows only in part."""
    height, width = shape
    rects = []
    for first_row, first_column, last_row, last_column in _heaps(parts):
        left, top = first_column * BLOCK, first_row * BLOCK
        right, bottom = (last_column + 1) * BLOCK, (last_row + 1) * BLOCK
        more = min(max(BLOCK, round(_AROUND_NEW * max(right - left, bottom - top))), _MOST_AROUND_NEW)
        rects.append(_cells((left - more, top - more, right + more, bottom + more), width, height))
    return rects


def joined(rects: Iterable[Rect], *, shape: tuple[int, ...]) -> list[Rect]:
    """One in place of those that overlap, until none does; all of the picture if they are most of it."""
    height, width = shape
    done: list[Rect] = []
    for rect in rects:
        one = rect
        while other := next((other for other in done if _meet(one, other)), None):
            done.remove(other)
            one = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
        done.append(one)
    if sum((right - left) * (bottom - top) for left, top, right, bottom in done) > _MOST_OF_IT * width * height:
        return [(0, 0, width, height)]
    return done


def touched(faces: Faces, parts: Parts) -> Truths:
    """Which faces lie at a part that shows something new."""
    rows, columns = parts.shape
    made = np.zeros(len(faces), np.bool_)
    for at, (x, y, wide, high, _) in enumerate(faces):
        more_x, more_y = wide / 4, high / 4
        left, right = (int(min(max(side // BLOCK, 0), columns - 1)) for side in (x - more_x, x + wide + more_x))
        top, bottom = (int(min(max(side // BLOCK, 0), rows - 1)) for side in (y - more_y, y + high + more_y))
        made[at] = parts[top : bottom + 1, left : right + 1].any()
    return made


def cut_off(faces: Faces, rect: Rect, *, shape: tuple[int, ...]) -> Truths:
    """Which faces lie at an edge of a rectangle, inside the picture: more of them may lie beyond."""
    height, width = shape
    left, top, right, bottom = rect
    x, y, end_x, end_y = faces[:, 0], faces[:, 1], faces[:, 0] + faces[:, 2], faces[:, 1] + faces[:, 3]
    across = ((left > 0) & (x < left + _ROOM)) | ((right < width) & (end_x > right - _ROOM))
    down = ((top > 0) & (y < top + _ROOM)) | ((bottom < height) & (end_y > bottom - _ROOM))
    return np.asarray(across | down, np.bool_)


def within(faces: Faces, others: Faces) -> Truths:
    """Whose middle lies in the box of one of the others."""
    x, y = faces[:, 0] + faces[:, 2] / 2, faces[:, 1] + faces[:, 3] / 2
    left, top, right, bottom = others[:, 0], others[:, 1], others[:, 0] + others[:, 2], others[:, 1] + others[:, 3]
    there = (x[:, None] >= left) & (x[:, None] <= right) & (y[:, None] >= top) & (y[:, None] <= bottom)
    return np.asarray(there.any(axis=1), np.bool_)


def without(parts: Parts, faces: Faces) -> Parts:
    """The parts that show something new, but for those that faces, with a quarter more on each side, hold."""
    left_over = parts.copy()
    for x, y, wide, high, _ in faces:
        rows = slice(max(0, -int(-(y - high / 4) // BLOCK)), max(0, int((y + high * 5 / 4) // BLOCK)))
        columns = slice(max(0, -int(-(x - wide / 4) // BLOCK)), max(0, int((x + wide * 5 / 4) // BLOCK)))
        left_over[rows, columns] = False
    return left_over


def _heaps(parts: Parts) -> list[Rect]:
    """First row and column, last row and column of each heap of parts that touch, at a corner too."""
    edges = np.diff(parts.astype(np.int8), axis=1, prepend=0, append=0)
    (rows, starts), (_, ends) = np.nonzero(edges > 0), np.nonzero(edges < 0)
    heaps: dict[int, Rect] = {}
    above: list[tuple[int, int, int]] = []  # the runs of parts of the row before and of this one: first, last, heap
    here: list[tuple[int, int, int]] = []
    now = -1
    for number, (row, first, end) in enumerate(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)):
        if row != now:
            above, here, now = here if row == now + 1 else [], [], row
        met = {heap for start, last, heap in above if start <= end and first - 1 <= last}
        boxes = [(row, first, row, end - 1), *(heaps.pop(heap) for heap in met)]
        tops, lefts, bottoms, rights = zip(*boxes, strict=True)
        heaps[number] = min(tops), min(lefts), max(bottoms), max(rights)
        if met:
            above, here = ([(x, y, number if heap in met else heap) for x, y, heap in runs] for runs in (above, here))
        here.append((first, end - 1, number))
    return sorted(heaps.values())


def _cells(place: tuple[float, float, float, float], width: int, height: int) -> Rect:
    """The whole cells around a place, at least two of the network's each way, within the picture."""
    left, right = _along(place[0], place[2], most=width)
    top, bottom = _along(place[1], place[3], most=height)
    return left, top, right, bottom


def _along(low: float, high: float, *, most: int) -> tuple[int, int]:
    first = int(min(max(low, 0), most - 2 * CELL)) // CELL * CELL
    last = -int(-max(min(high, most), first + 2 * CELL) // CELL) * CELL
    return first, min(last, most)


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
