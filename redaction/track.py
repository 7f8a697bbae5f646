"""From faces in single frames to people through time (PURE).

Who is who from frame to frame is found by ``redaction.links``. Here the frames between are filled in, sizes are made
steady (never smaller than what was seen), and everybody gets a while before and after in which they may have been there
already, or still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from media.detections import Detections, Face
from redaction.hardly import Seen, parted
from redaction.links import WELL_SEEN, chains

MOST_SKIPPED = 3
"""Detections speak of every so manyth frame at least."""
BEFORE_AND_AFTER = 0.24
"""Seconds for which somebody is taken to be there already, or still, where a scene doesn't begin or end."""
_ONCE_IS_ENOUGH = 0.5
_NEVER_MORE = 0.3
"""Who was never seen better than this may be a pattern: covered where it was seen, and nobody to choose."""
_LONG_UNSEEN = 7
"""Frames without a look at somebody that a checker should see: more than two steps of the detector."""
_STEADY = 2
"""Sizes are made steady over so many sightings to either side."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is, in pixels of the working copy; it may reach beyond the picture.

    Attributes:
        x, y: of its upper left corner.
        width, height: more than 0.
    """

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where one person's face is in one frame.

    Attributes:
        frame: its number in the working copy.
        box: of the face.
        score: the detector's, above 0 and at most 1; of a frame between two that were looked at, the smaller.
        sure: whether the detector saw it in this very frame, well enough; else it was filled in or hardly seen.
        guessed_from: where they were seen last, or are next, if they weren't seen in a look on the nearer side: they
            may be there, and nothing says so.
    """

    frame: int
    box: Box
    score: float
    sure: bool
    guessed_from: Sighting | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One person from when they come to when they go.

    Attributes:
        number: from 1, by when they first appear; the same for the same detections.
        sightings: one for each frame from the first in which the face was seen to the last; never empty.
        before: boxes for the frames just before the first sighting, in rising order of frames: it may have been there.
        after: likewise after the last one.
        beside: boxes for what was hardly seen beside them while they were well seen: an ear, a collar. It goes where
            they go.
    """

    number: int
    sightings: tuple[Sighting, ...]
    before: tuple[Sighting, ...] = ()
    after: tuple[Sighting, ...] = ()
    beside: tuple[Sighting, ...] = ()

    @property
    def first(self) -> int:
        """The first frame with a sighting."""
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        """The last frame with a sighting (this one included)."""
        return self.sightings[-1].frame


class LookKind(StrEnum):
    """Why a checker should look at a frame."""

    BIRTH = "birth"
    """Somebody appears."""
    DEATH = "death"
    """Somebody is seen for the last time."""
    GAP = "gap"
    """Somebody wasn't seen for a while; where they are was filled in."""
    UNSURE = "unsure"
    """The detector hardly saw a face, or saw it once."""
    CUT = "cut"
    """A new scene begins."""


@dataclass(frozen=True, slots=True)
class Look:
    """A frame at which a checker should look.

    Attributes:
        kind: why.
        frame: which.
        track: whose number; None for a cut.
    """

    kind: LookKind
    frame: int
    track: int | None


@dataclass(frozen=True, slots=True)
class Followed:
    """Everything that was seen, in people.

    Attributes:
        tracks: those who were seen twice at least and not badly, or once very well; only they can be chosen.
        strays: what was seen badly or once (a clock, a teddy bear, or somebody for a moment); always covered.
    """

    tracks: tuple[Track, ...]
    strays: tuple[Track, ...]


def follow(found: Detections) -> Followed:
    """Put every face that was seen into a track, or among the strays."""
    known: list[Seen] = []
    rest: list[Seen] = []
    for places in chains(found):
        seen = [(frame, found.looked[frame][at]) for frame, at in places]
        best = max(face.score for _, face in seen)
        is_somebody = best >= _ONCE_IS_ENOUGH or (len(seen) > 1 and best >= _NEVER_MORE)
        (known if is_somebody else rest).append(seen)
    known.sort(key=lambda seen: (seen[0][0], seen[0][1].x, seen[0][1].y))
    strays, beside = parted(rest, known)
    tracks = tuple(
        replace(_track(number, seen, found=found), beside=_beside(beside.get(number, ()), found=found))
        for number, seen in enumerate(known, start=1)
    )
    return Followed(tracks, tuple(_track(0, seen, found=found) for seen in strays))


def tracks(found: Detections) -> tuple[Track, ...]:
    """The people in a film, numbered from 1 by when they first appear."""
    return follow(found).tracks


def look_here(found: Detections, followed: tuple[Track, ...]) -> tuple[Look, ...]:
    """The frames at which a checker should look, in rising order.

    Args:
        found: what the detector saw.
        followed: what ``tracks`` made of it, or some of them.
    """
    looks = [Look(LookKind.CUT, cut, None) for cut in found.cuts]
    for track in followed:
        scenes = {0, *found.cuts, found.frames}
        if scenes.isdisjoint(range(track.first - MOST_SKIPPED + 1, track.first + 1)):
            looks.append(Look(LookKind.BIRTH, track.first, track.number))
        if scenes.isdisjoint(range(track.last + 1, track.last + 1 + MOST_SKIPPED)):
            looks.append(Look(LookKind.DEATH, track.last, track.number))
        looks += _doubts(track, found=found)
    order = list(LookKind)
    return tuple(sorted(looks, key=lambda look: (look.frame, order.index(look.kind), look.track or 0)))


def box_of(face: Face) -> Box:
    """Where a face is."""
    return Box(face.x, face.y, face.width, face.height)


def between(a: Box, b: Box, part: float) -> Box:
    """The box that lies ``part`` of the way from one to another; beyond them for less than 0 or more than 1."""
    x, y = a.x + a.width / 2, a.y + a.height / 2
    x += (b.x + b.width / 2 - x) * part
    y += (b.y + b.height / 2 - y) * part
    inside = min(1.0, max(0.0, part))
    width = a.width + (b.width - a.width) * inside
    height = a.height + (b.height - a.height) * inside
    return Box(x - width / 2, y - height / 2, width, height)


def _beside(hardly_seen: Iterable[Seen], *, found: Detections) -> tuple[Sighting, ...]:
    """Boxes for what goes with somebody; where they are covered, so is it, in the frames around too."""
    made = [_track(0, seen, found=found) for seen in hardly_seen]
    boxes = [box for one in made for box in (*one.before, *one.sightings, *one.after)]
    return tuple(sorted(boxes, key=lambda one: (one.frame, one.box.x, one.box.y)))


def _track(number: int, seen: Seen, *, found: Detections) -> Track:
    steady = _steadied(seen)
    sightings = tuple(_filled(steady))
    while_there = max(2, round(float(found.fps) * BEFORE_AND_AFTER)) if number else MOST_SKIPPED - 1
    begins = max((cut for cut in found.cuts if cut <= sightings[0].frame), default=0)
    ends = min((cut for cut in found.cuts if cut > sightings[-1].frame), default=found.frames)
    before = range(max(begins, sightings[0].frame - while_there), sightings[0].frame)
    after = range(sightings[-1].frame + 1, min(ends, sightings[-1].frame + 1 + while_there))
    return Track(
        number,
        sightings,
        before=tuple(_moved_on(steady[:2], frame) for frame in before),
        after=tuple(_moved_on(steady[:-3:-1], frame) for frame in after),
    )


def _steadied(seen: Seen) -> list[Sighting]:
    """What was seen, with sizes that don't flicker and are never smaller than seen."""
    made = []
    for at, (frame, face) in enumerate(seen):
        around = [other for _, other in seen[max(0, at - _STEADY) : at + _STEADY + 1]]
        width = max(face.width, sum(other.width for other in around) / len(around))
        height = max(face.height, sum(other.height for other in around) / len(around))
        x, y = face.x - (width - face.width) / 2, face.y - (height - face.height) / 2
        made.append(Sighting(frame, Box(x, y, width, height), face.score, face.score >= WELL_SEEN))
    return made


def _filled(seen: list[Sighting]) -> Iterator[Sighting]:
    for one, later in pairwise(seen):
        yield one
        for frame in range(one.frame + 1, later.frame):
            part = (frame - one.frame) / (later.frame - one.frame)
            nearer = one if frame - one.frame <= later.frame - frame else later
            box = between(one.box, later.box, part)
            yield Sighting(frame, box, min(one.score, later.score), sure=False, guessed_from=_away(nearer, frame))
    yield seen[-1]


def _moved_on(nearest: list[Sighting], frame: int) -> Sighting:
    """Where somebody may be before or after they were seen: where they were and where they were heading, in one box."""
    there = nearest[0].box
    if len(nearest) > 1:
        other = nearest[1]
        part = (frame - nearest[0].frame) / (other.frame - nearest[0].frame)
        on = between(there, other.box, max(part, -2.0))
        there = around(there, on)
    away = _away(nearest[0], frame)
    return Sighting(frame, there, nearest[0].score, sure=False, guessed_from=away)


def _away(seen: Sighting, frame: int) -> Sighting | None:
    """Where somebody was seen, if that is so long ago or ahead that they were looked for in between."""
    return seen if abs(frame - seen.frame) >= MOST_SKIPPED else None


def around(a: Box, b: Box) -> Box:
    """The smallest box around two."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.x + a.width, b.x + b.width) - x, max(a.y + a.height, b.y + b.height) - y)


def _doubts(track: Track, *, found: Detections) -> Iterator[Look]:
    """Gaps, and faces that were hardly seen: the first frame of each."""
    last_seen, was_doubtful = track.first, False
    for one in track.sightings:
        if one.frame not in found.looked:
            continue
        seen = one.sure or any(_is_at(face, one.box) for face in found.looked[one.frame])
        if not seen:
            continue
        if one.frame - last_seen >= _LONG_UNSEEN:
            yield Look(LookKind.GAP, last_seen + 1, track.number)
        if not one.sure and not was_doubtful:
            yield Look(LookKind.UNSURE, one.frame, track.number)
        last_seen, was_doubtful = one.frame, not one.sure


def _is_at(face: Face, box: Box) -> bool:
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    return abs(face.x + face.width / 2 - middle[0]) < 1 and abs(face.y + face.height / 2 - middle[1]) < 1
