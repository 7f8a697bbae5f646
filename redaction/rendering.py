"""From choices to a redacted rendition: asking for it, and what its jobs ask of this room."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

import audit
import identity
import vault
from audit import Event
from core.db import Database
from core.errors import Invalid
from core.ids import ClipId, PersonId, RenditionId
from core.jobs import Lease
from identity import Actor, Role
from keys import KeyStore
from redaction.choices import Choices
from redaction.chosen import history_of
from redaction.faces import stills
from redaction.found import remembered, understood
from redaction.plan import people, plan
from redaction.review import drop_checks
from redaction.somebody import LookHere, looks
from redaction.track import LookKind
from vault import ObjectStore, Order, Planned, Runner
from vault import People as PeopleFound

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ties a redacted rendition to the film that it came from: hashes, which tell nothing to whoever hasn't it.

    Attributes:
        made: of the rendition; all are hex SHA-256.
        original: of the film as it was deposited.
        working_copy: of what it was cut from.
        persons: who stays visible by choice.
        reason: why it was redacted as it was, in the guider's words.
    """

    made: str
    original: str
    working_copy: str
    persons: frozenset[PersonId]
    reason: str = field(repr=False)


def render(db: Database, *, keystore: KeyStore, actor: Actor, clip_id: ClipId, looked_at: int, reason: str) -> None:
    """Have a version of a clip made in which everybody who wasn't chosen is covered.

    Args:
        db: the main database.
        keystore: seals what is asked.
        actor: the case's guider, who can't be the one who checks it.
        clip_id: which clip.
        looked_at: the version of the choices that they looked at.
        reason: why these people are covered, or stay visible.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Invalid: ``redaction_reason``.
        Conflict: ``choices_moved``, ``redaction_under_way``, ``faces_not_found_yet``, ``footage_gone``, or the clip or
            its case isn't in use.
    """
    words, at = " ".join(reason.split()), db.clock.now()
    if not 1 <= len(words) <= _LONGEST_REASON:
        raise Invalid("redaction_reason", f"Say why, in 1 to {_LONGEST_REASON} characters.", field="reason")
    with (
        audit.refusals_recorded(db, Event.REDACTION_ASKED, actor=actor.person, object_id=clip_id),
        db.begin() as session,
    ):
        clip = vault.clip_at_work(session, actor=actor, clip_id=clip_id, at=at)
        kept = vault.choices_of(session, keystore=keystore, clip_id=clip_id)
        looking = vault.looking(session, clip.footage_id)
        faces = looking.sha256 if looking else ""
        known = remembered(faces)  # as a rule, since the page was made; where not, the planner looks
        history = history_of(kept.text, faces=faces, numbering=known.numbering if known else None)
        asked = {
            "faces": history.faces,
            "numbering": history.numbering,
            "choices": history.state.choices.to_json(),
            "persons": sorted(history.state.persons),
            "reason": words,
        }
        vault.post_redaction(
            session, keystore=keystore, actor=actor, clip=clip, looked_at=looked_at, asked=json.dumps(asked), at=at
        )
        audit.record(
            session,
            Event.REDACTION_ASKED,
            actor=actor.person,
            case_id=clip.case_id,
            object_id=clip_id,
            details={"choices": _sha256(history.state.choices), "persons": len(history.state.persons)},
        )


def manifest_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> Manifest | None:
    """What a redacted rendition was made of; nothing for others. Whether the asker may know is the caller's to say."""
    text = vault.manifest_of(session, keystore=keystore, rendition_id=rendition_id)
    if not text:
        return None
    words = json.loads(text)
    return Manifest(
        made=words["made"],
        original=words["original"],
        working_copy=words["working_copy"],
        persons=frozenset(PersonId(one) for one in words["persons"]),
        reason=words["reason"],
    )


def set_persons_shown(
    db: Database, *, keystore: KeyStore, actor: Actor, rendition_id: RenditionId, persons: Iterable[PersonId]
) -> None:
    """Record who can be recognised. Whoever was chosen to stay visible is: they can only be left out by covering them.

    Raises:
        Invalid: ``kept_person_missing``; or as ``vault.set_persons_shown``.
        NotFound, Refused, Conflict: as ``vault.set_persons_shown``.
    """
    wanted = frozenset(persons)
    with (
        audit.refusals_recorded(db, Event.PERSONS_SHOWN_RECORDED, actor=actor.person, object_id=rendition_id),
        db.read() as session,
    ):
        case_id = vault.facts_for(session, rendition_id).case_id
        identity.require_in_case(session, actor, Role.GUIDER, case_id=case_id, at=db.clock.now())
        made_of = manifest_of(session, keystore=keystore, rendition_id=rendition_id)
    if made_of is not None and not made_of.persons <= wanted:
        sentence = "Somebody whom you kept visible must stay on the list. To leave them out, blur them."
        raise Invalid("kept_person_missing", sentence, field="persons")
    vault.set_persons_shown(db, actor=actor, rendition_id=rendition_id, persons=wanted)


def look_here_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> tuple[LookHere, ...] | None:
    """The frames of a redacted rendition at which its checker must look; nothing for others.

    Whether the asker may know is the caller's to say.
    """
    text = vault.look_here_of(session, keystore=keystore, rendition_id=rendition_id)
    if not text:
        return None
    return tuple(LookHere(frame, LookKind(kind), number, kept) for frame, kind, number, kept in json.loads(text))


def detect(db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease) -> None:
    """Do all that is left of a job that looks for people. Safe to repeat."""
    vault.detect(db, keystore=keystore, store=store, lease=lease, people_in=_people_in)


def redact(db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease) -> None:
    """Do all that is left of a job that covers them. Safe to repeat."""

    def superseded(session: Session, by: PersonId, former: list[RenditionId]) -> None:
        drop_checks(session, by=by, renditions=former, at=db.clock.now())

    vault.redact(db, keystore=keystore, store=store, lease=lease, planner=_planned, superseded=superseded)


RUNNERS: Mapping[str, Runner] = {vault.DETECT: detect, vault.REDACT: redact}
"""The kinds of job that this room carries out."""


def _people_in(data: bytes) -> PeopleFound:
    followed = understood(data, sha256=hashlib.sha256(data).hexdigest()).followed
    return PeopleFound(len(followed.tracks), stills(followed.tracks))


def _planned(order: Order) -> Planned:
    asked = json.loads(order.asked)
    if asked["faces"] != order.detections_sha256:
        raise _other_faces()
    found = understood(order.detections, sha256=order.detections_sha256)
    chosen = Choices.from_json(asked["choices"])
    names_somebody = chosen.kept or chosen.merged or chosen.split
    if names_somebody and asked.get("numbering") != found.numbering:
        raise _other_faces()
    covers = plan(found.detections, chosen, first_frame=order.first_frame, last_frame=order.last_frame)
    flagged = looks(
        found,
        people(found.followed.tracks, chosen),
        first_frame=order.first_frame,
        last_frame=order.last_frame,
    )
    return Planned(
        covers=covers,
        persons=frozenset(PersonId(one) for one in asked["persons"]),
        look_here=json.dumps([[one.frame, one.kind.value, one.number, one.kept] for one in flagged]),
        reason=asked["reason"],
        choices_sha256=_sha256(chosen),
    )


def _other_faces() -> Invalid:
    sentence = "Faces were looked for or told apart anew since you chose. Choose once more who stays visible."
    return Invalid("choices_of_other_faces", sentence)


def _sha256(chosen: Choices) -> str:
    return hashlib.sha256(chosen.to_json().encode()).hexdigest()
