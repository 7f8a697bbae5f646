"""Places in a case: who can hold one, why not, and writing it. Steps that ``assignments`` and ``opening`` share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

import audit
from core.db import not_found
from core.errors import Refused
from core.ids import AssignmentId, CaseId, PersonId, RenditionId, new_id, well_formed
from identity.facts import Actor, PersonKind, Role
from identity.models import AssignmentRow, PersonRow, StaffRoleRow
from identity.rosters import conflicted

HELD_AS = {Role.CHECKER: frozenset({Role.CHECKER, Role.GUIDER, Role.SUPERVISOR})}
"""Which organisation roles allow a case role, where it isn't just the one of the same name."""
ON_THE_CASE = frozenset({Role.GUIDER, Role.SOCIAL_WORKER, Role.REFERRER, Role.CHAIR})
"""Who is too near to a case to check what its guider made."""


def require_can_hold(session: Session, staff: PersonId, *, role: Role) -> None:
    """Refuse someone who isn't staff any more, or doesn't hold the role in the organisation.

    Raises:
        NotFound: no such member of staff.
        Refused: ``role_not_held``.
    """
    row = session.get(PersonRow, staff) if well_formed(staff) else None
    if row is None or row.kind is not PersonKind.STAFF or row.suspended_at is not None:
        raise not_found()
    held = set(session.scalars(select(StaffRoleRow.role).where(StaffRoleRow.person_id == staff)))
    if not held & HELD_AS.get(role, frozenset({role})):
        raise Refused("role_not_held", "They don't hold that role in this service.")


def guider_of(session: Session, case_id: CaseId) -> AssignmentRow | None:
    """The case's one live guider, if it has one."""
    return session.scalars(
        select(AssignmentRow).where(
            AssignmentRow.case_id == case_id, AssignmentRow.role == Role.GUIDER, AssignmentRow.ends_at.is_(None)
        )
    ).one_or_none()


def guiders_since(session: Session, case_id: CaseId, *, since: datetime) -> frozenset[PersonId]:
    """Everybody who guided a case at some time from then on: any of them may have worked on its films."""
    rows = session.scalars(
        select(AssignmentRow.person_id).where(
            AssignmentRow.case_id == case_id,
            AssignmentRow.role == Role.GUIDER,
            or_(AssignmentRow.ends_at.is_(None), AssignmentRow.ends_at >= since),
        )
    )
    return frozenset(PersonId(one) for one in rows)


def place(
    session: Session,
    actor: Actor,
    *,
    case_id: CaseId,
    staff: PersonId,
    role: Role,
    at: datetime,
    rendition: RenditionId | None = None,
    until: datetime | None = None,
) -> AssignmentId:
    """Write an assignment and its entry; whether it may be is settled, and the version is the caller's to raise."""
    row = AssignmentRow(
        id=new_id(),
        case_id=case_id,
        person_id=staff,
        role=role,
        rendition_id=rendition,
        starts_at=at,
        ends_at=until,
        assigned_by=actor.person,
        suspended=False,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        audit.Event.ASSIGNED,
        actor=actor.person,
        case_id=case_id,
        object_id=row.id,
        details={"staff": staff, "role": role.value, "rendition": rendition},
    )
    return AssignmentId(row.id)


def conflict_of_interest() -> Refused:
    """What a manager reads who would have someone guide a family of their own."""
    return Refused(
        "conflict_of_interest",
        "They have this family on their own caseload, so they can't guide them. Choose another guider.",
    )


def record_refusal(
    session: Session, actor: Actor, *, case_id: CaseId | None, staff: PersonId, reason: str = "conflict_of_interest"
) -> None:
    """Write that an assignment was refused. It is committed before the refusal is raised."""
    audit.record(
        session,
        audit.Event.ASSIGNMENT_REFUSED,
        actor=actor.person,
        outcome=audit.Outcome.REFUSED,
        case_id=case_id,
        object_id=staff,
        reason=reason,
    )


def why_not(session: Session, staff: PersonId, *, role: Role, case_id: CaseId, at: datetime) -> Refused | None:
    """Why this member of staff may not have this place; nothing where they may."""
    if role is Role.GUIDER and conflicted(session, staff, case_id=case_id, at=at):
        return conflict_of_interest()
    guider = guider_of(session, case_id)
    if role is Role.SOCIAL_WORKER and guider is not None and guider.person_id == staff:
        return conflict_of_interest()
    if role is Role.CHECKER and _near(session, staff, case_id=case_id, at=at):
        return Refused("not_off_case", "They work on this case. A check needs a colleague from outside it.")
    return None


def _near(session: Session, staff: PersonId, *, case_id: CaseId, at: datetime) -> bool:
    live = session.scalars(
        select(AssignmentRow.role).where(
            AssignmentRow.case_id == case_id,
            AssignmentRow.person_id == staff,
            still(at),
        )
    )
    return any(role in ON_THE_CASE for role in live)


def still(at: datetime) -> ColumnElement[bool]:
    """That an assignment hasn't ended."""
    return or_(AssignmentRow.ends_at.is_(None), AssignmentRow.ends_at > at)
