"""Who works on which case: assigning, handing over, ending."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.db import Database, lock, not_found
from core.errors import Conflict, Invalid, Refused
from core.ids import AssignmentId, CaseId, PersonId, RenditionId, well_formed
from identity.authority import require_in_case
from identity.facts import Actor, Role
from identity.models import AssignmentRow
from identity.places import guider_of, place, record_refusal, require_can_hold, still, why_not
from identity.rosters import changed, hold, lock_case, members_of, require_open
from identity.sealing import clean_words, seal_case
from keys import KeyStore

CASE_ROLES = frozenset(Role) - {Role.MANAGER, Role.IG_OFFICER, Role.ADMINISTRATOR}


def assign(
    db: Database,
    *,
    actor: Actor,
    case_id: CaseId,
    staff: PersonId,
    role: Role,
    rendition: RenditionId | None = None,
    until: datetime | None = None,
) -> AssignmentId:
    """Give a member of staff a place in a case.

    A manager assigns anybody; the case's guider only a checker, for one rendition. A case that has a guider gets
    another by ``change_guider`` only.

    Args:
        db: the main database.
        actor: who assigns.
        case_id: the case.
        staff: who is assigned; must hold the role (or, to check, be a trained colleague off the case).
        role: as what.
        rendition: for a checker, and only then: the one rendition.
        until: when it ends by itself; never for a guider.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``, ``role_not_held``, ``conflict_of_interest``, ``not_off_case``.
        Invalid: ``no_case_role``, ``check_needs_rendition``, ``end_before_start``, ``guider_without_end``.
        Conflict: ``has_guider``, ``case_closed``.
    """
    at = db.clock.now()
    with db.begin() as session:
        made = assign_step(
            session, actor, case_id=case_id, staff=staff, role=role, at=at, rendition=rendition, until=until
        )
    if isinstance(made, Refused):
        raise made
    return made


def assign_step(
    session: Session,
    actor: Actor,
    *,
    case_id: CaseId,
    staff: PersonId,
    role: Role,
    at: datetime,
    rendition: RenditionId | None = None,
    until: datetime | None = None,
) -> AssignmentId | Refused:
    """Do what ``assign`` does in the caller's transaction (a check's task and its assignment are made together).

    Returns:
        The assignment; or a refusal whose audit entry is written: commit, then raise it.

    Raises:
        VaultError: as ``assign``; then nothing is written.
    """
    _check_terms(role, rendition=rendition, until=until, at=at)
    if role is Role.CHECKER:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
    else:
        require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
    require_can_hold(session, staff, role=role)
    cases = _hold_team(session, case_id, role=role)
    require_open(session, case_id)
    if role is Role.GUIDER and guider_of(session, case_id) is not None:
        raise Conflict("has_guider", "This case has a guider already. Change the guider, and say why.")
    refusal = why_not(session, staff, role=role, case_id=case_id, at=at)
    if refusal is not None:
        record_refusal(session, actor, case_id=case_id, staff=staff, reason=refusal.code)
        return refusal
    made = place(session, actor, case_id=case_id, staff=staff, role=role, at=at, rendition=rendition, until=until)
    changed(session, cases, by=actor.person, at=at)
    return made


def checkers_of(session: Session, rendition: RenditionId, *, at: datetime) -> frozenset[PersonId]:
    """Whoever has a live place as the checker of a rendition: it may have ended since they were asked."""
    live = session.scalars(
        select(AssignmentRow.person_id).where(
            AssignmentRow.role == Role.CHECKER,
            AssignmentRow.rendition_id == rendition,
            AssignmentRow.suspended.is_(False),
            still(at),
        )
    )
    return frozenset(PersonId(one) for one in live)


def end_checks(session: Session, *, by: PersonId, case_id: CaseId, rendition: RenditionId, at: datetime) -> None:
    """End every live checker's place for a rendition: the check is done, or sent back, or no longer needed.

    The caller has found that they may say so (the checker, or the guider who takes it back or makes another version).
    """
    lock_case(session, case_id)
    rows = session.scalars(
        select(AssignmentRow).where(
            AssignmentRow.case_id == case_id, AssignmentRow.rendition_id == rendition, still(at)
        )
    ).all()
    for row in rows:
        _end(session, row, by=by, at=at)
    if rows:
        changed(session, [case_id], by=by, at=at)


def end_assignment(db: Database, *, keystore: KeyStore, actor: Actor, assignment: AssignmentId, reason: str) -> None:
    """End a place in a case: what it opened closes at once. Staff may end their own.

    Raises:
        NotFound: a foreign assignment.
        Refused: ``not_your_role``.
        Conflict: ``assignment_ended``.
        Invalid: ``words_form``.
    """
    at = db.clock.now()
    words = clean_words(reason)
    with db.begin() as session:
        found = session.get(AssignmentRow, assignment) if well_formed(assignment) else None
        if found is None:
            raise not_found()
        case_id = CaseId(found.case_id)
        if found.person_id != actor.person:
            require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
        lock_case(session, case_id)
        row = lock(session, AssignmentRow, assignment)
        if row.ends_at is not None and row.ends_at <= at:
            raise Conflict("assignment_ended", "That has ended already.")
        row.end_reason = _sealed_reason(keystore, row, words=words)
        _end(session, row, by=actor.person, at=at)
        changed(session, [case_id], by=actor.person, at=at)


def change_guider(
    db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId, staff: PersonId, reason: str
) -> AssignmentId:
    """Hand a case to another guider, with the reason; the former one's access ends in the same moment.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``, ``role_not_held``, ``conflict_of_interest``.
        Conflict: ``same_guider``, ``case_closed``.
        Invalid: ``words_form``.
    """
    at = db.clock.now()
    words = clean_words(reason)
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
        require_can_hold(session, staff, role=Role.GUIDER)
        lock_case(session, case_id)
        require_open(session, case_id)
        former = guider_of(session, case_id)
        if former is not None and former.person_id == staff:
            raise Conflict("same_guider", "They guide this family already.")
        refusal = why_not(session, staff, role=Role.GUIDER, case_id=case_id, at=at)
        if refusal is not None:
            record_refusal(session, actor, case_id=case_id, staff=staff, reason=refusal.code)
        else:
            if former is not None:
                former.end_reason = _sealed_reason(keystore, former, words=words)
                _end(session, former, by=actor.person, at=at)
            made = place(session, actor, case_id=case_id, staff=staff, role=Role.GUIDER, at=at)
            changed(session, [case_id], by=actor.person, at=at)
    if refusal is not None:
        raise refusal
    return made


def _check_terms(role: Role, *, rendition: RenditionId | None, until: datetime | None, at: datetime) -> None:
    if role not in CASE_ROLES:
        raise Invalid("no_case_role", "That role isn't given for one case.", field="role")
    if (role is Role.CHECKER) != (rendition is not None):
        raise Invalid("check_needs_rendition", "A check is for one film, and only a check is.", field="rendition")
    if until is not None and until <= at:
        raise Invalid("end_before_start", "The end lies in the past.", field="until")
    if role is Role.GUIDER and until is not None:
        raise Invalid("guider_without_end", "A guider stays until the case closes or is handed over.", field="until")


def _hold_team(session: Session, case_id: CaseId, *, role: Role) -> set[CaseId]:
    """Lock what an assignment changes: a social worker's reaches every case with one of these people."""
    if role is Role.SOCIAL_WORKER:
        return hold(session, members_of(session, case_id), also=[case_id])
    lock_case(session, case_id)
    return {case_id}


def _sealed_reason(keystore: KeyStore, row: AssignmentRow, *, words: str) -> bytes:
    return seal_case(keystore, CaseId(row.case_id), table="assignment", column="end_reason", row=row.id, value=words)


def _end(session: Session, row: AssignmentRow, *, by: PersonId, at: datetime) -> None:
    row.ends_at, row.ended_by = at, by
    audit.record(
        session,
        audit.Event.ASSIGNMENT_ENDED,
        actor=by,
        case_id=CaseId(row.case_id),
        object_id=row.id,
        details={"staff": row.person_id, "role": row.role.value},
    )
    session.flush()
