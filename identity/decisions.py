"""Facts about whether a person can decide, or must be kept from it: restrictions, competence, capacity.

Restrictions hold within one case; competence and capacity are about the person, in every case of theirs.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database, get, lock, not_found
from core.errors import Conflict, Invalid
from core.ids import CaseId, PersonId, new_id, well_formed
from identity.authority import require_in_case, require_member
from identity.facts import Actor, Capacity, Competence, Effect, Role
from identity.models import CapacityRow, CompetenceRow, PersonRow, RestrictionRow
from identity.people import years_of
from identity.rosters import changed, hold, lock_case
from identity.sealing import attached, clean_words, open_birth_dates, seal_case
from keys import KeyStore

ADULT_FROM_YEARS = 16
"""From this age capacity is presumed and decided on (Mental Capacity Act 2005); below it, competence is assessed."""
LONGEST_PURPOSE = 40


def place_restriction(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    person: PersonId,
    effects: frozenset[Effect],
    reason: str,
    until: datetime | None = None,
) -> str:
    """Place a court order or safety marker on someone, at once. Anybody who works on the case may.

    Args:
        db: the main database.
        keystore: the key store.
        actor: a manager, or the case's guider or social worker.
        case_id: the case that it holds in.
        person: whom it stops: a member of the case.
        effects: what it does; at least one thing.
        reason: in words, sealed.
        until: when it ends by itself, if it does.

    Returns:
        The restriction's id.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``no_effect``, ``end_before_start``, ``words_form``.
    """
    at = db.clock.now()
    words = clean_words(reason)
    if not effects:
        raise Invalid("no_effect", "Say what the restriction stops.", field="effects")
    if until is not None and until <= at:
        raise Invalid("end_before_start", "The end lies in the past.", field="until")
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, Role.SOCIAL_WORKER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        lock_case(session, case_id)
        row_id = new_id()
        session.add(
            RestrictionRow(
                id=row_id,
                case_id=case_id,
                person_id=person,
                no_view=Effect.NO_VIEW in effects,
                no_say=Effect.NO_SAY in effects,
                not_asked=Effect.NOT_ASKED in effects,
                reason=seal_case(keystore, case_id, table="restriction", column="reason", row=row_id, value=words),
                starts_at=at,
                ends_at=until,
                placed_by=actor.person,
            )
        )
        audit.record(
            session,
            audit.Event.RESTRICTION_PLACED,
            actor=actor.person,
            case_id=case_id,
            object_id=row_id,
            details={"person": person, **{effect.value: effect in effects for effect in Effect}},
        )
        changed(session, [case_id], by=actor.person, at=at)
        return row_id


def lift_restriction(db: Database, *, actor: Actor, case_id: CaseId, restriction: str) -> None:
    """Lift a restriction: a manager's act, and never of the one who placed it.

    Raises:
        NotFound: a foreign case or restriction.
        Refused: ``not_your_role``.
        Conflict: ``second_person_needed``, ``restriction_ended``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
        lock_case(session, case_id)
        if not well_formed(restriction):
            raise not_found()
        row = lock(session, RestrictionRow, restriction)
        if row.case_id != case_id:
            raise not_found()
        if row.ends_at is not None and row.ends_at <= at:
            raise Conflict("restriction_ended", "That has ended already.")
        if row.placed_by == actor.person:
            raise Conflict("second_person_needed", "Someone other than the one who placed it must lift it.")
        row.ends_at, row.lifted_by = at, actor.person
        audit.record(session, audit.Event.RESTRICTION_LIFTED, actor=actor.person, case_id=case_id, object_id=row.id)
        changed(session, [case_id], by=actor.person, at=at)


def record_competence(
    db: Database,
    *,
    actor: Actor,
    case_id: CaseId,
    child: PersonId,
    outcome: Competence,
    review_on: date,
    purpose: str | None = None,
) -> None:
    """Record whether a child under 16 understands well enough to decide (Gillick), for one purpose or for all.

    Args:
        db: the main database.
        actor: who assessed: the case's guider or social worker, or a manager.
        case_id: a case that the child is in.
        child: a child under 16.
        outcome: what was found.
        review_on: when to look again; after that day the outcome is unsettled.
        purpose: a purpose of the consent decision; every purpose where nothing is said.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``not_under_16``, ``review_in_past``, ``purpose_form``.
    """
    at = db.clock.now()
    _check_purpose(purpose)
    if review_on <= day_in_england(at):
        raise Invalid("review_in_past", "Give a review date in the future.", field="review_on")
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.SOCIAL_WORKER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, child, case_id=case_id)
        cases = hold(session, [child], also=[case_id])
        born_on = _born_on(session, child)
        if born_on is None or years_of(born_on, on=day_in_england(at)) >= ADULT_FROM_YEARS:
            raise Invalid("not_under_16", "Competence is assessed for children under 16.", field="child")
        row_id = new_id()
        session.add(
            CompetenceRow(
                id=row_id,
                child_id=child,
                purpose=purpose,
                outcome=outcome,
                assessed_at=at,
                review_on=review_on,
                assessor=actor.person,
            )
        )
        audit.record(
            session,
            audit.Event.COMPETENCE_ASSESSED,
            actor=actor.person,
            case_id=case_id,
            object_id=row_id,
            purpose=purpose,
            details={"child": child, "outcome": outcome.value},
        )
        changed(session, cases, by=actor.person, at=at)


def record_capacity(
    db: Database,
    *,
    actor: Actor,
    case_id: CaseId,
    person: PersonId,
    outcome: Capacity,
    purpose: str | None = None,
) -> None:
    """Record a capacity decision about someone of 16 or over, for one purpose or for all.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``under_16``, ``purpose_form``.
    """
    at = db.clock.now()
    _check_purpose(purpose)
    with db.begin() as session:
        require_in_case(session, actor, Role.SOCIAL_WORKER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        cases = hold(session, [person], also=[case_id])
        born_on = _born_on(session, person)
        if born_on is not None and years_of(born_on, on=day_in_england(at)) < ADULT_FROM_YEARS:
            raise Invalid("under_16", "Below 16, record an assessment of competence instead.", field="person")
        row_id = new_id()
        session.add(
            CapacityRow(
                id=row_id,
                person_id=person,
                purpose=purpose,
                outcome=outcome,
                decided_at=at,
                decided_by=actor.person,
            )
        )
        audit.record(
            session,
            audit.Event.CAPACITY_DECIDED,
            actor=actor.person,
            case_id=case_id,
            object_id=row_id,
            purpose=purpose,
            details={"person": person, "outcome": outcome.value},
        )
        changed(session, cases, by=actor.person, at=at)


def _born_on(session: Session, person: PersonId) -> date | None:
    sealed = {person: get(session, PersonRow, person).born_on}
    return open_birth_dates(attached(session), sealed=sealed).get(person)


def _check_purpose(purpose: str | None) -> None:
    if purpose is not None and not (
        purpose.isascii() and purpose.replace("_", "").isalpha() and len(purpose) <= LONGEST_PURPOSE
    ):
        raise Invalid("purpose_form", "Choose one of the purposes.", field="purpose")
