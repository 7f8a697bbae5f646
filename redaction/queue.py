"""The checks that wait, for the one who does them, and what became of them, for the guider who asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import identity
import keys
import vault
from core.db import Database
from core.ids import CaseId, PersonId, RenditionId
from identity import Actor, Role
from keys import KeyStore, RecordOwner
from redaction.models import CheckRow, CheckState


@dataclass(frozen=True, slots=True)
class Check:
    """A check as the page of the one who does it, or of the guider who asked for it, shows it.

    Attributes:
        listed: who is recorded as recognisable, by name.
        note: why it was sent back.
    """

    id: str
    case_id: CaseId
    rendition_id: RenditionId
    state: CheckState
    asked_by: PersonId
    checker: PersonId
    listed: tuple[tuple[PersonId, str], ...] = field(repr=False)
    needed_by: date | None
    asked_at: datetime
    answered_at: datetime | None
    note: str = field(repr=False)


def checks_for(db: Database, *, keystore: KeyStore, actor: Actor) -> tuple[Check, ...]:
    """The checks that wait for the actor: by the day of the meeting, then the oldest first.

    Raises:
        NotSignedIn: no second factor.
    """
    identity.require_signed_in(actor)
    with db.read() as session:
        rows = session.scalars(
            select(CheckRow).where(CheckRow.checker == actor.person, CheckRow.state == CheckState.WAITING)
        ).all()
        rows = sorted(rows, key=lambda row: (row.needed_by or date.max, row.asked_at))
        found = (_shown(session, row, keystore=keystore, at=db.clock.now()) for row in rows)
        return tuple(one for one in found if one.state is CheckState.WAITING)


def checks_in(db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId) -> tuple[Check, ...]:
    """Every check in a case, the latest first, for its guider (or a manager).

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: ``not_your_role``.
    """
    with db.read() as session:
        identity.require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=case_id, at=db.clock.now())
        rows = session.scalars(
            select(CheckRow).where(CheckRow.case_id == case_id).order_by(CheckRow.asked_at.desc(), CheckRow.id)
        ).all()
        return tuple(_shown(session, row, keystore=keystore, at=db.clock.now()) for row in rows)


def was_asked(db: Database, *, actor: Actor, rendition_id: RenditionId) -> bool:
    """Whether the actor was asked to check this once, whatever became of it: so much they know already."""
    identity.require_signed_in(actor)
    with db.read() as session:
        query = select(CheckRow.id).where(CheckRow.rendition_id == rendition_id, CheckRow.checker == actor.person)
        return session.scalars(query.limit(1)).one_or_none() is not None


def _shown(session: Session, row: CheckRow, *, keystore: KeyStore, at: datetime) -> Check:
    rendition_id = RenditionId(row.rendition_id)
    state = row.state
    if state is CheckState.WAITING and row.checker not in identity.checkers_of(session, rendition_id, at=at):
        state = CheckState.TAKEN_BACK  # they have lost their place: it waits for nobody
    listed = vault.persons_listed(session, rendition_id)
    names = identity.person_names(session, keystore=keystore, people=listed)
    return Check(
        id=row.id,
        case_id=CaseId(row.case_id),
        rendition_id=rendition_id,
        state=state,
        asked_by=PersonId(row.asked_by),
        checker=PersonId(row.checker),
        listed=tuple(sorted(names.items(), key=lambda one: one[1])),
        needed_by=row.needed_by,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        note=_note(row, keystore=keystore),
    )


def _note(row: CheckRow, *, keystore: KeyStore) -> str:
    if row.note is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="redaction_check", column="note", row=row.id, sealed=row.note)
