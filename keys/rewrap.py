"""Moving every live key from one epoch to the next, a batch at a time, while everybody goes on working.

A batch is read and wrapped outside of any writing transaction; then one short transaction puts it in place by compare
and swap. So readers wait for nothing, and a writer waits for one batch at most; after each the roll rests for a while,
so that whoever waits comes first. The walk passes each row once: new keys are made only under the new epoch, so none
can come in behind it. On SQLite it goes by where rows lie in the file: by their ids, which are random, a batch of 500
would write as many pages, each again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    LargeBinary,
    String,
    column,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.db import Database
from core.ids import CaseId
from keys import objects, records
from keys.fields import RecordOwner
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, RecordKeyRow

BATCH = 250
REST = 0.25
"""How long the roll rests after each batch, as a share of the time that the batch took."""
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
    place: Any = literal_column("rowid", Integer) if db.is_sqlite else kind.id
    after: Any = 0 if db.is_sqlite else ""
    columns = (place.label("place"), kind.id, kind.epoch_id, kind.wrapped, *bound_to)
    while True:
        begun = time.monotonic()
        with db.read() as session:
            rows = session.execute(
                select(*columns).where(place > after, kind.state == KeyState.ACTIVE).order_by(place).limit(BATCH)
            ).all()
        if not rows:
            return
        after = rows[-1].place
        # Which epoch is looked at here, not asked for: a planner that went by it would sort what is left each time.
        moving = [_Moving(row.id, row.wrapped, again(row)) for row in rows if row.epoch_id == old_id]
        if moving:
            with db.begin() as session:  # who changed meanwhile is left alone: it was destroyed, or rolled
                swap = _swap_each if db.is_sqlite else _swap_all
                swap(session, kind, moving, old_id=old_id, new_id=new_id)
        yield len(rows)
        time.sleep((time.monotonic() - begun) * REST)


class _Moving(NamedTuple):
    row: str
    was: bytes
    becomes: bytes


def _swap_each(
    session: Session, kind: type[CaseKeyRow | RecordKeyRow], moving: list[_Moving], *, old_id: str, new_id: str
) -> None:
    """On SQLite: one prepared statement, handed to the driver as it is."""
    session.connection().exec_driver_sql(
        f"UPDATE {kind.__tablename__} SET epoch_id = ?, wrapped = ? WHERE id = ? AND epoch_id = ? AND wrapped = ?",  # noqa: S608 - a name of ours
        [(new_id, one.becomes, one.row, old_id, one.was) for one in moving],
    )


def _swap_all(
    session: Session, kind: type[CaseKeyRow | RecordKeyRow], moving: list[_Moving], *, old_id: str, new_id: str
) -> None:
    """On PostgreSQL: one statement for them all."""
    rows, was, becomes = zip(*moving, strict=True)
    given = (literal(list(rows), ARRAY(String)), *(literal(list(each), ARRAY(LargeBinary)) for each in (was, becomes)))
    names = (column("row", String), column("was", LargeBinary), column("becomes", LargeBinary))
    moved = func.unnest(*given).table_valued(*names, name="moved").render_derived()
    session.execute(
        update(kind)
        .where(kind.id == moved.c.row, kind.epoch_id == old_id, kind.wrapped == moved.c.was)
        .values(epoch_id=new_id, wrapped=moved.c.becomes)
        .execution_options(synchronize_session=False)
    )


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
