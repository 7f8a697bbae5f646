"""Jobs that nobody will go on with: their start was delivered, and the job engine doesn't know them (any more)."""

from __future__ import annotations

from pathlib import Path

from dbos import DBOSClient, DBOSPortableJSONSerializer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

import audit
from audit import Event
from core import jobs
from core.db import Database
from core.errors import Unavailable
from core.ids import JobId, new_id

_ON_ITS_WAY = ["PENDING", "ENQUEUED", "DELAYED"]


def unresumed(db: Database, *, workflows_url: str) -> list[JobId]:
    """Look at the job engine's database; changes nothing.

    Args:
        db: the main database.
        workflows_url: address of the job engine's own.

    Raises:
        Unavailable: ``workflows_unreachable``.
    """
    with db.read() as session:
        started = jobs.started(session)
    known = _known(workflows_url) if started else set()
    with db.read() as session:  # what ended while we looked needs nobody
        still = set(jobs.started(session))
    return [job for job in started if job not in known and job in still]


def start_again(db: Database, *, job_ids: list[JobId]) -> None:
    """Deliver their start once more, as another turn: the engine may have given the one before up.

    Should it be under way after all, the later turn takes the job over, and what the other does no longer counts.
    """
    if not job_ids:
        return
    with db.begin() as session:
        audit.record(session, Event.STORE_TIDIED, actor=None, details={"restarted": len(job_ids)})
        for job_id in job_ids:
            jobs.announce(session, job_id, at=db.clock.now(), turn=new_id())


def _known(workflows_url: str) -> set[str]:
    address = make_url(workflows_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return set()  # no worker ever ran here; looking must not make it
    try:
        client = DBOSClient(
            system_database_url=workflows_url,
            serializer=DBOSPortableJSONSerializer(),
            retry_connection_errors=False,
        )
        try:
            found = client.list_workflows(status=_ON_ITS_WAY, load_input=False, load_output=False)
        finally:
            client.destroy()
    except SQLAlchemyError:
        raise Unavailable("workflows_unreachable", "The job engine's database can't be read just now.") from None
    return {one.workflow_id.partition("-")[0] for one in found}  # what follows is the turn of one that was handed back
