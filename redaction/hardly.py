"""What was hardly seen beside somebody who is well seen, and whether it goes with them (PURE).

A detector sees ears and collars too. Where their only reason to count was that somebody was well seen there in the look
before or after, and that person is well seen beside them in the same frame, no reason is left to take them for
anybody: they are covered where that person is, and shown with them.

Everything else stays covered, whoever is kept. Even what looks like a face seen twice may be somebody who looks out
from behind them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from media.detections import Face
from redaction.links import WELL_SEEN, apart

Seen = list[tuple[int, Face]]
"""Somebody's faces, in rising order of frames."""
_COUNTS = 0.2001
"""A score up to which a face counts only because somebody was well seen there in the look before or after."""
_BESIDE = 1.0
"""How far from a face that is well seen, in sizes, something may be hardly seen that goes with it."""


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
        owners = [_owner(face, well.get(frame, ())) for frame, face in seen]
        if None in owners:
            strays.append(seen)
            continue
        for number in sorted({owner for owner in owners if owner is not None}):
            theirs[number].append([one for one, owner in zip(seen, owners, strict=True) if owner == number])
    return strays, theirs


def _owner(face: Face, well_seen: Iterable[tuple[int, Face]]) -> int | None:
    """Who is well seen right beside a face that doesn't count by itself."""
    if face.score > _COUNTS:
        return None
    near = [(apart(face, other), number) for number, other in well_seen if apart(face, other) <= _BESIDE]
    return min(near)[1] if near else None
