"""What staff see of cases, with names opened for those who may know them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

import audit
from core.db import Database, get
from core.ids import AssignmentId, CaseId, PersonId
from core.secret import Secret
from identity.access_models import DeviceRow
from identity.authority import CASE_WORKERS, require_in_case, require_role
from identity.facts import Actor, RelationshipKind, Role, Span
from identity.models import AskedAboutRow, AssignmentRow, CaseloadRow, CaseRow, MemberRow, PersonRow, RelationshipRow
from identity.people import person_names
from identity.sealing import open_birth_dates, open_case_field, open_person
from identity.terms import AskOutcome, CaseLine, CaseloadLine, CaseView, MemberView, Referral, StaffView
from identity.visits import visits_of
from keys import KeyStore


def cases_of(db: Database, *, keystore: KeyStore, actor: Actor) -> list[CaseLine]:
    """The cases that a member of staff works on (managers: all), by the index child's name; open ones first.

    Raises:
        Refused: not a member of staff.
    """
    require_role(actor, *Role)
    at = db.clock.now()
    with db.read() as session:
        mine: dict[str, set[Role]] = defaultdict(set)
        held = select(AssignmentRow.case_id, AssignmentRow.role).where(
            AssignmentRow.person_id == actor.person,
            AssignmentRow.rendition_id.is_(None),
            AssignmentRow.role.in_(CASE_WORKERS),
            _live(at),
        )
        for case_id, role in session.execute(held):
            mine[case_id].add(role)
        query = select(CaseRow)
        if Role.MANAGER not in actor.roles:
            query = query.where(CaseRow.id.in_(list(mine)))
        rows = session.scalars(query).all()
        children = _children(session, [row.id for row in rows])
        guiders = _guiders(session, [row.id for row in rows])
        people = {person for found in children.values() for person in found} | set(guiders.values())
        names = person_names(session, keystore=keystore, people=people)
    extra = actor.roles & {Role.MANAGER}
    lines = [
        CaseLine(
            id=CaseId(row.id),
            children=tuple(names[person] for person in children[row.id]),
            status=row.status,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            roles=frozenset(mine[row.id]) | extra,
            guider=names.get(guiders[row.id]) if row.id in guiders else None,
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line.closed_at is not None, [name.casefold() for name in line.children]))


def case_view(db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId) -> CaseView:
    """A case's page, for who works on it and for managers. The look is recorded.

    Raises:
        NotFound: a foreign case.
        Refused: ``not_your_role``: a place in the case that shows no names.
    """
    at = db.clock.now()
    with db.begin() as session:
        roles = require_in_case(session, actor, *CASE_WORKERS, case_id=case_id, at=at)
        audit.record(session, audit.Event.RECORD_OPENED, actor=actor.person, case_id=case_id, object_id=case_id)
    with db.read() as session:
        row = get(session, CaseRow, case_id)
        reference = None
        if row.reference is not None:
            reference = open_case_field(
                keystore, case_id, table="case", column="reference", row=case_id, sealed=row.reference
            )
        return CaseView(
            id=case_id,
            version=row.consent_version,
            referral=Referral(row.referrer_kind, row.status, reference),
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            members=_members(session, keystore, case_id, at=at),
            staff=_staff(session, keystore, case_id),
            visits=visits_of(session, case_id),
            roles=roles,
        )


def caseloads(db: Database, *, actor: Actor) -> list[CaseloadLine]:
    """Which families are on whose own caseload just now, one line for each family and member of staff.

    Raises:
        Refused: ``not_your_role``.
    """
    require_role(actor, Role.MANAGER)
    with db.read() as session:
        rows = session.execute(
            select(CaseloadRow.staff_id, MemberRow.case_id, func.min(CaseloadRow.starts_at))
            .join(MemberRow, MemberRow.person_id == CaseloadRow.person_id)
            .where(CaseloadRow.ends_at.is_(None))
            .group_by(CaseloadRow.staff_id, MemberRow.case_id)
        )
        return [CaseloadLine(PersonId(staff), CaseId(case), since) for staff, case, since in rows]


def places_of(session: Session, person: PersonId, *, at: datetime) -> list[tuple[CaseId, Role]]:
    """Where a member of staff has a live place just now, and as what; checks of one rendition aren't among it."""
    rows = session.execute(
        select(AssignmentRow.case_id, AssignmentRow.role).where(
            AssignmentRow.person_id == person,
            AssignmentRow.rendition_id.is_(None),
            AssignmentRow.starts_at <= at,
            _live(at),
        )
    )
    return [(CaseId(case_id), role) for case_id, role in rows]


def children_names(session: Session, *, keystore: KeyStore, case_id: CaseId) -> list[str]:
    """The children's names, the index child first: what a family is called on staff's pages."""
    children = _children(session, [case_id])[case_id]
    names = person_names(session, keystore=keystore, people=children)
    return [names[child] for child in children]


def safe_contact(db: Database, *, keystore: KeyStore, person: PersonId) -> Secret[str] | None:
    """Where a message without content may be sent: for the deliverer of messages, nobody else."""
    with db.read() as session:
        row = get(session, PersonRow, person)
        if row.safe_contact is None:
            return None
        return Secret(open_person(keystore, person, column="safe_contact", sealed=row.safe_contact))


def _live(at: datetime) -> ColumnElement[bool]:
    return or_(AssignmentRow.ends_at.is_(None), AssignmentRow.ends_at > at)


def _children(session: Session, cases: Iterable[str]) -> dict[str, list[PersonId]]:
    """The children of each case, the index child first."""
    rows = session.execute(
        select(MemberRow.case_id, MemberRow.person_id)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .where(MemberRow.case_id.in_(list(cases)), PersonRow.was_child)
        .order_by(MemberRow.is_index.desc(), MemberRow.joined_at, MemberRow.person_id)
    )
    found: dict[str, list[PersonId]] = defaultdict(list)
    for case_id, person in rows:
        found[case_id].append(PersonId(person))
    return found


def _guiders(session: Session, cases: Iterable[str]) -> dict[str, PersonId]:
    rows = session.execute(
        select(AssignmentRow.case_id, AssignmentRow.person_id).where(
            AssignmentRow.case_id.in_(list(cases)),
            AssignmentRow.role == Role.GUIDER,
            AssignmentRow.ends_at.is_(None),
        )
    )
    return {case_id: PersonId(person) for case_id, person in rows}


def _members(session: Session, keystore: KeyStore, case_id: CaseId, *, at: datetime) -> tuple[MemberView, ...]:
    joined = session.execute(
        select(MemberRow, PersonRow)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .where(MemberRow.case_id == case_id)
        .order_by(MemberRow.is_index.desc(), PersonRow.was_child.desc(), MemberRow.joined_at, MemberRow.person_id)
    ).all()
    ids = [PersonId(person.id) for _, person in joined]
    names = person_names(session, keystore=keystore, people=ids)
    born_on = open_birth_dates(keystore, sealed={PersonId(person.id): person.born_on for _, person in joined})
    holders: dict[str, list[tuple[PersonId, RelationshipKind]]] = defaultdict(list)
    for held in session.scalars(select(RelationshipRow).where(RelationshipRow.child_id.in_(ids))):
        if Span(held.starts_at, held.ends_at).covers(at):
            holders[held.child_id].append((PersonId(held.holder_id), held.kind))
    asked: dict[str, list[AskOutcome]] = defaultdict(list)
    for one in session.scalars(select(AskedAboutRow).where(AskedAboutRow.case_id == case_id)):
        asked[one.child_id].append(one.outcome)
    bound = set(
        session.scalars(select(DeviceRow.person_id).where(DeviceRow.person_id.in_(ids), DeviceRow.revoked_at.is_(None)))
    )
    return tuple(
        MemberView(
            id=PersonId(person.id),
            name=names[PersonId(person.id)],
            kind=person.kind,
            born_on=born_on.get(PersonId(person.id)),
            is_child=person.was_child,
            is_index=member.is_index,
            holders=tuple(holders[person.id]),
            asked_about=tuple(asked[person.id]),
            has_contact=person.safe_contact is not None,
            has_device=person.id in bound,
        )
        for member, person in joined
    )


def _staff(session: Session, keystore: KeyStore, case_id: CaseId) -> tuple[StaffView, ...]:
    rows = session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.case_id == case_id)
        .order_by(AssignmentRow.starts_at, AssignmentRow.id)
    ).all()
    names = person_names(session, keystore=keystore, people={PersonId(row.person_id) for row in rows})
    return tuple(
        StaffView(
            assignment=AssignmentId(row.id),
            person=PersonId(row.person_id),
            name=names[PersonId(row.person_id)],
            role=row.role,
            span=Span(row.starts_at, row.ends_at),
            suspended=row.suspended,
        )
        for row in rows
    )
