"""Where a detector saw faces in a working copy: the value, and the bytes that are kept sealed with the footage.

The bytes come out of a child that may lie, so reading them checks every field. All boxes are in pixels of the upright
working copy; frame numbers are its own.

Layout (big endian): ``VIGDET01``, width and height (u16), rate (two u32), frames, looked frames, cuts (u32 each); for
each looked frame its number (u32), how many faces (u8) and for each five float32: x, y, width, height, score; then the
cuts (u32 each). Numbers rise strictly; nothing follows.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from core.errors import Damaged

DETECTIONS = "application/vnd.vig-vault.detections"
MOST_FACES = 255
"""In one frame."""
MOST_FRAMES = 3 * 60 * 60 * 60
_MOST_SIDE = 1 << 14
_MOST_RATE = 1000
_MARK = b"VIGDET01"
_HEAD = struct.Struct(">8sHHIIIII")
_LOOKED = struct.Struct(">IB")
_FACE = struct.Struct(">5f")
_CUT = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame.

    Attributes:
        x, y: of its upper left corner, in pixels; may lie outside the picture.
        width, height: in pixels.
        score: how sure the detector was, above 0 and at most 1.
    """

    x: float
    y: float
    width: float
    height: float
    score: float


@dataclass(frozen=True, slots=True)
class Detections:
    """What was seen in one working copy.

    Attributes:
        width, height: of the working copy, in pixels.
        fps: its constant rate.
        frames: how many it has.
        looked: the faces of every frame that was looked at; a frame that isn't here was not, which says nothing.
        cuts: first frames of new scenes, rising; what was followed ends before them.
    """

    width: int
    height: int
    fps: Fraction
    frames: int
    looked: Mapping[int, tuple[Face, ...]]
    cuts: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """The form in which it is kept."""
        packed = {frame: pack_faces(faces) for frame, faces in self.looked.items()}
        return pack(self.width, self.height, fps=self.fps, frames=self.frames, packed=packed, cuts=self.cuts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Detections:
        """From the form in which it is kept, or from a child.

        Raises:
            Damaged: it isn't well formed, or out of bounds.
        """
        try:
            return _read(data)
        except (struct.error, IndexError, ZeroDivisionError):
            damaged()


def pack_faces(faces: Iterable[Face]) -> bytes:
    """The faces of one frame."""
    return b"".join(_FACE.pack(face.x, face.y, face.width, face.height, face.score) for face in faces)


def pack(
    width: int, height: int, *, fps: Fraction, frames: int, packed: Mapping[int, bytes], cuts: Iterable[int]
) -> bytes:
    """The whole, from each looked frame's faces as ``pack_faces`` gave them."""
    turns = sorted(cuts)
    head = _HEAD.pack(_MARK, width, height, fps.numerator, fps.denominator, frames, len(packed), len(turns))
    parts = [head]
    for frame in sorted(packed):
        parts += _LOOKED.pack(frame, len(packed[frame]) // _FACE.size), packed[frame]
    return b"".join([*parts, *map(_CUT.pack, turns)])


def _read(data: bytes) -> Detections:
    mark, width, height, top, below, frames, looked, turns = _HEAD.unpack_from(data)
    fps = Fraction(top, below)
    sides = 0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE
    if mark != _MARK or not sides or not 0 < fps <= _MOST_RATE or not 0 < frames <= MOST_FRAMES:
        damaged()
    if looked > frames or turns > frames:
        damaged()
    at, last, seen = _HEAD.size, -1, {}
    for _ in range(looked):
        frame, count = _LOOKED.unpack_from(data, at)
        at += _LOOKED.size
        if not last < frame < frames:
            damaged()
        seen[frame] = tuple(_face(data, at + number * _FACE.size, side=max(width, height)) for number in range(count))
        at, last = at + count * _FACE.size, frame
    if len(data) != at + turns * _CUT.size:
        damaged()
    cuts = tuple(cut for (cut,) in _CUT.iter_unpack(data[at:]))
    if any(not earlier < cut < frames for earlier, cut in zip((0, *cuts), cuts, strict=False)):
        damaged()
    return Detections(width, height, fps, frames, seen, cuts)


def _face(data: bytes, at: int, *, side: int) -> Face:
    face = Face(*_FACE.unpack_from(data, at))
    numbers = (face.x, face.y, face.width, face.height, face.score)
    if not all(math.isfinite(number) for number in numbers) or not 0 < face.score <= 1:
        damaged()
    if not (0 < face.width <= 2 * side and 0 < face.height <= 2 * side):
        damaged()
    if not (-2 * side <= face.x <= 2 * side and -2 * side <= face.y <= 2 * side):
        damaged()
    return face


def damaged() -> NoReturn:
    """Refuse detections that can't be believed: a film is never covered by half of them."""
    sentence = "What was found in this film can't be read. Have the film looked through again."
    raise Damaged("detections_damaged", sentence)
