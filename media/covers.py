"""What to cover in each frame of a span (PURE): said in full for every frame, even where nothing is covered.

Whoever paints needs an answer for each frame: a frame that the plan doesn't speak of is never let through. The byte
form is small enough for films of hours, and is checked in every field when it arrives.

Byte form, big-endian: ``VVCOVER1``, width and height (u16), first frame (u32), frames (u32), mutes (u32); each mute as
first and last frame (u32); the number of covers in each frame (u16); each cover as x, y (i16), width, height (u16),
shape (u8), style (u8).
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from core.errors import Damaged, Invalid, TooLarge

MOST_FRAMES = 3 * 60 * 60 * 60
MOST_COVERS = 4_000_000
MOST_COVERS_IN_A_FRAME = 1000
MOST_MUTES = 10_000
MOST_BYTES = 64 << 20
_MAGIC = b"VVCOVER1"
_HEAD = struct.Struct(">8sHHIII")
_MUTE = struct.Struct(">II")
_COVER = struct.Struct(">hhHHBB")
_FAR = 32_000
_LARGEST = 60_000
_MOST_SIDE = 8192


class CoverShape(IntEnum):
    """What form a cover has within its rectangle."""

    ELLIPSE = 0
    BOX = 1


class CoverStyle(IntEnum):
    """What a cover puts in the place of what was there."""

    BLUR = 0
    SOLID = 1


_SHAPES, _STYLES = tuple(CoverShape), tuple(CoverStyle)


@dataclass(frozen=True, slots=True)
class Cover:
    """One place in one frame of which nothing may be seen, in whole pixels; it may lie partly off the frame.

    Attributes:
        x, y: of its left upper corner.
        width, height: of its rectangle.
        shape: an ellipse that fills the rectangle, or all of it.
        style: blurred beyond recognition, or one colour.
    """

    x: int
    y: int
    width: int
    height: int
    shape: CoverShape = CoverShape.ELLIPSE
    style: CoverStyle = CoverStyle.BLUR

    def __post_init__(self) -> None:
        if not (-_FAR <= self.x <= _FAR and -_FAR <= self.y <= _FAR):
            raise Invalid("cover_out_of_bounds", "There is no such place in the film.", field="x")
        if not (1 <= self.width <= _LARGEST and 1 <= self.height <= _LARGEST):
            raise Invalid("cover_out_of_bounds", "There is no such place in the film.", field="width")

    @classmethod
    def around(
        cls,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        shape: CoverShape = CoverShape.ELLIPSE,
        style: CoverStyle = CoverStyle.BLUR,
    ) -> Self:
        """The cover of a place that isn't in whole pixels: never smaller than the place.

        Raises:
            Invalid: it is no place, or nowhere near the film.
        """
        if not all(map(math.isfinite, (x, y, width, height))):
            raise Invalid("cover_out_of_bounds", "There is no such place in the film.", field="x")
        left, top = math.floor(x), math.floor(y)
        right, bottom = math.ceil(x + width), math.ceil(y + height)
        return cls(left, top, max(1, right - left), max(1, bottom - top), shape, style)


@dataclass(frozen=True, slots=True)
class Covers:
    """The covers of every frame from ``first_frame`` up to ``last_frame``, made by ``of``.

    Attributes:
        width, height: of the film that they are for, in pixels.
        first_frame: the first frame that they speak of.
        mutes: from which frame up to which (exclusive) there is no sound; frames of the film, as ``first_frame``.
    """

    width: int
    height: int
    first_frame: int
    mutes: tuple[tuple[int, int], ...]
    _starts: array[int] = field(repr=False)
    _packed: bytes = field(repr=False)

    @classmethod
    def of(
        cls,
        frames: Iterable[Sequence[Cover]],
        *,
        width: int,
        height: int,
        first_frame: int = 0,
        mutes: Iterable[tuple[int, int]] = (),
    ) -> Self:
        """Covers for a span.

        Args:
            frames: the covers of each of its frames, in order; an empty sequence where nothing is covered.
            width: of the working copy, in pixels.
            height: likewise.
            first_frame: the span's first, in frames of the working copy.
            mutes: from which frame up to which (exclusive) there is no sound, in frames of the working copy.

        Raises:
            Invalid: no frames, or numbers that can't be.
            TooLarge: more than can be carried out at once.
        """
        starts, packed = array("I", (0,)), bytearray()
        for covers in frames:
            for one in covers:
                packed += _COVER.pack(one.x, one.y, one.width, one.height, one.shape, one.style)
            if len(covers) > MOST_COVERS_IN_A_FRAME or len(starts) > MOST_FRAMES:
                raise _too_large()
            starts.append(len(packed) // _COVER.size)
        made = cls(width, height, first_frame, tuple(sorted((a, b) for a, b in mutes)), starts, bytes(packed))
        if starts[-1] > MOST_COVERS or len(made.mutes) > MOST_MUTES:
            raise _too_large()
        if not made._is_sound():
            raise Invalid("covers_out_of_bounds", "This plan of what to cover can't be for a film.")
        return made

    @property
    def last_frame(self) -> int:
        """The first frame that they don't speak of any more."""
        return self.first_frame + len(self)

    def __len__(self) -> int:
        """How many frames they speak of."""
        return len(self._starts) - 1

    def __iter__(self) -> Iterator[tuple[Cover, ...]]:
        """The covers of each frame, in order."""
        return (self.at(frame) for frame in range(self.first_frame, self.last_frame))

    def at(self, frame: int) -> tuple[Cover, ...]:
        """The covers of one frame of the working copy.

        Raises:
            LookupError: they don't speak of it, so it may not be shown.
        """
        index = frame - self.first_frame
        if not 0 <= index < len(self):
            message = "the plan doesn't speak of this frame"
            raise LookupError(message)
        start, end = (_COVER.size * at for at in self._starts[index : index + 2])
        return tuple(
            Cover(x, y, width, height, _SHAPES[shape], _STYLES[style])
            for x, y, width, height, shape, style in _COVER.iter_unpack(self._packed[start:end])
        )

    def to_bytes(self) -> bytes:
        """The byte form."""
        counts = array("H", (self._starts[at + 1] - self._starts[at] for at in range(len(self))))
        head = _HEAD.pack(_MAGIC, self.width, self.height, self.first_frame, len(self), len(self.mutes))
        return b"".join((head, *(_MUTE.pack(*mute) for mute in self.mutes), _turned(counts).tobytes(), self._packed))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """From the byte form, every field checked.

        Raises:
            Damaged: it isn't one.
        """
        if len(data) < _HEAD.size or len(data) > MOST_BYTES:
            raise _damaged()
        magic, width, height, first_frame, frames, muted = _HEAD.unpack_from(data)
        at = _HEAD.size + _MUTE.size * muted
        end = at + 2 * frames
        if magic != _MAGIC or frames > MOST_FRAMES or muted > MOST_MUTES or len(data) < end:
            raise _damaged()
        counts = array("H", data[at:end])
        starts, total = array("I", (0,)), 0
        for count in _turned(counts):
            total += count
            starts.append(total)
        if total > MOST_COVERS or len(data) != end + total * _COVER.size:
            raise _damaged()
        mutes = tuple((first, last) for first, last in _MUTE.iter_unpack(data[_HEAD.size : at]))
        made = cls(width, height, first_frame, mutes, starts, data[end:])
        if not made._is_sound() or not all(_is_possible(*words) for words in _COVER.iter_unpack(made._packed)):
            raise _damaged()
        return made

    def _is_sound(self) -> bool:
        return (
            2 <= self.width <= _MOST_SIDE  # noqa: PLR2004 - the smallest picture that has colour
            and 2 <= self.height <= _MOST_SIDE  # noqa: PLR2004 - likewise
            and 1 <= len(self) <= MOST_FRAMES
            and 0 <= self.first_frame <= MOST_FRAMES
            and all(0 <= first < last <= 2 * MOST_FRAMES for first, last in self.mutes)
            and list(self.mutes) == sorted(self.mutes)
        )


def _is_possible(x: int, y: int, width: int, height: int, shape: int, style: int) -> bool:
    return (
        -_FAR <= x <= _FAR
        and -_FAR <= y <= _FAR
        and 1 <= width <= _LARGEST
        and 1 <= height <= _LARGEST
        and shape <= max(CoverShape)
        and style <= max(CoverStyle)
    )


def _turned(counts: array[int]) -> array[int]:
    turned = counts[:]
    if sys.byteorder == "little":
        turned.byteswap()
    return turned


def _damaged() -> Damaged:
    return Damaged("covers_damaged", "The plan of what to cover is damaged. Make it again.")


def _too_large() -> TooLarge:
    return TooLarge("covers_too_many", "That is more than can be covered in one film. Make the clip shorter.")
