from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

import retention
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.outbox import OutboxRow
from identity import Keeping
from keys import KeyStore
from retention import HaltReason, Outcome, RecordClass, Schedule, Standing, SweepState
from retention.models import NoticeRow
from retention.schedule import built_in
from tests.fakes import HandClock
from tests.families import Family
from tests.retention.conftest import Night, Shelf
from vault import DiskStore


def events(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(AuditEntryRow.event).order_by(AuditEntryRow.at, AuditEntryRow.number)))


def test_raw_film_goes_on_its_day_and_leaves_no_key_no_bytes_and_a_certificate(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore, store: DiskStore
) -> None:
    film = shelf.film()
    shelf.pass_days(10)
    young = shelf.film()
    held = shelf.objects(film)
    assert shelf.opens(held[0])
    shelf.pass_days(17)
    assert night() == Outcome(SweepState.DONE, done=0, kept=0, unfinished=0, rolled=True)
    shelf.pass_days(1)
    assert night() == Outcome(SweepState.DONE, done=1, kept=0, unfinished=0, rolled=True)
    for row in held:
        with pytest.raises(NotFound) as gone:
            shelf.opens(row)
        assert gone.value.code == "key_gone"
        assert store.size(row.id) is None
    assert all(shelf.opens(row) for row in shelf.objects(young))
    (certificate,), count = retention.certificates_issued(db, keystore=keystore, actor=family.staff.officer.actor)
    assert (certificate.record, certificate.record_class, count) == (film, RecordClass.FOOTAGE, 1)


def test_what_is_due_is_listed_with_its_reason_and_nothing_of_what_is_in_it(
    db: Database, shelf: Shelf, family: Family, schedule: Schedule
) -> None:
    film = shelf.film(size=1000)
    shelf.pass_days(28)
    (line,) = retention.due(db, actor=family.staff.officer.actor, schedule=schedule)
    assert (line.record, line.standing, line.rule) == (film, Standing.DUE, "raw-film")
    assert line.reason == "Due since 30 March 2026: 28 days after the visit."
    assert line.size_bytes == sum(row.sealed_length or 0 for row in shelf.objects(film))


def test_the_page_looks_ahead(db: Database, shelf: Shelf, family: Family, schedule: Schedule) -> None:
    shelf.film()
    officer = family.staff.officer.actor
    assert retention.due(db, actor=officer, schedule=schedule, within=timedelta(days=27)) == ()
    (line,) = retention.due(db, actor=officer, schedule=schedule)
    assert line.standing is Standing.KEPT
    assert line.reason == "Kept until 30 March 2026: 28 days after the visit."


def test_only_officers_run_retention(db: Database, keystore: KeyStore, family: Family, schedule: Schedule) -> None:
    for somebody in (family.staff.manager, family.staff.administrator, family.staff.guider, family.mother):
        with pytest.raises(Refused):
            retention.due(db, actor=somebody.actor, schedule=schedule)
        with pytest.raises(Refused):
            retention.plan(db, schedule=schedule, actor=somebody.actor)
        with pytest.raises(Refused):
            retention.approve(db, keystore=keystore, actor=somebody.actor, sweep_id="0" * 32, reason="go on")
        with pytest.raises(Refused):
            retention.accept_clock(db, actor=somebody.actor)
        with pytest.raises(Refused):
            retention.certificates_issued(db, keystore=keystore, actor=somebody.actor)


def test_the_brake_halts_a_mass_disposal_until_an_officer_approves(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    visit = shelf.visit()
    films = [shelf.film(visit=visit) for _ in range(3)]
    shelf.pass_days(20)
    for _ in range(4):
        shelf.film()
    shelf.pass_days(8)
    assert night() is None
    assert all(shelf.opens(row) for film in films for row in shelf.objects(film))
    officer = family.staff.officer.actor
    (halted,) = retention.sweeps(db, keystore=keystore, actor=officer)
    assert (halted.state, halted.halted_for) == (SweepState.HALTED, (HaltReason.SHARE,))
    assert (halted.due_records, halted.all_records) == (3, 7)
    assert retention.health(db).halted == halted.id
    with pytest.raises(Refused, match="sweep_halted"):
        night.carry_out(halted.id)
    with pytest.raises(Invalid, match="reason_needed"):
        retention.approve(db, keystore=keystore, actor=officer, sweep_id=halted.id, reason="  ")
    retention.approve(db, keystore=keystore, actor=officer, sweep_id=halted.id, reason="Three films of one long day.")
    assert night.carry_out(halted.id) == Outcome(SweepState.DONE, done=3, kept=0, unfinished=0, rolled=True)
    seen = retention.sweep_of(db, keystore=keystore, actor=officer, sweep_id=halted.id)
    assert seen.approval_reason == "Three films of one long day."
    assert {item.record for item in seen.items} == set(films)
    found, _ = retention.certificates_issued(db, keystore=keystore, actor=officer)
    assert {one.facts()["approved"]["by"] for one in found} == {"information_governance_officer"}
    with pytest.raises(Conflict, match="sweep_moved_on"):
        retention.approve(db, keystore=keystore, actor=officer, sweep_id=halted.id, reason="Again.")


def test_many_small_sweeps_on_one_day_add_up_for_the_brake(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule
) -> None:
    for _ in range(4):
        shelf.film()
        shelf.pass_days(1)
    shelf.pass_days(24)
    first = night()
    assert first is not None
    assert first.done == 1
    clock = db.clock
    assert isinstance(clock, HandClock)
    with db.begin() as session:  # the second film's visit was put in a day too late, say: it is due today as well
        from identity.models import VisitRow  # noqa: PLC0415 - what a correction would change

        for visit in session.scalars(select(VisitRow)):
            visit.visited_on -= timedelta(days=1)
    assert night() is None


def test_a_clock_that_leaps_a_month_ahead_destroys_nothing_until_an_officer_accepts_it(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore, clock: HandClock
) -> None:
    film = shelf.film()
    assert night() is not None
    clock.move(timedelta(days=30))
    assert night() is None
    officer = family.staff.officer.actor
    health = retention.health(db)
    assert health.clock_leapt
    halted = retention.sweep_of(db, keystore=keystore, actor=officer, sweep_id=health.halted or "")
    assert halted.halted_for == (HaltReason.CLOCK,)
    with pytest.raises(Refused, match="clock_not_accepted"):
        retention.approve(db, keystore=keystore, actor=officer, sweep_id=halted.id, reason="It is late.")
    assert all(shelf.opens(row) for row in shelf.objects(film))
    retention.accept_clock(db, actor=officer)
    assert not retention.health(db).clock_leapt
    outcome = night()
    assert outcome is not None
    assert outcome.done == 1
    assert "clock.accepted" in events(db)


def test_a_clock_that_leaps_between_plan_and_act_destroys_nothing(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, clock: HandClock
) -> None:
    film = shelf.film()
    shelf.pass_days(28)
    planned = retention.plan(db, schedule=schedule)
    clock.move(timedelta(days=2))
    with pytest.raises(Refused, match="clock_leapt"):
        night.carry_out(planned)
    assert all(shelf.opens(row) for row in shelf.objects(film))


def test_a_clock_that_steps_back_destroys_nothing_early(shelf: Shelf, night: Night, clock: HandClock) -> None:
    film = shelf.film()
    shelf.pass_days(28)
    clock.move(-timedelta(hours=12))
    outcome = night()
    assert outcome is not None
    assert outcome.done == 0
    assert all(shelf.opens(row) for row in shelf.objects(film))


def test_a_changed_schedule_halts_the_next_sweep_until_an_officer_has_looked(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    film = shelf.film()
    assert night() is not None
    night.schedule = retention.load(built_in().replace('"P28D"', '"P15D"'))
    shelf.pass_days(15)
    assert night() is None
    assert all(shelf.opens(row) for row in shelf.objects(film))
    officer = family.staff.officer.actor
    halted = retention.sweeps(db, keystore=keystore, actor=officer)[0]
    assert halted.halted_for == (HaltReason.SCHEDULE,)
    retention.approve(db, keystore=keystore, actor=officer, sweep_id=halted.id, reason="Shortened by the board.")
    assert night.carry_out(halted.id).done == 1


def test_a_changed_schedule_halts_on_a_day_when_nothing_is_due_too(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    film = shelf.film()
    night()
    night.schedule = retention.load(built_in().replace('"P28D"', '"P15D"'))
    assert night() is None
    shelf.pass_days(15)
    assert night() is None
    assert all(shelf.opens(row) for row in shelf.objects(film))
    assert retention.health(db).halted is not None


def test_a_later_plan_takes_the_place_of_one_that_waits(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore, schedule: Schedule
) -> None:
    shelf.film()
    shelf.film()
    shelf.pass_days(28)
    first = retention.plan(db, schedule=schedule)
    shelf.pass_days(1)
    second = retention.plan(db, schedule=schedule)
    officer = family.staff.officer.actor
    with pytest.raises(Conflict, match="sweep_moved_on"):
        retention.approve(db, keystore=keystore, actor=officer, sweep_id=first, reason="The old one.")
    with pytest.raises(Refused, match="sweep_halted"):
        night.carry_out(first)
    retention.approve(db, keystore=keystore, actor=officer, sweep_id=second, reason="The new one.")
    assert night.carry_out(second).done == 2


def test_a_clip_is_announced_and_goes_two_months_after_the_work_ended(
    db: Database, shelf: Shelf, night: Night, family: Family
) -> None:
    clip = shelf.clip(shelf.film())
    shelf.close_case()  # on 2 March
    shelf.pass_days(28)
    assert night() is not None  # the raw film
    shelf.pass_days(18)
    assert night() is not None
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(NoticeRow)) == 0
    shelf.pass_days(1)  # 18 April
    night()
    with db.read() as session:
        (notice,) = session.scalars(select(NoticeRow)).all()
        told = session.scalars(select(OutboxRow).where(OutboxRow.kind == retention.ANNOUNCED)).all()
    assert notice.record_id == clip
    assert [row.payload for row in told] == [{"case_id": family.case_id, "record_id": clip}]
    shelf.pass_days(13)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    shelf.pass_days(1)
    outcome = night()
    assert outcome is not None
    assert outcome.done == 1


def test_a_family_that_looks_again_keeps_its_clips_for_seven_months(
    db: Database, shelf: Shelf, family: Family, schedule: Schedule
) -> None:
    clip = shelf.clip(shelf.film())
    shelf.close_case(look_again=Keeping.YES)
    lines = retention.kept(db, actor=family.mother.actor, schedule=schedule, case_id=family.case_id)
    found = {line.record: line for line in lines}
    assert found[clip].record_class is RecordClass.CLIP_LOOK_AGAIN
    assert found[clip].reason == "Kept until 2 October 2026: 7 months after the work ended."


def test_a_stranger_sees_nothing_of_what_a_family_keeps(
    db: Database, shelf: Shelf, family: Family, schedule: Schedule
) -> None:
    shelf.film()
    for stranger in (family.staff.colleague, family.staff.chair):
        with pytest.raises(NotFound):
            retention.kept(db, actor=stranger.actor, schedule=schedule, case_id=family.case_id)


def test_a_health_service_waits_for_an_officer_to_agree(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    night.schedule = retention.load(profile="nhs-hosted")
    clip = shelf.clip(shelf.film())
    officer = family.staff.officer.actor
    with pytest.raises(NotFound):
        retention.agree(
            db, keystore=keystore, actor=officer, schedule=night.schedule, record_id=clip, reason="Too early."
        )
    shelf.close_case()
    shelf.pass_days(28)
    night()
    lines = retention.kept(db, actor=family.staff.guider.actor, schedule=night.schedule, case_id=family.case_id)
    assert [str(line.due_on) for line in lines] == ["2047-09-30"]
    shelf.pass_days(366 * 22)
    (line,) = retention.due(db, actor=officer, schedule=night.schedule)
    assert (line.standing, line.waits_for) == (Standing.REVIEW, "approval")
    retention.agree(db, keystore=keystore, actor=officer, schedule=night.schedule, record_id=clip, reason="Its time.")
    outcome = night()
    assert outcome is not None
    assert outcome.done == 1


def test_a_sweep_that_has_not_run_for_a_day_is_an_alarm(shelf: Shelf, night: Night, db: Database) -> None:
    assert not retention.health(db).overdue, "a new store has not missed a night"
    shelf.pass_days(2)
    assert retention.health(db).overdue
    night()
    assert not retention.health(db).overdue
    shelf.pass_days(1)
    assert not retention.health(db).overdue
    shelf.pass_days(1)
    assert retention.health(db).overdue


def test_each_step_is_in_the_log_and_a_refusal_too(
    db: Database, shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    shelf.film()
    shelf.pass_days(28)
    night()
    with pytest.raises(Refused):
        retention.approve(
            db, keystore=keystore, actor=family.staff.manager.actor, sweep_id="0" * 32, reason="Not my role."
        )
    told = [
        event
        for event in events(db)
        if event.split(".")[0] in {"sweep", "destruction", "key", "record", "certificate", "epoch"}
    ]
    assert sorted(told) == sorted(
        [
            "sweep.planned",
            "destruction.begun",
            "key.destroyed",
            "certificate.issued",
            "record.destroyed",
            "epoch.rolled",
            "sweep.approved",
        ]
    )
