from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select, update

import identity
import retention
from audit.models import AuditEntryRow
from consent import RenditionState
from core import jobs
from core.db import Database, connect
from core.errors import Refused, Unavailable, VaultError
from core.ids import JobId, ObjectId
from core.jobs import JobRow, JobState
from core.secret import Secret
from keys import Cost, KeyStore, LocalRoot
from retention import HoldScope, ItemState, Outcome, Schedule, SweepState, disposal
from retention.disposal import Work
from retention.models import CertificateRow, ItemRow, SweepRow
from tests.fakes import HandClock
from tests.families import Family
from tests.keys.rolling import break_case_key
from tests.retention.conftest import Night, Shelf
from vault import DiskStore
from vault.models import FootageRow, FootageState, ObjectRow, ObjectState, RenditionRow

STATES = [ItemState.DESTROYING, ItemState.KEY_DESTROYED, ItemState.CERTIFIED, ItemState.DONE]
DONE = Outcome(SweepState.DONE, done=1, kept=0, unfinished=0, rolled=True)
ROOT = LocalRoot(Secret("correct horse battery"), cost=Cost(passes=1, memory_kib=64, lanes=1))


class Killed(BaseException):
    """The process died here."""


def item_of(db: Database, sweep_id: str) -> str:
    with db.read() as session:
        return session.scalars(select(ItemRow.id).where(ItemRow.sweep_id == sweep_id)).one()


def told(db: Database, object_id: str) -> list[str]:
    with db.read() as session:
        query = select(AuditEntryRow.event).where(AuditEntryRow.object_id == object_id)
        return list(session.scalars(query.order_by(AuditEntryRow.number)))


@pytest.mark.parametrize("steps", range(5))
def test_a_sweep_that_died_after_any_state_is_finished_by_the_next_night(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, steps: int
) -> None:
    film = shelf.film()
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    with db.begin() as session:
        session.execute(update(SweepRow).values(state=SweepState.RUNNING))
    work = Work(db, shelf.keystore, shelf.store, schedule)
    reached = [disposal.advance(work, item_id=item_of(db, sweep_id)) for _ in range(steps)]
    assert reached == STATES[:steps]
    later = night()
    assert later is not None
    assert shelf.is_gone(film)
    assert told(db, film) == ["destruction.begun", "key.destroyed", "record.destroyed"]
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(CertificateRow)) == 1
        assert session.get_one(FootageRow, film).state is FootageState.DESTROYED
    assert night.carry_out(sweep_id) == DONE


@pytest.mark.parametrize("half", ["one key", "all keys", "the bytes", "the epoch"])
def test_a_sweep_that_died_within_a_step_is_finished_too_though_the_keys_of_its_case_are_damaged(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family, half: str
) -> None:
    film = shelf.film()
    break_case_key(shelf.keystore, family.case_id)
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    work = Work(db, shelf.keystore, shelf.store, schedule)
    rows = shelf.objects(film)
    disposal.advance(work, item_id=item_of(db, sweep_id))
    if half == "one key":
        shelf.keystore.destroy_object_key(ObjectId(rows[0].id))
    for row in rows if half != "one key" else []:
        shelf.keystore.destroy_object_key(ObjectId(row.id))
    if half in {"the bytes", "the epoch"}:
        disposal.advance(work, item_id=item_of(db, sweep_id))
        disposal.advance(work, item_id=item_of(db, sweep_id))
        shelf.store.delete(rows[0].id)
    if half == "the epoch":
        shelf.keystore.roll_epoch()
    assert night.carry_out(sweep_id) == DONE
    assert shelf.is_gone(film)
    (found,), _ = retention.certificates_issued(db, keystore=shelf.keystore, actor=family.staff.officer.actor)
    assert (found.irrecoverable_since, shelf.keystore.damaged_keys()) == (db.clock.now(), ())


def test_killed_at_any_commit_a_sweep_is_finished_by_the_next_one(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule
) -> None:
    commits = 0
    while True:
        film = shelf.film()
        shelf.pass_days(28)
        sweep_id = retention.plan(db, schedule=schedule)
        if not killed_at(db.engine, commits, partial(night.carry_out, sweep_id)):
            break
        assert night.carry_out(sweep_id) == DONE
        assert shelf.is_gone(film)
        assert told(db, film) == ["destruction.begun", "key.destroyed", "record.destroyed"]
        commits += 1
    assert commits >= len(STATES) + 2


def killed_at(engine: Engine, commits: int, act: Callable[[], object]) -> bool:
    """Run something and have it die just before a commit, counted from 0; whether it did."""
    left = commits

    def die(_connection: object) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1

    event.listen(engine, "commit", die)
    try:
        act()
    except Killed:
        return True
    finally:
        event.remove(engine, "commit", die)
    return False


def test_where_time_leaps_in_the_middle_what_was_begun_is_finished_and_the_rest_waits(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family, clock: HandClock
) -> None:
    films = [shelf.film() for _ in range(2)]
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    officer = family.staff.officer.actor
    retention.approve(db, keystore=shelf.keystore, actor=officer, sweep_id=sweep_id, reason="Both are due.")
    assert killed_at(db.engine, 5, partial(night.carry_out, sweep_id))  # the first one has just begun
    clock.move(timedelta(days=30))
    with pytest.raises(Refused, match="clock_leapt"):
        night.carry_out(sweep_id)
    assert sorted(shelf.is_gone(film) for film in films) == [False, True]
    retention.accept_clock(db, actor=officer)
    night()
    assert all(shelf.is_gone(film) for film in films)


def test_an_approved_sweep_is_carried_out_by_its_job_and_parked_where_it_is_too_late(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family, tmp_path: Path
) -> None:
    films = [shelf.film() for _ in range(2)]
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    officer = family.staff.officer.actor
    retention.approve(db, keystore=shelf.keystore, actor=officer, sweep_id=sweep_id, reason="Both are due.")
    with db.begin() as session:
        job = session.scalars(select(JobRow).where(JobRow.kind == retention.CARRY_OUT)).one()
        lease = jobs.take(session, JobId(job.id), at=db.clock.now())
    assert lease is not None
    does = {"keystore": shelf.keystore, "schedule": schedule, "lease": lease}
    with pytest.raises(Unavailable, match="sweep_unfinished"):
        retention.work_on(db, store=FailingStore(tmp_path / "store"), **does)
    retention.work_on(db, store=shelf.store, **does)
    assert all(shelf.is_gone(film) for film in films)
    with db.read() as session:
        assert session.get_one(JobRow, lease.job_id).state is JobState.DONE


class FailingStore(DiskStore):
    """A disk that can't delete until it is mended."""

    broken = True

    def delete(self, name: str) -> None:
        if self.broken:
            raise Unavailable("store_unavailable", "The film store doesn't answer just now. Please try again.")
        super().delete(name)


def test_where_deleting_fails_the_keys_are_gone_already_and_it_is_tried_again(
    db: Database, shelf: Shelf, night: Night, tmp_path: Path, family: Family
) -> None:
    films = [shelf.film() for _ in range(2)]
    shelf.pass_days(28)
    night.store = FailingStore(tmp_path / "store")
    assert night() is None  # the brake: all there is
    officer = family.staff.officer.actor
    sweep_id = retention.health(db).halted or ""
    retention.approve(db, keystore=shelf.keystore, actor=officer, sweep_id=sweep_id, reason="Both are due.")
    assert night.carry_out(sweep_id) == Outcome(SweepState.RUNNING, done=0, kept=0, unfinished=2, rolled=True)
    found, count = retention.certificates_issued(db, keystore=shelf.keystore, actor=officer)
    assert count == 2
    assert all(one.irrecoverable_since is not None for one in found)
    night.store.broken = False
    night()
    assert all(shelf.is_gone(film) for film in films)


def test_use_stops_when_destroying_begins(db: Database, shelf: Shelf, schedule: Schedule, family: Family) -> None:
    film = shelf.film()
    shelf.pass_days(28)
    with db.read() as session:
        before = identity.versions(session, [family.case_id])
    sweep_id = retention.plan(db, schedule=schedule)
    work = Work(db, shelf.keystore, shelf.store, schedule)
    disposal.advance(work, item_id=item_of(db, sweep_id))
    with db.read() as session:
        assert identity.versions(session, [family.case_id]) != before
        (rendition,) = session.scalars(select(RenditionRow).where(RenditionRow.footage_id == film))
        assert rendition.state is RenditionState.WITHDRAWN_FROM_USE
        assert set(session.scalars(select(ObjectRow.state))) == {ObjectState.DESTROYING}


def test_a_hold_that_came_after_the_plan_is_in_time(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family
) -> None:
    film = shelf.film()
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    retention.place_hold(
        db,
        keystore=shelf.keystore,
        actor=family.staff.officer.actor,
        scope=HoldScope.CASE,
        subject=family.case_id,
        reason="A complaint is open.",
    )
    assert night.carry_out(sweep_id) == Outcome(SweepState.DONE, done=0, kept=1, unfinished=0, rolled=True)
    assert all(shelf.opens(row) for row in shelf.objects(film))
    with db.read() as session:
        assert session.scalars(select(ItemRow.kept_because)).all() == ["held"]


def test_an_old_copy_of_the_keys_with_todays_capsule_opens_nothing_destroyed(
    db: Database, shelf: Shelf, night: Night, tmp_path: Path
) -> None:
    film, place = shelf.film(), tmp_path
    shelf.pass_days(10)
    kept = shelf.film()
    copies = tmp_path / "copies"
    for folder in ("keyring", "recovery", "store"):
        shutil.copytree(place / folder, copies / folder)
    for found in place.glob("keys.db*"):
        shutil.copy(found, copies / found.name)
    rows = shelf.objects(film)
    shelf.pass_days(18)
    assert night() == DONE

    old = connect(f"sqlite:///{copies / 'keys.db'}", clock=db.clock)
    old_objects = DiskStore(copies / "store")
    today = KeyStore.open(db=old, root=ROOT, places=[place / "keyring", place / "recovery"])
    for row in rows:
        with pytest.raises(VaultError) as refusal:
            shelf.opens(row, keystore=today, store=old_objects)
        assert refusal.value.code == "epoch_key_missing"
    assert all(shelf.opens(row) for row in shelf.objects(kept))

    # Not for want of bytes or rows: with a capsule that somebody kept against the rules, the copy opens.
    then = KeyStore.open(db=old, root=ROOT, places=[copies / "keyring", copies / "recovery"])
    assert all(shelf.opens(row, keystore=then, store=old_objects) for row in rows)
    old.engine.dispose()
