"""Rules about time and shape of a film (PURE): which rate, which frame at which moment, which way is up, how large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")

_RATES = tuple(
    Fraction(rate)
    for rate in (5, 10, 12, "25/2", 15, 20, "24000/1001", 24, 25, "30000/1001", 30, 48, 50, "60000/1001", 60)
)
_USUAL = Fraction(30)
_NEAR = Fraction(1, 250)
_TICKS = 10_000
_IN_STEP = Fraction(1, 20)
_MOST_STRETCH = Fraction(3, 20)
LOOKED_AT = 5
"""How many pictures are enough to tell where a film's frames begin."""


@dataclass(frozen=True, slots=True)
class Moment(Generic[T]):
    """Something at a time of the film.

    Attributes:
        at: seconds since the film's first picture.
        lasts: seconds; 0 where the film doesn't say.
        what: the picture.
    """

    at: Fraction
    lasts: Fraction
    what: T


def choose_rate(*, average: Fraction | None, base: Fraction | None) -> Fraction:
    """The constant rate of a working copy, in frames a second.

    A rate that cameras use is kept exactly. A variable one (phones in poor light) becomes the camera's nominal
    rate, so that no picture is lost where it ran at full speed.

    Args:
        average: pictures over duration.
        base: the rate that all time stamps fit, as the container tells it; nonsense in some films.
    """
    known = [rate for rate in (average, base) if rate is not None and rate > 0]
    if not known:
        return Fraction(25)
    guess = average if average is not None and average > 0 else known[0]
    if base is not None and guess <= base <= max(_USUAL, guess * 3 / 2):
        guess = base
    for rate in _RATES:
        if abs(rate - guess) <= rate * _NEAR:
            return min((rate, *_RATES), key=lambda known_rate: abs(known_rate - guess))
        if rate > guess:
            return rate
    return _RATES[-1]


def begin_of(times: Sequence[Fraction], *, rate: Fraction) -> Fraction:
    """Where frame 0 begins.

    That is the first picture, but for one thing: who writes fragments can't say that the sound's first samples are
    padding, so the first picture is held for as long as they last, and all others are late by it. There the frames
    begin with the second picture's, less one, and the padding before it isn't heard.

    Args:
        times: of the film's first pictures (``LOOKED_AT`` of them, if it has so many), in seconds.
        rate: frames a second.
    """
    first, others = times[0], times[1:]
    steps = [(at - others[0]) * rate for at in others]
    stretch = others[0] - first - 1 / rate if others else Fraction(0)
    if len(steps) < LOOKED_AT - 1 or not 0 < stretch <= _MOST_STRETCH or _is_whole(stretch * rate):
        return first
    return others[0] - 1 / rate if all(_is_whole(step) for step in steps) else first


def _is_whole(frames: Fraction) -> bool:
    return abs(frames - round(frames)) <= _IN_STEP


def constant_rate(pictures: Iterable[Moment[T]], *, rate: Fraction) -> Iterator[tuple[int, T]]:
    """Turn pictures at any times into one picture per frame of a constant rate.

    Each frame shows the first picture that falls on it (to half a frame), or where none does, the last one before it.
    Frame numbers rise by one from the first picture's, which is 0 for one from before the beginning. The whole lasts
    as long as the film did: of many pictures a second, one that would begin a frame after the end is left out.

    Yields:
        Frame number and picture.
    """
    latest: Moment[T] | None = None
    begun: tuple[int, Moment[T]] | None = None
    due = 0
    for picture in _rising(pictures):
        at = max(0, frame_at(picture.at, rate=rate))
        if latest is None:
            due = at
        if begun and at >= due:
            yield begun[0], begun[1].what
            begun = None
        if latest is not None:
            for missing in range(due, at):
                yield missing, latest.what
        latest = picture
        if at >= due:
            begun, due = (at, picture), at + 1
    if latest is None:
        return
    end = frame_at(latest.at + latest.lasts, rate=rate)
    if begun and (begun[0] == 0 or begun[0] < end or _is_whole(begun[1].at * rate)):
        yield begun[0], begun[1].what
    for left in range(due, end):
        yield left, latest.what


def _rising(pictures: Iterable[Moment[T]]) -> Iterator[Moment[T]]:
    latest: Fraction | None = None
    for picture in pictures:
        if latest is None or picture.at > latest:
            latest = picture.at
            yield picture


def frame_at(at: Fraction, *, rate: Fraction) -> int:
    """The number of the frame nearest to a time in seconds."""
    return (at * rate + Fraction(1, 2)).__floor__()


def samples_until(frame: int, *, fps: Fraction, rate: int) -> int:
    """How many samples of sound lie before a frame, at ``rate`` samples a second."""
    whole, rest = divmod(frame * fps.denominator * rate, fps.numerator)  # asked for each frame; fractions are slow
    return whole + (2 * rest + (whole & 1) > fps.numerator)


def ticks(rate: Fraction) -> tuple[int, int]:
    """Time scale (ticks a second) and ticks per frame that hold a rate exactly in MP4."""
    factor = -(-_TICKS // rate.numerator)
    return rate.numerator * factor, rate.denominator * factor


def spread(count: int, *, frames: int) -> list[int]:
    """The frames in the middle of ``count`` equal parts of a film."""
    return [min(frames - 1, (2 * part + 1) * frames // (2 * count)) for part in range(count)]


def grid_of(count: int, *, columns: int = 10) -> tuple[int, int]:
    """Columns and rows for so many pictures."""
    return min(count, columns), -(-count // columns)


def fit(size: tuple[int | Fraction, int | Fraction], *, long_side: int, short_side: int) -> tuple[int, int]:
    """The largest even width and height of the same form that is no larger than the picture or the bounds."""
    width, height = size
    scale = min(Fraction(1), long_side / Fraction(max(size)), short_side / Fraction(min(size)))
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def whole_cells(size: tuple[int, int], *, long_side: int, cell: int = 32) -> tuple[int, int]:
    """Width and height in whole cells of about the same form, the longer one ``long_side`` at most."""
    scale = min(1.0, long_side / max(size))
    width, height = (max(2 * cell, cell * round(side * scale / cell)) for side in size)
    return width, height


def turns(matrix: Sequence[int] | None) -> tuple[str, ...]:
    """The filters that put a picture upright, from its display matrix (ISO/IEC 14496-12, 6.2.2).

    A point (p, q) is shown at (a·p + c·q, b·p + d·q). Any other angle is taken as the nearest quarter turn.

    Args:
        matrix: nine numbers ``a b u c d v x y w``, or nothing for an upright picture.
    """
    if matrix is None:
        return ()
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (*(("hflip",) if a < 0 else ()), *(("vflip",) if d < 0 else ()))
    return {
        (True, False): ("transpose=clock",),
        (False, True): ("transpose=cclock",),
        (True, True): ("transpose=cclock_flip",),
        (False, False): ("transpose=clock_flip",),
    }[b > 0, c > 0]


def lies_on_its_side(matrix: Sequence[int] | None) -> bool:
    """Whether width and height change places when the picture is put upright."""
    return any(step.startswith("transpose") for step in turns(matrix))
