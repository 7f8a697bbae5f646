"""Legal holds: what one keeps isn't destroyed, whoever asks. A hold never lets anybody watch.

* Any information governance officer places one, with a reason; *another* officer lifts it.
* It is looked at every 90 days. A review that is late lifts nothing.
* Placing one locks the cases that it touches, as destroying does: whichever comes first is whole, and a hold that is
  placed is in time for everything whose destruction hadn't begun.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import audit
import identity
import vault
from audit import Event
from core.db import Database, lock, not_found
from core.errors import Conflict, Refused
from core.ids import CaseId, ClipId, HoldId, PersonId, new_id, well_formed
from identity import Actor
from keys import KeyStore, RecordOwner
from retention import officers
from retention.models import HoldRow
from retention.rules import civil_day
from retention.terms import Hold, HoldScope

REVIEW_EVERY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold as the officer's page shows it.

    Attributes:
        overdue: whether its review should have been by now.
        may_lift: whether the officer who looks is one who may lift it.
    """

    id: HoldId
    scope: HoldScope
    subject: str
    reason: str = field(repr=False)
    placed_by: PersonId
    placed_at: datetime
    review_on: date
    overdue: bool
    released_by: PersonId | None
    released_at: datetime | None
    release_reason: str | None = field(repr=False)
    may_lift: bool


def place_hold(
    db: Database, *, keystore: KeyStore, actor: Actor, scope: HoldScope, subject: str, reason: str
) -> HoldId:
    """Keep everything of a case, of a person or of one clip until the hold is lifted.

    Args:
        db: the main database.
        keystore: seals the reason.
        actor: an information governance officer.
        scope: what it is about.
        subject: id of that case, person or clip.
        reason: in words.

    Raises:
        Refused: not an officer.
        NotFound: no such case, person or clip.
        Invalid: no reason.
    """
    at, hold_id = db.clock.now(), HoldId(new_id())
    with audit.refusals_recorded(db, Event.HOLD_PLACED, actor=actor.person, object_id=subject):
        officers.require_officer(actor)
        words = officers.clean_reason(reason)
        with db.begin() as session:
            case_id = _locked(session, scope, subject)
            owner = _owner(scope, subject=subject, case_id=case_id)
            session.add(
                HoldRow(
                    id=hold_id,
                    scope=scope,
                    subject=subject,
                    case_id=case_id,
                    reason=officers.sealed(keystore, owner, table="hold", column="reason", row=hold_id, words=words),
                    placed_by=actor.person,
                    placed_at=at,
                    review_on=civil_day(at) + REVIEW_EVERY,
                )
            )
            audit.record(
                session,
                Event.HOLD_PLACED,
                actor=actor.person,
                case_id=case_id,
                object_id=hold_id,
                details={"scope": scope.value, "subject": subject},
            )
    return hold_id


def review_hold(db: Database, *, actor: Actor, hold_id: HoldId) -> date:
    """Say that a hold is still needed.

    Returns:
        The day of the next review.

    Raises:
        Refused: not an officer.
        NotFound: no such hold.
        Conflict: it was lifted.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.HOLD_REVIEWED, actor=actor.person, object_id=hold_id), db.begin() as session:
        officers.require_officer(actor)
        row = _in_force(session, hold_id)
        row.reviewed_at, row.review_on = at, civil_day(at) + REVIEW_EVERY
        audit.record(session, Event.HOLD_REVIEWED, actor=actor.person, case_id=_case(row), object_id=row.id)
        return row.review_on


def release_hold(db: Database, *, keystore: KeyStore, actor: Actor, hold_id: HoldId, reason: str) -> None:
    """Lift a hold: what it kept and is due goes with the next sweep.

    Raises:
        Refused: not an officer, or the one who placed it (``second_officer_needed``).
        NotFound: no such hold.
        Conflict: it was lifted already.
        Invalid: no reason.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.HOLD_RELEASED, actor=actor.person, object_id=hold_id), db.begin() as session:
        officers.require_officer(actor)
        row = _in_force(session, hold_id)
        if row.placed_by == actor.person:
            raise Refused("second_officer_needed", "You placed this hold, so another officer must lift it.")
        words = officers.clean_reason(reason)
        owner = _owner(row.scope, subject=row.subject, case_id=_case(row))
        row.released_by, row.released_at = actor.person, at
        row.release_reason = officers.sealed(
            keystore, owner, table="hold", column="release_reason", row=row.id, words=words
        )
        audit.record(session, Event.HOLD_RELEASED, actor=actor.person, case_id=_case(row), object_id=row.id)


def every_hold(db: Database, *, keystore: KeyStore, actor: Actor) -> tuple[HoldView, ...]:
    """Every hold, those in force first and the next review first, for the officer's page.

    Raises:
        Refused: not an officer.
    """
    officers.require_officer(actor)
    today = civil_day(db.clock.now())
    with db.read() as session:
        rows = session.scalars(select(HoldRow).order_by(HoldRow.review_on, HoldRow.id)).all()
        shown = [_shown(row, keystore=keystore, actor=actor, today=today) for row in rows]
    return tuple(sorted(shown, key=lambda hold: hold.released_at is not None))


def late_reviews(session: Session, *, on: date) -> int:
    """How many holds should have been looked at before a day."""
    query = select(func.count()).select_from(HoldRow)
    return session.scalar(query.where(HoldRow.released_at.is_(None), HoldRow.review_on < on)) or 0


def in_force(session: Session) -> tuple[Hold, ...]:
    """The holds that keep something now."""
    rows = session.execute(
        select(HoldRow.id, HoldRow.scope, HoldRow.subject).where(HoldRow.released_at.is_(None)).order_by(HoldRow.id)
    )
    return tuple(Hold(HoldId(hold_id), scope, _subject(scope, subject)) for hold_id, scope, subject in rows)


def _locked(session: Session, scope: HoldScope, subject: str) -> CaseId | None:
    """Lock the cases that a hold touches; give the one that it belongs to, if it is one."""
    if not well_formed(subject):
        raise not_found()
    if scope is HoldScope.PERSON:
        cases = identity.member_cases(session, PersonId(subject))
        if not cases:
            raise not_found()
        for case_id in sorted(cases):
            identity.lock_case(session, case_id)
        return None
    case_id = CaseId(subject) if scope is HoldScope.CASE else vault.case_of_clip(session, ClipId(subject))
    identity.lock_case(session, case_id)
    return case_id


def _in_force(session: Session, hold_id: HoldId) -> HoldRow:
    if not well_formed(hold_id):
        raise not_found()
    row = lock(session, HoldRow, hold_id)
    if row.released_at is not None:
        raise Conflict("hold_lifted", "This hold was lifted already.")
    return row


def _subject(scope: HoldScope, subject: str) -> CaseId | PersonId | ClipId:
    if scope is HoldScope.CASE:
        return CaseId(subject)
    return PersonId(subject) if scope is HoldScope.PERSON else ClipId(subject)


def _case(row: HoldRow) -> CaseId | None:
    return None if row.case_id is None else CaseId(row.case_id)


def _owner(scope: HoldScope, *, subject: str, case_id: CaseId | None) -> RecordOwner:
    return officers.owner_of(case_id=case_id, person=subject if scope is HoldScope.PERSON else None)


def _shown(row: HoldRow, *, keystore: KeyStore, actor: Actor, today: date) -> HoldView:
    owner = _owner(row.scope, subject=row.subject, case_id=_case(row))
    reason = officers.opened(keystore, owner, table="hold", column="reason", row=row.id, words=row.reason)
    return HoldView(
        id=HoldId(row.id),
        scope=row.scope,
        subject=row.subject,
        reason=reason or "",
        placed_by=PersonId(row.placed_by),
        placed_at=row.placed_at,
        review_on=row.review_on,
        overdue=row.released_at is None and row.review_on < today,
        released_by=None if row.released_by is None else PersonId(row.released_by),
        released_at=row.released_at,
        release_reason=officers.opened(
            keystore, owner, table="hold", column="release_reason", row=row.id, words=row.release_reason
        ),
        may_lift=row.released_at is None and row.placed_by != actor.person,
    )
