"""Opening a case on a referral, with everybody who is known about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database
from core.errors import Invalid
from core.ids import CaseId, PersonId, new_id
from identity.authority import require_role
from identity.caseload import carry
from identity.cases import check_child, join, write_person
from identity.facts import Actor, RelationshipKind, Role
from identity.models import AskedAboutRow, CaseRow
from identity.people import check_birth_date
from identity.places import conflict_of_interest, place, record_refusal, require_can_hold
from identity.relationships import write_relationship
from identity.sealing import clean_words, seal_case
from identity.terms import AskedAbout, NewAdult, NewChild, Opened, Referral
from keys import KeyStore

MOST_PEOPLE = 40
SECOND_PARENTS = frozenset({RelationshipKind.FATHER, RelationshipKind.SECOND_PARENT, RelationshipKind.ADOPTER})
"""Holding responsibility as one of these answers the question about the father or second parent."""


def open_case(
    db: Database,
    *,
    keystore: KeyStore,
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
        keystore: the key store.
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
            opened = _write_case(session, keystore, actor, referral, children, adults, asked_about, at=at)
            carry(session, actor, staff=on_caseload_of, people=opened.children + opened.adults, at=at)
            for role, staff in team:
                if staff is not None:
                    place(session, actor, case_id=opened.case_id, staff=staff, role=role, at=at)
    if refused:
        raise conflict_of_interest()
    return opened


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
        check_child(child, on=on)
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


def _write_case(
    session: Session,
    keystore: KeyStore,
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
        reference = seal_case(keystore, case_id, table="case", column="reference", row=case_id, value=words)
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
    small = tuple(write_person(session, keystore, actor, child, at=at) for child in children)
    grown = tuple(write_person(session, keystore, actor, adult, at=at) for adult in adults)
    for person, child in zip(small, children, strict=True):
        join(session, actor, case_id=case_id, person=person, is_index=child.is_index, at=at)
    for person in grown:
        join(session, actor, case_id=case_id, person=person, is_index=False, at=at)
    for holder, adult in zip(grown, adults, strict=True):
        for held in adult.responsible_for:
            write_relationship(
                session,
                keystore,
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
