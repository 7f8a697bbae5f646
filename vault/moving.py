"""Copying every object to another store while the service goes on, until the old one may be dropped.

1. *Copy*: each object is written to the target, read back whole, and its hash compared with what the database pinned
   when it was sealed; only then is it noted as copied. A copy that is broken off, even by a kill, goes on after the
   last note: an object is whole in the target or not there.
2. *Switch*: the processes are started with the target as their store and the old one beside it (``BothStores``). What
   was written to the old one until the last of them had switched is still read from there.
3. *Copy again*: what came meanwhile. Once everything that the database knows lies in the target, and every live process
   was started after the first had switched, the old store is noted as left: a process that is still set to it refuses
   to start. Only then may it be dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select

import audit
from audit import Event
from core.alone import Task, alone
from core.db import Database, lock
from core.errors import Conflict
from core.ids import new_id
from keys import KeyStore
from vault import whereabouts
from vault.copying import Copying, Stopped, Told
from vault.objects import ObjectStore
from vault.pace import Pace
from vault.upkeep_models import CopiedRow, StoreRow, StoreState


class Next(StrEnum):
    """What is to be done after a turn at copying."""

    COPY = "copy"
    """Go on copying: it was broken off."""
    SWITCH = "switch"
    """Everything is copied: start the processes with the target as their store, the old one beside it."""
    RESTART = "restart"
    """Everything is copied, and a process that was started before the switch still runs."""
    DROP = "drop"
    """The old store may be dropped."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a move is.

    Attributes:
        copied, copied_bytes: in this turn.
        damaged: objects that weren't what was sealed any more; quarantined, and copied as they are.
        missing: objects that the database knows and that neither store has.
    """

    copied: int
    copied_bytes: int
    damaged: tuple[str, ...]
    missing: tuple[str, ...]
    next: Next


def move(
    db: Database,
    *,
    keystore: KeyStore,
    source: ObjectStore,
    target: ObjectStore,
    address: str,
    pace: Pace,
    on_progress: Told = lambda _done, _of: None,
) -> Moved:
    """Copy what isn't copied yet; where the service has switched already, see whether the old store may be dropped.

    Args:
        db: the main database.
        keystore: knows which processes live.
        source: where the objects come from.
        target: where they go.
        address: the target's, to be shown.
        pace: how fast, and for how long.
        on_progress: told now and then.

    Raises:
        Conflict: ``target_not_empty``: there is something in the target, and it isn't this move's.
        Unavailable: ``already_running``; or a store or a database can't be read or written just now. What is copied is
            noted.
    """
    with alone(db, Task.MOVE):
        return _move(
            db, keystore=keystore, source=source, target=target, address=address, pace=pace, on_progress=on_progress
        )


def _move(
    db: Database,
    *,
    keystore: KeyStore,
    source: ObjectStore,
    target: ObjectStore,
    address: str,
    pace: Pace,
    on_progress: Told,
) -> Moved:
    turn = Copying(db, source, target, pace, on_progress, store=_target(db, target=target, address=address))
    try:
        while turn.copy_all():
            pass
        turn.drop_strays()
    except Stopped:
        return _told(turn, Next.COPY)
    missing = tuple(turn.missing())
    return _told(turn, _what_next(db, turn, keystore=keystore), missing=missing)


def _target(db: Database, *, target: ObjectStore, address: str) -> str:
    """The target's row: of a move that was begun, or a new one."""
    with db.read() as session:
        rows = list(session.scalars(select(StoreRow).where(StoreRow.state != StoreState.FORMER)))
    found = whereabouts.bears(target, rows)
    if found is not None:
        return found.id
    if next(target.names(), None) is not None:
        raise Conflict("target_not_empty", "There is something in the target already. Name an empty one.")
    name = new_id()
    with db.begin() as session:
        for stale in session.scalars(select(StoreRow).where(StoreRow.state == StoreState.TARGET).with_for_update()):
            if stale.written_since is not None:
                raise Conflict("move_under_way", f"The objects are moving to {stale.address}. Finish that first.")
            stale.state = StoreState.FORMER
        session.add(StoreRow(id=name, address=address, state=StoreState.TARGET, noted_at=db.clock.now()))
        audit.record(session, Event.STORE_MOVE_BEGUN, actor=None, details={"store": name})
    whereabouts.mark(target, name=name)  # after its row: a mark that no row knows would make the target look taken
    return name


def _what_next(db: Database, turn: Copying, *, keystore: KeyStore) -> Next:
    """Note the old store as left where nothing can lie there alone any more."""
    at = db.clock.now()
    oldest = keystore.oldest_process()
    with db.begin() as session:
        row = lock(session, StoreRow, turn.store)
        if row.state is StoreState.CURRENT:
            session.execute(delete(CopiedRow))
            return Next.DROP
        if row.written_since is None:
            return Next.SWITCH
        if oldest is not None and oldest < row.written_since:
            return Next.RESTART
        if turn.is_behind or turn.is_outdone(session):
            return Next.COPY
        for other in session.scalars(select(StoreRow).where(StoreRow.id != row.id)):
            other.state, other.noted_at = StoreState.FORMER, at
        row.state, row.noted_at = StoreState.CURRENT, at
        session.execute(delete(CopiedRow))
        audit.record(session, Event.STORE_MOVED, actor=None, details={"store": row.id, "objects": turn.known})
    return Next.DROP


def _told(turn: Copying, what: Next, *, missing: tuple[str, ...] = ()) -> Moved:
    """How far it came."""
    return Moved(turn.copied, turn.copied_bytes, tuple(turn.damaged), missing, what)
