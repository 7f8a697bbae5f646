"""What was chosen for another clip of the same footage, and what of it holds in this one too.

Faces were found in the footage, so their numbers are the same in every clip of it. Nothing is taken over by itself: a
guider says so, sees it, and can take it back. Only who is seen in this clip, and is of the family still, stays visible.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from sqlalchemy.orm import Session

import identity
import vault
from core.ids import ClipId, PersonId
from identity import Actor
from keys import KeyStore
from redaction.choices import Choices, Keyframe, Region
from redaction.found import Found
from redaction.history import History
from redaction.plan import Person, people
from redaction.steps import State
from redaction.track import Track, between
from vault import ClipSpan


@dataclass(frozen=True, slots=True)
class Beside:
    """Another clip of the same footage for which somebody chose.

    Attributes:
        version: of its choices, to be sent back by whoever begins from them.
        state: what of it would hold here; nothing where faces were looked for, or told apart, anew since: then it
            can't be begun from.
    """

    clip_id: ClipId
    title: str = field(repr=False)
    version: int
    state: State | None


def offered(
    session: Session,
    *,
    keystore: KeyStore,
    actor: Actor,
    clip: ClipSpan,
    found: Found,
    faces: str,
    at: datetime,
) -> tuple[Beside, ...]:
    """The other clips from whose choices a guider may begin, those lately changed first.

    Args:
        session: a snapshot or a transaction.
        keystore: opens choices.
        actor: the guider; clips in which they may not choose aren't told of.
        clip: from ``vault.clip_at_work`` or ``vault.clip_to_choose_in``, in the same transaction.
        found: what was found in the footage, and who is which number in it.
        faces: hex SHA-256 of that.
        at: now.
    """
    members, beside = identity.members_of(session, clip.case_id), []
    for one in vault.chosen_beside(session, keystore=keystore, actor=actor, clip=clip, at=at):
        history = History.from_json(one.text)
        if history.state == State():
            continue
        holds = (
            held(
                history.state,
                tracks=found.followed.tracks,
                members=members,
                first_frame=clip.first_frame,
                last_frame=clip.last_frame,
            )
            if (history.faces, history.numbering) == (faces, found.numbering)
            else None
        )
        if holds != State():
            beside.append(Beside(one.clip.id, one.title, one.version, holds))
    return tuple(beside)


def held(
    state: State,
    *,
    tracks: tuple[Track, ...],
    members: AbstractSet[PersonId],
    first_frame: int,
    last_frame: int,
) -> State:
    """What of the choices for one clip holds in another (PURE); all frames are the working copy's.

    Args:
        state: what was chosen.
        tracks: the people of the whole film among whom it was chosen.
        members: the family as it is now; nobody else stays visible.
        first_frame: the other clip's first.
        last_frame: the first that isn't in it any more.

    Raises:
        Invalid: the choices are about other people than these.
    """
    span, chosen = range(first_frame, last_frame), state.choices
    seen = {part.number for person in people(tracks, chosen) if _is_seen(person, span=span) for part in person.parts}
    kept = frozenset(number for number in chosen.kept if number in seen and state.names[number] in members)
    covers = (_cut(region, span=span) for region in chosen.regions)
    return State(
        replace(
            chosen,
            kept=kept,
            regions=tuple(region for region in covers if region is not None),
            mutes=_stretches(chosen, span=span),
        ),
        {number: state.names[number] for number in sorted(kept)},
    )


def _is_seen(person: Person, *, span: range) -> bool:
    return any(one.frame in span for part in person.parts for one in part.sightings)


def _cut(region: Region, *, span: range) -> Region | None:
    """The part of a cover that lies in a span, placed at the span's ends where it goes on beyond them."""
    places = {one.frame: one for one in region.keyframes if one.frame in span}
    for one, later in pairwise(region.keyframes):
        for end in {span.start, span.stop - 1}:
            if one.frame < end < later.frame:
                box = between(one.box, later.box, (end - one.frame) / (later.frame - one.frame))
                places[end] = Keyframe(end, box)
    return replace(region, keyframes=tuple(places[frame] for frame in sorted(places))) if places else None


def _stretches(chosen: Choices, *, span: range) -> tuple[tuple[int, int], ...]:
    cut = {(max(first, span.start), min(last, span.stop)) for first, last in chosen.mutes}
    return tuple(sorted((first, last) for first, last in cut if first < last))
