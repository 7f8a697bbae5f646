"""From people and choices to what is covered in each frame (PURE).

Nobody is shown who wasn't chosen: a face that belongs to no kept person is covered, and covers are only ever added, so
a kept face never takes away from another's. Where detections don't speak of a stretch of film there is no plan at all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from core.errors import Invalid
from media.covers import Cover, Covers, CoverShape
from media.detections import Detections, damaged
from redaction import heads
from redaction.choices import Choices, Region
from redaction.heads import Shown
from redaction.track import MOST_SKIPPED, Box, Followed, Sighting, Track, between, follow


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the guider sees them: one track, a part of one, or several.

    Attributes:
        number: the smallest of its parts'.
        parts: their tracks, by when they begin.
        kept: whether they stay visible.
    """

    number: int
    parts: tuple[Track, ...]
    kept: bool


def people(followed: tuple[Track, ...], choices: Choices) -> tuple[Person, ...]:
    """The people in a film as they were chosen, by number.

    Args:
        followed: what ``redaction.track.tracks`` found.
        choices: who was parted, merged and kept.

    Raises:
        Invalid: ``person_unknown`` or ``split_outside``: the choices belong to another film.
    """
    parts = {track.number: track for track in followed}
    for split in choices.split:
        number = max(parts, default=0) + 1
        whole = _known(parts, split.number)
        if not whole.first < split.frame <= whole.last:
            sentence = "Somebody can only be parted while they are in the picture, after they came."
            raise Invalid("split_outside", sentence, field="frame")
        parts[split.number], parts[number] = _parted(whole, frame=split.frame, number=number)
    group_of = {number: {number} for number in parts}
    for group in choices.merged:
        joined = set().union(*(group_of[_known(parts, number).number] for number in group))
        for number in joined:
            group_of[number] = joined
    kept = {_known(parts, number).number for number in choices.kept}
    groups = {frozenset(group) for group in group_of.values()}
    return tuple(
        Person(
            min(group), tuple(sorted((parts[one] for one in group), key=lambda part: part.first)), bool(group & kept)
        )
        for group in sorted(groups, key=min)
    )


def plan(
    found: Detections, choices: Choices, *, first_frame: int, last_frame: int, followed: Followed | None = None
) -> Covers:
    """What to cover in a span of a film.

    Args:
        found: what the detector saw in the whole film.
        choices: who stays visible, what else is covered, and where there is no sound.
        first_frame: the span's first, in frames of the working copy.
        last_frame: the first that isn't in it any more.
        followed: what ``follow`` made of all that was found, where somebody has asked it already.

    Raises:
        Damaged: the detections don't speak of all of the film.
        Invalid: the choices belong to another film, or the span isn't in this one.
        TooLarge: more than can be covered at once.
    """
    if not 0 <= first_frame < last_frame <= found.frames:
        raise Invalid("beyond_end", "That is after the end of the film.", field="last_frame")
    check_whole(found)
    followed = follow(found) if followed is None else followed
    covered: defaultdict[int, list[Cover]] = defaultdict(list)
    span = range(first_frame, last_frame)
    persons = people(followed.tracks, choices)
    hidden = [part for person in persons if not person.kept for part in person.parts]
    shown = _shown((part for person in persons if person.kept for part in person.parts), span=span)
    for track in (*hidden, *followed.strays):
        for one in (*track.before, *track.sightings, *track.after, *track.beside):
            if one.frame in span:
                for box, shape in heads.covered(one, shown=shown.get(one.frame, ()), shape=choices.shape):
                    covered[one.frame].append(_cover(box, shape=shape, choices=choices))
    for region in choices.regions:
        for frame, box in _moving(region, span=span):
            covered[frame].append(_cover(box, shape=region.shape, choices=choices))
    return Covers.of(
        (covered[frame] for frame in span),
        width=found.width,
        height=found.height,
        first_frame=first_frame,
        mutes=_within(span, choices.mutes),
    )


def check_whole(found: Detections) -> None:
    """Refuse detections that don't speak of all of a film: nobody can be covered by them.

    Raises:
        Damaged: they don't.
    """
    looked = sorted(found.looked)
    ends = zip((-MOST_SKIPPED, *looked), (*looked, found.frames - 1 + MOST_SKIPPED), strict=True)
    if not looked or looked[0] != 0 or any(later - one > MOST_SKIPPED for one, later in ends):
        damaged()


def _known(parts: dict[int, Track], number: int) -> Track:
    if number not in parts:
        raise Invalid("person_unknown", "There is nobody with this number in the film.", field="kept")
    return parts[number]


def _parted(whole: Track, *, frame: int, number: int) -> tuple[Track, Track]:
    """Somebody who was two; for a moment around the parting each of them may still be the other."""
    at = bisect_left(whole.sightings, frame, key=lambda one: one.frame)
    once, later = whole.sightings[:at], whole.sightings[at:]
    after = _unsure(later[: len(whole.before) or MOST_SKIPPED])
    there, then = ([one for one in whole.beside if (one.frame < frame) is first] for first in (True, False))
    return (
        Track(whole.number, once, before=whole.before, after=after, beside=tuple(there)),
        Track(number, later, before=_unsure(once[-MOST_SKIPPED:]), after=whole.after, beside=tuple(then)),
    )


def _unsure(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    return tuple(replace(one, sure=False, guessed_from=None) for one in sightings)


def _cover(box: Box, *, shape: CoverShape, choices: Choices) -> Cover:
    return Cover.around(box.x, box.y, box.width, box.height, shape=shape, style=choices.style)


def _shown(kept: Iterable[Track], *, span: range) -> dict[int, list[Shown]]:
    """The faces that were chosen, by frame; well seen are also those between two looks that both saw them well."""
    shown: defaultdict[int, list[Shown]] = defaultdict(list)
    for track in kept:
        sure = [one.frame for one in track.sightings if one.sure]
        surely = {*sure}
        for one, later in pairwise(sure):
            if later - one <= MOST_SKIPPED:
                surely.update(range(one, later))
        boxes = {one.frame: one.box for one in track.sightings if one.guessed_from is None}
        for frame, box in boxes.items():
            if frame in span:
                shown[frame].append(Shown(box, sure=frame in surely, boxes=boxes))
    return shown


def _moving(region: Region, *, span: range) -> Iterator[tuple[int, Box]]:
    for one, later in pairwise(region.keyframes):
        for frame in range(max(one.frame, span.start), min(later.frame, span.stop)):
            yield frame, between(one.box, later.box, (frame - one.frame) / (later.frame - one.frame))
    last = region.keyframes[-1]
    if last.frame in span:
        yield last.frame, last.box


def _within(span: range, mutes: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The part of each stretch that lies in a span."""
    cut = [(max(first, span.start), min(last, span.stop)) for first, last in mutes]
    return [(first, last) for first, last in cut if first < last]
