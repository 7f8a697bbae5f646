"""What the comparison of rows, bytes and keys finds, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

import vault
from audit.models import AuditEntryRow
from core import jobs
from core.db import Database
from core.ids import ObjectId, UploadId, VisitId, new_id
from core.jobs import JobRow, JobState, Lease
from keys import JobCapability, KeyStore
from tests.families import Family
from tests.vault.scene import add_footage
from tests.vault.sending import Sender, film
from vault import Depth, DiskStore, Leftover, Trouble, sealed
from vault.models import FootageRow, FootageState, ObjectKind, ObjectRow, ObjectState, PartRow

NOW = timedelta(days=-1)
"""Older than this is everything."""


@dataclass
class Shelf:
    """A store with one film and one half deposit in it."""

    db: Database
    keystore: KeyStore
    store: DiskStore
    folder: Path
    family: Family
    upload: UploadId

    def fsck(self, depth: Depth = Depth.LENGTHS) -> vault.Report:
        return vault.fsck(self.db, keystore=self.keystore, store=self.store, depth=depth)

    def file(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name

    def original(self) -> str:
        with self.db.read() as session:
            return session.scalars(select(ObjectRow.id).where(ObjectRow.kind == ObjectKind.ORIGINAL)).one()

    def part(self) -> str:
        with self.db.read() as session:
            return session.scalars(select(PartRow.name).order_by(PartRow.offset)).first() or ""

    def use(self) -> JobCapability:
        return JobCapability("test", self.family.case_id)

    def set_object(self, **values: object) -> None:
        with self.db.begin() as session:
            session.execute(update(ObjectRow).where(ObjectRow.id == self.original()).values(**values))


@pytest.fixture
def shelf(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId, tmp_path: Path) -> Shelf:
    add_footage(db, keystore, store, family, visit)
    sender = Sender(db, keystore, store, family, visit)
    upload = sender.begin(300_000)
    for start in (0, 100_000):
        sender.send(upload, film(300_000)[start : start + 100_000], offset=start)
    return Shelf(db, keystore, store, tmp_path / "store", family, upload)


def told(report: vault.Report) -> dict[Trouble, int]:
    found = [one.trouble for one in report.findings]
    return {trouble: found.count(trouble) for trouble in found}


def left(report: vault.Report) -> dict[Leftover, int]:
    return {kind: count for kind, count in report.leftovers.items() if count}


@pytest.mark.parametrize("depth", Depth)
def test_a_store_that_nobody_touched_is_clean(shelf: Shelf, depth: Depth) -> None:
    report = shelf.fsck(depth)
    assert (report.is_clean, left(report), report.objects, report.parts) == (True, {}, 2, 2)
    assert report.read_bytes == (0 if depth is Depth.LENGTHS else 202_000)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


Harm = Callable[[Shelf], object]
HARMS: dict[str, tuple[Harm, Depth, dict[Trouble, int]]] = {
    "an object's bytes are gone": (
        lambda shelf: shelf.file(shelf.original()).unlink(),
        Depth.LENGTHS,
        {Trouble.OBJECT_MISSING: 1},
    ),
    "an object lost its last byte": (
        lambda shelf: shelf.file(shelf.original()).write_bytes(shelf.file(shelf.original()).read_bytes()[:-1]),
        Depth.LENGTHS,
        {Trouble.OBJECT_DAMAGED: 1},
    ),
    "another header": (lambda shelf: flip(shelf.file(shelf.original()), 5), Depth.LENGTHS, {Trouble.OBJECT_DAMAGED: 1}),
    "a bit of the film, and nobody reads it": (
        lambda shelf: flip(shelf.file(shelf.original()), 500),
        Depth.LENGTHS,
        {},
    ),
    "a bit of the film": (
        lambda shelf: flip(shelf.file(shelf.original()), 500),
        Depth.EVERYTHING,
        {Trouble.OBJECT_DAMAGED: 1},
    ),
    "an object's key is gone": (
        lambda shelf: shelf.keystore.destroy_object_key(ObjectId(shelf.original())),
        Depth.LENGTHS,
        {Trouble.KEY_MISSING: 1},
    ),
    "what was destroyed has its key again": (
        lambda shelf: shelf.set_object(state=ObjectState.DESTROYED),
        Depth.LENGTHS,
        {Trouble.KEY_ALIVE: 1},
    ),
    "a part is gone": (lambda shelf: shelf.file(shelf.part()).unlink(), Depth.LENGTHS, {Trouble.PART_MISSING: 1}),
    "a part is longer": (
        lambda shelf: shelf.file(shelf.part()).write_bytes(bytes(300_000)),
        Depth.LENGTHS,
        {Trouble.PART_DAMAGED: 1},
    ),
    "a bit of a part": (lambda shelf: flip(shelf.file(shelf.part()), 500), Depth.EVERYTHING, {Trouble.PART_DAMAGED: 1}),
    "an upload's key is gone": (
        lambda shelf: shelf.keystore.destroy_upload_key(shelf.upload),
        Depth.LENGTHS,
        {Trouble.KEY_MISSING: 1},
    ),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rows alike; what differs lies outside
@pytest.mark.parametrize("harm", HARMS)
def test_what_no_crash_leaves_is_told_and_never_repaired_by_removing(shelf: Shelf, harm: str) -> None:
    act, depth, expected = HARMS[harm]
    act(shelf)
    before = {stored.name for stored in shelf.store.names()}
    assert told(shelf.fsck(depth)) == expected
    vault.tidy(shelf.db, keystore=shelf.keystore, store=shelf.store, older_than=NOW)
    assert told(shelf.fsck(depth)) == expected
    assert {stored.name for stored in shelf.store.names()} >= before - (
        {shelf.original()} if Trouble.KEY_ALIVE in expected else set()
    )


def test_bytes_that_a_key_opens_are_kept_although_no_row_knows_them(shelf: Shelf) -> None:
    name = ObjectId(new_id())
    shelf.keystore.new_object_key(case_id=shelf.family.case_id, object_id=name, capability=shelf.use())
    with shelf.store.writer(name) as writer:
        writer.write(b"a film that a restored database has forgotten")
        writer.commit()
    assert told(shelf.fsck()) == {Trouble.BYTES_UNCLAIMED: 1}
    assert vault.tidy(shelf.db, keystore=shelf.keystore, store=shelf.store, older_than=NOW).objects == 0
    assert shelf.store.size(name) is not None


def test_leftovers_of_crashes_are_counted_and_tidied_and_that_is_in_the_log(shelf: Shelf) -> None:
    spare = ObjectId(new_id())
    shelf.keystore.new_object_key(case_id=shelf.family.case_id, object_id=spare, capability=shelf.use())
    with shelf.store.writer(new_id()) as writer:  # a part that nobody counted
        writer.write(b"sealed under a key that is gone")
        writer.commit()
    torn = shelf.store.writer(new_id())
    torn.write(b"half")
    with shelf.db.begin() as session:
        job_id = jobs.enqueue(
            session, "clip.cut", subject=new_id(), case_id=shelf.family.case_id, at=shelf.db.clock.now()
        )
        session.get_one(JobRow, job_id).state = JobState.PARKED
        draft = sealed.new_draft(shelf.keystore, case_id=shelf.family.case_id, job=job_id)
        session.add(
            sealed.draft_row(draft, kind=ObjectKind.CUT, media_type="", lease=Lease(job_id, 1), at=shelf.db.clock.now())
        )
    report = shelf.fsck()
    assert report.is_clean
    assert left(report) == {
        Leftover.WRITE_UNFINISHED: 1,
        Leftover.BYTES_UNKNOWN: 1,
        Leftover.DRAFT: 1,
        Leftover.KEY_UNUSED: 1,
    }
    assert vault.tidy(shelf.db, keystore=shelf.keystore, store=shelf.store) == vault.Tidied(0, 1, 0, 0)
    assert vault.tidy(shelf.db, keystore=shelf.keystore, store=shelf.store, older_than=NOW) == vault.Tidied(0, 0, 1, 1)
    assert left(shelf.fsck()) == {Leftover.KEY_UNUSED: 1}
    with shelf.db.read() as session:
        events = session.scalars(
            select(AuditEntryRow.details).where(AuditEntryRow.event == "store.tidied").order_by(AuditEntryRow.number)
        ).all()
    assert [event and event["objects"] for event in events] == [0, 1]
    torn.abandon()


def test_film_that_waits_for_work_that_has_ended_is_told(shelf: Shelf) -> None:
    with shelf.db.begin() as session:
        footage = session.scalars(select(FootageRow)).one()
        footage.state = FootageState.PREPARING
        job_id = jobs.enqueue(session, vault.FINISH, subject=footage.id, case_id=None, at=shelf.db.clock.now())
        footage.job_id = job_id
    assert shelf.fsck().is_clean
    with shelf.db.begin() as session:
        session.get_one(JobRow, job_id).state = JobState.PARKED
    assert told(shelf.fsck()) == {Trouble.WORK_STOPPED: 1}


def test_an_administrators_own_file_among_the_objects_is_no_object(shelf: Shelf) -> None:
    (shelf.folder / "objects" / "notes.txt").write_text("mine")
    shelf.file(shelf.original()).with_name("a copy").write_bytes(b"mine too")
    assert shelf.fsck().is_clean
    vault.tidy(shelf.db, keystore=shelf.keystore, store=shelf.store, older_than=NOW)
    assert (shelf.folder / "objects" / "notes.txt").exists()
