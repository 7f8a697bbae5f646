"""Who may hold epoch keys in memory: each process says that it lives, and that it has forgotten a retiring epoch.

A process whose heartbeat lapsed is taken for dead. Should it wake (it was suspended, say), its next use of a key beats
first, and it can wrap nothing under the old epoch, since the row that it would have to lock is no longer active.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.db import Database
from keys.keyring import Keyring
from keys.models import ProcessRow, RollRow, RollState

BEAT_EVERY = timedelta(seconds=10)
LAPSES_AFTER = timedelta(seconds=60)
_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(slots=True)
class Process:
    """This process, as the others see it."""

    id: str
    beaten_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def is_due(process: Process, *, at: datetime) -> bool:
    """Whether it hasn't been heard of for too long, by its own reckoning."""
    return process.beaten_at is None or not timedelta(0) <= at - process.beaten_at < BEAT_EVERY


def beat(db: Database, *, process: Process, keyring: Keyring) -> None:
    """Write that this process lives; forget what must be forgotten, before saying so."""
    with process.lock:
        at = db.clock.now()
        with db.begin() as session:
            through = _to_forget(session)
            keyring.evict(through=through)
            row = session.get(ProcessRow, process.id)
            if row is None:
                session.add(ProcessRow(id=process.id, started_at=at, seen_at=at, evicted_through=through))
                session.execute(delete(ProcessRow).where(ProcessRow.seen_at < at - _FORGOTTEN_AFTER))
            else:
                row.seen_at, row.evicted_through = at, max(row.evicted_through, through)
        process.beaten_at = at


def holding(session: Session, *, through: int, at: datetime) -> list[str]:
    """Ids of live processes that may still hold an epoch up to this number."""
    query = select(ProcessRow.id).where(ProcessRow.seen_at > at - LAPSES_AFTER, ProcessRow.evicted_through < through)
    return list(session.scalars(query.order_by(ProcessRow.id)))


def oldest(session: Session, *, at: datetime) -> datetime | None:
    """When the live process that runs for longest was started."""
    return session.scalars(
        select(ProcessRow.started_at).where(ProcessRow.seen_at > at - LAPSES_AFTER).order_by(ProcessRow.started_at)
    ).first()


def _to_forget(session: Session) -> int:
    ready = (RollState.EVICTING, RollState.REMOVING, RollState.DONE)
    numbers = session.scalars(select(RollRow.from_number).where(RollRow.state.in_(ready)))
    return max(numbers, default=0)
