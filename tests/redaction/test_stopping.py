"""Looking for people, and covering them, stopped at every stage: all of it is there, or nothing."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import consent
import redaction
import vault
from consent import Decision, FilmingAnswer, How
from core.db import Database
from core.errors import Conflict
from core.jobs import JobState
from keys import KeyStore
from media import launcher
from tests.faults.world import without_sandbox
from tests.redaction.faces import two_people
from tests.redaction.test_rendering import Booth, booth
from tests.vault.stopping import StartledStore, assert_nothing_left, destroy, state_of, taken
from vault.models import ObjectRow, ObjectState
from vault.redaction_models import DetectionsRow

__all__ = ["booth"]
STAGES = (1, 2, 3)
"""The film, its poster, its strip."""


def nothing() -> None:
    """Nothing happens."""


@pytest.fixture(autouse=True)
def _film_that_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "run", without_sandbox)


def test_a_rendering_that_is_stopped_however_late_leaves_nothing_and_can_be_asked_for_again(
    booth: Booth, db: Database, keystore: KeyStore, tmp_path: Path
) -> None:
    guider = booth.cinema.guider.actor
    for stage, moment in product(STAGES, ("before", "after")):
        booth.asks()
        with pytest.raises(Conflict, match="redaction_under_way"):
            booth.asks()
        lease = booth.lease()
        at = {"before": nothing, "after": nothing} | {
            moment: lambda: vault.stop_redaction(db, actor=guider, clip_id=booth.clip_id)
        }
        booth.cinema.store = StartledStore(tmp_path / "store", at=stage, before=at["before"], after=at["after"])
        booth.works(lease)
        assert (booth.made(), state_of(db, lease)) == ([], JobState.CANCELLED)
        assert_nothing_left(db, keystore, booth.cinema.store, lease)
        with pytest.raises(Conflict, match="nothing_under_way"):
            vault.stop_redaction(db, actor=guider, clip_id=booth.clip_id)
    booth.asks()
    booth.works(booth.lease())
    (made,) = booth.made()
    assert made.poster_id
    assert made.strip_id


def test_a_stale_worker_leaves_nothing_behind(booth: Booth, db: Database) -> None:
    booth.asks()
    stale = booth.lease()
    fresh = booth.lease()
    booth.works(stale)
    assert booth.made() == []
    booth.works(fresh)
    booth.works(fresh)
    assert len(booth.made()) == 1
    with db.read() as session:
        assert not session.scalars(select(ObjectRow).where(ObjectRow.state == ObjectState.WRITING)).all()


def test_a_rendering_whose_clip_is_destroyed_leaves_nothing(
    booth: Booth, db: Database, keystore: KeyStore, tmp_path: Path
) -> None:
    booth.asks()
    lease = booth.lease()
    store = StartledStore(tmp_path / "store", at=2, before=nothing, after=lambda: destroy(db, keystore, booth.clip_id))
    booth.cinema.store = store
    booth.works(lease)
    assert (booth.made(), state_of(db, lease)) == ([], JobState.CANCELLED)
    assert_nothing_left(db, keystore, store, lease)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rendering_whose_footage_is_destroyed_before_it_began_says_so(
    booth: Booth, db: Database, keystore: KeyStore
) -> None:
    booth.asks()
    lease = booth.lease()
    with db.begin() as session:
        vault.begin_destroying(session, booth.footage_id, at=db.clock.now())
    booth.works(lease)
    assert booth.job().error_sentence == "The film that this was to be made from is no longer there."
    assert_nothing_left(db, keystore, booth.cinema.store, lease)


def test_a_rendering_makes_nothing_once_somebody_who_was_filmed_says_no(
    booth: Booth, db: Database, keystore: KeyStore, tmp_path: Path
) -> None:
    family = booth.cinema.family

    def father_says_no() -> None:
        answers = [FilmingAnswer(family.father.id, family.father.id, Decision.REFUSE, How.TOLD_TO_STAFF)]
        consent.record_filming(
            db, keystore=keystore, actor=family.staff.guider.actor, case_id=family.case_id, answers=answers
        )

    booth.asks()
    lease = booth.lease()
    booth.cinema.store = StartledStore(tmp_path / "store", at=3, before=nothing, after=father_says_no)
    booth.works(lease)
    assert (booth.made(), booth.job().error_code) == ([], "no_longer_agreed")
    assert_nothing_left(db, keystore, booth.cinema.store, lease)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rendering_of_a_clip_that_a_family_asks_to_be_erased_meanwhile_leaves_nothing(
    booth: Booth, db: Database, keystore: KeyStore, tmp_path: Path
) -> None:
    def stop() -> None:
        with db.begin() as session:
            vault.stop_use(session, case_id=booth.cinema.family.case_id, clip_id=booth.clip_id)

    booth.asks()
    lease = booth.lease()
    booth.cinema.store = StartledStore(tmp_path / "store", at=3, before=nothing, after=stop)
    booth.works(lease)
    assert (booth.made(), booth.job().error_code) == ([], "clip_not_in_use")
    assert_nothing_left(db, keystore, booth.cinema.store, lease)


def test_a_search_that_is_stopped_before_its_stills_goes_on_from_there(
    booth: Booth, db: Database, keystore: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[type[launcher.Job]] = []

    def run(job: launcher.Job, **more: Any) -> launcher.Result:
        ran.append(type(job))
        return without_sandbox(job, **more, outputs={launcher.Detect: two_people(frames=50).to_bytes()})

    monkeypatch.setattr(launcher, "run", run)
    guider, footage_id = booth.cinema.guider.actor, booth.footage_id
    with db.begin() as session:
        session.delete(session.get_one(DetectionsRow, footage_id))
    for at in (1, 2, 9):
        vault.look_for_people(db, actor=guider, footage_id=footage_id)
        with db.read() as session:
            lease = taken(db, session.get_one(DetectionsRow, footage_id).job_id)
        store = StartledStore(
            tmp_path / "store",
            at=at,
            before=nothing,
            after=lambda: vault.stop_looking(db, actor=guider, footage_id=footage_id),
        )
        redaction.detect(db, keystore=keystore, store=store, lease=lease)
    assert ran == [launcher.Detect, launcher.Detect, launcher.Sheet, launcher.Sheet]
    with db.read() as session:
        looking = vault.looking(session, footage_id)
    assert looking
    assert looking.is_done
