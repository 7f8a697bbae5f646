"""How far a job is, as pages show it, and stopping it from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core import jobs
from core.ids import JobId
from core.jobs import ENDED, JobRow, JobState


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job behind something is.

    Attributes:
        thousandths: parts of a thousand that are done.
        sentence: why it was given up, if it was.
    """

    state: JobState
    stage: str
    thousandths: int
    started_at: datetime | None
    sentence: str | None


def progress_of(session: Session, job_id: str) -> Progress:
    """How far a job is; one whose row is gone was done long ago."""
    row = session.get(JobRow, job_id)
    if row is None:
        return Progress(JobState.DONE, "", 1000, None, None)
    state = JobState.CANCELLED if row.cancel_asked and row.state not in ENDED else row.state
    return Progress(state, row.stage, row.progress, row.started_at, row.error_sentence)


def has_ended(session: Session, job_id: str) -> bool:
    """Whether nothing more comes of a job."""
    job = session.get(JobRow, job_id)
    return job is None or job.state in ENDED or job.cancel_asked


def was_stopped(session: Session, job_id: str) -> bool:
    """Whether somebody stopped a job, so that nothing was wrong with it."""
    job = session.get(JobRow, job_id)
    return job is not None and job.cancel_asked and job.state is not JobState.PARKED


def stop(session: Session, job_id: str | None, *, at: datetime) -> bool:
    """Have a job stopped, if there is one that goes on. Whether the asker may is the caller's to say.

    Returns:
        Whether there was.
    """
    if job_id is None or has_ended(session, job_id):
        return False
    jobs.cancel(session, JobId(job_id), at=at)
    return True
