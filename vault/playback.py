"""Playing: the only door through which film leaves, and every byte of it is decided.

``begin_viewing`` decides under the case's lock, writes the audit entry and a ticket, and commits, before a byte.
``vault.streaming`` and ``read_picture`` decide again, on the facts of that moment, whenever the ticket is used.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

import audit
import consent
import identity
from audit import Event
from consent import Action, Permit, Presenting, Purpose
from core.db import Database, get, not_found
from core.errors import VaultError
from core.ids import CaseId, ObjectId, PersonId, RenditionId, ViewingId
from identity import Actor
from keys import KeyStore
from vault import errors, renditions, viewings
from vault.desk import Desk
from vault.models import ObjectRow, RenditionRow
from vault.objects import ObjectStore
from vault.permits import permits_on
from vault.tally import tally_on
from vault.viewings import Ticket, Viewing


class Picture(StrEnum):
    """A still of a rendition: as secret as the film."""

    POSTER = "poster"
    STRIP = "strip"
    FACES = "faces"
    """Of a working copy: the people found in it."""


def begin_viewing(
    db: Database,
    *,
    actor: Actor,
    rendition_id: RenditionId,
    purpose: Purpose,
    action: Action = Action.STREAM,
    presenting: Presenting | None = None,
    playing_to: frozenset[PersonId] = frozenset(),
) -> Viewing:
    """Ask to play a rendition. The answer, either way, is in the log before anybody learns it.

    Args:
        db: the main database.
        actor: who wants to play it.
        rendition_id: what.
        purpose: what for.
        action: doing what.
        presenting: at a conference, the presenter session.
        playing_to: at a shared review, who is in the room.

    Returns:
        A ticket, bound to the actor's session.

    Raises:
        NotFound: no such rendition, or none of the actor's business.
        Refused: ``not_available``, with the one neutral sentence.
        Unavailable: the log can't be written, or the keys are sealed.
    """
    with db.begin() as session:
        row = _held(session, rendition_id)
        answer = consent.authorise(
            session,
            inquiry=consent.inquiry_of(
                actor, purpose=purpose, action=action, at=db.clock.now(), presenting=presenting, playing_to=playing_to
            ),
            rendition=renditions.facts_for(session, rendition_id),
            object_ids=renditions.objects_of(session, row),
        )
        viewing = viewings.begin(session, row, permit=answer) if isinstance(answer, Permit) else None
        is_stranger = viewing is None and _is_stranger(session, row, actor=actor, at=db.clock.now())
    if viewing is None:
        raise not_found() if is_stranger else errors.not_available()
    assert isinstance(answer, Permit)
    permits_on(db).keep(viewing.id, answer)
    return viewing


def end_viewing(db: Database, *, actor: Actor, viewing_id: ViewingId) -> None:
    """Say that the player was closed. One that has ended already is fine.

    Raises:
        NotFound: no such viewing, or not of this session.
    """
    at = db.clock.now()
    with suppress(VaultError):  # only the number in the entry
        tally_on(db).write()
    with db.begin() as session:
        viewings.own(session, viewing_id, actor=actor)
        row = viewings.end(session, viewing_id, reason="closed", at=at)
        if row is not None:
            audit.record(
                session,
                Event.VIEWING_ENDED,
                actor=actor.person,
                case_id=CaseId(row.case_id),
                object_id=row.rendition_id,
                purpose=row.purpose,
                details={"viewing": viewing_id, "bytes": row.bytes_served},
            )


def read_picture(
    db: Database, *, keystore: KeyStore, store: ObjectStore, actor: Actor, viewing_id: ViewingId, picture: Picture
) -> bytes:
    """The poster, the strip or the faces of what a ticket plays, as a JPEG; decided like a range of it.

    Raises:
        NotFound: no such ticket, or not of this session, or it has ended; or there is no such picture.
        Refused: no longer available (``not_available``); the ticket has ended with that.
        Damaged: the object isn't what was sealed; it is quarantined now.
    """
    desk = Desk(db, keystore, store)
    ticket = desk.ticket(viewing_id, actor=actor)
    found = {Picture.POSTER: ticket.poster, Picture.STRIP: ticket.strip, Picture.FACES: ticket.faces}[picture]
    return _read(desk, ticket, found)


def read_detections(
    db: Database, *, keystore: KeyStore, store: ObjectStore, actor: Actor, viewing_id: ViewingId
) -> bytes:
    """Where faces are in the working copy that a ticket plays; decided like a range of it.

    Raises:
        NotFound: no such ticket, or not of this session, or it has ended; or nothing was searched for.
        Refused: no longer available (``not_available``); the ticket has ended with that.
        Damaged: the object isn't what was sealed; it is quarantined now.
    """
    desk = Desk(db, keystore, store)
    ticket = desk.ticket(viewing_id, actor=actor)
    return _read(desk, ticket, ticket.detections)


def _read(desk: Desk, ticket: Ticket, name: ObjectId | None) -> bytes:
    if name is None:
        raise not_found()
    permit = desk.decide(ticket)
    with desk.db.read() as session:
        found = get(session, ObjectRow, name)
    with desk.quarantining(found):
        reader = desk.open(found, permit=permit)
        return reader.read(0, reader.plain_size)


def _held(session: Session, rendition_id: RenditionId) -> RenditionRow:
    """A rendition's row, read while its case is held."""
    found = renditions.find(session, rendition_id)
    identity.lock_case(session, CaseId(found.case_id))
    session.refresh(found)
    return found


def _is_stranger(session: Session, row: RenditionRow, *, actor: Actor, at: datetime) -> bool:
    roster = identity.roster(session, CaseId(row.case_id))
    if actor.kind is identity.PersonKind.FAMILY:
        return actor.person not in roster.persons
    return not any(place.person == actor.person and place.span.covers(at) for place in roster.assignments)
