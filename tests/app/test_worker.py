"""The worker on the real job engine: once, again after a fault, parked in the end, taken up after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.worker import MAX_ATTEMPTS, Worker
from core import jobs, outbox
from core.db import Database
from core.errors import Invalid, Unavailable
from core.jobs import JobRow, JobState, Lease
from tests.fakes import HandClock

Running = Callable[[Callable[[Lease], None]], Worker]
PATIENCE_SECONDS = 60


@pytest.fixture
def running(db: Database, tmp_path: Path) -> Iterator[Running]:
    workers: list[Worker] = []

    def start(handler: Callable[[Lease], None]) -> Worker:
        worker = Worker(
            db,
            workflows_url=f"sqlite:///{tmp_path / 'workflows.db'}",
            name="worker-1",
            handlers={"test": handler},
            deliveries={},
        )
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.stop()


def ask_for_work(db: Database) -> jobs.JobId:
    with db.begin() as session:
        return jobs.enqueue(session, "test", subject="x", case_id=None, at=db.clock.now())


def wait_for_end(db: Database, job_id: jobs.JobId) -> JobRow:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with db.read() as session:
            row = session.get_one(JobRow, job_id)
            if row.state in jobs.ENDED:
                return row
        time.sleep(0.05)
    pytest.fail("the job never ended")


def test_a_job_is_carried_out_once_and_is_done(db: Database, running: Running, clock: HandClock) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        with db.begin() as session:
            assert jobs.finish(session, lease, at=db.clock.now())

    running(work)
    row = wait_for_end(db, ask_for_work(db))
    assert row.state is JobState.DONE
    assert len(runs) == 1


def test_a_job_that_meets_a_fault_is_tried_again_and_then_parked_with_its_sentence(
    db: Database, running: Running, clock: HandClock
) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        raise Unavailable("store_unavailable", "The film store doesn't answer just now.")

    running(work)
    row = wait_for_end(db, ask_for_work(db))
    assert (row.state, row.error_code) == (JobState.PARKED, "store_unavailable")
    assert len(runs) == MAX_ATTEMPTS


def test_a_film_that_is_none_is_refused_at_once(db: Database, running: Running, clock: HandClock) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        raise Invalid("not_a_film", "This is not a film.")

    running(work)
    row = wait_for_end(db, ask_for_work(db))
    assert (row.state, row.error_code, len(runs)) == (JobState.PARKED, "not_a_film", 1)


def test_starting_a_job_twice_is_one_run(db: Database, running: Running, clock: HandClock) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        with db.begin() as session:
            jobs.finish(session, lease, at=db.clock.now())

    running(work)
    job_id = ask_for_work(db)
    with db.begin() as session:
        outbox.post(session, "job.start", at=db.clock.now(), payload={"job_id": job_id})
    wait_for_end(db, job_id)
    time.sleep(0.6)
    assert len(runs) == 1
