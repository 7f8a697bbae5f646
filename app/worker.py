"""The worker: delivers the outbox, carries out jobs as durable workflows, seals the log, minds the clock, sweeps.

Each duty runs in a thread of its own at its own beat. A duty that fails is logged and tried again at the next beat; it
never takes the others down. Jobs run one at a time in each worker (film is heavy) under ``dbos``, whose workflow id is
the job's id: starting a job twice is one run, and a run that a crash broke off is resumed when the worker comes back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from app.logs import adopt_loggers
from core import jobs, outbox
from core.db import Database
from core.errors import Unavailable, VaultError
from core.ids import JobId

_LOG = logging.getLogger("vault.worker")
QUEUE = "film"
MAX_ATTEMPTS = 3
MOST_BEGUN = 6
"""How often a job is begun at most, those counted that ended with the process: it may be the job that ends it."""
_INTERRUPTED = (
    "This was begun several times, and each time the program ended before it was done. Ask for it once more; if that "
    "happens again, somebody must look at the machine."
)
STOPS_WITHIN = timedelta(seconds=6)
"""How long a worker that ends waits for what it was doing."""

JobHandler = Callable[[jobs.Lease], None]
GiveUp = Callable[[jobs.Lease, VaultError], None]
Delivery = Callable[[str, Mapping[str, str]], None]


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again."""

    name: str
    every: timedelta
    do: Callable[[], object]


class Worker:
    """All background work of one process.

    Args:
        db: the main database.
        workflows_url: address of the job engine's own database.
        name: stable name of this worker: after a crash it takes up what it had begun.
        handlers: job kind to what carries it out.
        deliveries: outbox kind to what delivers it (given the row's id and payload); ``job.start`` is built in.
        gave_up: told when a job is parked, in place of parking it only.
        duties: what else to do, at which beat.
        ends: set when this worker ends, for duties that take long.
        may_begin: asked with a job's kind before it is begun; raises ``Unavailable`` where it must wait, which costs it
            none of its attempts.
    """

    def __init__(
        self,
        db: Database,
        *,
        workflows_url: str,
        name: str,
        handlers: Mapping[str, JobHandler],
        deliveries: Mapping[str, Delivery],
        gave_up: GiveUp | None = None,
        duties: tuple[Duty, ...] = (),
        ends: threading.Event | None = None,
        may_begin: Callable[[str], object] = lambda _kind: None,
    ) -> None:
        self._db = db
        self._may_begin = may_begin
        self._handlers = handlers
        self._gave_up = gave_up
        self._deliveries = {**deliveries, jobs.START: self._start_job}
        self._duties = (Duty("outbox", timedelta(milliseconds=250), self.deliver), *duties)
        self._stop = ends or threading.Event()
        self._held: dict[JobId, jobs.Lease] = {}
        self._handed_back: set[jobs.Lease] = set()
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._config: DBOSConfig = {
            "name": "vig-vault",
            "system_database_url": workflows_url,
            "executor_id": name,
            "application_version": "1",
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": 0.25,
        }

    def start(self) -> None:
        """Begin: resumes what an earlier life of this worker left."""
        global _current  # noqa: PLW0603 - dbos keeps one instance a process, so this is one too
        _current = self
        DBOS(config=self._config)
        DBOS.launch()
        adopt_loggers()  # dbos brings a handler of its own, which writes whole messages
        DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=0.25)
        for duty in self._duties:
            thread = threading.Thread(target=self._beat, args=(duty,), name=f"duty-{duty.name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, *, within: timedelta = STOPS_WITHIN) -> None:
        """End: duties finish their beat; jobs that are under way are handed back for any worker to take up.

        Args:
            within: how long to wait for them; what still runs then is fenced off, and may be ended with the process.
        """
        deadline = time.monotonic() + within.total_seconds()
        with self._turn:
            self._stop.set()
            leases = list(self._held.values())
        for lease in leases:
            self._hand_back(lease)
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        with self._turn:
            self._turn.wait_for(lambda: not self._held, timeout=max(0.0, deadline - time.monotonic()))
        DBOS.destroy()

    def deliver(self) -> int:
        """Deliver what waits in the outbox, each row in a transaction of its own.

        Returns:
            How many were delivered.
        """
        done = 0
        while self._deliver_one():
            done += 1
        return done

    def carry_out(self, job_id: JobId) -> None:
        """Do a job, or note why it can't be done.

        Raises:
            Unavailable: it must wait, or be tried again: the engine does so, and what it gives up is found by a duty.
        """
        with self._db.read() as session:
            waiting = session.get(jobs.JobRow, job_id)
            asked = waiting.kind if waiting is not None and waiting.state not in jobs.ENDED else ""
        if asked:
            self._may_begin(asked)
        with self._db.begin() as session:
            lease = jobs.take(session, job_id, at=self._db.clock.now())
            row = jobs.holds(session, lease) if lease else None
            kind, attempts = (row.kind, row.attempts) if row else ("", 0)
        if lease is None:
            return
        with self._turn:
            self._held[job_id] = lease
            ends = self._stop.is_set()
        try:
            if ends and not self._hand_back(lease):
                raise Unavailable("closing", "This worker ends. The job is taken up again.")
            if not ends:
                self._do(lease, kind=kind, attempts=attempts)
        finally:
            with self._turn:
                self._held.pop(job_id, None)
                self._turn.notify_all()

    def _do(self, lease: jobs.Lease, *, kind: str, attempts: int) -> None:
        if attempts > MOST_BEGUN:
            self._park(lease, Unavailable("job_interrupted", _INTERRUPTED))
            return
        try:
            self._handlers[kind](lease)
        except Unavailable as error:
            self._give_up_or_retry(lease, attempts, error)
        except VaultError as error:
            self._park(lease, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the worker
            _LOG.exception("job failed", extra={"job_id": lease.job_id, "kind": kind})
            unknown = Unavailable("job_failed", "Something went wrong on our side. We have been told.")
            self._give_up_or_retry(lease, attempts, unknown, cause=error)

    def _hand_back(self, lease: jobs.Lease) -> bool:
        try:
            with self._db.begin() as session:
                jobs.hand_back(session, lease, at=self._db.clock.now())
        except VaultError as error:  # then the next life of this worker takes it up, as after a crash
            _LOG.warning("job not handed back", extra={"job_id": lease.job_id, "code": error.code})
            return False
        self._handed_back.add(lease)
        _LOG.info("job handed back", extra={"job_id": lease.job_id})
        return True

    def _give_up_or_retry(
        self, lease: jobs.Lease, attempts: int, error: VaultError, *, cause: Exception | None = None
    ) -> None:
        if attempts >= MAX_ATTEMPTS:
            self._park(lease, error)
            return
        if lease not in self._handed_back:
            raise error from cause

    def _park(self, lease: jobs.Lease, error: VaultError) -> None:
        if self._gave_up is not None:
            self._gave_up(lease, error)
            return
        with self._db.begin() as session:
            jobs.park(session, lease, at=self._db.clock.now(), code=error.code, sentence=error.sentence)

    def _deliver_one(self) -> bool:
        failure: Exception | None = None
        with self._db.begin() as session:
            rows = outbox.waiting(session, at=self._db.clock.now(), most=1)
            if not rows:
                return False
            row = rows[0]
            row_id, kind, payload = row.id, row.kind, dict(row.payload)
            # Put off first: should this process die on the way, the row comes round again by itself.
            outbox.failed(row, at=self._db.clock.now())
        try:
            self._deliveries[kind](row_id, payload)
        except Exception as error:  # noqa: BLE001 - whatever it was, the row waits and the failure is logged
            failure = error
        if failure is not None:
            code = failure.code if isinstance(failure, VaultError) else type(failure).__name__
            _LOG.warning("delivery put off", extra={"kind": kind, "code": code})
            return True
        with self._db.begin() as session:
            delivered = session.get(outbox.OutboxRow, row_id)
            if delivered is not None:
                outbox.delivered(delivered, at=self._db.clock.now())
        return True

    def _start_job(self, _row_id: str, payload: Mapping[str, str]) -> None:
        turn = f"-{payload['turn']}" if "turn" in payload else ""  # one that was handed back begins anew
        with SetWorkflowID(payload["job_id"] + turn):
            DBOS.enqueue_workflow(QUEUE, _job_workflow, payload["job_id"])

    def _beat(self, duty: Duty) -> None:
        while not self._stop.wait(duty.every.total_seconds()):
            try:
                duty.do()
            except VaultError as error:
                _LOG.warning("duty put off", extra={"duty": duty.name, "code": error.code})
            except Exception:  # noqa: BLE001 - one duty never takes the others down
                _LOG.exception("duty failed", extra={"duty": duty.name})


_current: Worker | None = None


@DBOS.step(retries_allowed=True, max_attempts=MAX_ATTEMPTS, interval_seconds=2.0)
def _job_step(job_id: str) -> None:
    if _current is None:
        message = "no worker in this process"
        raise RuntimeError(message)
    _current.carry_out(JobId(job_id))


@DBOS.workflow()
def _job_workflow(job_id: str) -> None:
    _job_step(job_id)
