"""The redactor on plain files: who is in a film, and the film with everybody covered who wasn't chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import redaction
from app import plainfilm
from app.plainfilm import Existing, Progress, Sealing
from core.errors import Invalid
from media.covers import CoverShape, CoverStyle
from media.detections import Detections
from media.launcher import Crop, Redact, Sheet
from redaction import Box, Choices, Followed, Keyframe, Region, Track

_MOST_ON_A_SHEET = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was found in a film.

    Attributes:
        number: by which they are kept.
        first, last: seconds into the film at which they are first and last seen.
        frames: in how many frames they are.
        seen: the part of these frames in which they were seen well, from 0 to 1; elsewhere they were filled in.
        best: the frame in which they were seen best.
    """

    number: int
    first: float
    last: float
    frames: int
    seen: float
    best: Crop


def followed(found: Detections) -> Followed:
    """Everything that was seen in a film, in people."""
    return redaction.follow(found)


def numbering(followed: Followed, *, found: Detections) -> str:
    """Which number is who: another version of the program may tell people apart otherwise."""
    return redaction.numbering(followed, found=found)


def people(followed: Followed, *, fps: Fraction) -> tuple[Person, ...]:
    """Who is in a film, by number."""
    return tuple(_person(track, fps=fps) for track in followed.tracks)


def choices(
    found: Detections,
    *,
    keep: Sequence[str],
    mute: Sequence[str],
    regions: Sequence[str],
    style: CoverStyle,
    shape: CoverShape,
) -> Choices:
    """What was chosen, from the words of the command line.

    Raises:
        Invalid: ``track_unreadable``, ``stretch_unreadable``, ``region_unreadable``.
    """
    numbers = [word.strip() for given in keep for word in given.split(",")]
    if not all(word.isdecimal() for word in numbers):
        raise Invalid("track_unreadable", "--keep takes numbers of --list, as in --keep 1,3.", field="keep")
    return Choices(
        kept=frozenset(map(int, numbers)),
        regions=tuple(region(number, text, found=found) for number, text in enumerate(regions, start=1)),
        mutes=tuple(sorted(stretch(text, found=found) for text in mute)),
        style=style,
        shape=shape,
    )


def planned(found: Detections, *, followed: Followed, chosen: Choices) -> Redact:
    """What is to be done to the film: everybody covered who isn't kept.

    Raises:
        Invalid: ``person_unknown``: somebody is to be kept who isn't there.
    """
    covers = redaction.plan(found, chosen, first_frame=0, last_frame=found.frames, followed=followed)
    return Redact(0, found.frames, covers)


def write_redacted(film: Sealing, *, job: Redact, out: Path, existing: Existing, on_progress: Progress) -> None:
    """Write the film as planned."""
    with plainfilm.empty(out.parent) as made:
        plainfilm.carry_out(job, film, made, folder=out.parent, on_progress=on_progress)
        plainfilm.put(made.plain(), place=out, existing=existing)


def write_sheet(film: Sealing, *, persons: Sequence[Person], out: Path, existing: Existing) -> None:
    """Write one picture of everybody who was found, each where they were seen best; two hundred at most."""
    crops = tuple(person.best for person in persons[:_MOST_ON_A_SHEET])
    with plainfilm.empty(out.parent) as made:
        plainfilm.carry_out(Sheet(crops), film, made, folder=out.parent, on_progress=lambda _: None)
        plainfilm.put(made.plain(), place=out, existing=existing)


def words(persons: Sequence[Person], *, found: Detections, chosen: Choices) -> Iterator[str]:
    """Who is in a film, as a table to read."""
    length = found.frames / float(found.fps)
    yield f"{len(persons)} people in {length:.1f} seconds ({found.width} by {found.height} pixels)."
    if persons:
        yield "track     from       to  frames  seen"
    for person in persons:
        times = f"{_time(person.first):>8} {_time(person.last):>8}"
        kept = "  stays visible" if person.number in chosen.kept else ""
        yield f"{person.number:5} {times} {person.frames:7} {person.seen:5.0%}{kept}"


def values(persons: Sequence[Person], *, found: Detections, chosen: Choices) -> dict[str, Any]:
    """Who is in a film, for programs."""
    return {
        "width": found.width,
        "height": found.height,
        "fps": float(found.fps),
        "frames": found.frames,
        "people": [
            {
                "track": person.number,
                "first_seconds": round(person.first, 3),
                "last_seconds": round(person.last, 3),
                "frames": person.frames,
                "seen": round(person.seen, 3),
                "kept": person.number in chosen.kept,
            }
            for person in persons
        ],
    }


def region(number: int, text: str, *, found: Detections) -> Region:
    """A region as it is written on the command line.

    ``X,Y,W,H`` in pixels covers a box through the whole film, ``X,Y,W,H@A-B`` from one time to another, and
    ``X,Y,W,H@A;X,Y,W,H@B`` moves from one place to the next.

    Raises:
        Invalid: ``region_unreadable``.
    """
    places = [place.partition("@") for place in text.split(";")]
    try:
        if len(places) == 1:
            box, _, when = places[0]
            first, last = stretch(when, found=found) if when else (0, found.frames)
            return Region(number, tuple(Keyframe(frame, _box(box)) for frame in sorted({first, last - 1})))
        return Region(number, _rising([(_frame(seconds(when), found=found), _box(box)) for box, _, when in places]))
    except ValueError as error:
        sentence = f"{text} isn't a region. Write X,Y,W,H in pixels, then @A-B, or several X,Y,W,H@TIME with ; between."
        raise Invalid("region_unreadable", sentence, field="region") from error


def stretch(text: str, *, found: Detections) -> tuple[int, int]:
    """``A-B`` as frames ``[first, last)``, never shorter than the time.

    Raises:
        Invalid: ``stretch_unreadable``.
    """
    start, _, end = text.partition("-")
    sentence = f"{text} isn't a stretch of this film. Write it as A-B, in seconds or as minutes:seconds."
    try:
        first, last = (seconds(start) * found.fps).__floor__(), (seconds(end) * found.fps).__ceil__()
    except ValueError as error:
        raise Invalid("stretch_unreadable", sentence, field="mute") from error
    if not first < min(last, found.frames):
        raise Invalid("stretch_unreadable", sentence, field="mute")
    return first, min(last, found.frames)


def seconds(text: str) -> Fraction:
    """A time as ``s``, ``m:s`` or ``h:m:s``, with or without decimals.

    Raises:
        ValueError: it is none.
    """
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(part.replace(".", "", 1).isdecimal() for part in parts):  # noqa: PLR2004 - hours, minutes, seconds
        raise ValueError
    total = Fraction(0)
    for part in parts:
        total = total * 60 + Fraction(part)
    return total


def _person(track: Track, *, fps: Fraction) -> Person:
    best = max(track.sightings, key=lambda one: (one.sure, one.score))
    return Person(
        number=track.number,
        first=float(track.first / fps),
        last=float((track.last + 1) / fps),
        frames=len(track.sightings),
        seen=sum(one.sure for one in track.sightings) / len(track.sightings),
        best=Crop(best.frame, best.box.x, best.box.y, best.box.width, best.box.height),
    )


def _rising(places: list[tuple[int, Box]]) -> tuple[Keyframe, ...]:
    frames = [frame for frame, _ in places]
    if frames != sorted(set(frames)):
        raise ValueError
    return tuple(Keyframe(frame, box) for frame, box in places)


def _frame(at: Fraction, *, found: Detections) -> int:
    return min(found.frames - 1, (at * found.fps).__floor__())


def _box(text: str) -> Box:
    x, y, width, height = map(float, text.split(","))
    if not (width > 0 and height > 0):
        raise ValueError
    return Box(x, y, width, height)


def _time(at: float) -> str:
    return f"{int(at // 60)}:{at % 60:04.1f}"
