from __future__ import annotations

from datetime import timedelta

import pytest

from core import jobs, mark, outbox
from core.clock import Leap, SteadyClock
from core.db import Database
from tests.fakes import HandClock


def test_a_transaction_that_raises_leaves_nothing(db: Database) -> None:
    def half_way() -> None:
        with db.begin() as session:
            outbox.post(session, "test", at=db.clock.now(), payload={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    with db.begin() as session:
        assert outbox.waiting(session, at=db.clock.now()) == []


def test_a_delivery_that_fails_waits_longer_each_time_and_is_parked_in_the_end(db: Database) -> None:
    with db.begin() as session:
        outbox.post(session, "test", at=db.clock.now(), payload={"id": "1"})
    waits = []
    with db.begin() as session:
        (row,) = outbox.waiting(session, at=db.clock.now())
        for _ in range(outbox.MAX_ATTEMPTS):
            outbox.failed(row, at=db.clock.now())
            waits.append(row.due_at - db.clock.now())
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)
    assert row.parked


def test_a_stale_worker_is_fenced_off(db: Database, clock: HandClock) -> None:
    with db.begin() as session:
        job_id = jobs.enqueue(session, "test", subject="x", case_id=None, at=clock.now())
    with db.begin() as session:
        first = jobs.take(session, job_id, at=clock.now())
    with db.begin() as session:
        second = jobs.take(session, job_id, at=clock.now())
    assert first is not None
    assert second is not None
    with db.begin() as session:
        assert not jobs.finish(session, first, at=clock.now())
    with db.begin() as session:
        assert jobs.finish(session, second, at=clock.now())


def test_a_clock_that_steps_back_stands_still_and_one_that_leaps_is_not_believed(
    db: Database, clock: HandClock
) -> None:
    steady = SteadyClock(clock)
    before = steady.now()
    clock.move(-timedelta(hours=1))
    assert steady.now() == before
    clock.move(timedelta(hours=1))
    assert mark.observe(db) is Leap.STEADY
    clock.move(timedelta(days=30))
    assert mark.observe(db) is Leap.AHEAD
    with db.begin() as session:
        mark.raise_to(session, at=clock.now())
    assert mark.observe(db) is Leap.STEADY
