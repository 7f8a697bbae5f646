from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

import identity
from core.db import Database, connect
from core.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from identity import Capacity, Competence, Effect, RelationshipKind, Role
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import CHILD_BORN, Family, Staff, make_family


def roster(db: Database, family: Family) -> identity.Roster:
    with db.read() as session:
        return identity.roster(session, family.case_id)


def version(db: Database, family: Family) -> int:
    with db.read() as session:
        return identity.versions(session, [family.case_id])[family.case_id]


def test_a_roster_carries_everyone_with_birth_dates_roles_and_who_holds_responsibility(
    db: Database, family: Family
) -> None:
    found = roster(db, family)
    assert found.is_open
    assert found.version == version(db, family)
    assert found.persons[family.child].born_on == CHILD_BORN
    assert found.persons[family.mother.id].born_on is None
    assert found.persons[family.staff.guider.id].kind is identity.PersonKind.STAFF
    holders = {(one.holder, one.child, one.kind) for one in found.relationships}
    assert holders == {
        (parent.id, child, kind)
        for parent, kind in (
            (family.mother, RelationshipKind.MOTHER),
            (family.father, RelationshipKind.FATHER),
        )
        for child in (family.child, family.sibling)
    }
    assert {(one.person, one.role) for one in found.assignments} == {
        (family.staff.guider.id, Role.GUIDER),
        (family.staff.social_worker.id, Role.SOCIAL_WORKER),
    }


Change = Callable[[Database, KeyStore, Family], object]

CHANGES: dict[str, Change] = {
    "a restriction": lambda db, keys, family: identity.place_restriction(
        db,
        keystore=keys,
        actor=family.staff.social_worker.actor,
        case_id=family.case_id,
        person=family.father.id,
        effects=frozenset({Effect.NO_VIEW}),
        reason="Non-molestation order",
    ),
    "an assessment of competence": lambda db, _keys, family: identity.record_competence(
        db,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        child=family.sibling,
        outcome=Competence.NOT_COMPETENT,
        review_on=date(2026, 9, 1),
    ),
    "a capacity decision": lambda db, _keys, family: identity.record_capacity(
        db,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        person=family.mother.id,
        outcome=Capacity.LACKS,
    ),
    "a caseload entry": lambda db, _keys, family: identity.record_caseload(
        db, actor=family.staff.manager.actor, case_id=family.case_id, staff=family.staff.social_worker.id
    ),
    "a corrected birth date": lambda db, keys, family: identity.correct_birth_date(
        db,
        keystore=keys,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        person=family.child,
        born_on=date(2022, 9, 2),
    ),
    "a newcomer": lambda db, keys, family: identity.add_person(
        db,
        keystore=keys,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        person=identity.NewAdult(name="Gran Example"),
    ),
    "an assignment": lambda db, _keys, family: identity.assign(
        db,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        staff=family.staff.chair.id,
        role=Role.CHAIR,
    ),
    "another guider": lambda db, keys, family: identity.change_guider(
        db,
        keystore=keys,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        staff=family.staff.colleague.id,
        reason="Long leave",
    ),
    "a member of staff who leaves": lambda db, _keys, family: identity.suspend_staff(
        db, actor=family.staff.administrator.actor, person=family.staff.social_worker.id
    ),
    "closing": lambda db, keys, family: identity.close_case(
        db,
        keystore=keys,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        reason="Work complete",
        family_copy=identity.Keeping.YES,
        look_again=identity.Keeping.ASKED_NO_ANSWER,
    ),
}


def test_the_consent_version_rises_with_every_change_of_a_fact(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    for what, change in CHANGES.items():
        before, facts = version(db, family), roster(db, family)
        change(db, keystore, family)
        assert version(db, family) > before, what
        assert replace(roster(db, family), version=before) != facts, what


def test_a_fact_about_a_person_reaches_every_case_of_theirs_and_no_other(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    second, third = (make_family(db, keystore, staff=staff) for _ in range(2))
    identity.add_person(
        db, keystore=keystore, actor=staff.manager.actor, case_id=second.case_id, person=family.mother.id
    )
    before = [version(db, one) for one in (family, second, third)]
    identity.record_capacity(
        db,
        actor=staff.manager.actor,
        case_id=second.case_id,
        person=family.mother.id,
        outcome=Capacity.HAS,
    )
    after = [version(db, one) for one in (family, second, third)]
    assert after == [before[0] + 1, before[1] + 1, before[2]]
    assert roster(db, family).capacity == roster(db, second).capacity != ()


def test_a_holder_outside_the_case_is_known_to_it_through_the_child(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    other = make_family(db, keystore, staff=staff)
    identity.add_person(db, keystore=keystore, actor=staff.manager.actor, case_id=other.case_id, person=family.child)
    found = roster(db, other)
    assert {one.holder for one in found.relationships if one.child == family.child} == {
        family.mother.id,
        family.father.id,
    }
    assert family.father.id in found.persons


def test_ending_parental_responsibility_keeps_the_past(db: Database, keystore: KeyStore, family: Family) -> None:
    actor = family.staff.manager.actor
    made = identity.add_relationship(
        db,
        keystore=keystore,
        actor=actor,
        case_id=family.case_id,
        holder=family.staff.other_manager.id,
        child=family.child,
        kind=RelationshipKind.LOCAL_AUTHORITY,
        evidence="Care order seen",
    )
    before = version(db, family)
    identity.end_relationship(db, actor=actor, case_id=family.case_id, relationship=made)
    assert version(db, family) == before + 1
    (ended,) = [one for one in roster(db, family).relationships if one.kind is RelationshipKind.LOCAL_AUTHORITY]
    assert ended.span.end == db.clock.now()
    with pytest.raises(Conflict, match="relationship_ended"):
        identity.end_relationship(db, actor=actor, case_id=family.case_id, relationship=made)


def test_the_authority_decides_through_a_manager_only(db: Database, keystore: KeyStore, family: Family) -> None:
    with pytest.raises(Invalid, match="holder_not_manager"):
        identity.add_relationship(
            db,
            keystore=keystore,
            actor=family.staff.manager.actor,
            case_id=family.case_id,
            holder=family.staff.social_worker.id,
            child=family.child,
            kind=RelationshipKind.LOCAL_AUTHORITY,
        )


def test_a_restriction_is_lifted_by_somebody_else_than_who_placed_it(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    placed = identity.place_restriction(
        db,
        keystore=keystore,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        person=family.father.id,
        effects=frozenset({Effect.NO_SAY, Effect.NOT_ASKED}),
        reason="Prohibited steps order",
    )
    (found,) = roster(db, family).restrictions
    assert found.effects == {Effect.NO_SAY, Effect.NOT_ASKED}
    with pytest.raises(Conflict, match="second_person_needed"):
        identity.lift_restriction(db, actor=family.staff.manager.actor, case_id=family.case_id, restriction=placed)
    identity.lift_restriction(db, actor=family.staff.other_manager.actor, case_id=family.case_id, restriction=placed)
    (lifted,) = roster(db, family).restrictions
    assert not lifted.span.covers(db.clock.now())


def test_without_keys_there_are_no_facts(db: Database, family: Family) -> None:
    del db.info["record_keys"]
    with db.read() as session, pytest.raises(Unavailable, match="keys_unavailable"):
        identity.roster(session, family.case_id)


def test_a_stranger_finds_no_case(db: Database, keystore: KeyStore, family: Family, staff: Staff) -> None:
    for actor in (staff.colleague.actor, staff.administrator.actor, staff.officer.actor, family.mother.actor):
        with pytest.raises(NotFound):
            identity.case_view(db, keystore=keystore, actor=actor, case_id=family.case_id)


def test_no_name_date_or_contact_lies_in_the_database_in_clear(database_url: str, db: Database, family: Family) -> None:
    other = connect(database_url, clock=HandClock())
    words = ["Example", "Okafor", "900001", "example.gov.uk", "2022-09-01", "REF-1"]
    with other.read() as session:
        for table in identity.CaseRow.metadata.sorted_tables:
            text = repr(session.execute(table.select()).all())
            assert [word for word in words if word in text] == []
    other.engine.dispose()


def test_competence_is_for_children_under_sixteen(db: Database, family: Family) -> None:
    with pytest.raises(Invalid, match="not_under_16"):
        identity.record_competence(
            db,
            actor=family.staff.guider.actor,
            case_id=family.case_id,
            child=family.mother.id,
            outcome=Competence.COMPETENT,
            review_on=(db.clock.now() + timedelta(days=90)).date(),
        )
    with pytest.raises(Refused, match="not_your_role"):
        identity.record_capacity(
            db,
            actor=family.staff.guider.actor,
            case_id=family.case_id,
            person=family.mother.id,
            outcome=Capacity.HAS,
        )
