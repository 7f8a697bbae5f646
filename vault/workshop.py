"""The jobs that need nobody above, by their kinds, and what becomes of a job that the worker gives up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import audit
from audit import Event
from core import jobs
from core.db import Database, get, lock
from core.errors import VaultError
from core.ids import CaseId
from core.jobs import JobRow, Lease
from keys import KeyStore
from vault import clips, deposits, finishing
from vault.models import ClipRow, ClipState, FootageRow, FootageState
from vault.objects import ObjectStore


class Runner(Protocol):
    """Does all that is left of a job. Safe to repeat; harmless in a worker that lost it."""

    def __call__(self, db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease) -> None:
        """Run it.

        Raises:
            VaultError: something that may pass: try again later, and give up after some tries.
        """
        ...


RUNNERS: Mapping[str, Runner] = {deposits.FINISH: finishing.finish, clips.CUT: clips.cut}
"""The kinds of job that this room carries out by itself; the redaction room adds those that ask it for a plan."""


def give_up(db: Database, *, lease: Lease, error: VaultError) -> None:
    """Park a job that failed too often; what it was to make is shown as failed, with the reason. Nothing is lost by it.

    Raises:
        NotFound: no such job.
    """
    at = db.clock.now()
    with db.begin() as session:
        if not jobs.park(session, lease, at=at, code=error.code, sentence=error.sentence):
            return
        job = get(session, JobRow, lease.job_id)
        if job.kind == deposits.FINISH:
            footage = lock(session, FootageRow, job.subject)
            footage.state, footage.error_code, footage.error_sentence = (
                FootageState.REJECTED,
                error.code,
                error.sentence,
            )
            audit.record(
                session,
                Event.FOOTAGE_REJECTED,
                actor=None,
                outcome=audit.Outcome.FAILED,
                case_id=CaseId(footage.case_id),
                object_id=footage.id,
                reason=error.code,
            )
        elif job.kind == clips.CUT:
            clip = lock(session, ClipRow, job.subject)
            clip.state, clip.error_code, clip.error_sentence = ClipState.REJECTED, error.code, error.sentence
