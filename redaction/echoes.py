"""What was hardly seen beside somebody who is well seen: is it they, or somebody else (PURE)?

A detector may see a face twice: well where it is, and hardly a bit beside (an echo), or an ear, a collar. Whoever
keeps that person doesn't want these covered. But a face half hidden behind theirs is hardly seen too, and must be. So
what was hardly seen is only theirs where nothing can speak for anybody else:

- its score is so low that it counted for no other reason than that they were well seen there in the look before or
  after; or
- it is an echo: as large as their face, so near that of another head no more than half a face could stand out from
  behind theirs, at most half as well seen as they are, and never seen anywhere beside them but there. A bystander who
  goes by behind them was, or will be, seen farther off, and stays covered throughout.

An ear is as large, and seen as well, as a face that looks out from behind a shoulder. It stays covered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from media.detections import Face
from redaction.links import WELL_SEEN, apart, size

Seen = list[tuple[int, Face]]
"""Somebody's faces, in rising order of frames."""
_COUNTS = 0.2001
"""A score up to which a face counts only because somebody was well seen there in the look before or after."""
_BESIDE = 1.0
"""How far from a face that is well seen, in sizes, something may be hardly seen that goes with it."""
_ECHO = 0.6
"""How far an echo may be from its face, in sizes."""
_AS_LARGE = 1.25
"""By what factor they may differ in size. Of people that are so near each other one is far behind, and smaller."""
_HALF = 0.5
"""How well an echo may be seen, as a part of how well its face is."""


def parted(rest: Iterable[Seen], known: Sequence[Seen]) -> tuple[list[Seen], dict[int, list[Seen]]]:
    """What is nobody's, and what goes with somebody who is well seen beside it, by their number.

    Args:
        rest: what was seen once or badly.
        known: the people; the first is number 1.
    """
    well: defaultdict[int, list[tuple[int, Face]]] = defaultdict(list)
    for number, seen in enumerate(known, start=1):
        for frame, face in seen:
            if face.score >= WELL_SEEN:
                well[frame].append((number, face))
    strays: list[Seen] = []
    theirs: defaultdict[int, list[Seen]] = defaultdict(list)
    for seen in rest:
        owners = _owners(seen, well)
        alone = [one for one, owner in zip(seen, owners, strict=True) if owner is None]
        if alone:
            strays.append(alone)
        for number in sorted({owner for owner in owners if owner is not None}):
            theirs[number].append([one for one, owner in zip(seen, owners, strict=True) if owner == number])
    return strays, theirs


def _owners(seen: Seen, well: Mapping[int, Sequence[tuple[int, Face]]]) -> list[int | None]:
    """With whom each of somebody's faces goes; nothing where it may be somebody else's."""
    near = [_nearest(face, well.get(frame, ())) for frame, face in seen]
    if all(beside and face.score <= _COUNTS for beside, (_, face) in zip(near, seen, strict=True)):
        return [beside[0] if beside else None for beside in near]
    of_one = len({beside[0] for beside in near if beside}) == 1
    if of_one and all(_is_echo(face, beside[1]) for beside, (_, face) in zip(near, seen, strict=True) if beside):
        return [beside[0] if beside else None for beside in near]
    return [None] * len(seen)


def _nearest(face: Face, well_seen: Iterable[tuple[int, Face]]) -> tuple[int, Face] | None:
    """Who is well seen right beside a face."""
    near = [(number, other) for number, other in well_seen if apart(face, other) <= _BESIDE]
    return min(near, key=lambda one: (apart(face, one[1]), one[0]), default=None)


def _is_echo(face: Face, other: Face) -> bool:
    """Whether the detector saw one face twice."""
    ratio = size(face) / size(other)
    as_large = 1 / _AS_LARGE <= ratio <= _AS_LARGE
    return as_large and apart(face, other) <= _ECHO and face.score <= _HALF * other.score
