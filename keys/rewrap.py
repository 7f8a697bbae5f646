"""Moving every live key from one epoch to the next, a batch at a time, while everybody goes on working.

A batch is read and wrapped outside of any writing transaction; then one short transaction puts it in place by compare
and swap. So readers wait for nothing, and a writer waits for one batch at most. The walk goes by id, each row once:
new keys are made only under the new epoch, so none can come in behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.db import Database
from core.ids import CaseId
from keys import objects, records
from keys.fields import RecordOwner
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, RecordKeyRow

BATCH = 500
Progress = Callable[[int, int], object]
"""Told how many keys were looked at, of how many."""


def move_all(db: Database, *, keyring: Keyring, old_id: str, new_id: str, on_progress: Progress) -> None:
    """Roll the cases that were left to it, then wrap every live key of the old epoch again under the new one."""
    with db.read() as session:
        of = _live(session, CaseKeyRow) + _live(session, RecordKeyRow)
    for case_id in _to_roll(db):
        with db.begin() as session:
            objects.roll_case(session, keyring=keyring, case_id=case_id, at=db.clock.now())
    done = 0
    on_progress(done, of)

    def case_key(row: Any) -> bytes:
        return objects.rewrap_case_key(
            keyring, wrapped=row.wrapped, own_id=row.id, case_id=row.case_id, old_id=old_id, new_id=new_id
        )

    def record_key(row: Any) -> bytes:
        owner = RecordOwner(row.owner_kind, row.owner_id)
        return records.rewrap_record_key(
            keyring, wrapped=row.wrapped, own_id=row.id, owner=owner, old_id=old_id, new_id=new_id
        )

    moves = (
        _move(db, CaseKeyRow, (CaseKeyRow.case_id,), again=case_key, old_id=old_id, new_id=new_id),
        _move(
            db,
            RecordKeyRow,
            (RecordKeyRow.owner_kind, RecordKeyRow.owner_id),
            again=record_key,
            old_id=old_id,
            new_id=new_id,
        ),
    )
    for count in chain(*moves):
        done += count
        on_progress(done, of)


def live_under(session: Session, *, epoch_id: str) -> int:
    """How many live keys are still wrapped by an epoch."""
    return sum(
        session.scalars(
            select(func.count()).select_from(kind).where(kind.epoch_id == epoch_id, kind.state == KeyState.ACTIVE)
        ).one()
        for kind in (CaseKeyRow, RecordKeyRow)
    )


def _move(
    db: Database,
    kind: type[CaseKeyRow | RecordKeyRow],
    bound_to: tuple[InstrumentedAttribute[Any], ...],
    *,
    again: Callable[[Any], bytes],
    old_id: str,
    new_id: str,
) -> Iterator[int]:
    after = ""
    columns = (kind.id, kind.epoch_id, kind.wrapped, *bound_to)
    swap = (
        update(kind)
        .where(kind.id == bindparam("row"), kind.epoch_id == old_id, kind.wrapped == bindparam("was"))
        .values(epoch_id=new_id, wrapped=bindparam("becomes"))
    )
    while True:
        with db.read() as session:
            rows = session.execute(
                select(*columns).where(kind.id > after, kind.state == KeyState.ACTIVE).order_by(kind.id).limit(BATCH)
            ).all()
        if not rows:
            return
        after = rows[-1].id
        # Which epoch is looked at here, not asked for: a planner that went by it would sort what is left each time.
        moving = [{"row": row.id, "was": row.wrapped, "becomes": again(row)} for row in rows if row.epoch_id == old_id]
        if moving:
            with db.begin() as session:  # who changed meanwhile is left alone: it was destroyed, or rolled
                session.connection().execute(swap, moving)
        yield len(rows)


def _live(session: Session, kind: type[CaseKeyRow | RecordKeyRow]) -> int:
    return session.scalars(select(func.count()).select_from(kind).where(kind.state == KeyState.ACTIVE)).one()


def _to_roll(db: Database) -> Iterator[CaseId]:
    """Cases of which something was destroyed without rolling them; in pages, since each look goes through them all."""
    query = select(CaseKeyRow.case_id).where(CaseKeyRow.needs_roll, CaseKeyRow.state == KeyState.ACTIVE).limit(BATCH)
    while True:
        with db.read() as session:
            found = session.scalars(query).all()
        if not found:
            return
        yield from map(CaseId, found)
