"""The worker on the real job engine: once, again after a fault, parked in the end, taken up after a crash."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dbos import DBOS

from app.unresumed import start_again, unresumed
from app.worker import MAX_ATTEMPTS, MOST_BEGUN, Worker
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


def test_a_job_that_the_engine_gave_up_while_the_database_was_away_can_be_started_again(
    db: Database, running: Running, tmp_path: Path, clock: HandClock
) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        if len(runs) == 1:
            db.unsynced.set()
            raise Unavailable("database_fault", "The database is away.")
        with db.begin() as session:
            assert jobs.finish(session, lease, at=db.clock.now())

    running(work)
    job_id = ask_for_work(db)
    end = time.monotonic() + PATIENCE_SECONDS
    while not DBOS.list_workflows(status="ERROR"):
        assert time.monotonic() < end
        time.sleep(0.1)
    db.unsynced.clear()
    workflows_url = f"sqlite:///{tmp_path / 'workflows.db'}"
    assert unresumed(db, workflows_url=workflows_url) == [job_id]
    start_again(db, job_ids=[job_id])
    assert unresumed(db, workflows_url=workflows_url) == []
    assert wait_for_end(db, job_id).state is JobState.DONE
    assert len(runs) == 2


def test_a_job_that_ended_the_process_again_and_again_is_parked_and_not_begun_once_more(
    db: Database, running: Running, clock: HandClock
) -> None:
    runs: list[Lease] = []
    job_id = ask_for_work(db)
    with db.begin() as session:
        for _ in range(MOST_BEGUN):
            assert jobs.take(session, job_id, at=db.clock.now())
    running(runs.append)
    row = wait_for_end(db, job_id)
    assert (row.state, row.error_code, runs) == (JobState.PARKED, "job_interrupted", [])


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


def test_a_worker_that_ends_hands_its_job_back_and_another_takes_it_up_at_once(
    db: Database, running: Running, tmp_path: Path, clock: HandClock
) -> None:
    begun, lost = threading.Event(), threading.Event()

    def slow(lease: Lease) -> None:
        begun.set()
        while True:
            with db.begin() as session:
                if jobs.holds(session, lease) is None:
                    lost.set()
                    raise Unavailable("media_failed", "The worker ends, so the film was put away.")
            time.sleep(0.05)

    first = running(slow)
    job_id = ask_for_work(db)
    assert begun.wait(PATIENCE_SECONDS)
    first.stop()
    assert lost.is_set()
    with db.read() as session:
        row = session.get_one(JobRow, job_id)
        assert (row.state, row.attempts) == (JobState.WAITING, 0)

    def quick(lease: Lease) -> None:
        with db.begin() as session:
            assert jobs.finish(session, lease, at=db.clock.now())

    other = Worker(
        db,
        workflows_url=f"sqlite:///{tmp_path / 'workflows.db'}",
        name="worker-2",
        handlers={"test": quick},
        deliveries={},
    )
    other.start()
    row = wait_for_end(db, job_id)
    other.stop()
    assert (row.state, row.attempts) == (JobState.DONE, 1)


def test_what_will_not_stop_is_fenced_off_and_its_failure_parks_nothing(
    db: Database, running: Running, clock: HandClock
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def stubborn(lease: Lease) -> None:
        begun.set()
        assert may_end.wait(PATIENCE_SECONDS)
        raise Invalid("not_a_film", "This is not a film.")

    worker = running(stubborn)
    job_id = ask_for_work(db)
    assert begun.wait(PATIENCE_SECONDS)
    worker.stop(within=timedelta(milliseconds=100))
    may_end.set()
    time.sleep(0.5)
    with db.read() as session:
        assert session.get_one(JobRow, job_id).state is JobState.WAITING
