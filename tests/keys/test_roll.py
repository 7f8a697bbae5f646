"""Rolling the epoch, its crashes, and what goes on meanwhile."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import Damaged, Unavailable
from core.ids import CaseId, PersonId, new_id
from keys import (
    KeyStore,
    RecordOwner,
    RollState,
    open_field,
    seal_field,
)
from keys import roll as rolling
from keys.heartbeat import BEAT_EVERY, LAPSES_AFTER
from tests.fakes import HandClock
from tests.keys.conftest import Keys, an_object, may
from tests.keys.rolling import break_case_key, epochs_at, fresh_database, other_case

CASE, BROKEN = CaseId(new_id()), CaseId(new_id())
STATES = [RollState.BEGUN, RollState.REWRAPPING, RollState.EVICTING, RollState.REMOVING]


def test_a_roll_keeps_what_lives_and_leaves_one_epoch_everywhere(store: KeyStore, keys: Keys) -> None:
    object_id, key = an_object(store, case_id=CASE)
    owner = RecordOwner.person(PersonId(new_id()))
    sealed = seal_field(store.record_key(owner), table="t", column="c", row="r", value="words")
    report = store.roll_epoch()
    assert report.is_done
    assert (report.from_number, report.to_number, report.waiting_for) == (1, 2, ())
    assert epochs_at(keys) == [[2], [2]]
    for each in (store, keys.open()):
        assert each.object_key(object_id, capability=may(CASE)) == key
        assert open_field(each.record_key(owner), table="t", column="c", row="r", sealed=sealed) == "words"
        assert each.status().epoch == 2


def test_what_may_be_promised_grows_with_the_roll(store: KeyStore, clock: HandClock) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    assert store.erasure_of(object_id) is None
    store.destroy_object_key(object_id)
    destroyed_at = clock.now()
    pending = store.erasure_of(object_id)
    assert pending is not None
    assert (pending.destroyed_at, pending.rolled_at, pending.irrecoverable_since) == (destroyed_at, None, None)
    assert {one.id for one in pending.survivors} == {place.id for place in store.status().places}
    assert store.status().pending == 1
    clock.move(timedelta(hours=3))
    store.roll_epoch()
    gone = store.erasure_of(object_id)
    assert gone is not None
    assert (gone.destroyed_at, gone.rolled_at, gone.irrecoverable_since) == (destroyed_at, clock.now(), clock.now())
    assert gone.survivors == ()
    assert store.status().pending == 0


def test_only_a_roll_begun_after_the_destruction_counts(store: KeyStore, keys: Keys, clock: HandClock) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    owner = RecordOwner.case(CASE)
    store.record_key(owner)
    roller = rolling.Roller(store.db, store.keyring, store.process)
    rolling.begin(roller)
    rolling.step(roller)
    store.destroy_object_key(object_id)
    store.destroy_record_key(owner)
    while not rolling.step(roller).is_done:
        pass
    for erasure in (store.erasure_of(object_id), store.erasure_of_record(owner)):
        assert erasure is not None
        assert erasure.rolled_at is None
    assert store.status().pending == 2
    assert store.roll_epoch().is_done
    for erasure in (store.erasure_of(object_id), store.erasure_of_record(owner)):
        assert erasure is not None
        assert erasure.irrecoverable_since == clock.now()


def test_a_resumed_roll_that_came_too_early_is_followed_by_another(store: KeyStore) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    roller = rolling.Roller(store.db, store.keyring, store.process)
    rolling.begin(roller)
    rolling.step(roller)
    store.destroy_object_key(object_id)
    assert store.roll_epoch().to_number == 3
    erasure = store.erasure_of(object_id)
    assert erasure is not None
    assert erasure.irrecoverable_since is not None


@pytest.mark.parametrize("state", STATES)
def test_a_roll_stopped_in_any_state_goes_on_in_another_process(
    store: KeyStore, keys: Keys, clock: HandClock, state: RollState
) -> None:
    object_id, key = an_object(store, case_id=CASE)
    gone, _ = an_object(store, case_id=CASE)
    store.destroy_object_key(gone)
    lost, _ = an_object(store, case_id=BROKEN)
    broken = break_case_key(store, BROKEN)
    roller = rolling.Roller(store.db, store.keyring, store.process)
    rolling.begin(roller)
    for _ in range(STATES.index(state)):
        rolling.step(roller)
    under_way = store.status().roll
    assert under_way is not None
    assert under_way.state is state
    clock.move(LAPSES_AFTER)  # the process that began it is dead
    other = keys.open()
    assert other.object_key(object_id, capability=may(CASE)) == key
    late, late_key = an_object(other, case_id=CaseId(new_id()))
    report = other.roll_epoch()
    assert (report.is_done, report.to_number, [one.id for one in report.left_behind]) == (True, 2, [broken])
    assert epochs_at(keys) == [[2], [2]]
    assert other.object_key(object_id, capability=may(CASE)) == key
    with pytest.raises(Damaged, match="key_damaged"):
        other.object_key(lost, capability=may(BROKEN))
    with other.db.read() as session:
        assert rolling.pending(session) == 0
    assert late_key == keys.open().object_key(late, capability=may(other_case(other, late)))


def test_a_roll_waits_until_each_live_process_has_forgotten_the_old_key(
    store: KeyStore, keys: Keys, clock: HandClock
) -> None:
    object_id, key = an_object(store, case_id=CASE)
    other = keys.open()
    waiting = store.roll_epoch()
    assert waiting.state is RollState.EVICTING
    assert waiting.waiting_for == (other.process.id,)
    assert epochs_at(keys) == [[1, 2], [1, 2]]
    assert other.object_key(object_id, capability=may(CASE)) == key
    assert store.roll_epoch().waiting_for == (other.process.id,)
    clock.move(BEAT_EVERY)
    assert other.object_key(object_id, capability=may(CASE)) == key  # any use beats, where the app forgot to
    assert store.roll_epoch().is_done
    assert epochs_at(keys) == [[2], [2]]
    assert other.object_key(object_id, capability=may(CASE)) == key


def test_a_process_that_died_holds_nobody_up(store: KeyStore, keys: Keys, clock: HandClock) -> None:
    keys.open()
    assert not store.roll_epoch().is_done
    clock.move(LAPSES_AFTER - timedelta(seconds=1))
    assert not store.roll_epoch().is_done
    clock.move(timedelta(seconds=1))
    assert store.roll_epoch().is_done


def test_work_goes_on_while_epochs_roll(store: KeyStore) -> None:
    case_id, rolled = CaseId(new_id()), threading.Event()

    def work(_: int) -> int:
        rounds = 0
        while not rolled.is_set() or rounds < 1:
            kept, key = an_object(store, case_id=case_id)
            gone, _ = an_object(store, case_id=case_id)
            store.record_key(RecordOwner.person(PersonId(new_id())))
            assert store.object_key(kept, capability=may(case_id)) == key
            store.destroy_object_key(gone)
            assert store.object_key(kept, capability=may(case_id)) == key
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work, number) for number in range(3)]
        try:
            for _ in range(2):
                while not store.roll_epoch().is_done:
                    pass
        finally:
            rolled.set()
        assert all(worker.result() >= 1 for worker in workers)
    assert store.status().epoch >= 3


def test_two_processes_do_not_roll_at_once(store: KeyStore, keys: Keys) -> None:
    other = keys.open()
    with store.keyring.writer(), pytest.raises(Unavailable, match="keyring_busy"):
        other.roll_epoch()
    with store.keyring.writer(), pytest.raises(Unavailable, match="keyring_busy"):
        store.roll_epoch()


def test_a_roll_does_not_guess_about_a_place_it_can_not_reach(store: KeyStore, keys: Keys) -> None:
    away = keys.places[1].with_name("away")
    keys.places[1].rename(away)
    with pytest.raises(Unavailable, match="keyring_missing"):
        store.roll_epoch()
    shutil.copytree(keys.places[0], keys.places[1])  # a copy of the live place isn't the recovery place
    with pytest.raises(Unavailable, match="place_unknown"):
        store.roll_epoch()
    shutil.rmtree(keys.places[1])
    away.rename(keys.places[1])
    assert store.roll_epoch().is_done


@pytest.mark.parametrize("writes", range(1, 5))
def test_a_roll_killed_at_any_write_of_the_capsule_resumes(tmp_path: Path, clock: HandClock, writes: int) -> None:
    """A real process, a real SIGKILL: there are four writes, two places with the new key and two without the old."""
    with fresh_database(tmp_path / "keys.db", clock) as db:
        keys = Keys(db, [tmp_path / "live", tmp_path / "recovery"])
        store = keys.create()
        object_id, key = an_object(store, case_id=CASE)
        an_object(store, case_id=BROKEN)
        broken = break_case_key(store, BROKEN)
        clock.move(LAPSES_AFTER)
        ended = subprocess.run(
            [sys.executable, "-m", "tests.keys.dying", str(tmp_path), str(writes)], check=False, timeout=60
        )
        assert ended.returncode == -signal.SIGKILL
        clock.move(2 * LAPSES_AFTER)
        other = keys.open()
        assert other.object_key(object_id, capability=may(CASE)) == key
        report = other.roll_epoch()
        assert (report.is_done, report.to_number, [one.id for one in report.left_behind]) == (True, 2, [broken])
        assert epochs_at(keys) == [[2], [2]]
        assert other.object_key(object_id, capability=may(CASE)) == key
        assert not [path for place in keys.places for path in place.iterdir() if path.name.startswith(".keyring")]
