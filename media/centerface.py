"""CenterFace on one picture: a network that names the middle and the size of each face (arXiv:1911.03599).

It runs in onnxruntime on the processor. One look uses one thread; several looks at once use several.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from media.small import Picture, Pixels, Rect, Size

CELL = 32
"""Pictures have sides that are multiples of this."""
_STRIDE = 4
_OVERLAP = 0.3
_INPUT, _OUTPUTS = "input.1", ["537", "538", "539"]  # a map of middles, sizes, offsets; landmarks aren't asked for

Faces = npt.NDArray[np.float64]
"""A row for each face: x, y, width, height in pixels, and score; the best first."""
NONE: Faces = np.zeros((0, 5))


class CenterFace:
    """The network.

    Args:
        model: where it lies.
    """

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._rooms = threading.local()

    def look(self, picture: Picture, rect: Rect, *, size: Size, least: float) -> Faces:
        """The faces in a part of a picture, in pixels of the picture.

        Args:
            picture: what to look at.
            rect: where, with sides that are multiples of ``CELL``.
            size: how large.
            least: the lowest score that counts.
        """
        pixels = picture.pixels(rect, size=size, cell=CELL, out=self._room(picture))[np.newaxis]
        middles, sizes, offsets = (one[0] for one in self._session.run(_OUTPUTS, {_INPUT: pixels}))
        rows, columns = np.nonzero(middles[0] >= least)
        if not len(rows):
            return NONE
        height, width = np.exp(sizes[:, rows, columns].astype(np.float64)) * (_STRIDE * size)
        down, across = offsets[:, rows, columns].astype(np.float64)
        x = (columns + across + 0.5) * (_STRIDE * size) - width / 2 + rect[0]
        y = (rows + down + 0.5) * (_STRIDE * size) - height / 2 + rect[1]
        return best(np.stack([x, y, width, height, middles[0][rows, columns]], axis=1))

    def _room(self, picture: Picture) -> Pixels:
        """Memory for a picture's pixels, kept by each thread: fresh memory costs more than filling it."""
        if getattr(self._rooms, "size", 0) != picture.y.size:
            self._rooms.size = picture.y.size
            self._rooms.pixels = np.empty(3 * picture.y.size, np.float32)
        room: Pixels = self._rooms.pixels
        return room


def overlap(one: Faces, others: Faces) -> npt.NDArray[np.float64]:
    """Intersection over union of each with each."""
    left = np.maximum(one[:, None, 0], others[None, :, 0])
    top = np.maximum(one[:, None, 1], others[None, :, 1])
    right = np.minimum((one[:, 0] + one[:, 2])[:, None], (others[:, 0] + others[:, 2])[None])
    bottom = np.minimum((one[:, 1] + one[:, 3])[:, None], (others[:, 1] + others[:, 3])[None])
    common = np.clip(right - left, 0, None) * np.clip(bottom - top, 0, None)
    total = (one[:, 2] * one[:, 3])[:, None] + (others[:, 2] * others[:, 3])[None]
    shares: npt.NDArray[np.float64] = common / (total - common)
    return shares


def best(found: Faces) -> Faces:
    """Each face once, the best first: what overlaps a better one is left out."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    shares = overlap(found, found)
    kept: list[int] = []
    for row in range(len(found)):
        if not kept or shares[row, kept].max() <= _OVERLAP:
            kept.append(row)
    return found[kept]
