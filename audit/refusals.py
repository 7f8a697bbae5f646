"""Refusals: whoever was refused is in the log, committed, before they read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audit.entry import Event, Outcome
from audit.log import record
from core.db import Database
from core.errors import NotFound, Refused
from core.ids import CaseId, PersonId, well_formed


@contextmanager
def refusals_recorded(
    db: Database, event: Event, *, actor: PersonId, case_id: CaseId | None = None, object_id: str | None = None
) -> Iterator[None]:
    """Around a use case: where it ends in a refusal, that is written in a transaction of its own, then raised.

    Args:
        db: the main database; the use case's own transaction has been rolled back by then.
        event: what was tried.
        actor: who tried.
        case_id: the case as it was asked for; one that is no id at all is left out of the log.
        object_id: likewise.

    Raises:
        Refused: as it was raised inside, with its code as the entry's reason.
        NotFound: likewise.
        Unavailable: the refusal couldn't be written; nothing was done either.
    """
    try:
        yield
    except (Refused, NotFound) as refusal:
        with db.begin() as session:
            record(
                session,
                event,
                actor=actor,
                outcome=Outcome.REFUSED,
                case_id=case_id if case_id is not None and well_formed(case_id) else None,
                object_id=object_id if object_id is not None and well_formed(object_id) else None,
                reason=refusal.code,
            )
        raise
