"""Visits: when filming or a shared review took place, and who was there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database, not_found
from core.errors import Invalid
from core.ids import CaseId, PersonId, VisitId, new_id, well_formed
from identity.authority import require_in_case
from identity.facts import Actor, Role
from identity.models import PresentRow, VisitRow
from identity.rosters import members_of, require_open
from identity.terms import Visit, VisitKind


def record_visit(
    db: Database,
    *,
    actor: Actor,
    case_id: CaseId,
    kind: VisitKind,
    visited_on: date,
    present: Iterable[PersonId],
) -> VisitId:
    """Record a visit that took place.

    Args:
        db: the main database.
        actor: the case's guider.
        case_id: the case.
        kind: for filming, or for shared review.
        visited_on: the day, not in the future and not before the case was opened.
        present: the family members who were there; at least one.

    Raises:
        NotFound: a foreign case.
        Refused: ``not_your_role``.
        Invalid: ``visit_date``, ``nobody_present``, ``present_unknown``.
        Conflict: ``case_closed``.
    """
    at = db.clock.now()
    there = frozenset(present)
    if visited_on > day_in_england(at):
        raise Invalid("visit_date", "Give the day of a visit that has taken place.", field="visited_on")
    if not there:
        raise Invalid("nobody_present", "Say who was there.", field="present")
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, case_id=case_id, at=at)
        require_open(session, case_id)
        if not there <= members_of(session, case_id):
            raise Invalid("present_unknown", "Someone who was there isn't in this case yet.", field="present")
        visit = VisitId(new_id())
        session.add(
            VisitRow(
                id=visit, case_id=case_id, kind=kind, visited_on=visited_on, recorded_by=actor.person, recorded_at=at
            )
        )
        session.flush()
        session.add_all(PresentRow(visit_id=visit, person_id=person) for person in there)
        audit.record(
            session,
            audit.Event.VISIT_RECORDED,
            actor=actor.person,
            case_id=case_id,
            object_id=visit,
            details={"kind": kind.value},
        )
        return visit


def visit(session: Session, visit_id: VisitId) -> Visit:
    """A visit and who was there.

    Raises:
        NotFound: no such visit.
    """
    row = session.get(VisitRow, visit_id) if well_formed(visit_id) else None
    if row is None:
        raise not_found()
    return _visit(session, row)


def visits_of(session: Session, case_id: CaseId) -> tuple[Visit, ...]:
    """A case's visits, the latest first."""
    rows = session.scalars(
        select(VisitRow).where(VisitRow.case_id == case_id).order_by(VisitRow.visited_on.desc(), VisitRow.id)
    ).all()
    return tuple(_visit(session, row) for row in rows)


def _visit(session: Session, row: VisitRow) -> Visit:
    present = session.scalars(select(PresentRow.person_id).where(PresentRow.visit_id == row.id))
    return Visit(
        VisitId(row.id), CaseId(row.case_id), row.kind, row.visited_on, frozenset(PersonId(one) for one in present)
    )
