"""A deposit and a cut whose record is destroyed while their job is at work."""

from __future__ import annotations

from pathlib import Path

import pytest

import vault
from core.db import Database
from core.errors import Unavailable
from core.ids import FootageId, VisitId
from core.jobs import JobState
from keys import KeyStore
from media import launcher
from tests.families import Family
from tests.faults.world import without_sandbox
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_footage
from tests.vault.sending import Sender, film
from tests.vault.stopping import StartledStore, assert_nothing_left, destroy, state_of, taken
from vault import ClipState, DiskStore, FootageState
from vault.models import ClipRow, FootageRow


@pytest.fixture(autouse=True)
def _film_that_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "run", without_sandbox)


@pytest.fixture
def deposited(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> FootageId:
    sender, content = Sender(db, keystore, store, family, visit), film(1000)
    upload = sender.begin(len(content))
    sender.send(upload, content, offset=0)
    return vault.complete_deposit(db, actor=sender.guider.actor, upload_id=upload)


def test_footage_that_is_destroyed_while_it_is_prepared_stays_destroyed_and_its_job_has_stopped(
    db: Database, keystore: KeyStore, deposited: FootageId, tmp_path: Path
) -> None:
    with db.read() as session:
        lease = taken(db, session.get_one(FootageRow, deposited).job_id)
    store = StartledStore(tmp_path / "store", at=2, before=lambda: None, after=lambda: destroy(db, keystore, deposited))
    vault.finish(db, keystore=keystore, store=store, lease=lease)
    assert state_of(db, lease) is JobState.CANCELLED
    with db.read() as session:
        assert session.get_one(FootageRow, deposited).state is FootageState.DESTROYED
    vault.tidy(db, keystore=keystore, store=store)
    assert_nothing_left(db, keystore, store, lease)


def test_a_clip_that_is_destroyed_while_it_is_cut_stays_destroyed_and_its_job_has_stopped(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId, tmp_path: Path
) -> None:
    agree_to_filming(db, keystore, family)
    clip_id = vault.cut_clip(
        db,
        keystore=keystore,
        actor=family.staff.guider.actor,
        footage_id=add_footage(db, keystore, store, family, visit),
        first_frame=0,
        last_frame=5,
        title="Hello",
    )
    with db.read() as session:
        lease = taken(db, session.get_one(ClipRow, clip_id).job_id)
    startled = StartledStore(
        tmp_path / "store", at=3, before=lambda: destroy(db, keystore, clip_id), after=lambda: None
    )
    vault.cut(db, keystore=keystore, store=startled, lease=lease)
    assert state_of(db, lease) is JobState.CANCELLED
    with db.read() as session:
        assert session.get_one(ClipRow, clip_id).state is ClipState.DESTROYED
    assert_nothing_left(db, keystore, startled, lease)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_failure_of_a_job_whose_footage_is_being_destroyed_shows_nothing_as_failed(
    db: Database, keystore: KeyStore, deposited: FootageId
) -> None:
    with db.read() as session:
        lease = taken(db, session.get_one(FootageRow, deposited).job_id)
    with db.begin() as session:
        vault.begin_destroying(session, deposited, at=db.clock.now())
    vault.give_up(db, lease=lease, error=Unavailable("media_process_failed", "It failed."))
    assert state_of(db, lease) is JobState.CANCELLED
    with db.read() as session:
        assert session.get_one(FootageRow, deposited).state is FootageState.DESTROYING
        assert vault.leaving(session) == [deposited]
