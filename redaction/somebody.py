"""Who is in a clip and where somebody should look, as pages show it (PURE): frames count from the clip's first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from core.ids import PersonId
from redaction.found import Found
from redaction.plan import Person
from redaction.steps import State, together
from redaction.track import Box, LookKind, look_here
from vault import ClipSpan

_EVERY = 3
"""A page gets the place of a face in every so manyth frame, and draws those between."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person in a clip, as the page shows them. Frames count from the clip's first.

    Attributes:
        numbers: all that are this one person.
        still: which picture of the sheet; nothing where there is none.
        first, last: the first and the last frame in which they are.
        frames: in how many.
        score: the detector's for the middle one of their frames in order of score, above 0 and at most 1.
        kept: who it is, if they stay visible.
        places: (frame, box) of every few frames.
    """

    number: int
    numbers: tuple[int, ...]
    still: int | None
    first: int
    last: int
    frames: int
    score: float
    kept: PersonId | None
    places: tuple[tuple[int, Box], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LookHere:
    """A frame of a clip at which somebody should look.

    Attributes:
        number: the person's; nothing for a new scene, and for what is nobody to choose.
        kept: whether they stay visible.
    """

    frame: int
    kind: LookKind
    number: int | None
    kept: bool


def somebody_in(
    persons: tuple[Person, ...], *, clip: ClipSpan, state: State, sheet: dict[int, int]
) -> Iterator[Somebody]:
    """Whoever is seen in a clip, by number.

    Args:
        persons: the people of the whole film, as they were chosen.
        clip: the span of it.
        state: what was chosen.
        sheet: which picture is whose.
    """
    for person in persons:
        seen = [
            one for part in person.parts for one in part.sightings if clip.first_frame <= one.frame < clip.last_frame
        ]
        if not seen:
            continue
        boxes = {one.frame - clip.first_frame: one.box for one in seen}
        numbers = tuple(part.number for part in person.parts)
        frames = sorted(boxes)
        shown = {frame for frame in frames if frame % _EVERY == 0 or frame - 1 not in boxes or frame + 1 not in boxes}
        yield Somebody(
            number=person.number,
            numbers=numbers,
            still=next((sheet[number] for number in numbers if number in sheet), None),
            first=frames[0],
            last=frames[-1],
            frames=len(frames),
            score=median(one.score for one in seen),
            kept=_name(person, state=state),
            places=tuple((frame, boxes[frame]) for frame in sorted(shown)),
        )


def _name(person: Person, *, state: State) -> PersonId | None:
    numbers = together(state.choices, person.number)
    return next((state.names[one] for one in sorted(numbers) if one in state.names), None) if person.kept else None


def looks(found: Found, persons: tuple[Person, ...], *, first_frame: int, last_frame: int) -> tuple[LookHere, ...]:
    """The frames of a clip at which somebody should look, in rising order; also where nobody to choose was seen."""
    by_part = {part.number: person for person in persons for part in person.parts}
    parts = tuple(part for person in persons for part in person.parts)
    known = [
        LookHere(
            frame=one.frame - first_frame,
            kind=one.kind,
            number=by_part[one.track].number if one.track is not None else None,
            kept=one.track is not None and by_part[one.track].kept,
        )
        for one in look_here(found.detections, parts)
        if first_frame <= one.frame < last_frame
    ]
    strays = {
        max(0, stray.first - first_frame)
        for stray in found.followed.strays
        if stray.first < last_frame and stray.last >= first_frame
    }
    doubts = [LookHere(frame, LookKind.UNSURE, None, kept=False) for frame in strays]
    return tuple(sorted([*known, *doubts], key=lambda one: one.frame))
