"""The epoch rolls after something was destroyed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import Damaged
from core.ids import CaseId, ObjectId, PersonId
from core.secret import Secret
from keys import JobCapability, KeyStore, RecordOwner
from keys.heartbeat import LAPSES_AFTER
from tests.faults.drill import Acknowledge
from tests.faults.world import make, opened

CASE, OTHER = CaseId("c" * 32), CaseId("d" * 32)
KEPT, GONE, NEXT = ObjectId("1" * 32), ObjectId("2" * 32), ObjectId("3" * 32)
PERSON = RecordOwner.person(PersonId("e" * 32))


class Rolling:
    """Whenever it is killed, everything that lives opens, and the next process ends the roll."""

    def prepare(self, folder: Path) -> None:
        """Two cases with film and a person, and one film destroyed."""
        make(folder)
        with opened(folder) as world:
            keystore = world.keystore
            self.keys = {each: _new(keystore, each) for each in (KEPT, GONE, NEXT)}
            self.record = keystore.record_key(PERSON).key
            keystore.destroy_object_key(GONE)
            keystore.copy_rows()
            keystore.leave()

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """Roll, when whoever made the store has ended."""
        with opened(folder, after=2 * LAPSES_AFTER) as world:
            assert world.keystore.roll_epoch().is_done
            acknowledge("rolled")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """What lives opens at once; and if it was told so, the old epoch is gone from every place."""
        with opened(folder, after=4 * LAPSES_AFTER) as world:
            self._opens(world.keystore)
            erasure = world.keystore.erasure_of(GONE)
            assert erasure is not None
            if "rolled" in told:
                assert erasure.irrecoverable_since
                assert _epochs(world.keystore) == [(2,), (2,)]
            elif erasure.rolled_at:
                assert all(1 not in epochs for epochs in _epochs(world.keystore))

    def recover(self, folder: Path) -> None:
        """The worker's beat."""
        with opened(folder, after=6 * LAPSES_AFTER) as world:
            under_way = world.keystore.roll_under_way()
            if under_way is None:
                world.keystore.roll_epoch()
            else:
                report = world.keystore.go_on_rolling(under_way.id)
                assert report is not None
                assert report.is_done

    def check_end(self, folder: Path) -> None:
        """One epoch everywhere, the copies level, and nothing left beside them."""
        with opened(folder, after=8 * LAPSES_AFTER) as world:
            keystore = world.keystore
            self._opens(keystore)
            places, standing = keystore.keyring.places, keystore.status()
            assert _epochs(keystore) == [(standing.epoch,)] * len(places)
            assert standing.epoch in {2, 3}
            assert (standing.roll, standing.pending, keystore.agrees()) == (None, 0, True)
            erasure = keystore.erasure_of(GONE)
            assert erasure is not None
            assert erasure.irrecoverable_since
            assert keystore.back_up() <= 1
            assert [path.name for place in places for path in place.iterdir() if path.name.startswith(".")] == []

    def _opens(self, keystore: KeyStore) -> None:
        for each in (KEPT, NEXT):
            assert keystore.object_key(each, capability=_may(each)) == self.keys[each]
        assert keystore.record_key(PERSON).key == self.record


def _may(object_id: ObjectId) -> JobCapability:
    return JobCapability("drill", OTHER if object_id == NEXT else CASE)


def _new(keystore: KeyStore, object_id: ObjectId) -> Secret[bytes]:
    use = _may(object_id)
    return keystore.new_object_key(case_id=use.case_id, object_id=object_id, capability=use)


def _epochs(keystore: KeyStore) -> list[tuple[int, ...]]:
    found = []
    for place in keystore.keyring.places:
        with suppress(Damaged):
            found.append(tuple(epoch.number for epoch in keystore.keyring.capsule_at(place).epochs))
    return found
