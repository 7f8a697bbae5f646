"""When is a face gone from a picture? Decided from pixels alone: the original's and those of what came out.

*Detail* is what a picture has finer than a twentieth of the face's width: it, less itself blurred with a sigma of 5 %
of that width. The face's box is cut into eight by eight *cells*. A cell *bears detail* where the original's detail, as
root mean square, is at least the median of the face's cells and at least three grey levels. A cell has *lost* its
detail where no more than 30 % of it is left: the output's detail projected on the original's, so that what a mosaic
adds in edges isn't counted as the face's. A face is *covered* where at least 80 % of the cells that bear detail have
lost it, wherever within a pixel the output may have moved to. It is *open* where less than half of them have: then it
wasn't found, or not in time; between the two, the middle is covered and a cheek, an ear or the hair above the brow is
not. Faces wider than 64 pixels are looked at as 64 wide.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.filters import gaussian

Luma = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

CELLS = 8
SIGMA = 0.05
LEAST_LEVELS = 3.0
LEFT = 0.30
COVERED = 0.80
OPEN = 0.50
FINEST_WIDTH = 64
_MARGIN = 0.4
_PICTURE_WIDTH = 640
_PICTURE_CELL = 8
_PICTURE_LEVELS = 6.0


class Box(NamedTuple):
    """Where a face is, in pixels of the picture."""

    x: float
    y: float
    width: float
    height: float

    def within(self, width: int, height: int) -> Box | None:
        """The part of it that lies in a picture of this size."""
        left, top = max(0.0, self.x), max(0.0, self.y)
        right, bottom = min(float(width), self.x + self.width), min(float(height), self.y + self.height)
        return Box(left, top, right - left, bottom - top) if right - left > 1 and bottom - top > 1 else None

    def grown(self, by: float) -> Box:
        """By so many of its widths and heights to each side."""
        wide, high = self.width * by, self.height * by
        return Box(self.x - wide, self.y - high, self.width + 2 * wide, self.height + 2 * high)

    def overlaps(self, other: Box) -> bool:
        """Whether they have a pixel in common."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


def lost_share(before: Luma, after: Luma, box: Box) -> float | None:
    """How much of a face's detail-bearing cells lost their detail, 0 to 1; None where the original shows no detail.

    Args:
        before: a moment's brightness in the original.
        after: the same moment's in the output, of that size.
        box: the face in it.
    """
    height, width = before.shape
    inside = box.within(width, height)
    if inside is None:
        return None
    margin = _MARGIN * inside.width
    left, top = max(0, int(inside.x - margin)), max(0, int(inside.y - margin))
    right = min(width, int(inside.x + inside.width + margin) + 1)
    bottom = min(height, int(inside.y + inside.height + margin) + 1)
    scale = min(1.0, FINEST_WIDTH / inside.width)
    sigma = SIGMA * inside.width * scale
    was, now = (_detail(_sized(picture[top:bottom, left:right], scale), sigma) for picture in (before, after))
    rows = _edges((inside.y - top) * scale, inside.height * scale, most=was.shape[0])
    columns = _edges((inside.x - left) * scale, inside.width * scale, most=was.shape[1])
    strength = _sums(was * was, rows, columns)
    level = np.sqrt(strength / np.outer(np.diff(rows), np.diff(columns)))
    bearing = level >= max(LEAST_LEVELS, float(np.median(level)))
    if not bearing.any():
        return None
    return min(
        float((_sums(was * moved, rows, columns) <= LEFT * strength)[bearing].mean())
        for moved in _moved_by_a_pixel(now)
    )


def blurred_elsewhere(before: Luma, after: Luma, faces: list[Box]) -> tuple[int, int]:
    """Cells of the picture that lost their detail though no face is near, and all such cells that bore any.

    Args:
        before: a moment's brightness in the original.
        after: the same moment's in the output, of that size.
        faces: what had to be covered, and what nobody minds; a head's room around each isn't counted.
    """
    scale = min(1.0, _PICTURE_WIDTH / before.shape[1])
    was, now = (_detail(_sized(picture, scale), 0.4 * _PICTURE_CELL) for picture in (before, after))
    rows = np.arange(0, was.shape[0] + 1, _PICTURE_CELL)
    columns = np.arange(0, was.shape[1] + 1, _PICTURE_CELL)
    strength = _sums(was * was, rows, columns)
    lost = _sums(was * now, rows, columns) <= LEFT * strength
    counted = np.sqrt(strength) / _PICTURE_CELL >= _PICTURE_LEVELS
    for face in faces:
        room = face.grown(0.75)
        first, last = (int(at * scale // _PICTURE_CELL) for at in (room.y, room.y + room.height))
        begin, end = (int(at * scale // _PICTURE_CELL) for at in (room.x, room.x + room.width))
        counted[max(0, first) : max(0, last + 1), max(0, begin) : max(0, end + 1)] = False
    return int((lost & counted).sum()), int(counted.sum())


def _sized(picture: Luma, scale: float) -> Numbers:
    if scale == 1:
        return picture.astype(np.float32)
    height, width = picture.shape
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32)


def _detail(picture: Numbers, sigma: float) -> Numbers:
    smooth: Numbers = gaussian(picture, sigma, mode="nearest", preserve_range=True)
    return picture - smooth


def _edges(begin: float, length: float, *, most: int) -> npt.NDArray[np.intp]:
    edges = np.round(begin + length * np.arange(CELLS + 1) / CELLS).astype(np.intp)
    return np.unique(np.clip(edges, 0, most))


def _sums(numbers: Numbers, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Numbers:
    inside = numbers[rows[0] : rows[-1], columns[0] : columns[-1]]
    down = np.add.reduceat(inside, rows[:-1] - rows[0], axis=0)
    across: Numbers = np.add.reduceat(down, columns[:-1] - columns[0], axis=1)
    return across


def _moved_by_a_pixel(picture: Numbers) -> list[Numbers]:
    padded = np.pad(picture, 1, mode="edge")
    height, width = picture.shape
    return [padded[down : down + height, across : across + width] for down in range(3) for across in range(3)]
