from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

import audit
import identity
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import CaseId, PersonId, VisitId, new_id
from identity import (
    AskedAbout,
    AskOutcome,
    Keeping,
    NewAdult,
    NewChild,
    Referral,
    ReferrerKind,
    RelationshipKind,
    Responsibility,
    Role,
    Status,
    VisitKind,
    Whence,
)
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Family, Staff, again

REFERRAL = Referral(ReferrerKind.FAMILY_SUPPORT_WORKER, Status.CHILD_IN_NEED)
CHILD = NewChild(name="Kit Example", born_on=date(2024, 2, 29), is_index=True)
MOTHER = NewAdult(name="Em Example", responsible_for=(Responsibility(child=0, kind=RelationshipKind.MOTHER),))


def case(**other: Any) -> dict[str, Any]:
    return {"referral": REFERRAL, "children": [CHILD], "adults": [MOTHER], "asked_about": [AskedAbout(child=0)]} | other


def test_a_missing_father_is_recorded_as_asked_and_not_known(db: Database, keystore: KeyStore, staff: Staff) -> None:
    actor = staff.manager.actor
    with pytest.raises(Invalid, match="father_not_asked"):
        identity.open_case(db, keystore=keystore, actor=actor, **case(asked_about=[]))
    opened = identity.open_case(db, keystore=keystore, actor=actor, **case())
    view = identity.case_view(db, keystore=keystore, actor=actor, case_id=opened.case_id)
    (child,) = [member for member in view.members if member.is_child]
    assert child.asked_about == (AskOutcome.NOT_KNOWN,)
    assert child.holders == ((opened.adults[0], RelationshipKind.MOTHER),)
    assert child.name == "Kit Example"
    assert view.members[0] == child


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no child": ({"children": [], "asked_about": [], "adults": []}, "no_child"),
    "no index child": ({"children": [replace(CHILD, is_index=False)]}, "index_child"),
    "two index children": ({"children": [CHILD, CHILD]}, "index_child"),
    "a child of 18": ({"children": [replace(CHILD, born_on=date(2008, 3, 2))]}, "birth_date_form"),
    "a child not born yet": ({"children": [replace(CHILD, born_on=date(2026, 3, 3))]}, "birth_date_form"),
    "an adult of 126": ({"adults": [replace(MOTHER, born_on=date(1900, 1, 1))]}, "birth_date_form"),
    "a child who isn't listed": (
        {"adults": [replace(MOTHER, responsible_for=(Responsibility(child=1, kind=RelationshipKind.MOTHER),))]},
        "child_unknown",
    ),
    "a name of nothing": ({"children": [replace(CHILD, name=" ")]}, "name_form"),
    "a name with a NUL": ({"children": [replace(CHILD, name="Kit\x00")]}, "name_form"),
    "a name with a lone surrogate": ({"children": [replace(CHILD, name="Kit\ud800")]}, "name_form"),
    "a name of 4 KB": ({"children": [replace(CHILD, name="K" * 4096)]}, "name_form"),
    "a contact of nothing": ({"adults": [replace(MOTHER, safe_contact="")]}, "contact_form"),
    "a hundred people": ({"adults": [MOTHER] * 100}, "too_many_people"),
}


def test_a_case_that_cant_be_right_is_refused_and_leaves_nothing(
    db: Database, keystore: KeyStore, staff: Staff
) -> None:
    for what, (given, code) in REFUSED.items():
        with pytest.raises(Invalid) as error:
            identity.open_case(db, keystore=keystore, actor=staff.manager.actor, **case(**given))
        assert error.value.code == code, what
    for person in (PersonId(new_id()), PersonId("'")):
        for given in ({"on_caseload_of": [person]}, {"guider": person}, {"social_worker": person}):
            with pytest.raises(NotFound):
                identity.open_case(db, keystore=keystore, actor=staff.manager.actor, **case(**given))
    assert identity.cases_of(db, keystore=keystore, actor=staff.manager.actor) == []


def test_opening_with_a_guider_who_has_the_family_on_their_caseload_is_refused_and_recorded(
    db: Database, keystore: KeyStore, staff: Staff
) -> None:
    with pytest.raises(Refused, match="conflict_of_interest"):
        identity.open_case(
            db,
            keystore=keystore,
            actor=staff.manager.actor,
            **case(guider=staff.guider.id, on_caseload_of=[staff.guider.id]),
        )
    assert identity.cases_of(db, keystore=keystore, actor=staff.manager.actor) == []
    with db.read() as session:
        (entry,) = session.scalars(
            select(AuditEntryRow).where(AuditEntryRow.event == audit.Event.ASSIGNMENT_REFUSED.value)
        )
        assert (entry.object_id, entry.reason) == (staff.guider.id, "conflict_of_interest")
    opened = identity.open_case(
        db,
        keystore=keystore,
        actor=staff.manager.actor,
        **case(guider=staff.guider.id, on_caseload_of=[staff.colleague.id]),
    )
    with pytest.raises(Refused, match="conflict_of_interest"):
        identity.change_guider(
            db,
            keystore=keystore,
            actor=staff.manager.actor,
            case_id=opened.case_id,
            staff=staff.colleague.id,
            reason="Leave",
        )


def test_only_managers_open_cases(db: Database, keystore: KeyStore, staff: Staff) -> None:
    for actor in (staff.guider.actor, staff.social_worker.actor, staff.officer.actor, staff.administrator.actor):
        with pytest.raises(Refused, match="not_your_role"):
            identity.open_case(db, keystore=keystore, actor=actor, **case())


def test_each_sees_their_own_cases_with_names_and_a_manager_all(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    second = identity.open_case(db, keystore=keystore, actor=staff.manager.actor, **case())
    by_guider = identity.cases_of(db, keystore=keystore, actor=staff.guider.actor)
    assert [(line.id, line.children, line.guider) for line in by_guider] == [
        (family.case_id, ("Kit Example", "Bo Example"), "Gwen Guide")
    ]
    assert by_guider[0].roles == {Role.GUIDER}
    everything = identity.cases_of(db, keystore=keystore, actor=staff.manager.actor)
    assert {line.id for line in everything} == {family.case_id, second.case_id}
    assert identity.cases_of(db, keystore=keystore, actor=staff.officer.actor) == []
    with pytest.raises(Refused):
        identity.cases_of(db, keystore=keystore, actor=family.mother.actor)


def test_ids_that_are_foreign_or_no_ids_at_all_are_all_the_same_not_found(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    for case_id in (CaseId(new_id()), CaseId("../etc"), CaseId(""), CaseId("x" * 5000), CaseId("\x00")):
        with pytest.raises(NotFound):
            identity.case_view(db, keystore=keystore, actor=staff.manager.actor, case_id=case_id)
    for person in (PersonId(new_id()), PersonId("'"), PersonId("\x00"), staff.guider.id):
        with pytest.raises(NotFound):
            identity.add_person(db, keystore=keystore, actor=staff.manager.actor, case_id=family.case_id, person=person)
        with pytest.raises(NotFound):
            identity.set_safe_contact(
                db,
                keystore=keystore,
                actor=staff.guider.actor,
                case_id=family.case_id,
                person=person,
                contact="07700 900009",
            )
    for visit in (VisitId(new_id()), VisitId("\x00")):
        with db.read() as session, pytest.raises(NotFound):
            identity.visit(session, visit)


def test_a_newcomer_is_a_child_or_an_adult_by_their_birth_date(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    for person, code in (
        (NewChild(name="Grown Example", born_on=date(2008, 3, 2)), "birth_date_form"),
        (NewChild(name="Next Example", born_on=date(2026, 3, 3)), "birth_date_form"),
        (NewAdult(name="Old Example", born_on=date(1890, 1, 1)), "birth_date_form"),
        (replace(CHILD, name="Second Example"), "index_child"),
        (MOTHER, "responsibility_apart"),
    ):
        with pytest.raises(Invalid, match=code):
            identity.add_person(db, keystore=keystore, actor=staff.guider.actor, case_id=family.case_id, person=person)
    with pytest.raises(Conflict, match="already_in_case"):
        identity.add_person(
            db, keystore=keystore, actor=staff.manager.actor, case_id=family.case_id, person=family.mother.id
        )


def test_a_visit_has_a_day_that_was_and_people_who_are_in_the_case(db: Database, family: Family, staff: Staff) -> None:
    made = identity.record_visit(
        db,
        actor=staff.guider.actor,
        case_id=family.case_id,
        kind=VisitKind.FILMING,
        visited_on=date(2026, 3, 1),
        present=[family.mother.id, family.child],
    )
    with db.read() as session:
        found = identity.visit(session, made)
        assert identity.visits_of(session, family.case_id) == (found,)
    assert found.present == {family.mother.id, family.child}
    bad: dict[str, dict[str, Any]] = {
        "visit_date": {"visited_on": date(2026, 3, 3), "present": [family.child]},
        "nobody_present": {"visited_on": date(2026, 3, 1), "present": []},
        "present_unknown": {"visited_on": date(2026, 3, 1), "present": [staff.chair.id]},
    }
    for code, given in bad.items():
        with pytest.raises(Invalid, match=code):
            identity.record_visit(db, actor=staff.guider.actor, case_id=family.case_id, kind=VisitKind.FILMING, **given)
    with pytest.raises(Refused, match="not_your_role"):
        identity.record_visit(
            db,
            actor=staff.social_worker.actor,
            case_id=family.case_id,
            kind=VisitKind.FILMING,
            visited_on=date(2026, 3, 1),
            present=[family.child],
        )


def test_closing_records_what_the_family_answered_and_then_nothing_is_added(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    invited = identity.invite(db, actor=staff.guider.actor, case_id=family.case_id, person=family.mother.id)

    def close() -> None:
        identity.close_case(
            db,
            keystore=keystore,
            actor=staff.guider.actor,
            case_id=family.case_id,
            reason="Goals met",
            family_copy=Keeping.YES,
            look_again=Keeping.ASKED_NO_ANSWER,
        )

    close()
    with db.read() as session:
        facts = identity.case_facts(session, family.case_id)
    assert facts.closed_at == db.clock.now()
    assert (facts.family_copy, facts.look_again) == (Keeping.YES, Keeping.ASKED_NO_ANSWER)
    with pytest.raises(Refused, match="invitation_ended"):
        identity.look(db, keystore=keystore, token=invited.token, whence=Whence("192.0.2.7"))
    with pytest.raises(Conflict, match="case_closed"):
        close()
    with pytest.raises(Conflict, match="case_closed"):
        identity.add_person(
            db,
            keystore=keystore,
            actor=staff.guider.actor,
            case_id=family.case_id,
            person=NewAdult(name="Late Example"),
        )


def test_the_day_is_the_familys_day_and_not_that_of_utc(
    db: Database, family: Family, staff: Staff, clock: HandClock
) -> None:
    clock.at = clock.at.replace(month=6, hour=23, minute=30)  # half past midnight in summer time
    visit = identity.record_visit(
        db,
        actor=again(db, staff.guider).actor,
        case_id=family.case_id,
        kind=VisitKind.SHARED_REVIEW,
        visited_on=date(2026, 6, 3),
        present=[family.mother.id],
    )
    with db.read() as session:
        assert identity.visit(session, visit).visited_on == date(2026, 6, 3)
