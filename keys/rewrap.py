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
from core.errors import Damaged
from core.ids import CaseId
from keys import cases, records
from keys.cases import IfDamaged
from keys.fields import RecordOwner
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, RecordKeyRow
from keys.wrap import is_key_damaged

BATCH = 250
REST = 0.25
"""How long the roll rests after each batch, as a share of the time that the batch took."""
Progress = Callable[[int, int], object]
"""Told how many keys were looked at, of how many."""


def move_all(
    db: Database, *, keyring: Keyring, old_id: str, new_id: str, on_progress: Progress, most_damaged: int
) -> None:
    """Roll the cases that were left to it, then wrap every live key of the old epoch again under the new one.

    What doesn't open is left behind when all others have moved: it is looked at once more, with the epoch's key read
    anew, and noted as damaged.

    Raises:
        Damaged: ``keys_damaged``: more than ``most_damaged`` don't open. None of them is left behind.
    """
    with db.read() as session:
        of = _live(session, CaseKeyRow) + _live(session, RecordKeyRow)
    for case_id in _to_roll(db):
        _roll_case(db, keyring=keyring, case_id=case_id)
    done, stuck = 0, list[_Stuck]()
    on_progress(done, of)

    def case_key(row: Any) -> bytes:
        return cases.rewrap_case_key(
            keyring, wrapped=row.wrapped or b"", own_id=row.id, case_id=row.case_id, old_id=old_id, new_id=new_id
        )

    def record_key(row: Any) -> bytes:
        owner = RecordOwner(row.owner_kind, row.owner_id)
        return records.rewrap_record_key(
            keyring, wrapped=row.wrapped or b"", own_id=row.id, owner=owner, old_id=old_id, new_id=new_id
        )

    of_record = (RecordKeyRow.owner_kind, RecordKeyRow.owner_id)
    moves = (
        _move(db, CaseKeyRow, (CaseKeyRow.case_id,), again=case_key, old_id=old_id, new_id=new_id, stuck=stuck),
        _move(db, RecordKeyRow, of_record, again=record_key, old_id=old_id, new_id=new_id, stuck=stuck),
    )
    for count in chain(*moves):
        done += count
        on_progress(done, of)
    if len(stuck) > most_damaged:
        raise _too_many()
    if stuck:
        keyring.current()  # read anew, should this process's memory be at fault
    for one in stuck:
        _leave_behind(db, one, old_id=old_id, new_id=new_id)


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
    stuck: list[_Stuck],
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
        moving = []
        for row in rows:
            if row.epoch_id == old_id:
                becomes = _again(row, again)
                if becomes is None:
                    stuck.append(_Stuck(kind, row.id, again))
                else:
                    moving.append(_Moving(row.id, row.wrapped, becomes))
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


class _Stuck(NamedTuple):
    kind: type[CaseKeyRow | RecordKeyRow]
    id: str
    again: Callable[[Any], bytes]


def _again(row: Any, again: Callable[[Any], bytes]) -> bytes | None:
    """A key wrapped again; nothing where its row doesn't open."""
    try:
        return again(row)
    except Damaged as error:
        if not is_key_damaged(error):  # the whole epoch's key is missing, say
            raise
        return None


def _leave_behind(db: Database, one: _Stuck, *, old_id: str, new_id: str) -> None:
    with db.begin() as session:
        cases.lock_active_epoch(session)
        row: CaseKeyRow | RecordKeyRow | None = (
            session.get(CaseKeyRow, one.id, with_for_update={"key_share": True})
            if one.kind is CaseKeyRow
            else session.get(RecordKeyRow, one.id, with_for_update={"key_share": True})
        )
        if row is None or row.state is not KeyState.ACTIVE or row.epoch_id != old_id:
            return
        becomes, at = _again(row, one.again), db.clock.now()
        if becomes is not None:
            row.epoch_id, row.wrapped = new_id, becomes
        elif isinstance(row, CaseKeyRow):
            cases.leave_behind(session, row, at=at)
        else:
            row.state, row.damaged_at = KeyState.DAMAGED, at


def _roll_case(db: Database, *, keyring: Keyring, case_id: CaseId) -> None:
    """Roll a case. Keys of objects that don't open stay with its old one; where its own doesn't, the walk finds it."""
    try:
        with db.begin() as session:
            cases.roll_case(
                session, keyring=keyring, case_id=case_id, at=db.clock.now(), damaged=IfDamaged.LEAVE_BEHIND
            )
    except Damaged as error:
        if not is_key_damaged(error):
            raise


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
    wanted = (CaseKeyRow.needs_roll, CaseKeyRow.state == KeyState.ACTIVE)
    after = ""
    while True:
        query = select(CaseKeyRow.case_id).where(*wanted, CaseKeyRow.case_id > after)
        with db.read() as session:
            found = session.scalars(query.order_by(CaseKeyRow.case_id).limit(BATCH)).all()
        if not found:
            return
        after = found[-1]
        yield from map(CaseId, found)


def _too_many() -> Damaged:
    return Damaged(
        "keys_damaged",
        "So many keys don't open that none is left behind: the old epoch stays. Look at the disk.",
    )
