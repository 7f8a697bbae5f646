"""Moving every live key from one epoch to the next, a batch at a time, while everybody goes on working."""

from __future__ import annotations

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


def move_all(db: Database, *, keyring: Keyring, old_id: str, new_id: str) -> None:
    """Roll the cases that were left to it, then wrap every live key of the old epoch again under the new one."""
    while (case_id := _one_to_roll(db)) is not None:
        with db.begin() as session:
            objects.roll_case(session, keyring=keyring, case_id=case_id, at=db.clock.now())
    for move in (_case_keys, _record_keys):
        while move(db, keyring=keyring, old_id=old_id, new_id=new_id):
            pass


def live_under(session: Session, *, epoch_id: str) -> int:
    """How many live keys are still wrapped by an epoch."""
    return sum(
        session.scalars(
            select(func.count()).select_from(kind).where(kind.epoch_id == epoch_id, kind.state == KeyState.ACTIVE)
        ).one()
        for kind in (CaseKeyRow, RecordKeyRow)
    )


def _case_keys(db: Database, *, keyring: Keyring, old_id: str, new_id: str) -> int:
    with db.begin() as session:
        rows = session.scalars(
            select(CaseKeyRow)
            .where(CaseKeyRow.epoch_id == old_id, CaseKeyRow.state == KeyState.ACTIVE)
            .order_by(CaseKeyRow.id)
            .limit(BATCH)
        ).all()
        for row in rows:
            if row.wrapped is None:
                raise key_damaged()
            key = objects.unwrap_case_key(
                keyring, wrapped=row.wrapped, own_id=row.id, epoch_id=row.epoch_id, case_id=row.case_id
            )
            again = objects.wrap_case_key(keyring, key=key, own_id=row.id, epoch_id=new_id, case_id=row.case_id)
            session.execute(  # compare and swap: a row that changed meanwhile is met again in the next round
                update(CaseKeyRow)
                .where(
                    CaseKeyRow.id == row.id,
                    CaseKeyRow.epoch_id == old_id,
                    CaseKeyRow.wrapped == row.wrapped,
                )
                .values(epoch_id=new_id, wrapped=again)
                .execution_options(synchronize_session=False)
            )
        return len(rows)


def _record_keys(db: Database, *, keyring: Keyring, old_id: str, new_id: str) -> int:
    with db.begin() as session:
        rows = session.scalars(
            select(RecordKeyRow)
            .where(RecordKeyRow.epoch_id == old_id, RecordKeyRow.state == KeyState.ACTIVE)
            .order_by(RecordKeyRow.id)
            .limit(BATCH)
        ).all()
        for row in rows:
            owner = RecordOwner(row.owner_kind, row.owner_id)
            key = records.unwrap_record_key(keyring, row=row, owner=owner)
            again = records.wrap_record_key(keyring, key=key, own_id=row.id, epoch_id=new_id, owner=owner)
            session.execute(
                update(RecordKeyRow)
                .where(
                    RecordKeyRow.id == row.id,
                    RecordKeyRow.epoch_id == old_id,
                    RecordKeyRow.wrapped == row.wrapped,
                )
                .values(epoch_id=new_id, wrapped=again)
                .execution_options(synchronize_session=False)
            )
        return len(rows)


def _one_to_roll(db: Database) -> CaseId | None:
    query = select(CaseKeyRow.case_id).where(CaseKeyRow.needs_roll, CaseKeyRow.state == KeyState.ACTIVE).limit(1)
    with db.read() as session:
        found = session.scalars(query).first()
    return None if found is None else CaseId(found)
