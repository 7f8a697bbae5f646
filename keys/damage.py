"""Keys whose rows aren't what was written: which they are, and how a roll leaves them behind.

A wrapped key that doesn't open holds up nobody else. Deleting doesn't open it, so what it locks can still be destroyed
and certified. When the epoch rolls, all others move on; the damaged one stays under the epoch that goes, and so nothing
opens it any more, neither its row nor a sound copy of it. It is named for good: no key is made in its place for what it
sealed. (A case may go on: what comes later gets a media key of its own.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Damaged
from core.ids import CaseId
from keys.cases import unwrap_case_key
from keys.fields import RecordOwner
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, ObjectKeyRow, OwnerKind, RecordKeyRow
from keys.records import unwrap_record_key
from keys.wrap import WrapKind, is_key_damaged

MOST_AT_ONCE = 100
"""A roll that finds more leaves none behind: memory, disk or the whole database may be at fault, and that can be mended
only while the old epoch is there."""
_AT_ONCE = 500

Row = TypeVar("Row", CaseKeyRow, RecordKeyRow)


@dataclass(frozen=True, slots=True)
class DamagedKey:
    """A key that doesn't open.

    Attributes:
        id: its own; an object's id for an object's key.
        owner_kind, owner_id: whose it is; for the keys of film, the case.
        left_at: when a roll left it behind; nothing while it may still be mended.
    """

    id: str
    kind: WrapKind
    owner_kind: OwnerKind
    owner_id: str
    left_at: datetime | None = None

    @property
    def case_id(self) -> CaseId | None:
        """The case, where it is one's."""
        return CaseId(self.owner_id) if self.owner_kind is OwnerKind.CASE else None


def left_behind(session: Session, *, epoch_id: str | None = None) -> list[DamagedKey]:
    """Keys that rolls left behind and whose owner wasn't destroyed since.

    Args:
        session: a snapshot.
        epoch_id: only those of the roll that ended this epoch.
    """
    damaged = KeyState.DAMAGED
    of_case = select(CaseKeyRow).where(CaseKeyRow.state == damaged, CaseKeyRow.damaged_at.is_not(None))
    of_record = select(RecordKeyRow).where(RecordKeyRow.state == damaged, RecordKeyRow.damaged_at.is_not(None))
    of_object = (
        select(ObjectKeyRow)
        .join(CaseKeyRow, CaseKeyRow.id == ObjectKeyRow.case_key_id)
        .where(ObjectKeyRow.state == damaged, ObjectKeyRow.damaged_at.is_not(None))
    )
    if epoch_id is not None:
        of_case = of_case.where(CaseKeyRow.epoch_id == epoch_id)
        of_object = of_object.where(CaseKeyRow.epoch_id == epoch_id)
        of_record = of_record.where(RecordKeyRow.epoch_id == epoch_id)
    found = [_of_case(row.id, row.case_id, row.damaged_at) for row in session.scalars(of_case)]
    found += [_of_record(row.id, row.owner_kind, row.owner_id, row.damaged_at) for row in session.scalars(of_record)]
    found += [
        DamagedKey(row.object_id, WrapKind.OBJECT, OwnerKind.CASE, row.case_id, row.damaged_at)
        for row in session.scalars(of_object)
    ]
    return sorted(found, key=lambda one: (one.kind, one.owner_id, one.id))


def every(db: Database, *, keyring: Keyring) -> tuple[DamagedKey, ...]:
    """Those that were left behind, and those of cases and records that don't open now: each living one is tried.

    Keys of objects aren't tried here (``inventory.standings`` does).

    Raises:
        Unavailable: ``sealed``.
    """
    with db.read() as session:
        known = left_behind(session)
    return (*known, *_cases(db, keyring), *_records(db, keyring))


def _cases(db: Database, keyring: Keyring) -> Iterator[DamagedKey]:
    for row in _living(db, CaseKeyRow):
        try:
            unwrap_case_key(
                keyring, wrapped=row.wrapped or b"", own_id=row.id, epoch_id=row.epoch_id, case_id=row.case_id
            )
        except Damaged as error:  # an epoch that has just gone took the row that we read with it; not the key
            if is_key_damaged(error):
                yield _of_case(row.id, row.case_id, None)


def _records(db: Database, keyring: Keyring) -> Iterator[DamagedKey]:
    for row in _living(db, RecordKeyRow):
        try:
            unwrap_record_key(keyring, row=row, owner=RecordOwner(row.owner_kind, row.owner_id))
        except Damaged as error:
            if is_key_damaged(error):
                yield _of_record(row.id, row.owner_kind, row.owner_id, None)


def _living(db: Database, kind: type[Row]) -> Iterator[Row]:
    after = ""
    while True:
        query = select(kind).where(kind.id > after, kind.state == KeyState.ACTIVE).order_by(kind.id).limit(_AT_ONCE)
        with db.read() as session:
            rows = session.scalars(query).all()
        if not rows:
            return
        after = rows[-1].id
        yield from rows


def _of_case(key_id: str, case_id: str, left_at: datetime | None) -> DamagedKey:
    return DamagedKey(key_id, WrapKind.CASE_MEDIA, OwnerKind.CASE, case_id, left_at)


def _of_record(key_id: str, kind: OwnerKind, owner_id: str, left_at: datetime | None) -> DamagedKey:
    return DamagedKey(key_id, WrapKind.RECORD, kind, owner_id, left_at)
