"""Steps on case media keys and object keys: make, open, destroy, roll a case.

Order of locks, so that nobody waits in a circle: the active epoch, then one case's key, then that case's objects. They
are held FOR NO KEY UPDATE: a foreign key that is checked meanwhile needn't wait for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.errors import Conflict, Damaged, NotFound, Unavailable
from core.ids import CaseId, ObjectId, new_id
from core.secret import Secret
from keys.keyring import Keyring
from keys.models import CaseKeyRow, EpochRow, EpochState, KeyState, ObjectKeyRow
from keys.wrap import WrapKind, fresh_key, key_damaged, unwrap, wrap

_TRIES = 10


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
        case_key = unwrap_case_key(
            keyring, wrapped=self.case_wrapped, own_id=self.case_key_id, epoch_id=self.epoch_id, case_id=self.case_id
        )
        return unwrap(
            case_key,
            wrapped=self.wrapped,
            kind=WrapKind.OBJECT,
            parent_id=self.case_key_id,
            own_id=self.object_id,
            owner=self.case_id,
        )


def lock_active_epoch(session: Session) -> EpochRow:
    """Hold the active epoch until the transaction ends, so that no roll passes it meanwhile."""
    for _ in range(_TRIES):  # one that rolled while we waited no longer matches; look again for its successor
        row = session.scalars(
            select(EpochRow)
            .where(EpochRow.state == EpochState.ACTIVE)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is not None:
            return row
    raise _busy()


def insert(session: Session, *, keyring: Keyring, case_id: CaseId, object_id: ObjectId, at: datetime) -> Secret[bytes]:
    """Make an object's key under its case's, and the case's where it has none.

    Raises:
        Conflict: this object has, or had, a key.
    """
    if session.get(ObjectKeyRow, object_id) is not None:
        raise key_exists()
    parent = _lock_or_make_case_key(session, keyring=keyring, case_id=case_id, at=at)
    case_key = _open_case_key(keyring, parent)
    key = fresh_key()
    session.add(
        ObjectKeyRow(
            object_id=object_id,
            case_id=case_id,
            case_key_id=parent.id,
            state=KeyState.ACTIVE,
            wrapped=_wrap_object(case_key, key=key, case_key_id=parent.id, object_id=object_id, case_id=case_id),
            created_at=at,
        )
    )
    session.flush()
    return key


def find(session: Session, *, object_id: ObjectId) -> Wrapped:
    """An object's key as it lies in the store just now: its row is the truth in every process.

    Raises:
        NotFound: ``key_gone``: there is none, or it was destroyed.
    """
    row = session.execute(
        select(
            ObjectKeyRow.case_id,
            ObjectKeyRow.case_key_id,
            CaseKeyRow.epoch_id,
            CaseKeyRow.wrapped,
            ObjectKeyRow.wrapped,
        )
        .join(CaseKeyRow, CaseKeyRow.id == ObjectKeyRow.case_key_id)
        .where(
            ObjectKeyRow.object_id == object_id,
            ObjectKeyRow.state == KeyState.ACTIVE,
            CaseKeyRow.state == KeyState.ACTIVE,
        )
    ).one_or_none()
    if row is None or row[3] is None or row[4] is None:
        raise key_gone()
    return Wrapped(object_id, CaseId(row[0]), row[1], row[2], row[3], row[4])


def destroy(session: Session, *, keyring: Keyring, object_id: ObjectId, at: datetime, then: AndThen) -> ObjectKeyRow:
    """Destroy an object's key; a second time does nothing.

    Raises:
        NotFound: ``key_gone``: there never was one.
    """
    row = session.get(ObjectKeyRow, object_id)
    if row is None:
        raise key_gone()
    if _is_destroyed(row):
        return row
    epoch = lock_active_epoch(session)
    parent = _lock_case_key(session, CaseId(row.case_id))
    session.refresh(row, with_for_update={"key_share": True})
    if _is_destroyed(row) or parent is None:
        return row
    row.state, row.wrapped, row.destroyed_at, row.destroyed_epoch = KeyState.DESTROYED, None, at, epoch.number
    session.flush()
    if then is AndThen.LEAVE or not _rolls(session, keyring=keyring, old=parent, epoch=epoch, at=at):
        parent.needs_roll = True
    return row


def roll_case(session: Session, *, keyring: Keyring, case_id: CaseId, at: datetime) -> int:
    """Give a case a new media key and wrap its objects' keys again.

    Returns:
        How many were wrapped again (none where the case has no key).
    """
    epoch = lock_active_epoch(session)
    old = _lock_case_key(session, case_id)
    return 0 if old is None else _roll(session, keyring=keyring, old=old, epoch=epoch, at=at)


def unwrap_case_key(keyring: Keyring, *, wrapped: bytes, own_id: str, epoch_id: str, case_id: str) -> Secret[bytes]:
    """Open a case's media key."""
    epoch_key = keyring.epoch_key(epoch_id)
    return unwrap(
        epoch_key, wrapped=wrapped, kind=WrapKind.CASE_MEDIA, parent_id=epoch_id, own_id=own_id, owner=case_id
    )


def wrap_case_key(keyring: Keyring, *, key: Secret[bytes], own_id: str, epoch_id: str, case_id: str) -> bytes:
    """Wrap a case's media key under an epoch."""
    epoch_key = keyring.epoch_key(epoch_id)
    return wrap(epoch_key, key=key, kind=WrapKind.CASE_MEDIA, parent_id=epoch_id, own_id=own_id, owner=case_id)


def rewrap_case_key(keyring: Keyring, *, wrapped: bytes, own_id: str, case_id: str, old_id: str, new_id: str) -> bytes:
    """Wrap a case's media key again, under another epoch."""
    key = unwrap_case_key(keyring, wrapped=wrapped, own_id=own_id, epoch_id=old_id, case_id=case_id)
    return wrap_case_key(keyring, key=key, own_id=own_id, epoch_id=new_id, case_id=case_id)


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
            _roll(session, keyring=keyring, old=old, epoch=epoch, at=at)
    except Damaged:
        return False
    return True


def _roll(session: Session, *, keyring: Keyring, old: CaseKeyRow, epoch: EpochRow, at: datetime) -> int:
    case_id, old_key, new_key, new_key_id = old.case_id, _open_case_key(keyring, old), fresh_key(), new_id()
    old.state, old.wrapped, old.needs_roll, old.destroyed_at = KeyState.DESTROYED, None, False, at
    session.flush()  # only one active key in a case, in the database too
    wrapped = wrap_case_key(keyring, key=new_key, own_id=new_key_id, epoch_id=epoch.id, case_id=case_id)
    session.add(
        CaseKeyRow(
            id=new_key_id,
            case_id=case_id,
            epoch_id=epoch.id,
            state=KeyState.ACTIVE,
            wrapped=wrapped,
            needs_roll=False,
            created_at=at,
        )
    )
    session.flush()
    live = session.execute(
        select(ObjectKeyRow.object_id, ObjectKeyRow.wrapped).where(
            ObjectKeyRow.case_key_id == old.id, ObjectKeyRow.state == KeyState.ACTIVE
        )
    ).all()
    moving = []
    for object_id, object_wrapped in live:
        if object_wrapped is None:
            raise key_damaged()
        key = unwrap(
            old_key,
            wrapped=object_wrapped,
            kind=WrapKind.OBJECT,
            parent_id=old.id,
            own_id=object_id,
            owner=case_id,
        )
        again = _wrap_object(new_key, key=key, case_key_id=new_key_id, object_id=object_id, case_id=case_id)
        moving.append({"row": object_id, "becomes": again})
    if moving:
        session.connection().execute(
            update(ObjectKeyRow)
            .where(ObjectKeyRow.object_id == bindparam("row"), ObjectKeyRow.case_key_id == old.id)
            .values(case_key_id=new_key_id, wrapped=bindparam("becomes")),
            moving,
        )
    return len(live)


def _is_destroyed(row: ObjectKeyRow) -> bool:
    return row.state is KeyState.DESTROYED


def _lock_case_key(session: Session, case_id: CaseId) -> CaseKeyRow | None:
    return session.scalars(
        select(CaseKeyRow)
        .where(CaseKeyRow.case_id == case_id, CaseKeyRow.state == KeyState.ACTIVE)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _lock_or_make_case_key(session: Session, *, keyring: Keyring, case_id: CaseId, at: datetime) -> CaseKeyRow:
    row = _lock_case_key(session, case_id)
    if row is not None:
        return row
    epoch = lock_active_epoch(session)  # whoever makes or rolls a case's key holds this, so now we may decide
    row = _lock_case_key(session, case_id)
    if row is not None:
        return row
    key, own_id = fresh_key(), new_id()
    row = CaseKeyRow(
        id=own_id,
        case_id=case_id,
        epoch_id=epoch.id,
        state=KeyState.ACTIVE,
        wrapped=wrap_case_key(keyring, key=key, own_id=own_id, epoch_id=epoch.id, case_id=case_id),
        needs_roll=False,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def _open_case_key(keyring: Keyring, row: CaseKeyRow) -> Secret[bytes]:
    if row.wrapped is None:
        raise key_damaged()
    return unwrap_case_key(keyring, wrapped=row.wrapped, own_id=row.id, epoch_id=row.epoch_id, case_id=row.case_id)


def _wrap_object(
    case_key: Secret[bytes], *, key: Secret[bytes], case_key_id: str, object_id: str, case_id: str
) -> bytes:
    return wrap(case_key, key=key, kind=WrapKind.OBJECT, parent_id=case_key_id, own_id=object_id, owner=case_id)


def _busy() -> Unavailable:
    return Unavailable("keys_busy", "The keys are being renewed just now. Please try again in a moment.")
