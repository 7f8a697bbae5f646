"""Who has which family member on their own caseload, and therefore guides none of that family."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.db import Database, not_found
from core.errors import Conflict
from core.ids import CaseId, PersonId, new_id, well_formed
from identity.authority import require_in_case, require_member
from identity.facts import Actor, PersonKind, Role
from identity.models import CaseloadRow, PersonRow
from identity.rosters import changed, hold, members_of


def record_caseload(
    db: Database, *, actor: Actor, case_id: CaseId, staff: PersonId, people: Iterable[PersonId] | None = None
) -> None:
    """Record that a member of staff has this family (or these of it) on their own caseload.

    If that staff member guides any case with one of them, they are suspended there in the same moment.

    Args:
        db: the main database.
        actor: a manager, or the member of staff, for themself, who has a place in the case.
        case_id: the case through which the family is known.
        staff: whose caseload.
        people: some of the case's members; all of them where nothing is said.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    with db.begin() as session:
        _require_may_record(session, actor, staff=staff, case_id=case_id, at=at)
        members = members_of(session, case_id)
        chosen = members if people is None else frozenset(people)
        for person in chosen:
            require_member(session, person, case_id=case_id)
        cases = hold(session, chosen, also=[case_id])
        carry(session, actor, staff=[staff], people=chosen, at=at)
        changed(session, cases, by=actor.person, at=at)


def end_caseload(db: Database, *, actor: Actor, case_id: CaseId, staff: PersonId) -> None:
    """Record that none of this family is on that caseload any more. A suspended guider isn't brought back by it.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Conflict: ``not_on_caseload``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
        members = members_of(session, case_id)
        cases = hold(session, members, also=[case_id])
        rows = list(_live(session, staff=[staff], people=members))
        if not rows:
            raise Conflict("not_on_caseload", "This family isn't on that caseload.")
        for row in rows:
            row.ends_at = at
            audit.record(
                session,
                audit.Event.CASELOAD_ENDED,
                actor=actor.person,
                case_id=case_id,
                object_id=row.id,
                details={"staff": staff, "person": row.person_id},
            )
        changed(session, cases, by=actor.person, at=at)


def carry(
    session: Session, actor: Actor, *, staff: Iterable[PersonId], people: Iterable[PersonId], at: datetime
) -> None:
    """Write caseload entries that aren't there yet. Locks, and what follows from it, are the caller's.

    Raises:
        NotFound: one of them is no member of staff.
    """
    carriers, carried = sorted(set(staff)), sorted(set(people))
    for one in carriers:
        _require_staff(session, one)
    there = {(row.staff_id, row.person_id) for row in _live(session, staff=carriers, people=carried)}
    for one in carriers:
        for person in carried:
            if (one, person) in there:
                continue
            row = CaseloadRow(id=new_id(), staff_id=one, person_id=person, starts_at=at, recorded_by=actor.person)
            session.add(row)
            audit.record(
                session,
                audit.Event.CASELOAD_RECORDED,
                actor=actor.person,
                object_id=row.id,
                details={"staff": one, "person": person},
            )
    session.flush()


def _live(session: Session, *, staff: Iterable[PersonId], people: Iterable[PersonId]) -> Iterable[CaseloadRow]:
    return session.scalars(
        select(CaseloadRow).where(
            CaseloadRow.staff_id.in_(list(staff)),
            CaseloadRow.person_id.in_(list(people)),
            CaseloadRow.ends_at.is_(None),
        )
    )


def _require_may_record(session: Session, actor: Actor, *, staff: PersonId, case_id: CaseId, at: datetime) -> None:
    if actor.person == staff:
        require_in_case(session, actor, *Role, case_id=case_id, at=at)
    else:
        require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)


def _require_staff(session: Session, staff: PersonId) -> None:
    row = session.get(PersonRow, staff) if well_formed(staff) else None
    if row is None or row.kind is not PersonKind.STAFF:
        raise not_found()
