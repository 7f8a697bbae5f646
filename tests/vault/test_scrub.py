"""Reading every stored object again: what it finds, that it goes on where it was, and that one at a time does it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import vault
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Unavailable
from core.ids import VisitId
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Family
from tests.vault.scene import add_clip, add_footage
from vault import Claim, DiskStore, ObjectState, Pace, Trouble
from vault.models import ObjectRow
from vault.upkeep_models import ScrubRow


@pytest.fixture
def names(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> list[str]:
    footage = add_footage(db, keystore, store, family, visit)
    add_clip(db, keystore, store, family, footage, content=bytes(3_000_000))
    with db.read() as session:
        return list(session.scalars(select(ObjectRow.id).order_by(ObjectRow.id)))


def file(folder: Path, name: str) -> Path:
    return folder / "store" / "objects" / name[:2] / name


def flip(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.seek(-5, os.SEEK_END)
        byte = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte[0] ^ 1]))


def states(db: Database) -> dict[str, ObjectState]:
    with db.read() as session:
        return {row.id: row.state for row in session.scalars(select(ObjectRow))}


def scrub(db: Database, store: DiskStore, **more: object) -> vault.Scrubbed:
    done = vault.scrub(db, store=store, **({"pace": Pace()} | more))
    assert done is not None
    return done


def test_a_sound_store_is_read_whole_and_that_is_in_the_log(db: Database, store: DiskStore, names: list[str]) -> None:
    seen: list[tuple[int, int]] = []
    done = scrub(db, store, on_progress=lambda read, of: seen.append((read, of)))
    size = sum(stored.size_bytes for stored in store.names())
    assert (done.objects, done.read_bytes, done.damaged, done.missing) == (len(names), size, 0, 0)
    assert seen[-1] == (size, size)
    with db.read() as session:
        told = session.scalars(select(AuditEntryRow).where(AuditEntryRow.event == "store.scrubbed")).one()
        last = vault.last_scrub(session)
    assert told.details == {"objects": len(names), "bytes": size, "damaged": 0, "missing": 0}
    assert last is not None
    assert last.finished_at == done.finished_at


def test_what_is_damaged_is_quarantined_and_what_is_missing_is_told(
    db: Database, store: DiskStore, names: list[str], tmp_path: Path
) -> None:
    damaged, missing = names[1], names[2]
    flip(file(tmp_path, damaged))
    file(tmp_path, missing).unlink()
    done = scrub(db, store)
    assert {(one.trouble, one.subject) for one in done.findings} == {
        (Trouble.OBJECT_DAMAGED, damaged),
        (Trouble.OBJECT_MISSING, missing),
    }
    assert (done.damaged, done.missing) == (1, 1)
    quarantined = {name for name, state in states(db).items() if state is ObjectState.QUARANTINED}
    assert quarantined == {damaged}
    with db.read() as session:
        query = select(AuditEntryRow.object_id).where(AuditEntryRow.event == "object.quarantined")
        assert session.scalars(query).all() == [damaged]
    assert scrub(db, store).damaged == 0


def test_what_was_broken_off_goes_on_where_it_was(db: Database, store: DiskStore, names: list[str]) -> None:
    stop, looked = threading.Event(), 0

    class Counting(DiskStore):
        def size(self, name: str) -> int | None:
            nonlocal looked
            looked += 1
            if looked == 3:
                stop.set()
            return super().size(name)

    counting = Counting(store.spool.parent)
    first = scrub(db, counting, pace=Pace(stop=stop))
    assert (first.finished_at, first.objects) == (None, 2)
    second = scrub(db, counting)
    assert second.begun_at == first.begun_at
    assert second.objects == len(names)
    assert second.finished_at is not None
    assert looked == len(names) + 1


def test_one_at_a_time_reads_unless_told_to_take_over(db: Database, store: DiskStore, names: list[str]) -> None:
    stop = threading.Event()
    stop.set()
    scrub(db, store, pace=Pace(stop=stop))
    assert vault.scrub(db, store=store, pace=Pace(), claim=Claim.IF_FREE) is None
    assert isinstance(db.clock, HandClock)
    db.clock.move(timedelta(minutes=3))
    assert scrub(db, store, claim=Claim.IF_FREE).objects == len(names)


def test_whose_scrub_was_taken_over_stops_and_changes_nothing(db: Database, store: DiskStore, names: list[str]) -> None:
    taken: list[vault.Scrubbed | None] = []

    class Interrupted(DiskStore):
        def size(self, name: str) -> int | None:
            if not taken:
                taken.append(scrub(db, store))
            return super().size(name)

    assert vault.scrub(db, store=Interrupted(store.spool.parent), pace=Pace(), claim=Claim.IF_FREE) is None
    assert taken[0] is not None
    assert taken[0].objects == len(names)


class Noting(threading.Event):
    """Notes how long it was waited for, and doesn't wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0)
        return False


def test_of_two_people_who_ask_for_it_at_once_one_is_refused_and_a_worker_leaves_it_to_them(
    db: Database, store: DiskStore, names: list[str]
) -> None:
    met: list[object] = []

    class Met(DiskStore):
        def size(self, name: str) -> int | None:
            if not met:
                met.append(vault.scrub(db, store=store, pace=Pace(), claim=Claim.IF_FREE))
                with pytest.raises(Unavailable, match="already_running"):
                    scrub(db, store)
            return super().size(name)

    assert scrub(db, Met(store.spool.parent)).objects == len(names)
    assert met == [None]


def test_a_worker_and_a_person_who_begin_at_once_go_on_with_one_scrub(db: Database, store: DiskStore) -> None:
    both, stop = threading.Barrier(2), threading.Event()
    stop.set()  # each begins, or finds what the other began, and reads nothing

    def begin(claim: Claim) -> vault.Scrubbed | None:
        both.wait()
        return vault.scrub(db, store=store, pace=Pace(stop=stop), claim=claim)

    with ThreadPoolExecutor(2) as pool:
        _ = [one.result() for one in [pool.submit(begin, claim) for claim in Claim]]
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(ScrubRow)) == 1


def test_it_is_read_no_faster_than_was_set() -> None:
    stop = Noting()
    pace = Pace(1_000_000, stop=stop)
    for _ in range(10):
        pace.count(500_000)
    assert 4.0 < stop.waited[-1] <= 5.0
