"""Long work as rows that join the caller's transaction; a durable workflow with the same id carries them out.

A row is what people see (state, progress, why it failed). The workflow engine has its own database, so the row is
the truth about what was asked, and the outbox starts the workflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import outbox
from core.db import Base, lock
from core.ids import JobId, new_id

START = "job.start"
"""The kind of outbox row that starts a workflow."""


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    PARKED = "parked"
    """It failed for good or too often: a person must look."""


ENDED = frozenset({JobState.DONE, JobState.CANCELLED, JobState.PARKED})


class JobRow(Base):
    """A long piece of work.

    Attributes:
        kind: which work, as in ``deposit.finish``.
        subject: id of what it works on.
        progress: parts of a thousand that are done.
        started_at: when the latest attempt began; what is left to do is told by it.
        fence: raised whenever a worker takes the job; a worker with an older number is refused.
        error_code, error_sentence: why it was parked, in the words of ``core.errors``.
    """

    __tablename__ = "core_job"
    __table_args__ = (Index("ix_core_job_subject", "subject", "kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    case_id: Mapped[str | None]
    state: Mapped[JobState]
    stage: Mapped[str] = mapped_column(default="")
    progress: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    error_code: Mapped[str | None]
    error_sentence: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to a job, until another worker takes it."""

    job_id: JobId
    fence: int


def enqueue(session: Session, kind: str, *, subject: str, case_id: str | None, at: datetime) -> JobId:
    """Add a job, and its start, to the caller's transaction."""
    job_id = JobId(new_id())
    session.add(
        JobRow(
            id=job_id,
            kind=kind,
            subject=subject,
            case_id=case_id,
            state=JobState.WAITING,
            stage="",
            progress=0,
            attempts=0,
            fence=0,
            cancel_asked=False,
            created_at=at,
        )
    )
    announce(session, job_id, at=at)
    return job_id


def announce(session: Session, job_id: JobId, *, at: datetime, turn: str = "") -> None:
    """Have the workflow engine start a job; one that it knows already in this turn isn't started twice.

    Args:
        session: the caller's transaction.
        job_id: which job.
        at: now.
        turn: tells a later start apart from the ones before, which the engine counts as done.
    """
    outbox.post(session, START, at=at, payload={"job_id": job_id} | ({"turn": turn} if turn else {}))


def take(session: Session, job_id: JobId, *, at: datetime) -> Lease | None:
    """Begin (or begin again) to work on a job.

    Returns:
        The lease; nothing where the job has ended or was cancelled.
    """
    row = lock(session, JobRow, job_id)
    if row.state in ENDED:
        return None
    if row.cancel_asked:
        row.state, row.ended_at = JobState.CANCELLED, at
        return None
    row.state, row.started_at = JobState.RUNNING, at
    row.stage, row.progress = "", 0  # an attempt begins anew: what the one before had reached isn't there
    row.attempts += 1
    row.fence += 1
    return Lease(job_id, row.fence)


def holds(session: Session, lease: Lease) -> JobRow | None:
    """The job's row, locked, if this lease still has it; nothing for a stale worker or after a cancel."""
    row = lock(session, JobRow, lease.job_id)
    if row.fence != lease.fence or row.state is not JobState.RUNNING or row.cancel_asked:
        return None
    return row


def is_lost(session: Session, lease: Lease) -> bool:
    """Whether there is no use in going on: another worker has it, or it is to stop. A look, which locks nothing."""
    row = session.get(JobRow, lease.job_id)
    return row is None or row.fence != lease.fence or row.state is not JobState.RUNNING or row.cancel_asked


def report(session: Session, lease: Lease, *, stage: str, progress: int) -> bool:
    """Note how far it is (parts of a thousand).

    Returns:
        Whether to go on.
    """
    row = holds(session, lease)
    if row is None:
        return False
    row.stage, row.progress = stage, max(0, min(1000, progress))
    return True


def finish(session: Session, lease: Lease, *, at: datetime) -> bool:
    """Note that the work is done, in the transaction that makes its result visible.

    Returns:
        Whether this worker's result counts; where not, the caller must roll back.
    """
    row = holds(session, lease)
    if row is None:
        return False
    row.state, row.progress, row.ended_at = JobState.DONE, 1000, at
    return True


def hand_back(session: Session, lease: Lease, *, at: datetime) -> bool:
    """Give a job back unfinished, for any worker to take up; this attempt doesn't count.

    One that was to be stopped has stopped with that.

    Returns:
        Whether it was still this worker's, and goes on.
    """
    row = holds(session, lease)
    if row is None:
        stopped(session, lease, at=at)
        return False
    row.state, row.attempts, row.fence = JobState.WAITING, row.attempts - 1, row.fence + 1
    row.stage, row.progress = "", 0
    announce(session, lease.job_id, at=at, turn=str(row.fence))
    return True


def park(session: Session, lease: Lease, *, at: datetime, code: str, sentence: str) -> bool:
    """Give a job up, with the reason that its page shows.

    One that was to be stopped has stopped, whatever it failed of: nobody must look, and nothing is shown as failed.

    Returns:
        Whether it was: not one that has ended, was to be stopped, was handed back, or is another worker's by now.
    """
    stopped(session, lease, at=at)
    row = lock(session, JobRow, lease.job_id)
    if row.fence != lease.fence or row.state in ENDED:
        return False
    row.state, row.error_code, row.error_sentence, row.ended_at = JobState.PARKED, code, sentence, at
    return True


def about(session: Session, subject: str) -> list[JobId]:
    """Every job that works, or worked, on one thing."""
    return [JobId(row) for row in session.scalars(select(JobRow.id).where(JobRow.subject == subject))]


def parked(session: Session) -> int:
    """How many jobs a person must look at."""
    return session.scalar(select(func.count()).select_from(JobRow).where(JobRow.state == JobState.PARKED)) or 0


def started(session: Session) -> list[JobId]:
    """Jobs that are under way, or wait, and whose start was delivered: the workflow engine must know them."""
    rows = session.scalars(select(JobRow.id).where(JobRow.state.not_in(ENDED)))
    waiting = {payload["job_id"] for payload in outbox.undelivered(session, START)}
    return [JobId(row) for row in rows if row not in waiting]


def stopped(session: Session, lease: Lease, *, at: datetime) -> None:
    """Note that a worker has stopped a job as it was asked to."""
    row = lock(session, JobRow, lease.job_id)
    if row.fence == lease.fence and row.cancel_asked and row.state is JobState.RUNNING:
        row.state, row.ended_at = JobState.CANCELLED, at


def cancel(session: Session, job_id: JobId, *, at: datetime) -> None:
    """Ask a job to stop: at once where it hasn't begun, else at its next report."""
    row = lock(session, JobRow, job_id)
    row.cancel_asked = True
    if row.state is JobState.WAITING:
        row.state, row.ended_at = JobState.CANCELLED, at
