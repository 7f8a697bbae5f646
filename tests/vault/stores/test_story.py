"""The whole life of a film on S3: deposited, finished, cut, watched, moved, destroyed; and a move between kinds."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import retention
import vault
from consent import Purpose
from core import jobs, mark
from core.db import Database
from core.ids import JobId, ObjectId, VisitId
from core.jobs import JobState
from keys import JobCapability, KeyStore
from tests.fakes import HandClock
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.cinema import Cinema
from tests.vault.films import small_film
from tests.vault.scene import Clip
from tests.vault.sending import Sender
from tests.vault.test_finishing import deposit, lease_of
from vault import BothStores, ClipState, Depth, DiskStore, Next, ObjectStore, Pace, recognise, sealed
from vault.models import ClipRow, FootageRow, ObjectRow, ObjectState, RenditionRow

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("kind", ["s3"], indirect=True),
]


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_sound(db: Database, keystore: KeyStore, store: ObjectStore) -> bool:
    return vault.fsck(db, keystore=keystore, store=store, depth=Depth.EVERYTHING).is_clean


def test_a_film_lives_its_whole_life_in_a_bucket(
    db: Database, keystore: KeyStore, store: ObjectStore, family: Family, visit: VisitId, tmp_path: Path
) -> None:
    agree_to_filming(db, keystore, family)
    sender, content = Sender(db, keystore, store, family, visit), small_film()
    footage_id = deposit(sender, content, sha256=hashlib.sha256(content).hexdigest())
    vault.finish(db, keystore=keystore, store=store, lease=lease_of(db, footage_id))

    clip_id = vault.cut_clip(
        db,
        keystore=keystore,
        actor=family.staff.guider.actor,
        footage_id=footage_id,
        first_frame=5,
        last_frame=30,
        title="Kit laughs",
    )
    with db.begin() as session:
        lease = jobs.take(session, JobId(session.get_one(ClipRow, clip_id).job_id), at=db.clock.now())
    assert lease is not None
    vault.cut(db, keystore=keystore, store=store, lease=lease)
    with db.read() as session:
        assert session.get_one(ClipRow, clip_id).state is ClipState.READY
        assert session.get_one(jobs.JobRow, lease.job_id).state is JobState.DONE
        rendition = session.scalars(select(RenditionRow).where(RenditionRow.clip_id == clip_id)).one()
        film = session.get_one(ObjectRow, rendition.object_id)
    use = JobCapability(job="test", case_id=family.case_id)
    reader = sealed.opened(film, key=keystore.object_key(ObjectId(film.id), capability=use), store=store)
    plain = reader.read(0, reader.plain_size)
    assert hashlib.sha256(plain).hexdigest() == rendition.content_hash

    clip = Clip(clip_id, rendition.id, ObjectId(film.id), ObjectId(rendition.poster_id or ""), plain)  # type: ignore[arg-type]
    cinema = Cinema(db, keystore, store, family, clip)  # type: ignore[arg-type]
    viewing = cinema.begin(family.staff.guider, Purpose.PREPARE)
    assert cinema.play(family.staff.guider, viewing.id) == plain
    assert is_sound(db, keystore, store)

    recognise(db, store=store, address="s3://films")
    disk = DiskStore(tmp_path / "disk")
    moved = vault.move(db, keystore=keystore, source=store, target=disk, address="/disk", pace=Pace())
    assert moved.next is Next.SWITCH
    assert is_sound(db, keystore, BothStores(disk, store))
    assert is_sound(db, keystore, disk)

    both = BothStores(store, disk)
    clock = db.clock
    assert isinstance(clock, HandClock)
    clock.move(timedelta(days=29))
    with db.begin() as session:
        mark.raise_to(session, at=clock.now())
    retention.nightly(db, keystore=keystore, store=both, schedule=retention.load())
    with db.read() as session:
        gone = session.scalars(select(ObjectRow.id).where(ObjectRow.state == ObjectState.DESTROYED)).all()
        assert session.get_one(FootageRow, footage_id).original_id in gone
    assert [name for name in gone if store.size(name) is not None or disk.size(name) is not None] == []
    assert is_sound(db, keystore, both)
