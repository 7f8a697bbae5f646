"""The key store's own tables. They hold wrapped keys only and may be copied anywhere: without the capsule, noise.

A destroyed key's row stays as a tombstone without its bytes, so that an id is never given a second key.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.db import Base, UtcDateTime


class KeysBase(DeclarativeBase):
    """Parent of the key database's tables; a database of their own."""

    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute


KEYS_METADATA = KeysBase.metadata


class EpochState(StrEnum):
    """Life of an epoch key: new keys are wrapped only under the active one."""

    COMING = "coming"
    ACTIVE = "active"
    RETIRING = "retiring"
    DESTROYED = "destroyed"


class KeyState(StrEnum):
    """Whether a key still opens anything."""

    ACTIVE = "active"
    DAMAGED = "damaged"
    """It didn't open when the epoch rolled, and was left behind with the old one: nothing opens it any more."""
    DESTROYED = "destroyed"


class RollState(StrEnum):
    """How far an epoch roll has come; each is safe to repeat after a crash."""

    BEGUN = "begun"
    """The new epoch is named; its key may or may not be in the capsule yet."""
    REWRAPPING = "rewrapping"
    """The new epoch is active and its key is at every place; live keys move over."""
    EVICTING = "evicting"
    """Nothing live is under the old epoch; processes must forget its key."""
    REMOVING = "removing"
    """Every process has; key rows are copied, then the old epoch leaves every place."""
    DONE = "done"


class OwnerKind(StrEnum):
    """Whose personal fields a record key seals."""

    CASE = "case"
    PERSON = "person"
    ORGANISATION = "organisation"


class PlaceKind(StrEnum):
    """What a registered erasable place is for."""

    LIVE = "live"
    RECOVERY = "recovery"


def _damaged(table: str) -> Index:
    """Of the few rows that have it, so that asking which they are doesn't go through all."""
    there = text("damaged_at IS NOT NULL")
    return Index(f"ix_{table}_damaged_at", "damaged_at", sqlite_where=there, postgresql_where=there)


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, values_callable=lambda e: [m.value for m in e], length=40)


class StoreRow(KeysBase):
    """One row: which store this is; the capsule is bound to it."""

    __tablename__ = "keys_store"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    made_at: Mapped[datetime]


class EpochRow(KeysBase):
    """An epoch; its key is in the capsule, never here."""

    __tablename__ = "keys_epoch"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[EpochState] = mapped_column(_stored(EpochState))
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class CaseKeyRow(KeysBase):
    """A case's media key, wrapped by an epoch key.

    Attributes:
        needs_roll: something it wrapped was destroyed without rolling it; the next epoch roll does so first.
        damaged_at: when a roll left it behind since it didn't open; so with the other keys.
    """

    __tablename__ = "keys_case_key"
    __table_args__ = (
        Index(
            "uq_keys_case_key_one_active",
            "case_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        _damaged("keys_case_key"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(32))
    epoch_id: Mapped[str] = mapped_column(ForeignKey("keys_epoch.id"))
    state: Mapped[KeyState] = mapped_column(_stored(KeyState))
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    needs_roll: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    damaged_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]


class ObjectKeyRow(KeysBase):
    """One object's key, wrapped by its case's media key.

    Attributes:
        destroyed_epoch: number of the epoch that was active at its destruction: only when that epoch's key is gone
            from every place is every copy of this row noise.
    """

    __tablename__ = "keys_object_key"
    __table_args__ = (_damaged("keys_object_key"),)

    object_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(32), index=True)
    case_key_id: Mapped[str] = mapped_column(ForeignKey("keys_case_key.id"), index=True)
    state: Mapped[KeyState] = mapped_column(_stored(KeyState))
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    damaged_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None] = mapped_column(index=True)
    destroyed_epoch: Mapped[int | None]


class RecordKeyRow(KeysBase):
    """The key of one record's personal fields, wrapped by an epoch key."""

    __tablename__ = "keys_record_key"
    __table_args__ = (UniqueConstraint("owner_kind", "owner_id"), _damaged("keys_record_key"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner_kind: Mapped[OwnerKind] = mapped_column(_stored(OwnerKind))
    owner_id: Mapped[str] = mapped_column(String(32))
    epoch_id: Mapped[str] = mapped_column(ForeignKey("keys_epoch.id"))
    state: Mapped[KeyState] = mapped_column(_stored(KeyState))
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    damaged_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None] = mapped_column(index=True)
    destroyed_epoch: Mapped[int | None]


class RollRow(KeysBase):
    """An epoch roll and how far it has come."""

    __tablename__ = "keys_roll"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    from_epoch_id: Mapped[str] = mapped_column(ForeignKey("keys_epoch.id"))
    to_epoch_id: Mapped[str] = mapped_column(ForeignKey("keys_epoch.id"))
    from_number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[RollState] = mapped_column(_stored(RollState))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RootRow(KeysBase):
    """A root key that sealed the keyring at some time.

    Attributes:
        id: fingerprint of its record.
        reference: as JSON, what finds it again to destroy it; empty where it lay in the keyring itself.
        made_at: no file was sealed under it before.
        destroyed_at: when its destruction was asked for.
        gone_at: from when no copy of it exists; nothing where that isn't known.
    """

    __tablename__ = "keys_root"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    uri: Mapped[str] = mapped_column(String(500))
    reference: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class ProcessRow(KeysBase):
    """A process that may hold epoch keys in memory.

    Attributes:
        evicted_through: it has forgotten every epoch up to this number.
    """

    __tablename__ = "keys_process"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    evicted_through: Mapped[int] = mapped_column(default=0)


class PlaceRow(KeysBase):
    """A registered erasable place; the folder knows its id, this table doesn't know the folder's address.

    Attributes:
        copied_at: of which moment the copy of the key rows is that lies there (recovery places); one that was looked
            at again and found to be the same is of that later moment.
        copied: SHA-256 of that copy, to see whether the rows have changed since.
        lost_at: since when it can't be written any more, though it may still hold an old capsule.
        gone_at: when somebody attested that it was physically destroyed.
    """

    __tablename__ = "keys_place"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[PlaceKind] = mapped_column(_stored(PlaceKind))
    registered_at: Mapped[datetime]
    copied_at: Mapped[datetime | None]
    copied: Mapped[str | None] = mapped_column(String(64))
    lost_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
