"""The facts about a case's people that the consent decision reads, and the version that orders their changes.

The rules of this module:

* ``roster`` reads the case's *consent version* first, then the facts, in the caller's snapshot.
* Whoever changes a fact calls ``hold`` first (person rows, then case rows, each in the order of their ids, so that two
  changes never wait for each other) and ``changed`` afterwards: every case that reads the fact gets a new version, in
  the same transaction.
* A guider whom a change puts in conflict with the family is suspended in that transaction too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

import audit
from core.db import get, lock
from core.errors import Conflict
from core.ids import AssignmentId, CaseId, PersonId, RenditionId
from identity import conflicts
from identity.facts import (
    Assignment,
    CapacityDecision,
    CaseloadEntry,
    CompetenceAssessment,
    Effect,
    Person,
    Relationship,
    Restriction,
    Role,
    Roster,
    Span,
)
from identity.models import (
    AssignmentRow,
    CapacityRow,
    CaseloadRow,
    CaseRow,
    CompetenceRow,
    MemberRow,
    PersonRow,
    RelationshipRow,
    RestrictionRow,
)
from identity.sealing import attached, open_birth_dates


def roster(session: Session, case_id: CaseId) -> Roster:
    """Everything that the decision needs to know about the people of a case.

    ``persons`` are the case's members, who else holds parental responsibility for a child among them, and the staff
    who are or were assigned. Spans of the past are included: the decision looks at them with its own ``at``.

    Raises:
        NotFound: no such case.
        Unavailable: the keys are sealed.
    """
    case = get(session, CaseRow, case_id)
    version, is_open = case.consent_version, case.closed_at is None
    members = _members(session, case_id)
    relationships = tuple(
        Relationship(PersonId(row.holder_id), PersonId(row.child_id), row.kind, Span(row.starts_at, row.ends_at))
        for row in session.scalars(select(RelationshipRow).where(RelationshipRow.child_id.in_(members)))
    )
    assignments = _assignments(session, case_id)
    family = members | {one.holder for one in relationships}
    caseload = _caseload(session, family)
    people = family | {one.person for one in assignments}
    return Roster(
        case_id=case_id,
        version=version,
        is_open=is_open,
        persons=_persons(session, people),
        relationships=relationships,
        restrictions=_restrictions(session, case_id),
        competence=tuple(
            CompetenceAssessment(PersonId(row.child_id), row.outcome, row.assessed_at, row.review_on, row.purpose)
            for row in session.scalars(select(CompetenceRow).where(CompetenceRow.child_id.in_(members)))
        ),
        capacity=tuple(
            CapacityDecision(PersonId(row.person_id), row.outcome, row.decided_at, row.purpose)
            for row in session.scalars(select(CapacityRow).where(CapacityRow.person_id.in_(family)))
        ),
        assignments=assignments,
        caseload=caseload,
    )


def lock_case(session: Session, case_id: CaseId) -> CaseRow:
    """Hold a case until the transaction ends: what everyone does who decides on its facts or changes them.

    Raises:
        NotFound: no such case.
    """
    session.flush()
    return lock(session, CaseRow, case_id)


def require_open(session: Session, case_id: CaseId) -> None:
    """Refuse to go on with a case that is closed; locks it.

    Raises:
        NotFound: no such case.
        Conflict: ``case_closed``.
    """
    if lock_case(session, case_id).closed_at is not None:
        raise Conflict("case_closed", "This case is closed.")


def raise_version(session: Session, case_id: CaseId) -> int:
    """Raise the consent version in the transaction that changes a fact.

    Returns:
        The new version.
    """
    case = lock_case(session, case_id)
    case.consent_version += 1
    session.flush()
    return case.consent_version


def versions(session: Session, case_ids: Iterable[CaseId]) -> dict[CaseId, int]:
    """The consent versions of many cases, in one query."""
    rows = session.execute(select(CaseRow.id, CaseRow.consent_version).where(CaseRow.id.in_(list(case_ids))))
    return {CaseId(case_id): version for case_id, version in rows}


def members_of(session: Session, case_id: CaseId) -> frozenset[PersonId]:
    """The family members of a case."""
    return frozenset(_members(session, case_id))


def cases_with(session: Session, people: Iterable[PersonId]) -> set[CaseId]:
    """Every case whose facts concern any of these people: as a member, or holding responsibility for one."""
    ids = list(people)
    found = session.scalars(
        select(MemberRow.case_id)
        .outerjoin(RelationshipRow, RelationshipRow.child_id == MemberRow.person_id)
        .where(or_(MemberRow.person_id.in_(ids), RelationshipRow.holder_id.in_(ids)))
        .distinct()
    )
    return {CaseId(case_id) for case_id in found}


def hold(session: Session, people: Iterable[PersonId], *, also: Iterable[CaseId] = ()) -> set[CaseId]:
    """Lock people, then every case that reads a fact about them.

    Args:
        session: the caller's transaction.
        people: whose facts are about to change.
        also: cases to lock besides.

    Returns:
        The locked cases, to be given to ``changed``.

    Raises:
        NotFound: a person or case that isn't there.
    """
    session.flush()
    ids = sorted(set(people))
    for person in ids:
        lock(session, PersonRow, person)
    cases = cases_with(session, ids) | set(also)
    for case_id in sorted(cases):
        lock_case(session, case_id)
    return cases


def changed(session: Session, cases: Iterable[CaseId], *, by: PersonId, at: datetime) -> None:
    """Say that facts of these locked cases moved: raise their versions and suspend any guider now in conflict."""
    for case_id in sorted(set(cases)):
        raise_version(session, case_id)
        _suspend_conflicted(session, case_id, by=by, at=at)


def conflicted(session: Session, staff: PersonId, *, case_id: CaseId, at: datetime) -> bool:
    """Whether this member of staff may not guide this case (see ``conflicts``)."""
    members = _members(session, case_id)
    holders = session.scalars(
        select(RelationshipRow.holder_id).where(
            RelationshipRow.child_id.in_(members),
            or_(RelationshipRow.ends_at.is_(None), RelationshipRow.ends_at > at),
        )
    )
    family = members | {PersonId(holder) for holder in holders}
    related = cases_with(session, family) | {case_id}
    rows = session.scalars(
        select(AssignmentRow).where(AssignmentRow.person_id == staff, AssignmentRow.case_id.in_(related))
    )
    return conflicts.in_conflict(
        staff,
        family=family,
        caseload=_caseload(session, family),
        assignments=[_assignment(row) for row in rows],
        at=at,
    )


def _suspend_conflicted(session: Session, case_id: CaseId, *, by: PersonId, at: datetime) -> None:
    guiding = session.scalars(
        select(AssignmentRow).where(
            AssignmentRow.case_id == case_id, AssignmentRow.role == Role.GUIDER, AssignmentRow.ends_at.is_(None)
        )
    ).first()
    if guiding is None or not conflicted(session, PersonId(guiding.person_id), case_id=case_id, at=at):
        return
    guiding.ends_at, guiding.ended_by, guiding.suspended = at, by, True
    audit.record(
        session,
        audit.Event.ASSIGNMENT_SUSPENDED,
        actor=by,
        case_id=case_id,
        object_id=guiding.id,
        reason="conflict_of_interest",
        details={"staff": guiding.person_id},
    )
    session.flush()


def _members(session: Session, case_id: CaseId) -> set[PersonId]:
    return {PersonId(one) for one in session.scalars(select(MemberRow.person_id).where(MemberRow.case_id == case_id))}


def _persons(session: Session, people: Iterable[PersonId]) -> dict[PersonId, Person]:
    keys = attached(session)
    rows = session.execute(
        select(PersonRow.id, PersonRow.kind, PersonRow.born_on).where(PersonRow.id.in_(list(people)))
    )
    kinds, sealed = {}, {}
    for row in rows:
        kinds[PersonId(row.id)], sealed[PersonId(row.id)] = row.kind, row.born_on
    born_on = open_birth_dates(keys, sealed=sealed)
    return {person: Person(person, kind, born_on.get(person)) for person, kind in kinds.items()}


def _restrictions(session: Session, case_id: CaseId) -> tuple[Restriction, ...]:
    rows = session.scalars(select(RestrictionRow).where(RestrictionRow.case_id == case_id))
    return tuple(
        Restriction(PersonId(row.person_id), effects_of(row), Span(row.starts_at, row.ends_at)) for row in rows
    )


def effects_of(row: RestrictionRow) -> frozenset[Effect]:
    """What a restriction does."""
    flags = ((row.no_view, Effect.NO_VIEW), (row.no_say, Effect.NO_SAY), (row.not_asked, Effect.NOT_ASKED))
    return frozenset(effect for is_set, effect in flags if is_set)


def _assignments(session: Session, case_id: CaseId) -> tuple[Assignment, ...]:
    rows = session.scalars(select(AssignmentRow).where(AssignmentRow.case_id == case_id))
    return tuple(_assignment(row) for row in rows)


def _assignment(row: AssignmentRow) -> Assignment:
    return Assignment(
        AssignmentId(row.id),
        PersonId(row.person_id),
        row.role,
        Span(row.starts_at, row.ends_at),
        None if row.rendition_id is None else RenditionId(row.rendition_id),
    )


def _caseload(session: Session, people: Iterable[PersonId]) -> tuple[CaseloadEntry, ...]:
    rows = session.scalars(select(CaseloadRow).where(CaseloadRow.person_id.in_(list(people))))
    return tuple(
        CaseloadEntry(PersonId(row.staff_id), PersonId(row.person_id), Span(row.starts_at, row.ends_at)) for row in rows
    )
