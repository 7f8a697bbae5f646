"""Work that was under way when a family asked for erasure: what it makes is as little in use as what was there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

import retention
import vault
from consent import Purpose, RenditionState
from core.db import Database
from core.errors import Conflict, Refused
from core.ids import ClipId, FootageId, ObjectId, RenditionId, UploadId, VisitId
from media import launcher
from retention import Schedule
from retention.models import ErasureRow
from tests.fakes import HandClock
from tests.families import Family
from tests.faults.world import without_sandbox
from tests.retention.conftest import Night, Shelf
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage
from tests.vault.sending import Sender, film
from tests.vault.stopping import StartledStore, taken
from vault import ClipState, disposal, quarantine
from vault.models import ClipRow, FootageRow, RenditionRow

OUT, IN_USE, DAMAGED = RenditionState.WITHDRAWN_FROM_USE, RenditionState.LIVE, RenditionState.QUARANTINED


@pytest.fixture(autouse=True)
def _film_that_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "run", without_sandbox)


@dataclass
class Meanwhile:
    """A family with one film and a clip of it, and a second film on its way."""

    shelf: Shelf
    schedule: Schedule
    sender: Sender
    upload: UploadId
    content: bytes
    film: FootageId
    clip: ClipId

    @property
    def db(self) -> Database:
        return self.shelf.db

    def ask(self, clip: ClipId | None = None) -> str:
        family = self.shelf.family
        return retention.erase(
            self.db, actor=family.mother.actor, schedule=self.schedule, case_id=family.case_id, clip_id=clip
        )

    def cancel(self, request: str) -> None:
        retention.cancel_erasure(self.db, actor=self.shelf.family.mother.actor, erasure_id=request)

    def deposit(self, *, from_offset: int = 0) -> FootageId:
        self.sender.send(self.upload, self.content[from_offset:], offset=from_offset)
        return vault.complete_deposit(self.db, actor=self.sender.guider.actor, upload_id=self.upload)

    def finish(self, footage: FootageId, *, at: int = 0, then: Callable[[], object] = lambda: None) -> None:
        """Prepare a film; ``at`` a commit of it something happens."""
        with self.db.read() as session:
            lease = taken(self.db, session.get_one(FootageRow, footage).job_id)
        vault.finish(self.db, keystore=self.shelf.keystore, store=self._store(at, then), lease=lease)

    def wait(self) -> None:
        clock = self.db.clock
        assert isinstance(clock, HandClock)
        clock.move(timedelta(minutes=5))

    def asks_for_cut(self) -> ClipId:
        return vault.cut_clip(
            self.db,
            keystore=self.shelf.keystore,
            actor=self.sender.guider.actor,
            footage_id=self.film,
            first_frame=0,
            last_frame=5,
            title="Hello",
        )

    def cut(self, clip: ClipId, *, at: int, then: Callable[[], object]) -> ClipState:
        with self.db.read() as session:
            lease = taken(self.db, session.get_one(ClipRow, clip).job_id)
        vault.cut(self.db, keystore=self.shelf.keystore, store=self._store(at, then), lease=lease)
        with self.db.read() as session:
            return session.get_one(ClipRow, clip).state

    def rendition(self, record: str) -> RenditionRow | None:
        """The working copy of a film, or the cut of a clip."""
        is_its = (RenditionRow.clip_id == record) | (
            (RenditionRow.footage_id == record) & RenditionRow.clip_id.is_(None)
        )
        with self.db.read() as session:
            return session.scalars(select(RenditionRow).where(is_its)).one_or_none()

    def state(self, record: str) -> RenditionState | None:
        found = self.rendition(record)
        return found.state if found is not None else None

    def plays(self, record: str) -> bool:
        found = self.rendition(record)
        assert found is not None
        try:
            vault.begin_viewing(
                self.db,
                actor=self.sender.guider.actor,
                rendition_id=RenditionId(found.id),
                purpose=Purpose.PREPARE,
            )
        except Refused:
            return False
        return True

    def _store(self, at: int, then: Callable[[], object]) -> StartledStore:
        return StartledStore(self.shelf.store.spool.parent, at=at, before=then, after=lambda: None)


@pytest.fixture
def meanwhile(shelf: Shelf, family: Family, schedule: Schedule) -> Meanwhile:
    agree_to_filming(shelf.db, shelf.keystore, family)
    visit: VisitId = shelf.visit()
    footage = add_footage(shelf.db, shelf.keystore, shelf.store, family, visit)
    clip = add_clip(shelf.db, shelf.keystore, shelf.store, family, footage, content=b"a film").clip_id
    sender, content = Sender(shelf.db, shelf.keystore, shelf.store, family, visit), film(1000)
    return Meanwhile(shelf, schedule, sender, sender.begin(len(content)), content, footage, clip)


def test_a_film_that_is_being_prepared_is_out_of_use_when_it_is_ready_and_comes_back_with_the_rest(
    meanwhile: Meanwhile,
) -> None:
    footage, requests = meanwhile.deposit(), list[str]()
    meanwhile.finish(footage, at=2, then=lambda: requests.append(meanwhile.ask()))
    assert meanwhile.state(footage) is OUT
    assert not meanwhile.plays(footage)
    assert [meanwhile.state(one) for one in (meanwhile.film, meanwhile.clip)] == [OUT, OUT]
    meanwhile.cancel(requests[0])
    assert meanwhile.state(footage) is IN_USE
    assert meanwhile.plays(footage)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_film_that_is_still_being_sent_is_meant_too_and_goes_with_the_rest(
    meanwhile: Meanwhile, night: Night
) -> None:
    sender = meanwhile.sender
    sender.send(meanwhile.upload, meanwhile.content[:400], offset=0)
    meanwhile.ask()
    meanwhile.wait()
    footage = meanwhile.deposit(from_offset=400)
    meanwhile.finish(footage)
    assert meanwhile.state(footage) is OUT
    meanwhile.shelf.pass_days(14)
    night()
    halted = retention.health(meanwhile.db).halted or ""
    officer = meanwhile.shelf.family.staff.officer.actor
    retention.approve(
        meanwhile.db, keystore=meanwhile.shelf.keystore, actor=officer, sweep_id=halted, reason="The family asked."
    )
    night.carry_out(halted)
    assert meanwhile.shelf.is_gone(footage)
    assert retention.erasures(meanwhile.db, actor=officer) == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_came_out_damaged_meanwhile_is_not_in_use_when_the_request_is_taken_back(meanwhile: Meanwhile) -> None:
    request = meanwhile.ask()
    footage = meanwhile.deposit()
    meanwhile.finish(footage)
    made = meanwhile.rendition(footage)
    assert made is not None
    with meanwhile.db.begin() as session:
        quarantine.quarantine(session, ObjectId(made.object_id))
    assert meanwhile.state(footage) is OUT
    meanwhile.cancel(request)
    assert meanwhile.state(footage) is DAMAGED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_stays_out_of_use_until_everybody_who_asked_has_taken_it_back(meanwhile: Meanwhile) -> None:
    family, footage = meanwhile.shelf.family, meanwhile.deposit()
    mothers = meanwhile.ask()
    meanwhile.finish(footage)
    assert meanwhile.state(footage) is OUT
    fathers = retention.erase(
        meanwhile.db, actor=family.father.actor, schedule=meanwhile.schedule, case_id=family.case_id
    )
    meanwhile.cancel(mothers)
    assert meanwhile.state(footage) is OUT
    retention.cancel_erasure(meanwhile.db, actor=family.father.actor, erasure_id=fathers)
    assert meanwhile.state(footage) is IN_USE


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cut_that_is_being_made_stops_and_no_other_can_be_asked_for(meanwhile: Meanwhile) -> None:
    under_way, requests = meanwhile.asks_for_cut(), list[str]()
    state = meanwhile.cut(under_way, at=1, then=lambda: requests.append(meanwhile.ask()))
    assert (state, meanwhile.state(under_way)) == (ClipState.REJECTED, None)
    with pytest.raises(Conflict, match="footage_not_ready"):
        meanwhile.asks_for_cut()
    meanwhile.cancel(requests[0])
    assert meanwhile.cut(meanwhile.asks_for_cut(), at=0, then=lambda: None) is ClipState.READY


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cut_that_alone_was_taken_out_of_use_while_it_was_made_is_out_of_use_when_it_is_there(
    meanwhile: Meanwhile,
) -> None:
    under_way, stopped = meanwhile.asks_for_cut(), list[str]()

    def stop() -> None:
        with meanwhile.db.begin() as session:
            stopped.extend(disposal.stop_use(session, case_id=meanwhile.shelf.family.case_id, clip_id=under_way))

    meanwhile.cut(under_way, at=1, then=stop)
    assert meanwhile.state(under_way) is OUT
    with meanwhile.db.begin() as session:
        disposal.resume_use(session, stopped)
    assert meanwhile.state(under_way) is IN_USE


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_sent_later_is_used_as_ever(meanwhile: Meanwhile) -> None:
    meanwhile.ask()
    meanwhile.wait()
    meanwhile.upload = meanwhile.sender.begin(len(meanwhile.content))
    footage = meanwhile.deposit()
    meanwhile.finish(footage)
    assert meanwhile.state(footage) is IN_USE


def test_a_request_from_before_this_was_known_is_made_good_by_the_migration(meanwhile: Meanwhile) -> None:
    ready, (request, footage) = meanwhile.film, (meanwhile.ask(), meanwhile.deposit())
    with meanwhile.db.begin() as session:  # as it was: one was prepared after the request, the other is on its way
        row = session.get_one(ErasureRow, request)
        row.stopped = [one for one in row.stopped if one not in {meanwhile.upload, _of(meanwhile, ready)}]
        session.get_one(RenditionRow, _of(meanwhile, ready)).state = IN_USE
        session.execute(text("DROP TABLE vault_out_of_use"))
    with meanwhile.db.begin() as session, Operations.context(MigrationContext.configure(session.connection())):
        import_module("app.migrations.vault.versions.0007_out_of_use_as_a_whole").upgrade()
    meanwhile.finish(footage)
    assert [meanwhile.state(one) for one in (ready, footage)] == [OUT, OUT]
    meanwhile.cancel(request)
    assert [meanwhile.state(one) for one in (ready, footage)] == [IN_USE, IN_USE]


def _of(meanwhile: Meanwhile, record: str) -> str:
    found = meanwhile.rendition(record)
    assert found is not None
    return found.id
