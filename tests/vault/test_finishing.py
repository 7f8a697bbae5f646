from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

import vault
from core import jobs
from core.db import Database
from core.errors import Damaged
from core.ids import FootageId, JobId, ObjectId, RenditionId, UploadId, VisitId
from core.jobs import JobRow, JobState, Lease
from core.segments import SegmentReader
from keys import JobCapability, KeyStore
from media import launcher
from tests.families import Family
from tests.faults.world import without_sandbox
from tests.vault.films import small_film
from tests.vault.sending import Sender, film
from tests.vault.test_deposits import key_is_gone
from vault import DiskStore, FootageState, UploadState, renditions, sealed
from vault.models import FootageRow, ObjectKind, ObjectRow, ObjectState, PartRow, RenditionRow, UploadRow


@pytest.fixture
def sender(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Sender:
    return Sender(db, keystore, store, family, visit)


def deposit(sender: Sender, content: bytes, *, sha256: str | None = None) -> FootageId:
    upload = sender.begin(len(content), sha256=sha256)
    sender.send(upload, content, offset=0)
    return vault.complete_deposit(sender.db, actor=sender.guider.actor, upload_id=upload)


def job_of(db: Database, footage_id: FootageId) -> JobId:
    with db.read() as session:
        return JobId(session.get_one(FootageRow, footage_id).job_id)


def lease_of(db: Database, footage_id: FootageId) -> Lease:
    with db.begin() as session:
        lease = jobs.take(session, job_of(db, footage_id), at=db.clock.now())
    assert lease is not None
    return lease


def finish(sender: Sender, lease: Lease) -> None:
    vault.finish(sender.db, keystore=sender.keystore, store=sender.store, lease=lease)


def objects(db: Database) -> dict[ObjectKind, ObjectRow]:
    with db.read() as session:
        return {row.kind: row for row in session.scalars(select(ObjectRow))}


def plaintext(sender: Sender, row: ObjectRow) -> bytes:
    use = JobCapability(job="test", case_id=sender.family.case_id)
    key = sender.keystore.object_key(ObjectId(row.id), capability=use)
    reader: SegmentReader = sealed.opened(row, key=key, store=sender.store)
    return reader.read(0, reader.plain_size)


def test_a_deposit_becomes_a_film_that_can_be_prepared(sender: Sender, db: Database, tmp_path: Path) -> None:
    content = small_film()
    footage_id = deposit(sender, content, sha256=hashlib.sha256(content).hexdigest())
    finish(sender, lease_of(db, footage_id))
    with db.read() as session:
        footage = session.get_one(FootageRow, footage_id)
        upload = session.get_one(UploadRow, footage.upload_id)
        working_copy = renditions.working_copy(session, footage_id)
        job = session.get_one(JobRow, footage.job_id)
        assert working_copy is not None
        facts = vault.facts_for(session, RenditionId(working_copy.id))
    assert (footage.state, upload.state, job.state) == (FootageState.READY, UploadState.SEALED, JobState.DONE)
    assert (working_copy.width, working_copy.height, working_copy.frames) == (160, 120, 50)
    assert facts.is_footage
    assert (
        facts.persons_shown == facts.filmed == {sender.family.mother.id, sender.family.father.id, sender.family.child}
    )
    made = objects(db)
    assert {row.state for row in made.values()} == {ObjectState.SEALED}
    assert plaintext(sender, made[ObjectKind.ORIGINAL]) == content
    assert hashlib.sha256(plaintext(sender, made[ObjectKind.WORKING_COPY])).hexdigest() == working_copy.content_hash
    for kind in (ObjectKind.POSTER, ObjectKind.STRIP):
        assert plaintext(sender, made[kind]).startswith(b"\xff\xd8")
    assert {stored.name for stored in sender.store.names()} == {row.id for row in made.values()}
    assert key_is_gone(sender.keystore, sender.family.case_id, UploadId(upload.id))


def test_a_film_that_is_none_is_rejected_with_its_reason_and_the_deposit_stays_sealed(
    sender: Sender, db: Database
) -> None:
    footage_id = deposit(sender, film(50_000))
    finish(sender, lease_of(db, footage_id))
    with db.read() as session:
        footage = session.get_one(FootageRow, footage_id)
        job = session.get_one(JobRow, footage.job_id)
    assert footage.state is FootageState.REJECTED
    assert job.state is JobState.PARKED
    assert job.error_sentence == footage.error_sentence
    assert footage.error_sentence
    assert [row.kind for row in objects(db).values()] == [ObjectKind.ORIGINAL]
    assert plaintext(sender, objects(db)[ObjectKind.ORIGINAL]) == film(50_000)


def test_a_film_that_is_not_the_one_announced_is_not_kept(sender: Sender, db: Database) -> None:
    footage_id = deposit(sender, film(50_000), sha256=hashlib.sha256(b"another").hexdigest())
    finish(sender, lease_of(db, footage_id))
    with db.read() as session:
        footage = session.get_one(FootageRow, footage_id)
    assert footage.error_code == "film_checksum_mismatch"
    assert objects(db) == {}
    assert list(sender.store.names()) == []


def test_a_part_that_was_torn_or_exchanged_makes_no_film(sender: Sender, db: Database, tmp_path: Path) -> None:
    content = film(300_000)
    upload = sender.begin(len(content))
    for start in (0, 100_000, 200_000):
        sender.send(upload, content[start : start + 100_000], offset=start)
    footage_id = vault.complete_deposit(db, actor=sender.guider.actor, upload_id=upload)
    with db.read() as session:
        names = session.scalars(select(PartRow.name).order_by(PartRow.offset)).all()
    first, second, third = (next(tmp_path.rglob(name)) for name in names)
    whole = second.read_bytes()
    for bad in (whole[:-1], whole + b"\0", third.read_bytes(), first.read_bytes(), bytes(len(whole))):
        second.write_bytes(bad)
        with pytest.raises(Damaged):
            finish(sender, lease_of(db, footage_id))
    second.write_bytes(whole)
    finish(sender, lease_of(db, footage_id))
    assert plaintext(sender, objects(db)[ObjectKind.ORIGINAL]) == content
    assert len(list(sender.store.names())) == 1


class Died(Exception):
    """The worker is gone."""


class DyingStore(DiskStore):
    """A store whose process dies at its n-th commit, before or after it."""

    def __init__(self, root: Path, *, at: int) -> None:
        super().__init__(root)
        self.left = at

    def writer(self, name: str) -> vault.disk.DiskWriter:
        found = super().writer(name)
        commit = found.commit

        def dying() -> int:
            self.left -= 1
            if self.left == 0:
                raise Died
            return commit()

        found.commit = dying  # type: ignore[method-assign]
        return found


def test_workers_that_die_at_every_step_are_followed_by_one_that_ends_with_one_of_each(
    sender: Sender, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "run", without_sandbox)  # which does its own dying elsewhere
    footage_id = deposit(sender, small_film())
    whole, begun = sender.store, len(list(sender.store.names()))
    for step in (1, 2, 2, 2):  # the original; then one step done and the next one not: copy, poster, strip
        sender.store = DyingStore(tmp_path / "store", at=step)
        with pytest.raises(Died):
            finish(sender, lease_of(db, footage_id))
    sender.store = whole
    finish(sender, lease_of(db, footage_id))
    assert begun == 1
    with db.read() as session:
        assert session.get_one(FootageRow, footage_id).state is FootageState.READY
        assert len(session.scalars(select(RenditionRow)).all()) == 1
        kinds = sorted(session.scalars(select(ObjectRow.kind)))
    assert kinds == sorted([ObjectKind.ORIGINAL, ObjectKind.POSTER, ObjectKind.STRIP, ObjectKind.WORKING_COPY])
    assert {stored.name for stored in sender.store.names()} == {row.id for row in objects(db).values()}


def test_a_stale_worker_that_finishes_late_changes_nothing(sender: Sender, db: Database) -> None:
    footage_id = deposit(sender, small_film())
    stale = lease_of(db, footage_id)
    finish(sender, lease_of(db, footage_id))
    before = objects(db)
    finish(sender, stale)
    assert {row.id for row in objects(db).values()} == {row.id for row in before.values()}
    assert {stored.name for stored in sender.store.names()} == {row.id for row in before.values()}
