"""Old copies of rows, capsules and files, and places that are lost: what still opens, and what comes back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.errors import Conflict, Damaged, NotFound, Refused, VaultError
from core.ids import CaseId, ObjectId, PersonId, new_id
from core.secret import Secret
from keys import (
    KeyStore,
    LocalRoot,
    RecordOwner,
    add_recovery,
    attest_gone,
    copies,
    lose,
    recover,
)
from keys.capsule import open_capsule, open_root
from keys.copies import FILE_NAME as COPY
from keys.heartbeat import LAPSES_AFTER
from keys.keyring import FILE_NAME, Keyring
from tests.fakes import HandClock
from tests.keys.conftest import PASSPHRASE, QUICK, Keys, an_object, may
from tests.keys.rolling import epochs_at, fresh_database

CASE = CaseId(new_id())


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
        assert [one.id for one in promise.survivors] == [lost], "the old disk may still hold the old capsule"
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


def put_together(db: Database, *, places: list[Path], root: LocalRoot) -> None:
    """What ``recover`` does, without its looking whether rows and keyring are of one time."""
    keyring = Keyring(tuple(places))
    file = keyring.file_at(places[1])
    opened = open_root(root, file=file)
    capsule = open_capsule(file, root=opened)
    with db.begin() as session:
        copies.load(session, copies.read_copy(places[1], store=capsule.store))
    keyring.adopt(file, root=opened, capsule=capsule, place_id=new_id())


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
            put_together(db, places=places, root=root)
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
