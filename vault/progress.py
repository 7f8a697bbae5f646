"""How far a job is, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

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
