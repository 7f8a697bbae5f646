"""Steps on object keys: make, open, destroy. Locks are taken in the order that ``keys.cases`` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Conflict, Damaged, NotFound
from core.ids import CaseId, ObjectId
from core.secret import Secret
from keys import cases
from keys.cases import IfDamaged
from keys.keyring import Keyring
from keys.models import CaseKeyRow, EpochRow, KeyState, ObjectKeyRow
from keys.wrap import fresh_key, key_damaged


class AndThen(StrEnum):
    """What follows an object key's destruction."""

    ROLL_CASE = "roll_case"
    """At once: what a certified destruction needs."""
    LEAVE = "leave"
    """With the next epoch roll: uploads are many and short-lived."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """An object key as it lies in the store, with the case media key above it."""

    object_id: ObjectId
    case_id: CaseId
    case_key_id: str
    epoch_id: str
    case_wrapped: bytes
    wrapped: bytes

    def open(self, keyring: Keyring) -> Secret[bytes]:
        """Unwrap: epoch key, case media key, object key."""
        case_key = cases.unwrap_case_key(
            keyring, wrapped=self.case_wrapped, own_id=self.case_key_id, epoch_id=self.epoch_id, case_id=self.case_id
        )
        return cases.open_object(
            case_key,
            wrapped=self.wrapped,
            case_key_id=self.case_key_id,
            object_id=self.object_id,
            case_id=self.case_id,
        )


def insert(session: Session, *, keyring: Keyring, case_id: CaseId, object_id: ObjectId, at: datetime) -> Secret[bytes]:
    """Make an object's key under its case's, and the case's where it has none.

    Raises:
        Conflict: this object has, or had, a key.
    """
    if session.get(ObjectKeyRow, object_id) is not None:
        raise key_exists()
    parent = cases.lock_or_make(session, keyring=keyring, case_id=case_id, at=at)
    case_key = cases.open_row(keyring, parent)
    key = fresh_key()
    session.add(
        ObjectKeyRow(
            object_id=object_id,
            case_id=case_id,
            case_key_id=parent.id,
            state=KeyState.ACTIVE,
            wrapped=cases.wrap_object(case_key, key=key, case_key_id=parent.id, object_id=object_id, case_id=case_id),
            created_at=at,
        )
    )
    session.flush()
    return key


def find(session: Session, *, object_id: ObjectId) -> Wrapped:
    """An object's key as it lies in the store just now: its row is the truth in every process.

    Raises:
        NotFound: ``key_gone``: there is none, or it was destroyed.
        Damaged: ``key_damaged``: a roll left it or its case's behind.
    """
    row = session.execute(
        select(
            ObjectKeyRow.case_id,
            ObjectKeyRow.case_key_id,
            CaseKeyRow.epoch_id,
            CaseKeyRow.wrapped,
            ObjectKeyRow.wrapped,
            CaseKeyRow.state,
            ObjectKeyRow.state,
        )
        .join(CaseKeyRow, CaseKeyRow.id == ObjectKeyRow.case_key_id)
        .where(ObjectKeyRow.object_id == object_id, ObjectKeyRow.state != KeyState.DESTROYED)
    ).one_or_none()
    if row is None:
        raise key_gone()
    if KeyState.DAMAGED in {row[5], row[6]}:
        raise key_damaged()
    if row[5] is KeyState.DESTROYED or row[3] is None or row[4] is None:
        raise key_gone()
    return Wrapped(object_id, CaseId(row[0]), row[1], row[2], row[3], row[4])


def destroy(session: Session, *, keyring: Keyring, object_id: ObjectId, at: datetime, then: AndThen) -> ObjectKeyRow:
    """Destroy an object's key, whether or not it still opens; a second time does nothing.

    Raises:
        NotFound: ``key_gone``: there never was one.
    """
    row = session.get(ObjectKeyRow, object_id)
    if row is None:
        raise key_gone()
    if _is_destroyed(row):
        return row
    epoch = cases.lock_active_epoch(session)
    living = cases.lock(session, CaseId(row.case_id))
    session.refresh(row, with_for_update={"key_share": True})
    if _is_destroyed(row):
        return row
    row.state, row.wrapped, row.destroyed_at, row.destroyed_epoch = KeyState.DESTROYED, None, at, epoch.number
    session.flush()
    parent = session.get_one(CaseKeyRow, row.case_key_id)
    if parent.state is KeyState.DAMAGED:
        cases.leave_behind(session, parent, at=at)  # it goes with the last that it locked
    elif living is None or living.id != parent.id:
        pass  # a roll left this object's key behind, and its case's went then
    elif then is AndThen.LEAVE or not _rolls(session, keyring=keyring, old=living, epoch=epoch, at=at):
        living.needs_roll = True
    return row


def key_gone() -> NotFound:
    """The answer for a key that was destroyed, and for one that never was."""
    return NotFound("key_gone", "This is no longer kept, so it can't be opened.")


def key_exists() -> Conflict:
    """The answer to a second key for one object."""
    return Conflict("key_exists", "This object already has its key. Nothing was changed.")


def _rolls(session: Session, *, keyring: Keyring, old: CaseKeyRow, epoch: EpochRow, at: datetime) -> bool:
    """Whether the case could be rolled. One damaged key of it keeps no other alive: the proof waits, not the deed."""
    try:
        with session.begin_nested():
            cases.roll(session, keyring=keyring, old=old, epoch=epoch, at=at, damaged=IfDamaged.REFUSE)
    except Damaged:
        return False
    return True


def _is_destroyed(row: ObjectKeyRow) -> bool:
    return row.state is KeyState.DESTROYED
