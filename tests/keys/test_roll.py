"""Rolling the epoch, its crashes, and the two drills of ``retention.md``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database, connect
from core.errors import Conflict, Damaged, NotFound, Refused, Unavailable, VaultError
from core.ids import CaseId, ObjectId, PersonId, new_id
from core.secret import Secret
from keys import (
    KEYS_METADATA,
    KeyStore,
    LocalRoot,
    RecordOwner,
    RollState,
    add_recovery,
    attest_gone,
    lose,
    open_field,
    recover,
    seal_field,
)
from keys import roll as rolling
from keys.capsule import open_capsule, open_root
from keys.copies import FILE_NAME as COPY
from keys.heartbeat import BEAT_EVERY, LAPSES_AFTER
from keys.keyring import FILE_NAME, Keyring
from keys.models import ObjectKeyRow
from tests.fakes import HandClock
from tests.keys.conftest import PASSPHRASE, QUICK, Keys, an_object, may

CASE = CaseId(new_id())
STATES = [RollState.BEGUN, RollState.REWRAPPING, RollState.EVICTING, RollState.REMOVING]


def epochs_at(keys: Keys) -> list[list[int]]:
    """What each place's capsule holds, opened from the file alone."""
    found = []
    for place in keys.places:
        file = Keyring(tuple(keys.places)).file_at(place)
        found.append([e.number for e in open_capsule(file, root=open_root(keys.root, file=file)).epochs])
    return found


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
    assert set(pending.survivors) == {place.id for place in store.status().places}
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
    assert (report.is_done, report.to_number) == (True, 2)
    assert epochs_at(keys) == [[2], [2]]
    assert other.object_key(object_id, capability=may(CASE)) == key
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


def test_drill_a_every_old_copy_of_the_rows_with_todays_capsule_opens_nothing_destroyed(
    store: KeyStore, keys: Keys, tmp_path: Path
) -> None:
    """And drill b: an old capsule that someone kept does open it, which is why it was called pending till then."""
    destroyed, key = an_object(store, case_id=CASE)
    kept, kept_key = an_object(store, case_id=CASE)
    owner = RecordOwner.person(PersonId(new_id()))
    record = store.record_key(owner).key
    store.copy_rows()
    stolen = Stolen(tmp_path / "stolen")
    stolen.take(keys, "rows before")
    old_capsule = stolen.folder / "old capsule.json"
    shutil.copy(keys.places[0] / FILE_NAME, old_capsule)

    store.destroy_object_key(destroyed)
    store.destroy_record_key(owner)
    store.copy_rows()
    stolen.take(keys, "rows after the destruction")
    assert stolen.opens(destroyed, rows="rows before", capsule=keys.places[0] / FILE_NAME) == key, "it is pending"
    pending = store.erasure_of(destroyed)
    assert pending is not None
    assert pending.irrecoverable_since is None

    assert store.roll_epoch().is_done
    stolen.take(keys, "rows after the roll")
    for rows in stolen.names:
        for place in keys.places:
            with pytest.raises(VaultError):
                stolen.opens(destroyed, rows=rows, capsule=place / FILE_NAME)
            with pytest.raises(VaultError):
                stolen.opens_record(owner, rows=rows, capsule=place / FILE_NAME)
    assert stolen.opens(kept, rows="rows after the roll", capsule=keys.places[0] / FILE_NAME) == kept_key
    assert stolen.opens(destroyed, rows="rows before", capsule=old_capsule) == key
    assert stolen.opens_record(owner, rows="rows before", capsule=old_capsule) == record


def test_the_raw_files_of_an_old_database_open_nothing_destroyed_under_todays_keyring(
    tmp_path: Path, clock: HandClock
) -> None:
    """The files themselves, write-ahead log and free pages included, as a thief or a backup takes them."""
    with fresh_database(tmp_path / "keys.db", clock) as db:
        keys = Keys(db, [tmp_path / "live", tmp_path / "recovery"])
        store = keys.create()
        destroyed, key = an_object(store, case_id=CASE)
        for path in tmp_path.glob("keys.db*"):
            shutil.copy(path, path.with_name(path.name.replace("keys", "stolen")))
        store.destroy_object_key(destroyed)
        with fresh_database(tmp_path / "stolen.db", clock) as old:
            thief = KeyStore.open(db=old, root=keys.root, places=keys.places)
            assert thief.object_key(destroyed, capability=may(CASE)) == key, "until the roll it is only pending"
        assert store.roll_epoch().is_done
        with fresh_database(tmp_path / "stolen.db", clock) as old:
            thief = KeyStore.open(db=old, root=keys.root, places=keys.places)
            with pytest.raises(Damaged, match="epoch_key_missing"):
                thief.object_key(destroyed, capability=may(CASE))


def test_the_old_capsules_bytes_are_overwritten_where_they_lay(store: KeyStore, keys: Keys, tmp_path: Path) -> None:
    """A second name of the same file shows what became of its blocks."""
    os.link(keys.places[0] / FILE_NAME, tmp_path / "same blocks")
    store.roll_epoch()
    assert b"capsule" not in (tmp_path / "same blocks").read_bytes()


def test_what_a_killed_write_left_lying_goes_with_the_next(store: KeyStore, keys: Keys, tmp_path: Path) -> None:
    left = keys.places[0] / f".{FILE_NAME}.0123456789ab"
    shutil.copy(keys.places[0] / FILE_NAME, left)
    os.link(left, tmp_path / "same blocks")
    store.roll_epoch()
    assert not left.exists()
    assert b"capsule" not in (tmp_path / "same blocks").read_bytes()


def test_key_rows_are_copied_when_they_have_changed(store: KeyStore, keys: Keys) -> None:
    assert store.copy_rows() == 1
    assert store.copy_rows() == 0
    an_object(store, case_id=CASE)
    assert store.copy_rows() == 1
    (keys.places[1] / COPY).unlink()
    assert store.copy_rows() == 1
    (recovery,) = (place for place in store.status().places if place.kind == "recovery")
    assert recovery.copied_at == store.db.clock.now()


def test_a_lost_live_store_comes_back_from_the_recovery_place(
    store: KeyStore, keys: Keys, tmp_path: Path, clock: HandClock
) -> None:
    object_id, key = an_object(store, case_id=CASE)
    gone, _ = an_object(store, case_id=CASE)
    store.destroy_object_key(gone)
    store.copy_rows()
    lost = next(place.id for place in store.status().places if place.kind == "live")
    clock.move(timedelta(days=1))
    with fresh_database(tmp_path / "new.db", clock) as db:
        places = [tmp_path / "new live", keys.places[1]]
        with pytest.raises(Refused, match="wrong_root"):
            recover(db=db, root=LocalRoot(Secret("incorrect horse battery"), cost=QUICK), places=places)
        assert not places[0].exists()
        recover(db=db, root=keys.root, places=places)
        with pytest.raises(Conflict, match="keyring_exists"):
            recover(db=db, root=keys.root, places=places)
        back = KeyStore.open(db=db, root=keys.root, places=places)
        assert back.object_key(object_id, capability=may(CASE)) == key
        with pytest.raises(NotFound):
            back.object_key(gone, capability=may(CASE))
        assert back.roll_epoch().is_done
        promise = back.erasure_of(gone)
        assert promise is not None
        assert (promise.rolled_at, promise.irrecoverable_since) == (clock.now(), None)
        assert promise.survivors == (lost,), "the old disk may still hold the old capsule"
        clock.move(timedelta(days=1))
        attest_gone(db, place_id=lost)
        promise = back.erasure_of(gone)
        assert promise is not None
        assert promise.irrecoverable_since == clock.now()


def test_a_lost_recovery_place_is_replaced_by_another(store: KeyStore, keys: Keys, tmp_path: Path) -> None:
    lost = next(place.id for place in store.status().places if place.kind == "recovery")
    shutil.rmtree(keys.places[1])
    lose(store.db, place_id=lost)
    add_recovery(store.db, keyring=store.keyring, folder=tmp_path / "second")
    with pytest.raises(Conflict, match="keyring_exists"):
        add_recovery(store.db, keyring=store.keyring, folder=tmp_path / "second")
    store.seal()
    store.db.clock.move(LAPSES_AFTER)  # type: ignore[attr-defined]  # the tests' own clock
    keys.places[1] = tmp_path / "second"
    assert keys.open().roll_epoch().is_done
    assert epochs_at(keys) == [[2], [2]]


def test_the_standing_names_what_is_wrong_with_a_place(store: KeyStore, keys: Keys) -> None:
    assert [(place.epochs, place.problem) for place in store.status().places] == [((1,), None), ((1,), None)]
    (keys.places[1] / FILE_NAME).chmod(0o644)
    problems = {place.kind: place.problem for place in store.status().places}
    assert problems == {"live": None, "recovery": "keyring_missing"}
    assert store.status().processes == 1


@pytest.mark.parametrize("writes", range(1, 5))
def test_a_roll_killed_at_any_write_of_the_capsule_resumes(tmp_path: Path, clock: HandClock, writes: int) -> None:
    """A real process, a real SIGKILL: there are four writes, two places with the new key and two without the old."""
    with fresh_database(tmp_path / "keys.db", clock) as db:
        keys = Keys(db, [tmp_path / "live", tmp_path / "recovery"])
        store = keys.create()
        object_id, key = an_object(store, case_id=CASE)
        clock.move(LAPSES_AFTER)
        ended = subprocess.run(
            [sys.executable, "-m", "tests.keys.dying", str(tmp_path), str(writes)], check=False, timeout=60
        )
        assert ended.returncode == -signal.SIGKILL
        clock.move(2 * LAPSES_AFTER)
        other = keys.open()
        assert other.object_key(object_id, capability=may(CASE)) == key
        report = other.roll_epoch()
        assert (report.is_done, report.to_number) == (True, 2)
        assert epochs_at(keys) == [[2], [2]]
        assert other.object_key(object_id, capability=may(CASE)) == key
        assert not [path for place in keys.places for path in place.iterdir() if path.name.startswith(".keyring")]


def other_case(store: KeyStore, object_id: ObjectId) -> CaseId:
    with store.db.read() as session:
        return CaseId(session.get_one(ObjectKeyRow, object_id).case_id)


@contextmanager
def fresh_database(path: Path, clock: HandClock) -> Iterator[Database]:
    db = connect(f"sqlite:///{path}", clock=clock)
    KEYS_METADATA.create_all(db.engine)
    yield db
    db.engine.dispose()


class Stolen:
    """A thief's collection: every copy of the key rows ever made, tried with a capsule and the passphrase."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        folder.mkdir()

    def take(self, keys: Keys, name: str) -> None:
        shutil.copytree(keys.places[1], self.folder / name)
        self.names.append(name)

    def opens(self, object_id: ObjectId, *, rows: str, capsule: Path) -> Secret[bytes]:
        with self._open(rows=rows, capsule=capsule) as store:
            return store.object_key(object_id, capability=may(CASE))

    def opens_record(self, owner: RecordOwner, *, rows: str, capsule: Path) -> Secret[bytes]:
        with self._open(rows=rows, capsule=capsule) as store:
            return store.record_keys([owner])[owner].key

    @contextmanager
    def _open(self, *, rows: str, capsule: Path) -> Iterator[KeyStore]:
        at = self.folder / f"try {new_id()}"
        shutil.copytree(self.folder / rows, at / "recovery")
        shutil.copy(capsule, at / "recovery" / FILE_NAME)
        with fresh_database(at / "keys.db", HandClock()) as db:
            places = [at / "live", at / "recovery"]
            root = LocalRoot(PASSPHRASE, cost=QUICK)
            recover(db=db, root=root, places=places)
            yield KeyStore.open(db=db, root=root, places=places)


def test_the_thiefs_own_tool_fails_for_the_right_reason(store: KeyStore, keys: Keys, tmp_path: Path) -> None:
    destroyed, _ = an_object(store, case_id=CASE)
    store.copy_rows()
    stolen = Stolen(tmp_path / "stolen")
    stolen.take(keys, "rows before")
    store.destroy_object_key(destroyed)
    store.roll_epoch()
    with pytest.raises(Damaged, match="epoch_key_missing"):
        stolen.opens(destroyed, rows="rows before", capsule=keys.places[0] / FILE_NAME)
