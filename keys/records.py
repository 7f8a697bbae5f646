"""Steps on record keys: the keys of personal fields, one for each case, each person and the organisation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.ids import new_id
from core.secret import Secret
from keys.cases import lock_active_epoch
from keys.fields import RecordKey, RecordOwner
from keys.keyring import Keyring
from keys.models import KeyState, RecordKeyRow
from keys.objects import key_gone
from keys.wrap import WrapKind, fresh_key, key_damaged, unwrap, wrap


def find_all(session: Session, *, owners: Iterable[RecordOwner]) -> dict[RecordOwner, RecordKeyRow]:
    """The rows of these owners, in one query; who has none is left out."""
    wanted = [(owner.kind, owner.id) for owner in owners]
    query = select(RecordKeyRow).where(tuple_(RecordKeyRow.owner_kind, RecordKeyRow.owner_id).in_(wanted))
    return {RecordOwner(row.owner_kind, row.owner_id): row for row in session.scalars(query)} if wanted else {}


def find_or_make(session: Session, *, keyring: Keyring, owner: RecordOwner, at: datetime) -> RecordKeyRow:
    """The owner's row, made on first use."""
    epoch = lock_active_epoch(session)  # whoever makes a record key holds this, so there is never a second
    row = find_all(session, owners=[owner]).get(owner)
    if row is not None:
        return row
    own_id = new_id()
    row = RecordKeyRow(
        id=own_id,
        owner_kind=owner.kind,
        owner_id=owner.id,
        epoch_id=epoch.id,
        state=KeyState.ACTIVE,
        wrapped=wrap_record_key(keyring, key=fresh_key(), own_id=own_id, epoch_id=epoch.id, owner=owner),
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def open_row(row: RecordKeyRow, *, keyring: Keyring) -> RecordKey:
    """Unwrap a record key.

    Raises:
        NotFound: ``key_gone``: it was destroyed.
        Damaged: ``key_damaged``: it doesn't open, or a roll left it behind.
    """
    if row.state is KeyState.DESTROYED:
        raise key_gone()
    if row.state is KeyState.DAMAGED:
        raise key_damaged()
    owner = RecordOwner(row.owner_kind, row.owner_id)
    return RecordKey(owner, unwrap_record_key(keyring, row=row, owner=owner))


def destroy(session: Session, *, owner: RecordOwner, at: datetime) -> RecordKeyRow:
    """Destroy an owner's key; a second time does nothing.

    Raises:
        NotFound: ``key_gone``: there never was one.
    """
    epoch = lock_active_epoch(session)
    row = find_all(session, owners=[owner]).get(owner)
    if row is None:
        raise key_gone()
    if row.state is not KeyState.DESTROYED:
        row.state, row.wrapped, row.destroyed_at, row.destroyed_epoch = KeyState.DESTROYED, None, at, epoch.number
    return row


def unwrap_record_key(keyring: Keyring, *, row: RecordKeyRow, owner: RecordOwner) -> Secret[bytes]:
    """Open a record key."""
    if row.wrapped is None:
        raise key_damaged()
    return _unwrap(keyring, wrapped=row.wrapped, own_id=row.id, epoch_id=row.epoch_id, owner=owner)


def rewrap_record_key(
    keyring: Keyring, *, wrapped: bytes, own_id: str, owner: RecordOwner, old_id: str, new_id: str
) -> bytes:
    """Wrap a record key again, under another epoch."""
    key = _unwrap(keyring, wrapped=wrapped, own_id=own_id, epoch_id=old_id, owner=owner)
    return wrap_record_key(keyring, key=key, own_id=own_id, epoch_id=new_id, owner=owner)


def wrap_record_key(keyring: Keyring, *, key: Secret[bytes], own_id: str, epoch_id: str, owner: RecordOwner) -> bytes:
    """Wrap a record key under an epoch."""
    return wrap(
        keyring.epoch_key(epoch_id),
        key=key,
        kind=WrapKind.RECORD,
        parent_id=epoch_id,
        own_id=own_id,
        owner=_owner(owner),
    )


def _unwrap(keyring: Keyring, *, wrapped: bytes, own_id: str, epoch_id: str, owner: RecordOwner) -> Secret[bytes]:
    return unwrap(
        keyring.epoch_key(epoch_id),
        wrapped=wrapped,
        kind=WrapKind.RECORD,
        parent_id=epoch_id,
        own_id=own_id,
        owner=_owner(owner),
    )


def _owner(owner: RecordOwner) -> str:
    return f"{owner.kind.value}:{owner.id}"
