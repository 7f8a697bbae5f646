"""A database that is stuck is an answer in bounded time, and the answer is no."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.clock import SystemClock
from core.db import Database, connect
from core.errors import Unavailable


@pytest.fixture
def impatient(postgres_address: str) -> Iterator[Database]:
    """PostgreSQL, with the waits of a test."""
    options = "-c statement_timeout=200 -c lock_timeout=200 -c idle_in_transaction_session_timeout=200"
    url = make_url(postgres_address).update_query_dict({"options": options})
    made = connect(url.render_as_string(hide_password=False), clock=SystemClock())
    yield made
    made.engine.dispose()


def test_every_wait_has_an_end(postgres_address: str) -> None:
    made = connect(postgres_address, clock=SystemClock())
    with made.read() as session:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert session.execute(text(f"SHOW {name}")).scalar_one() != "0"
    made.engine.dispose()


def test_a_statement_that_never_ends_is_given_up(impatient: Database) -> None:
    with pytest.raises(Unavailable, match="database_busy"), impatient.begin() as session:
        session.execute(text("SELECT pg_sleep(60)"))


def test_a_lock_that_nobody_lets_go_is_given_up(impatient: Database, postgres_address: str) -> None:
    holder = connect(postgres_address, clock=SystemClock())
    taken, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with holder.begin() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(77341)"))
            taken.set()
            let_go.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert taken.wait(30)
        with pytest.raises(Unavailable, match="database_busy"), impatient.begin() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(77341)"))
    finally:
        let_go.set()
        thread.join()
        holder.engine.dispose()


def test_a_transaction_that_lies_idle_is_ended_by_the_server_and_the_next_one_is_well(impatient: Database) -> None:
    with pytest.raises(Unavailable, match="database_lost"), impatient.begin() as session:
        session.execute(text("SELECT 1"))
        time.sleep(1)
        session.execute(text("SELECT 1"))
    with impatient.begin() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_several_that_open_a_new_database_at_once_all_get_in(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def come_and_go(folder: Path) -> None:
        for number in range(25):
            made = connect(f"sqlite:///{folder / str(number)}.db", clock=SystemClock())
            together.wait(timeout=30)
            for _ in range(3):
                with made.begin() as session:
                    session.execute(text("CREATE TABLE IF NOT EXISTS seen (by TEXT)"))
                made.engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for coming in [pool.submit(come_and_go, tmp_path) for _ in range(4)]:
            coming.result()
