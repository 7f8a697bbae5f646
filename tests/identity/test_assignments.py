from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

import audit
import identity
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused, VaultError
from core.ids import AssignmentId, PersonId, RenditionId, new_id
from identity import Assignment, CaseloadEntry, Role, Span, conflicts
from keys import KeyStore
from tests.families import Family, Staff, make_family

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ALWAYS, PAST = Span(AT - timedelta(days=1)), Span(AT - timedelta(days=2), AT)
STAFF, CHILD, STRANGER = PersonId("a" * 32), PersonId("b" * 32), PersonId("c" * 32)


def place(role: Role, span: Span = ALWAYS, person: PersonId = STAFF) -> Assignment:
    return Assignment(AssignmentId(new_id()), person, role, span)


RULES = {
    "nothing known": ([], [], False),
    "the family on their caseload": ([CaseloadEntry(STAFF, CHILD, ALWAYS)], [], True),
    "the family on a colleague's caseload": ([CaseloadEntry(STRANGER, CHILD, ALWAYS)], [], False),
    "another family on their caseload": ([CaseloadEntry(STAFF, STRANGER, ALWAYS)], [], False),
    "an entry that has ended": ([CaseloadEntry(STAFF, CHILD, PAST)], [], False),
    "their social worker": ([], [place(Role.SOCIAL_WORKER)], True),
    "once their social worker": ([], [place(Role.SOCIAL_WORKER, PAST)], False),
    "a colleague is the social worker": ([], [place(Role.SOCIAL_WORKER, person=STRANGER)], False),
    "their supervisor": ([], [place(Role.SUPERVISOR)], False),
}


@pytest.mark.parametrize("what", RULES)
def test_whether_someone_may_guide_with(what: str) -> None:
    caseload, assignments, expected = RULES[what]
    found = conflicts.in_conflict(STAFF, family=[CHILD], caseload=caseload, assignments=assignments, at=AT)
    assert found is expected


def live(db: Database, family: Family, role: Role) -> set[PersonId]:
    with db.read() as session:
        facts = identity.roster(session, family.case_id)
    return {one.person for one in facts.assignments if one.role is role and one.span.covers(db.clock.now())}


def events(db: Database, kind: audit.Event) -> list[str | None]:
    with db.read() as session:
        rows = session.scalars(select(AuditEntryRow).where(AuditEntryRow.event == kind.value)).all()
        return [row.reason for row in rows]


def test_a_guider_who_holds_the_familys_case_is_refused_the_assignment_and_that_is_recorded(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    identity.record_caseload(
        db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.colleague.id, people=[family.child]
    )
    with pytest.raises(Refused) as error:
        identity.change_guider(
            db,
            keystore=keystore,
            actor=staff.manager.actor,
            case_id=family.case_id,
            staff=staff.colleague.id,
            reason="Long leave",
        )
    assert error.value.code == "conflict_of_interest"
    assert "caseload" in error.value.sentence
    assert live(db, family, Role.GUIDER) == {staff.guider.id}
    assert events(db, audit.Event.ASSIGNMENT_REFUSED) == ["conflict_of_interest"]


def test_a_caseload_entry_that_comes_later_suspends_the_guider_in_every_case_with_that_person(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    other = make_family(db, keystore, staff=staff)
    untouched = make_family(db, keystore, staff=staff)
    identity.add_person(
        db, keystore=keystore, actor=staff.manager.actor, case_id=other.case_id, person=family.mother.id
    )
    identity.record_caseload(
        db, actor=staff.guider.actor, case_id=family.case_id, staff=staff.guider.id, people=[family.mother.id]
    )
    assert live(db, family, Role.GUIDER) == set()
    assert live(db, other, Role.GUIDER) == set()
    assert live(db, untouched, Role.GUIDER) == {staff.guider.id}
    with pytest.raises(NotFound):
        identity.case_view(db, keystore=keystore, actor=staff.guider.actor, case_id=family.case_id)
    identity.end_caseload(db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.guider.id)
    assert live(db, family, Role.GUIDER) == set()


def test_a_newcomer_on_the_guiders_caseload_suspends_them(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    other = make_family(db, keystore, staff=staff)
    identity.change_guider(
        db,
        keystore=keystore,
        actor=staff.manager.actor,
        case_id=other.case_id,
        staff=staff.colleague.id,
        reason="Team change",
    )
    identity.record_caseload(
        db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.colleague.id, people=[family.father.id]
    )
    assert live(db, other, Role.GUIDER) == {staff.colleague.id}
    identity.add_person(
        db, keystore=keystore, actor=staff.manager.actor, case_id=other.case_id, person=family.father.id
    )
    assert live(db, other, Role.GUIDER) == set()


def test_the_guider_cant_become_the_familys_social_worker(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    identity.set_roles(
        db,
        actor=staff.administrator.actor,
        person=staff.guider.id,
        roles=[Role.GUIDER, Role.SOCIAL_WORKER],
    )
    with pytest.raises(Refused, match="conflict_of_interest"):
        identity.assign(
            db,
            actor=staff.manager.actor,
            case_id=family.case_id,
            staff=staff.guider.id,
            role=Role.SOCIAL_WORKER,
        )


def test_becoming_social_worker_of_a_siblings_case_suspends_the_guider_of_this_one(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    other = make_family(db, keystore, staff=staff)
    identity.change_guider(
        db,
        keystore=keystore,
        actor=staff.manager.actor,
        case_id=other.case_id,
        staff=staff.colleague.id,
        reason="Leave",
    )
    identity.add_person(db, keystore=keystore, actor=staff.manager.actor, case_id=other.case_id, person=family.sibling)
    identity.set_roles(
        db, actor=staff.administrator.actor, person=staff.guider.id, roles=[Role.GUIDER, Role.SOCIAL_WORKER]
    )
    identity.assign(
        db, actor=staff.manager.actor, case_id=other.case_id, staff=staff.guider.id, role=Role.SOCIAL_WORKER
    )
    assert live(db, family, Role.GUIDER) == set()


def test_there_is_one_guider_and_the_former_ones_access_ends_in_the_same_moment(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    with pytest.raises(Conflict, match="has_guider"):
        identity.assign(
            db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.colleague.id, role=Role.GUIDER
        )
    identity.change_guider(
        db,
        keystore=keystore,
        actor=staff.manager.actor,
        case_id=family.case_id,
        staff=staff.colleague.id,
        reason="Long leave",
    )
    assert live(db, family, Role.GUIDER) == {staff.colleague.id}
    with pytest.raises(NotFound):
        identity.case_view(db, keystore=keystore, actor=staff.guider.actor, case_id=family.case_id)
    for reason in ("", "   ", "a\x00b"):
        with pytest.raises(Invalid, match="words_form"):
            identity.change_guider(
                db,
                keystore=keystore,
                actor=staff.manager.actor,
                case_id=family.case_id,
                staff=staff.guider.id,
                reason=reason,
            )


def test_two_managers_who_hand_over_at_once_leave_one_guider(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    def one(actor: identity.Actor) -> str:
        try:
            identity.change_guider(
                db, keystore=keystore, actor=actor, case_id=family.case_id, staff=staff.colleague.id, reason="Leave"
            )
        except VaultError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(one, [staff.manager.actor, staff.other_manager.actor]))
    assert outcomes == ["done", "same_guider"]
    assert live(db, family, Role.GUIDER) == {staff.colleague.id}


def test_a_caseload_entry_and_a_hand_over_at_once_never_leave_a_guider_in_conflict(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    def entry() -> None:
        identity.record_caseload(
            db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.colleague.id, people=[family.child]
        )

    def hand_over() -> str:
        try:
            identity.change_guider(
                db,
                keystore=keystore,
                actor=staff.other_manager.actor,
                case_id=family.case_id,
                staff=staff.colleague.id,
                reason="Leave",
            )
        except Refused as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(entry), pool.submit(hand_over)
        first.result()
        assert second.result() in {"done", "conflict_of_interest"}
    assert staff.colleague.id not in live(db, family, Role.GUIDER)


def test_a_check_is_one_rendition_for_one_colleague_off_the_case(db: Database, family: Family, staff: Staff) -> None:
    rendition = RenditionId(new_id())
    with pytest.raises(Refused, match="role_not_held"):
        identity.assign(
            db,
            actor=staff.guider.actor,
            case_id=family.case_id,
            staff=staff.social_worker.id,
            role=Role.CHECKER,
            rendition=rendition,
        )
    with pytest.raises(Refused, match="not_off_case"):
        identity.assign(
            db,
            actor=staff.guider.actor,
            case_id=family.case_id,
            staff=staff.guider.id,
            role=Role.CHECKER,
            rendition=rendition,
        )
    with pytest.raises(Invalid, match="check_needs_rendition"):
        identity.assign(
            db, actor=staff.guider.actor, case_id=family.case_id, staff=staff.colleague.id, role=Role.CHECKER
        )
    identity.assign(
        db,
        actor=staff.guider.actor,
        case_id=family.case_id,
        staff=staff.colleague.id,
        role=Role.CHECKER,
        rendition=rendition,
    )
    assert live(db, family, Role.CHECKER) == {staff.colleague.id}
    with db.begin() as session:
        identity.end_checks(
            session, by=staff.colleague.id, case_id=family.case_id, rendition=rendition, at=db.clock.now()
        )
    assert live(db, family, Role.CHECKER) == set()


def test_a_checker_sees_no_names(db: Database, keystore: KeyStore, family: Family, staff: Staff) -> None:
    identity.assign(
        db,
        actor=staff.guider.actor,
        case_id=family.case_id,
        staff=staff.colleague.id,
        role=Role.CHECKER,
        rendition=RenditionId(new_id()),
    )
    assert identity.cases_of(db, keystore=keystore, actor=staff.colleague.actor) == []
    with pytest.raises(NotFound):
        identity.case_view(db, keystore=keystore, actor=staff.colleague.actor, case_id=family.case_id)


def test_only_a_manager_assigns_and_only_to_roles_that_are_held(db: Database, family: Family, staff: Staff) -> None:
    with pytest.raises(Refused, match="not_your_role"):
        identity.assign(db, actor=staff.guider.actor, case_id=family.case_id, staff=staff.chair.id, role=Role.CHAIR)
    with pytest.raises(Refused, match="role_not_held"):
        identity.assign(
            db, actor=staff.manager.actor, case_id=family.case_id, staff=staff.chair.id, role=Role.SUPERVISOR
        )
    with pytest.raises(NotFound):
        identity.assign(db, actor=staff.manager.actor, case_id=family.case_id, staff=family.mother.id, role=Role.CHAIR)
    with pytest.raises(Invalid, match="end_before_start"):
        identity.assign(
            db,
            actor=staff.manager.actor,
            case_id=family.case_id,
            staff=staff.chair.id,
            role=Role.CHAIR,
            until=db.clock.now(),
        )


def test_who_leaves_their_role_leaves_the_cases_that_they_had_it_in(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    identity.set_roles(db, actor=staff.administrator.actor, person=staff.guider.id, roles=[Role.SUPERVISOR])
    assert live(db, family, Role.GUIDER) == set()
    identity.suspend_staff(db, actor=staff.administrator.actor, person=staff.social_worker.id)
    assert live(db, family, Role.SOCIAL_WORKER) == set()
    assert {
        line.name for line in identity.staff_directory(db, keystore=keystore, actor=staff.manager.actor)
    }.isdisjoint({"Sam Okafor"})
