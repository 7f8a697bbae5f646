"""A family asks for erasure: use stops at once, destruction follows after an objection window.

* Asked for by a family member who is in the film or speaks for a child who is, on their own device or by telling a
  member of staff on the case: for one clip, or for everything of the case that is there now, or on its way.
* Work that was under way then goes on where it may: what it makes is out of use from its first moment.
* Within the window somebody may object (the other parent would keep it; it is evidence): an officer records that, and
  nothing is destroyed for this request. It stays out of use: the objection keeps the record, not the showing of it.
* Whoever asked may cancel within the window; only what this request took out of use comes back, and what was made
  of that since.
* The window is the schedule's ``erasure_asked`` period; the sweep destroys after it. A legal hold beats the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import identity
import vault
from audit import Event
from core.db import Database, get, lock, not_found
from core.errors import Conflict, NotSignedIn, Refused
from core.ids import CaseId, ClipId, PersonId, new_id, well_formed
from identity import Actor, Effect, PersonKind, Role, Roster
from keys import KeyStore
from retention import officers
from retention.models import ErasureRow, ErasureState
from retention.rules import after, civil_day
from retention.terms import Period, RecordClass, Schedule, Trigger

_MAY_BE_TOLD = frozenset({Role.GUIDER, Role.SOCIAL_WORKER, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request as a page shows it.

    Attributes:
        clip_id: nothing for everything of the case.
        window_ends_on: the first day on which it may be destroyed.
    """

    id: str
    case_id: CaseId
    clip_id: ClipId | None
    asked_for: PersonId
    asked_at: datetime
    window_ends_on: date
    state: ErasureState


def erase(
    db: Database,
    *,
    actor: Actor,
    schedule: Schedule,
    case_id: CaseId,
    clip_id: ClipId | None = None,
    told_by: PersonId | None = None,
) -> str:
    """Ask for a clip, or for everything of a case, to be erased. It is out of use when this returns.

    Args:
        db: the main database.
        actor: a family member, or a member of staff on the case whom one told.
        schedule: says how long the window is.
        case_id: whose work it is.
        clip_id: the clip; nothing for everything that is there now.
        told_by: the family member who told the member of staff.

    Returns:
        The request's id.

    Raises:
        NotFound: no such case or clip, or it is none of the asker's business.
        Refused: the asker isn't in the film and speaks for no child in it.
        Conflict: it was asked for already.
    """
    at, erasure_id = db.clock.now(), new_id()
    with audit.refusals_recorded(db, Event.ERASURE_ASKED, actor=actor.person, case_id=case_id), db.begin() as session:
        if not well_formed(case_id):
            raise not_found()
        identity.lock_case(session, case_id)
        roster = identity.roster(session, case_id)
        person = _who(roster, actor=actor, told_by=told_by, at=at)
        shown = vault.persons_in(session, case_id=case_id, clip_id=clip_id)
        _require_say(roster, person, shown=shown, at=at)
        earlier = _asked_in(session, case_id)
        if any(row.asked_for == person and row.clip_id in {None, clip_id} for row in earlier):
            raise Conflict("erasure_asked_already", "You asked for this already. It is out of use.")
        row = ErasureRow(
            id=erasure_id,
            case_id=case_id,
            clip_id=clip_id,
            asked_for=person,
            recorded_by=actor.person,
            asked_at=at,
            window_ends_on=after(civil_day(at), window(schedule)),
            state=ErasureState.ASKED,
            stopped=_stop(session, case_id=case_id, clip_id=clip_id, earlier=earlier),
        )
        session.add(row)
        identity.raise_version(session, case_id)
        audit.record(
            session,
            Event.ERASURE_ASKED,
            actor=actor.person,
            case_id=case_id,
            object_id=clip_id or case_id,
            details={"request": erasure_id, "for": person},
        )
    return erasure_id


def object_to_erasure(db: Database, *, keystore: KeyStore, actor: Actor, erasure_id: str, reason: str) -> None:
    """Record an objection: nothing is destroyed for this request.

    Raises:
        Refused: not an officer, or the window is over (``window_over``).
        NotFound: no such request.
        Conflict: it is no longer open.
        Invalid: no reason.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.ERASURE_OBJECTED, actor=actor.person, object_id=erasure_id):
        officers.require_officer(actor)
        words = officers.clean_reason(reason)
        with db.begin() as session:
            row = _still_open(session, erasure_id, on=civil_day(at))
            owner = officers.owner_of(case_id=row.case_id)
            row.state, row.objected_by, row.ended_at = ErasureState.OBJECTED, actor.person, at
            row.objection = officers.sealed(
                keystore, owner, table="erasure", column="objection", row=row.id, words=words
            )
            audit.record(
                session, Event.ERASURE_OBJECTED, actor=actor.person, case_id=CaseId(row.case_id), object_id=row.id
            )


def cancel_erasure(db: Database, *, actor: Actor, erasure_id: str) -> None:
    """Take a request back: what it took out of use may be decided on again.

    Raises:
        NotFound: no such request, or not this person's.
        Conflict: it is no longer open.
        Refused: the window is over.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.ERASURE_CANCELLED, actor=actor.person, object_id=erasure_id):
        if not actor.has_two_factors:
            raise NotSignedIn("second_factor_needed", "Please finish signing in.")
        with db.begin() as session:
            row = _still_open(session, erasure_id, on=civil_day(at))
            if row.asked_for != actor.person:
                raise not_found()
            row.state, row.ended_at = ErasureState.CANCELLED, at
            others = _asked_in(session, CaseId(row.case_id), but=row.id)
            vault.resume_use(session, set(row.stopped) - {one for other in others for one in other.stopped})
            identity.raise_version(session, CaseId(row.case_id))
            audit.record(
                session, Event.ERASURE_CANCELLED, actor=actor.person, case_id=CaseId(row.case_id), object_id=row.id
            )


def erasures(db: Database, *, actor: Actor) -> tuple[Erasure, ...]:
    """Requests that are open or objected to, for the officer's page.

    Raises:
        Refused: not an officer.
    """
    officers.require_officer(actor)
    with db.read() as session:
        rows = session.scalars(
            select(ErasureRow)
            .where(ErasureRow.state.in_((ErasureState.ASKED, ErasureState.OBJECTED)))
            .order_by(ErasureRow.asked_at, ErasureRow.id)
        )
        return tuple(_shown(row) for row in rows)


def asked(session: Session) -> list[ErasureRow]:
    """The requests that destroy when their window is over."""
    return list(session.scalars(select(ErasureRow).where(ErasureRow.state == ErasureState.ASKED)))


def close_finished(session: Session, *, case_id: CaseId, at: datetime) -> None:
    """Mark the requests of a case done of which nothing is left."""
    session.flush()
    for row in session.scalars(
        select(ErasureRow).where(ErasureRow.case_id == case_id, ErasureRow.state == ErasureState.ASKED)
    ):
        clip_id = ClipId(row.clip_id) if row.clip_id else None
        if not vault.is_left(session, case_id=case_id, clip_id=clip_id, begun_by=row.asked_at):
            row.state, row.ended_at = ErasureState.DONE, at


def window(schedule: Schedule) -> Period:
    """How long after a request somebody may object: the longest that the schedule gives to a clip or film."""
    periods = [
        term.period
        for kind in (RecordClass.FOOTAGE, RecordClass.CLIP, RecordClass.CLIP_LOOK_AGAIN)
        for term in schedule.rules[kind].never_past
        if term.trigger is Trigger.ERASURE_ASKED
    ]
    return max(periods, key=lambda period: (period.months, period.days), default=Period(days=14))


def _who(roster: Roster, *, actor: Actor, told_by: PersonId | None, at: datetime) -> PersonId:
    if not actor.has_two_factors:
        raise NotSignedIn("second_factor_needed", "Please finish signing in.")
    if actor.kind is PersonKind.FAMILY and told_by is None and actor.person in roster.persons:
        return actor.person
    on_case = any(
        one.person == actor.person and one.role in _MAY_BE_TOLD and one.rendition is None and one.span.covers(at)
        for one in roster.assignments
    )
    known = told_by is not None and told_by in roster.persons and roster.persons[told_by].kind is not PersonKind.STAFF
    if actor.kind is PersonKind.STAFF and on_case and told_by is not None and known:
        return told_by
    raise not_found()


def _require_say(roster: Roster, person: PersonId, *, shown: frozenset[PersonId], at: datetime) -> None:
    """Somebody who is in it, or who holds parental responsibility for a child who is; never one without a say."""
    silenced = any(
        one.person == person and Effect.NO_SAY in one.effects and one.span.covers(at) for one in roster.restrictions
    )
    speaks_for = {one.child for one in roster.relationships if one.holder == person and one.span.covers(at)}
    if silenced or not shown & {person, *speaks_for}:
        raise Refused("not_in_this_film", "You can ask for films that you are in, or that show a child you speak for.")


def _asked_in(session: Session, case_id: CaseId, *, but: str = "") -> list[ErasureRow]:
    """Requests that keep things of a case out of use."""
    keeping = (ErasureState.ASKED, ErasureState.OBJECTED)
    query = select(ErasureRow).where(ErasureRow.case_id == case_id, ErasureRow.state.in_(keeping), ErasureRow.id != but)
    return list(session.scalars(query))


def _stop(session: Session, *, case_id: CaseId, clip_id: ClipId | None, earlier: list[ErasureRow]) -> list[str]:
    """Take out of use what is in it, and note what an earlier request had taken: it comes back when both are gone."""
    stopped = vault.stop_use(session, case_id=case_id, clip_id=clip_id)
    within = vault.stopped_in(session, case_id=case_id, clip_id=clip_id)
    return sorted({*stopped, *(within & {one for row in earlier for one in row.stopped})})


def _still_open(session: Session, erasure_id: str, *, on: date) -> ErasureRow:
    if not well_formed(erasure_id):
        raise not_found()
    identity.lock_case(session, CaseId(get(session, ErasureRow, erasure_id).case_id))
    row = lock(session, ErasureRow, erasure_id)
    if row.state is not ErasureState.ASKED:
        raise Conflict("erasure_closed", "This request is closed already.")
    if on >= row.window_ends_on:
        raise Refused("window_over", "The time to object or to change your mind is over.")
    return row


def _shown(row: ErasureRow) -> Erasure:
    return Erasure(
        id=row.id,
        case_id=CaseId(row.case_id),
        clip_id=ClipId(row.clip_id) if row.clip_id else None,
        asked_for=PersonId(row.asked_for),
        asked_at=row.asked_at,
        window_ends_on=row.window_ends_on,
        state=row.state,
    )
