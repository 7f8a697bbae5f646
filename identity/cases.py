"""Cases: opening one with its people, adding to them, and closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database, get, not_found
from core.errors import Conflict, Invalid
from core.ids import CaseId, PersonId, new_id, well_formed
from identity.assignments import conflict_of_interest, place, record_refusal, require_can_hold
from identity.authority import require_in_case, require_role
from identity.caseload import carry
from identity.facts import Actor, PersonKind, RelationshipKind, Role
from identity.invitations import revoke_open_in
from identity.models import AskedAboutRow, CaseRow, MemberRow, PersonRow
from identity.people import Stage, check_birth_date, new_person, years_of
from identity.relationships import write_relationship
from identity.rosters import changed, hold, lock_case, require_open
from identity.sealing import clean_words, seal_case
from identity.terms import AskedAbout, Keeping, NewAdult, NewChild, Opened, Referral, Status
from keys import KeyStore

MOST_PEOPLE = 40
GROWN_UP_YEARS = 18
SECOND_PARENTS = frozenset({RelationshipKind.FATHER, RelationshipKind.SECOND_PARENT, RelationshipKind.ADOPTER})
"""Holding responsibility as one of these answers the question about the father or second parent."""


def open_case(
    db: Database,
    *,
    keys: KeyStore,
    actor: Actor,
    referral: Referral,
    children: Sequence[NewChild],
    adults: Sequence[NewAdult],
    asked_about: Sequence[AskedAbout] = (),
    guider: PersonId | None = None,
    social_worker: PersonId | None = None,
    on_caseload_of: Sequence[PersonId] = (),
) -> Opened:
    """Open a case on a referral, with everybody who is known about.

    Every child needs an answer about their father or second parent: an adult who holds parental responsibility as
    such, or a record of having asked (``asked_about``); never a blank.

    Args:
        db: the main database.
        keys: the key store.
        actor: a manager.
        referral: why.
        children: at least one, exactly one of them the index child.
        adults: in any order; ``Responsibility.child`` counts the children from 0.
        asked_about: fathers and second parents who aren't among the adults, and what is known.
        guider: who will guide, if that is settled.
        social_worker: the family's social worker, if there is one.
        on_caseload_of: staff who have this family on their own caseload.

    Returns:
        The ids that were made, in the order given.

    Raises:
        Refused: ``not_your_role``; ``conflict_of_interest``: the guider has the family on their caseload (nothing is
            opened); ``role_not_held``.
        Invalid: ``no_child``, ``index_child``, ``child_unknown``, ``father_not_asked``, ``too_many_people``, or the
            form of a name, date, contact or reference.
        NotFound: no such member of staff.
    """
    at = db.clock.now()
    require_role(actor, Role.MANAGER)
    _check_people(children, adults, asked_about, on=day_in_england(at))
    team = [(Role.SOCIAL_WORKER, social_worker), (Role.GUIDER, guider)]
    with db.begin() as session:
        for role, staff in team:
            if staff is not None:
                require_can_hold(session, staff, role=role)
        refused = guider is not None and guider in {social_worker, *on_caseload_of}
        if guider is not None and refused:
            record_refusal(session, actor, case_id=None, staff=guider)
        else:
            opened = _write_case(session, keys, actor, referral, children, adults, asked_about, at=at)
            carry(session, actor, staff=on_caseload_of, people=opened.children + opened.adults, at=at)
            for role, staff in team:
                if staff is not None:
                    place(session, actor, case_id=opened.case_id, staff=staff, role=role, at=at)
    if refused:
        raise conflict_of_interest()
    return opened


def add_person(
    db: Database, *, keys: KeyStore, actor: Actor, case_id: CaseId, person: NewChild | NewAdult | PersonId
) -> PersonId:
    """Add someone to a case: a newcomer, or (managers only) someone who is known from another case.

    A newcomer's ``responsible_for`` must be empty: record it with ``add_relationship``. A guider whom this puts in
    conflict is suspended.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``responsibility_apart``, ``index_child``, or the form of a name, date or contact.
        Conflict: ``already_in_case``, ``case_closed``.
    """
    at = db.clock.now()
    with db.begin() as session:
        if isinstance(person, str):
            require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
            known = session.get(PersonRow, person) if well_formed(person) else None
            if known is None or known.kind is PersonKind.STAFF:
                raise not_found()
            joining = PersonId(known.id)
        else:
            require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
            _check_newcomer(person)
            joining = _write_person(session, keys, actor, person, at=at)
        cases = hold(session, [joining], also=[case_id])
        require_open(session, case_id)
        if session.get(MemberRow, (case_id, joining)) is not None:
            raise Conflict("already_in_case", "This person is in the case already.")
        _join(session, actor, case_id=case_id, person=joining, is_index=False, at=at)
        changed(session, cases, by=actor.person, at=at)
        return joining


def close_case(
    db: Database,
    *,
    keys: KeyStore,
    actor: Actor,
    case_id: CaseId,
    reason: str,
    family_copy: Keeping,
    look_again: Keeping,
) -> None:
    """Close a case: the clock of its films starts, with the family's two answers (or that they gave none).

    Open invitations end. Assignments stay, for what is left to do; the consent decision sees that the case is closed.

    Raises:
        NotFound: a foreign case.
        Refused: ``not_your_role``.
        Conflict: ``case_closed``.
        Invalid: ``words_form``.
    """
    at = db.clock.now()
    words = clean_words(reason)
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
        require_open(session, case_id)
        case = lock_case(session, case_id)
        case.closed_at, case.family_copy, case.look_again = at, family_copy, look_again
        case.closed_reason = seal_case(keys, case_id, table="case", column="closed_reason", row=case_id, value=words)
        revoke_open_in(session, case_id, by=actor.person, at=at)
        audit.record(
            session,
            audit.Event.CASE_CLOSED,
            actor=actor.person,
            case_id=case_id,
            details={"family_copy": family_copy.value, "look_again": look_again.value},
        )
        changed(session, [case_id], by=actor.person, at=at)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What retention counts from."""

    id: CaseId
    status: Status
    opened_at: datetime
    closed_at: datetime | None
    family_copy: Keeping | None
    look_again: Keeping | None


def case_facts(session: Session, case_id: CaseId) -> CaseFacts:
    """When a case was opened and closed, and what the family answered then.

    Raises:
        NotFound: no such case.
    """
    row = get(session, CaseRow, case_id)
    return CaseFacts(case_id, row.status, row.opened_at, row.closed_at, row.family_copy, row.look_again)


def ended_before(session: Session, at: datetime) -> set[CaseId]:
    """The cases that were closed before a moment: where retention looks for what the end of the work makes due."""
    return {CaseId(one) for one in session.scalars(select(CaseRow.id).where(CaseRow.closed_at < at))}


def _check_people(
    children: Sequence[NewChild], adults: Sequence[NewAdult], asked_about: Sequence[AskedAbout], *, on: date
) -> None:
    if not children:
        raise Invalid("no_child", "A case needs at least one child.", field="children")
    if len(children) + len(adults) > MOST_PEOPLE:
        raise Invalid("too_many_people", f"A case has at most {MOST_PEOPLE} people to begin with.", field="adults")
    if sum(child.is_index for child in children) != 1:
        raise Invalid("index_child", "Say which one child the work is about.", field="children")
    for child in children:
        check_birth_date(child.born_on, on=on)
        if years_of(child.born_on, on=on) >= GROWN_UP_YEARS:
            raise Invalid("birth_date_form", "This person is 18 or older: add them as an adult.", field="born_on")
    for adult in adults:
        if adult.born_on is not None:
            check_birth_date(adult.born_on, on=on)
    held = [one for adult in adults for one in adult.responsible_for]
    named = [one.child for one in held] + [one.child for one in asked_about]
    if any(child not in range(len(children)) for child in named):
        raise Invalid("child_unknown", "Parental responsibility names a child who isn't listed.", field="adults")
    answered = {one.child for one in held if one.kind in SECOND_PARENTS} | {one.child for one in asked_about}
    if answered != set(range(len(children))):
        raise Invalid(
            "father_not_asked",
            "Ask about each child's father or second parent. If nobody knows, record that you asked.",
            field="asked_about",
        )


def _check_newcomer(person: NewChild | NewAdult) -> None:
    if isinstance(person, NewChild):
        if person.is_index:
            raise Invalid("index_child", "The case has its index child already.", field="is_index")
    elif person.responsible_for:
        raise Invalid("responsibility_apart", "Add the person first, then what they hold.", field="responsible_for")


def _write_case(
    session: Session,
    keys: KeyStore,
    actor: Actor,
    referral: Referral,
    children: Sequence[NewChild],
    adults: Sequence[NewAdult],
    asked_about: Sequence[AskedAbout],
    *,
    at: datetime,
) -> Opened:
    case_id = CaseId(new_id())
    reference = None
    if referral.reference is not None:
        words = clean_words(referral.reference)
        reference = seal_case(keys, case_id, table="case", column="reference", row=case_id, value=words)
    session.add(
        CaseRow(
            id=case_id,
            consent_version=1,
            referrer_kind=referral.referrer,
            status=referral.status,
            reference=reference,
            opened_at=at,
            opened_by=actor.person,
        )
    )
    session.flush()
    audit.record(
        session,
        audit.Event.CASE_OPENED,
        actor=actor.person,
        case_id=case_id,
        details={"referrer": referral.referrer.value, "status": referral.status.value},
    )
    small = tuple(_write_person(session, keys, actor, child, at=at) for child in children)
    grown = tuple(_write_person(session, keys, actor, adult, at=at) for adult in adults)
    for person, child in zip(small, children, strict=True):
        _join(session, actor, case_id=case_id, person=person, is_index=child.is_index, at=at)
    for person in grown:
        _join(session, actor, case_id=case_id, person=person, is_index=False, at=at)
    for holder, adult in zip(grown, adults, strict=True):
        for held in adult.responsible_for:
            write_relationship(
                session,
                keys,
                actor,
                case_id=case_id,
                holder=holder,
                child=small[held.child],
                kind=held.kind,
                evidence=held.evidence,
                since=at,
                at=at,
            )
    for asked in asked_about:
        _write_asked(session, actor, case_id=case_id, child=small[asked.child], asked=asked, at=at)
    return Opened(case_id, small, grown)


def _write_person(
    session: Session, keys: KeyStore, actor: Actor, person: NewChild | NewAdult, *, at: datetime
) -> PersonId:
    if person.born_on is not None:
        check_birth_date(person.born_on, on=day_in_england(at))
    row = new_person(
        session,
        keys=keys,
        kind=PersonKind.FAMILY,
        name=person.name,
        at=at,
        by=actor.person,
        born_on=person.born_on,
        safe_contact=person.safe_contact,
        came_as=Stage.CHILD if isinstance(person, NewChild) else Stage.GROWN_UP,
    )
    return PersonId(row.id)


def _join(session: Session, actor: Actor, *, case_id: CaseId, person: PersonId, is_index: bool, at: datetime) -> None:
    session.add(MemberRow(case_id=case_id, person_id=person, is_index=is_index, joined_at=at))
    session.flush()
    audit.record(session, audit.Event.PERSON_ADDED, actor=actor.person, case_id=case_id, object_id=person)


def _write_asked(
    session: Session, actor: Actor, *, case_id: CaseId, child: PersonId, asked: AskedAbout, at: datetime
) -> None:
    row = AskedAboutRow(
        id=new_id(), case_id=case_id, child_id=child, outcome=asked.outcome, asked_by=actor.person, asked_at=at
    )
    session.add(row)
    audit.record(
        session,
        audit.Event.FATHER_ASKED_ABOUT,
        actor=actor.person,
        case_id=case_id,
        object_id=child,
        details={"outcome": asked.outcome.value},
    )
