"""A film is due: destroying → key destroyed → certified → bytes deleted → the epoch rolls. A clip is kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import retention
from core import mark
from core.db import connect
from core.errors import Damaged, NotFound
from core.ids import ObjectId
from keys import JobCapability, KeyStanding, KeyStore
from retention import ItemState, SweepState
from retention.models import CertificateRow, ItemRow, SweepRow
from tests.fakes import HandClock
from tests.families import make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import ROOT, World, make, opened, places
from tests.retention.conftest import Shelf
from vault.belongings import objects_in

_DUE = timedelta(days=28)
_KEYS_GONE = frozenset({ItemState.KEY_DESTROYED, ItemState.CERTIFIED, ItemState.DONE})


class Destroying:
    """Where the log says that a key is gone, it is; bytes go only after keys; what is to stay opens throughout."""

    def prepare(self, folder: Path) -> None:
        """A film that is due, a clip of it that isn't; a copy of the keys, as a backup has it."""
        make(folder)
        with opened(folder) as world:
            family = make_family(world.db, world.keystore)
            self.case_id = family.case_id
            shelf = Shelf(world.db, world.keystore, world.store, family)
            self.due = shelf.film()
            self.kept = shelf.clip(self.due)
            tidy_up(world)
        with opened(folder, after=_DUE) as world:
            with world.db.begin() as session:
                mark.raise_to(session, at=world.db.clock.now())
            self.schedule = retention.load()
            self.sweep = retention.plan(world.db, schedule=self.schedule)
            tidy_up(world)
            with world.db.read() as session:
                self.doomed = [ObjectId(row.id) for row in objects_in(session, self.due)]
                assert session.get_one(SweepRow, self.sweep).state is SweepState.PLANNED
        shutil.copyfile(folder / "keys.db", folder.parent / "old-keys.db")

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """The sweep is carried out."""
        with opened(folder, after=_DUE + AFTER_A_CRASH) as world:
            if self._carry_out(world) is SweepState.DONE:
                acknowledge("done")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """Each state claims only what is so."""
        with opened(folder, after=_DUE + 2 * AFTER_A_CRASH) as world:
            assert_sound(world)
            with world.db.read() as session:
                state = session.scalars(select(ItemRow.state)).one()
                certified = session.scalars(select(CertificateRow)).all()
            dead = [self._is_dead(world, one) for one in self.doomed]
            deleted = [world.store.size(one) is None for one in self.doomed]
            assert all(dead) or state not in _KEYS_GONE
            assert not any(dead) or state is not ItemState.PLANNED
            assert all(dead) or not any(deleted)
            assert len(certified) == (state in {ItemState.CERTIFIED, ItemState.DONE})
            assert all(deleted) or state is not ItemState.DONE
            assert state is ItemState.DONE or "done" not in told
            self._others_open(world)

    def recover(self, folder: Path) -> None:
        """The next process goes on with it, or begins."""
        with opened(folder, after=_DUE + 3 * AFTER_A_CRASH) as world:
            tidy_up(world)
            retention.resume(world.db, keystore=world.keystore, store=world.store, schedule=self.schedule)
            assert self._carry_out(world) is SweepState.DONE
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """Gone, certified once, beyond recovery with any copy of the keys; what stays, stays."""
        with opened(folder, after=_DUE + 4 * AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            self._others_open(world)
            assert all(self._is_dead(world, one) for one in self.doomed)
            assert all(world.store.size(one) is None for one in self.doomed)
            once = ("destruction.begun", "key.destroyed", "record.destroyed", "certificate.issued")
            assert set(events(world, *once).values()) == {1}
            erasure = world.keystore.erasure_of(self.doomed[0])
            assert erasure is not None
            assert erasure.irrecoverable_since is not None
            standing = world.keystore.status()
            assert standing.roll is None
            assert {place.epochs for place in standing.places} == {(standing.epoch,)}
        for place in places(folder):
            assert {found.name for found in place.iterdir()} <= {"keyring.json", "keys.json", "keyring.lock"}
        self._old_copy_opens_nothing(folder)

    def _carry_out(self, world: World) -> SweepState:
        return retention.carry_out(
            world.db, keystore=world.keystore, store=world.store, schedule=self.schedule, sweep_id=self.sweep
        ).state

    def _is_dead(self, world: World, object_id: ObjectId) -> bool:
        use = JobCapability("test", self.case_id)
        try:
            world.keystore.object_key(object_id, capability=use)
        except NotFound:
            return True
        assert world.keystore.standings([object_id]) == {object_id: KeyStanding.ALIVE}
        return False

    def _others_open(self, world: World) -> None:
        with world.db.read() as session:
            rows = objects_in(session, self.kept)
        assert [len(world.opens(row)) for row in rows] == [row.plain_length for row in rows] != []

    def _old_copy_opens_nothing(self, folder: Path) -> None:
        copy = folder / "old-keys"
        shutil.copyfile(folder.parent / "old-keys.db", copy)
        clock = HandClock()
        clock.move(_DUE)
        old = connect(f"sqlite:///{copy}", clock=clock)
        keystore = KeyStore.open(db=old, root=ROOT, places=places(folder))
        for object_id in self.doomed:
            with pytest.raises(Damaged, match="epoch_key_missing"):
                keystore.object_key(object_id, capability=JobCapability("test", self.case_id))
        old.engine.dispose()
