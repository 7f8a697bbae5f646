"""Steps on case media keys: make, open, roll, and leave behind one that doesn't open.

Order of locks, so that nobody waits in a circle: the active epoch, then one case's key, then that case's objects. They
are held FOR NO KEY UPDATE: a foreign key that is checked meanwhile needn't wait for them.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.errors import Damaged, Unavailable
from core.ids import CaseId, new_id
from core.secret import Secret
from keys.keyring import Keyring
from keys.models import CaseKeyRow, EpochRow, EpochState, KeyState, ObjectKeyRow
from keys.wrap import WrapKind, fresh_key, is_key_damaged, key_damaged, unwrap, wrap

_TRIES = 10


class IfDamaged(Enum):
    """What to do about an object's key that doesn't open while its case rolls."""

    REFUSE = auto()
    LEAVE_BEHIND = auto()
    """As the epoch rolls: it goes with the case's old key, and is named."""


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


def lock(session: Session, case_id: CaseId) -> CaseKeyRow | None:
    """Hold a case's media key, where it has one."""
    return session.scalars(
        select(CaseKeyRow)
        .where(CaseKeyRow.case_id == case_id, CaseKeyRow.state == KeyState.ACTIVE)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def lock_or_make(session: Session, *, keyring: Keyring, case_id: CaseId, at: datetime) -> CaseKeyRow:
    """Hold a case's media key, made on first use."""
    row = lock(session, case_id)
    if row is not None:
        return row
    epoch = lock_active_epoch(session)  # whoever makes or rolls a case's key holds this, so now we may decide
    row = lock(session, case_id)
    if row is not None:
        return row
    row, _ = _add(session, keyring=keyring, case_id=case_id, epoch=epoch, at=at)
    return row


def open_row(keyring: Keyring, row: CaseKeyRow) -> Secret[bytes]:
    """Unwrap a case's media key.

    Raises:
        Damaged: ``key_damaged``.
    """
    if row.wrapped is None:
        raise key_damaged()
    return unwrap_case_key(keyring, wrapped=row.wrapped, own_id=row.id, epoch_id=row.epoch_id, case_id=row.case_id)


def roll_case(
    session: Session, *, keyring: Keyring, case_id: CaseId, at: datetime, damaged: IfDamaged = IfDamaged.REFUSE
) -> int:
    """Give a case a new media key and wrap its objects' keys again.

    Returns:
        How many were wrapped again (none where the case has no key).

    Raises:
        Damaged: ``key_damaged``: the case's own key doesn't open, or one of its objects' and that is refused.
    """
    epoch = lock_active_epoch(session)
    old = lock(session, case_id)
    return 0 if old is None else roll(session, keyring=keyring, old=old, epoch=epoch, at=at, damaged=damaged)


def roll(
    session: Session, *, keyring: Keyring, old: CaseKeyRow, epoch: EpochRow, at: datetime, damaged: IfDamaged
) -> int:
    """As ``roll_case``, for whoever holds the epoch and the case's key already."""
    old_key, old_id = open_row(keyring, old), old.id
    old.state, old.wrapped, old.needs_roll, old.destroyed_at = KeyState.DESTROYED, None, False, at
    session.flush()  # only one active key in a case, in the database too
    new, new_key = _add(session, keyring=keyring, case_id=CaseId(old.case_id), epoch=epoch, at=at)
    live = session.execute(
        select(ObjectKeyRow.object_id, ObjectKeyRow.wrapped).where(
            ObjectKeyRow.case_key_id == old_id, ObjectKeyRow.state == KeyState.ACTIVE
        )
    ).all()
    moving, left = [], []
    for object_id, wrapped in live:
        try:
            key = open_object(old_key, wrapped=wrapped, case_key_id=old_id, object_id=object_id, case_id=old.case_id)
        except Damaged as error:
            if damaged is IfDamaged.REFUSE or not is_key_damaged(error):
                raise
            left.append(object_id)
            continue
        again = wrap_object(new_key, key=key, case_key_id=new.id, object_id=object_id, case_id=old.case_id)
        moving.append({"row": object_id, "becomes": again})
    if moving:
        session.connection().execute(
            update(ObjectKeyRow)
            .where(ObjectKeyRow.object_id == bindparam("row"), ObjectKeyRow.case_key_id == old_id)
            .values(case_key_id=new.id, wrapped=bindparam("becomes")),
            moving,
        )
    for object_id in left:
        row = session.get_one(ObjectKeyRow, object_id)
        row.state, row.damaged_at = KeyState.DAMAGED, at
    return len(moving)


def leave_behind(session: Session, row: CaseKeyRow, *, at: datetime) -> None:
    """Leave a case's media key behind, whose row is held. Where it locks nothing any more it is simply gone."""
    alive = ObjectKeyRow.state != KeyState.DESTROYED
    locks = session.scalars(select(ObjectKeyRow.object_id).where(ObjectKeyRow.case_key_id == row.id, alive)).first()
    row.needs_roll = False
    if locks is None:
        row.state, row.wrapped, row.destroyed_at = KeyState.DESTROYED, None, at
    elif row.state is not KeyState.DAMAGED:
        row.state, row.damaged_at = KeyState.DAMAGED, at


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


def open_object(
    case_key: Secret[bytes], *, wrapped: bytes | None, case_key_id: str, object_id: str, case_id: str
) -> Secret[bytes]:
    """Open an object's key.

    Raises:
        Damaged: ``key_damaged``.
    """
    if wrapped is None:
        raise key_damaged()
    return unwrap(
        case_key, wrapped=wrapped, kind=WrapKind.OBJECT, parent_id=case_key_id, own_id=object_id, owner=case_id
    )


def wrap_object(
    case_key: Secret[bytes], *, key: Secret[bytes], case_key_id: str, object_id: str, case_id: str
) -> bytes:
    """Wrap an object's key under its case's."""
    return wrap(case_key, key=key, kind=WrapKind.OBJECT, parent_id=case_key_id, own_id=object_id, owner=case_id)


def _add(
    session: Session, *, keyring: Keyring, case_id: CaseId, epoch: EpochRow, at: datetime
) -> tuple[CaseKeyRow, Secret[bytes]]:
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
    return row, key


def _busy() -> Unavailable:
    return Unavailable("keys_busy", "The keys are being renewed just now. Please try again in a moment.")
