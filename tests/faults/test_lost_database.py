"""PostgreSQL goes at a COMMIT, before or after it was done: trying again has one effect. Mid-play: the film stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

import identity
import vault
from audit.models import AuditEntryRow
from consent import Decision, Purpose
from core import jobs
from core.db import Database, connect
from core.errors import Conflict, Unavailable
from core.ids import JobId, VisitId
from core.jobs import JobRow, JobState
from keys import KeyStore
from media import launcher
from tests.families import Family, filming_visit, make_family
from tests.faults.consenting import Asked, ask, said
from tests.faults.proxy import Cut, Proxy
from tests.faults.world import without_sandbox
from tests.vault.cinema import Cinema, make_cinema
from tests.vault.sending import Sender, film
from vault import DiskStore, FootageState, ViewingCut
from vault.models import FootageRow, ObjectRow, PartRow, RenditionRow, UploadRow

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
EACH = 9
"""Of the many commits of a job, each so-manieth is lost."""


@dataclass
class Lines:
    """One database, and ways to it that may go dead."""

    straight: Database
    address: str
    commits: int = field(default=0)

    @contextmanager
    def through(self) -> Iterator[tuple[Proxy, Database]]:
        """The database behind a proxy."""
        with Proxy(self.address) as proxy:
            db = connect(proxy.address, clock=self.straight.clock)
            db.info.update(self.straight.info)
            yield proxy, db
            db.engine.dispose()

    def losing(self, act: Callable[[Database], object], *, when: Cut, at: int) -> str:
        """Do something while one commit is lost; the code of the refusal, or ``done``."""
        with self.through() as (proxy, db):
            proxy.cut(when, at=at)
            try:
                act(db)
            except Unavailable as error:
                return error.code
            finally:
                self.commits = proxy.commits
        return "done"


@pytest.fixture
def lines(db: Database, database_url: str, keystore: KeyStore) -> Lines:
    identity.attach(db, keystore=keystore)
    return Lines(db, database_url)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


@pytest.fixture
def family(lines: Lines, keystore: KeyStore) -> Family:
    return make_family(lines.straight, keystore)


@pytest.fixture
def visit(lines: Lines, family: Family) -> VisitId:
    return filming_visit(lines.straight, family)


@pytest.fixture
def sender(lines: Lines, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Sender:
    return Sender(lines.straight, keystore, store, family, visit)


@pytest.fixture
def asked(lines: Lines, keystore: KeyStore, store: DiskStore) -> Asked:
    return ask(lines.straight, keystore, store)


@pytest.mark.parametrize("when", Cut)
def test_a_yes_whose_commit_was_lost_counts_once_however_often_it_is_given(
    lines: Lines, asked: Asked, when: Cut
) -> None:
    mothers, page = said(lines.straight, Decision.GRANT), asked.page(lines.straight, asked.father)
    code = lines.losing(lambda db: asked.agree(db, asked.father, page=page), when=when, at=0)
    assert code == "database_lost"
    assert said(lines.straight, Decision.GRANT) == mothers * (1 if when is Cut.BEFORE else 2)
    if when is Cut.BEFORE:
        asked.agree(lines.straight, asked.father, page=page)
    else:
        with pytest.raises(Conflict, match="answers_moved"):
            asked.agree(lines.straight, asked.father, page=page)
    assert said(lines.straight, Decision.GRANT) == mothers * 2


@pytest.mark.parametrize("when", Cut)
def test_a_stop_whose_commit_was_lost_is_tried_again_and_holds(lines: Lines, asked: Asked, when: Cut) -> None:
    asked.agree(lines.straight, asked.father)
    lines.losing(lambda db: asked.page(db, asked.mother), when=Cut.BEFORE, at=99)
    before_it = lines.commits
    assert asked.may_watch(lines.straight)
    assert lines.losing(asked.stop, when=when, at=before_it) == "database_lost"
    assert asked.may_watch(lines.straight) is (when is Cut.BEFORE)
    asked.stop(lines.straight)
    assert not asked.may_watch(lines.straight)


@pytest.mark.parametrize("when", Cut)
def test_a_part_whose_commit_was_lost_counts_once(lines: Lines, sender: Sender, when: Cut) -> None:
    content = film(200_000)
    upload = sender.begin(len(content))
    sender.send(upload, content[:100_000], offset=0)
    straight, at = sender.db, 0

    def send(db: Database) -> None:
        sender.db = db
        sender.send(upload, content[100_000:], offset=100_000)

    while (code := lines.losing(send, when=when, at=at)) != "done":
        assert code == "database_lost"
        sender.db = straight
        with straight.read() as session:
            offset = session.get_one(UploadRow, upload).offset
        assert offset in {100_000, 200_000}
        if offset == 200_000:
            break
        at += 1
    with straight.read() as session:
        assert sum(session.scalars(select(PartRow.length))) == len(content)
        assert len(session.scalars(select(FootageRow)).all()) == 1
        assert len(session.scalars(select(JobRow)).all()) == 1
        events = session.scalars(select(AuditEntryRow.event)).all()
    assert events.count("deposit.received") == 1


@pytest.mark.parametrize("when", Cut)
def test_a_job_whose_commits_are_lost_again_and_again_makes_one_of_each(
    lines: Lines, sender: Sender, when: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "run", without_sandbox)
    content, straight = film(200_000), lines.straight
    upload = sender.begin(len(content))
    sender.send(upload, content, offset=0)

    def work(db: Database) -> None:
        with db.begin() as session:
            job_id = JobId(session.scalars(select(JobRow.id)).one())
            lease = jobs.take(session, job_id, at=db.clock.now())
        if lease is not None:
            vault.finish(db, keystore=sender.keystore, store=sender.store, lease=lease)

    lost = 0
    for at in range(0, 1000, EACH):  # further into the job each time, though some of it is done already
        if lines.losing(work, when=when, at=at) == "done":
            break
        lost += 1
    assert lost >= 2
    work(straight)
    with straight.read() as session:
        assert session.scalars(select(FootageRow.state)).all() == [FootageState.READY]
        assert session.scalars(select(JobRow.state)).all() == [JobState.DONE]
        assert len(session.scalars(select(RenditionRow)).all()) == 1
        made = set(session.scalars(select(ObjectRow.id)))
    assert len(made) == 4
    vault.tidy(straight, keystore=sender.keystore, store=sender.store)
    report = vault.fsck(straight, keystore=sender.keystore, store=sender.store, depth=vault.Depth.EVERYTHING)
    assert report.findings == ()
    assert {stored.name for stored in sender.store.names()} == made


def test_a_film_stops_when_the_database_goes_while_it_plays(
    lines: Lines, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId
) -> None:
    with lines.through() as (proxy, db):
        cinema: Cinema = make_cinema(db, keystore, store, family, visit)
        viewing = cinema.begin(cinema.guider, Purpose.PREPARE)

        async def watch() -> list[bytes]:
            reading = aiter(await cinema.open(cinema.guider, viewing.id))
            seen = [await anext(reading)]
            proxy.shut()
            cinema.ticking.seconds += 0.5
            with pytest.raises((ViewingCut, Unavailable)):
                seen.append(await anext(reading))
            return seen

        assert len(asyncio.run(watch())) == 1
