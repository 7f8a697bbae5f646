"""Conferences, which are asked about as one audience, and the timed sessions in which a clip is presented there.

A conference lists people that the service knows; they are recorded, not signed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from consent.facts import Presenting
from consent.models import AttendeeRow, ConferenceRow, PresentingRow
from core.db import Database, get, lock, not_found
from core.errors import Conflict, Invalid
from core.ids import CaseId, ConferenceId, PersonId, new_id, well_formed
from identity import (
    Actor,
    PersonKind,
    Role,
    lock_case,
    raise_version,
    require_in_case,
    require_member,
    require_open,
    require_signed_in,
    roles_in,
)
from keys import KeyStore, RecordOwner, open_field, seal_field

LONGEST_CONFERENCE: Final = timedelta(hours=12)
LONGEST_PRESENTING: Final = timedelta(hours=2)
LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class ConferenceLine:
    """A conference as a list shows it."""

    id: ConferenceId
    title: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    chair: PersonId
    attendees: frozenset[PersonId]


def record_conference(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    chair: PersonId,
    attendees: frozenset[PersonId],
) -> ConferenceId:
    """Record a meeting that a clip may be asked about. It never changes: another date is another conference.

    Raises:
        NotFound: a foreign case.
        Refused: neither guider nor manager.
        Invalid: ``end_before_start``, ``too_long``, ``nobody_listed``, ``title_form``.
        Conflict: ``case_closed``.
    """
    at = db.clock.now()
    words = title.strip()
    if not words or len(words) > LONGEST_TITLE:
        raise Invalid("title_form", "Give the meeting a name.", field="title")
    if ends_at <= starts_at or ends_at <= at:
        raise Invalid("end_before_start", "The end lies before the beginning, or in the past.", field="ends_at")
    if ends_at - starts_at > LONGEST_CONFERENCE:
        raise Invalid("too_long", "A meeting lasts half a day at most.", field="ends_at")
    if not attendees:
        raise Invalid("nobody_listed", "List who will attend.", field="attendees")
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=case_id, at=at)
        require_open(session, case_id)
        conference = ConferenceId(new_id())
        key = keystore.record_key(RecordOwner.case(case_id))
        session.add(
            ConferenceRow(
                id=conference,
                case_id=case_id,
                title=seal_field(key, table="consent_conference", column="title", row=conference, value=words),
                starts_at=starts_at,
                ends_at=ends_at,
                chair=chair,
                recorded_by=actor.person,
                recorded_at=at,
            )
        )
        session.flush()
        session.add_all(AttendeeRow(conference_id=conference, person_id=person) for person in attendees)
        version = raise_version(session, case_id)
        audit.record(
            session,
            audit.Event.CONFERENCE_RECORDED,
            actor=actor.person,
            case_id=case_id,
            object_id=conference,
            details={"chair": chair, "attendees": len(attendees), "version": version},
        )
        return conference


def conferences_of(db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId) -> list[ConferenceLine]:
    """The conferences of a case, the next first.

    Raises:
        NotFound: a foreign case.
    """
    at = db.clock.now()
    with db.read() as session:
        roles_in(session, actor, case_id=case_id, at=at)
        rows = session.scalars(
            select(ConferenceRow).where(ConferenceRow.case_id == case_id).order_by(ConferenceRow.starts_at)
        ).all()
        return [_line(session, keystore, row) for row in rows]


def conference(session: Session, *, keystore: KeyStore, conference_id: ConferenceId) -> ConferenceLine:
    """One conference. The caller has found that the reader may know of it: they were asked about it.

    Raises:
        NotFound: no such conference.
    """
    return _line(session, keystore, get(session, ConferenceRow, conference_id))


def begin_presenting(db: Database, *, actor: Actor, conference: ConferenceId, until: datetime) -> Presenting:
    """Begin a timed presenter session, bound to this sign-in. What may be shown in it is decided at each clip.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: a foreign conference.
        Invalid: ``end_before_start``, ``too_long``.
        Conflict: ``not_now``: outside the conference's window.
    """
    at = db.clock.now()
    require_signed_in(actor)
    if until <= at:
        raise Invalid("end_before_start", "The end lies in the past.", field="until")
    if until - at > LONGEST_PRESENTING:
        raise Invalid("too_long", "A presenter session lasts two hours at most.", field="until")
    with db.begin() as session:
        row = get(session, ConferenceRow, conference) if well_formed(conference) else None
        if row is None:
            raise not_found()
        _require_near(session, actor, row, at=at)
        lock_case(session, CaseId(row.case_id))
        if not row.starts_at <= at < row.ends_at:
            raise Conflict("not_now", "This meeting isn't on just now.")
        ends_at = min(until, row.ends_at)
        session.add(
            PresentingRow(
                id=new_id(),
                conference_id=conference,
                case_id=row.case_id,
                presenter=actor.person,
                session_id=actor.session,
                started_at=at,
                ends_at=ends_at,
            )
        )
        return Presenting(conference, actor.person, ends_at)


def end_presenting(db: Database, *, actor: Actor, conference: ConferenceId) -> None:
    """End one's presenter sessions of a conference: what is playing stops at once."""
    at = db.clock.now()
    require_signed_in(actor)
    with db.begin() as session:
        found = session.scalars(
            select(PresentingRow).where(
                PresentingRow.conference_id == conference,
                PresentingRow.presenter == actor.person,
                PresentingRow.ended_at.is_(None),
            )
        ).all()
        for case_id in sorted({row.case_id for row in found}):
            lock_case(session, CaseId(case_id))
            raise_version(session, CaseId(case_id))
        for row in found:
            lock(session, PresentingRow, row.id).ended_at = at


def _require_near(session: Session, actor: Actor, row: ConferenceRow, *, at: datetime) -> None:
    case_id = CaseId(row.case_id)
    if actor.kind is PersonKind.FAMILY:
        require_member(session, actor.person, case_id=case_id)
    else:
        roles_in(session, actor, case_id=case_id, at=at)


def _line(session: Session, keystore: KeyStore, row: ConferenceRow) -> ConferenceLine:
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    attendees = session.scalars(select(AttendeeRow.person_id).where(AttendeeRow.conference_id == row.id))
    return ConferenceLine(
        id=ConferenceId(row.id),
        title=open_field(key, table="consent_conference", column="title", row=row.id, sealed=row.title),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        chair=PersonId(row.chair),
        attendees=frozenset(PersonId(one) for one in attendees),
    )
