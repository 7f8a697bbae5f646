"""Moving every live key from one epoch to the next, a batch at a time, while everybody goes on working."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.ids import CaseId
from keys import objects, records
from keys.fields import RecordOwner
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, RecordKeyRow
from keys.wrap import key_damaged

BATCH = 200
Row = TypeVar("Row", CaseKeyRow, RecordKeyRow)


def move_all(db: Database, *, keyring: Keyring, old_id: str, new_id: str) -> None:
    """Roll the cases that were left to it, then wrap every live key of the old epoch again under the new one."""
    while (case_id := _one_to_roll(db)) is not None:
        with db.begin() as session:
            objects.roll_case(session, keyring=keyring, case_id=case_id, at=db.clock.now())
    while _move_batch(db, CaseKeyRow, old_id=old_id, new_id=new_id, again=partial(_case_key, keyring, new_id=new_id)):
        pass
    while _move_batch(
        db, RecordKeyRow, old_id=old_id, new_id=new_id, again=partial(_record_key, keyring, new_id=new_id)
    ):
        pass


def live_under(session: Session, *, epoch_id: str) -> int:
    """How many live keys are still wrapped by an epoch."""
    return sum(
        session.scalars(
            select(func.count()).select_from(kind).where(kind.epoch_id == epoch_id, kind.state == KeyState.ACTIVE)
        ).one()
        for kind in (CaseKeyRow, RecordKeyRow)
    )


def _move_batch(db: Database, kind: type[Row], *, again: Callable[[Row], bytes], old_id: str, new_id: str) -> int:
    with db.begin() as session:
        rows = session.scalars(
            select(kind).where(kind.epoch_id == old_id, kind.state == KeyState.ACTIVE).order_by(kind.id).limit(BATCH)
        ).all()
        for row in rows:
            session.execute(  # compare and swap: a row that changed meanwhile is met again in the next round
                update(kind)
                .where(kind.id == row.id, kind.epoch_id == old_id, kind.wrapped == row.wrapped)
                .values(epoch_id=new_id, wrapped=again(row))
                .execution_options(synchronize_session=False)
            )
        return len(rows)


def _case_key(keyring: Keyring, row: CaseKeyRow, *, new_id: str) -> bytes:
    if row.wrapped is None:
        raise key_damaged()
    key = objects.unwrap_case_key(
        keyring, wrapped=row.wrapped, own_id=row.id, epoch_id=row.epoch_id, case_id=row.case_id
    )
    return objects.wrap_case_key(keyring, key=key, own_id=row.id, epoch_id=new_id, case_id=row.case_id)


def _record_key(keyring: Keyring, row: RecordKeyRow, *, new_id: str) -> bytes:
    owner = RecordOwner(row.owner_kind, row.owner_id)
    key = records.unwrap_record_key(keyring, row=row, owner=owner)
    return records.wrap_record_key(keyring, key=key, own_id=row.id, epoch_id=new_id, owner=owner)


def _one_to_roll(db: Database) -> CaseId | None:
    query = select(CaseKeyRow.case_id).where(CaseKeyRow.needs_roll, CaseKeyRow.state == KeyState.ACTIVE).limit(1)
    with db.read() as session:
        found = session.scalars(query).first()
    return None if found is None else CaseId(found)
