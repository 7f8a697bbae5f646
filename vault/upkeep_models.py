"""What is remembered of looking after the stored bytes: scrubs, and the stores where objects lie or lay."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class StoreState(StrEnum):
    """What one place where objects lie is to this service."""

    CURRENT = "current"
    """Objects are written here."""
    TARGET = "target"
    """They are being copied here."""
    FORMER = "former"
    """They lay here. Nothing that is needed does any more."""


_STORE_STATE = Enum(
    StoreState, native_enum=False, values_callable=lambda words: [word.value for word in words], length=40
)


class ScrubRow(Base):
    """One reading of every stored object. At most one isn't over.

    Attributes:
        after: id of the last object that was looked at, in the order of ids.
        holder: who goes on with it; another may take it over, and this one then stops.
        held_at: when the holder last said so.
        damaged, missing: how many were not what was sealed, or not there.
    """

    __tablename__ = "vault_scrub"
    __table_args__ = (Index("ix_vault_scrub_finished", "finished_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]
    after: Mapped[str] = mapped_column(default="")
    holder: Mapped[str]
    held_at: Mapped[datetime]
    objects: Mapped[int] = mapped_column(default=0)
    read_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    damaged: Mapped[int] = mapped_column(default=0)
    missing: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]


class StoreRow(Base):
    """A store that objects lie in: its id is the name of an object there by which it is known again.

    Attributes:
        address: without its options, to be shown.
        noted_at: when it became what it is.
        written_since: when a process first wrote here instead of to the current one.
    """

    __tablename__ = "vault_store"

    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    state: Mapped[StoreState] = mapped_column(_STORE_STATE)
    noted_at: Mapped[datetime]
    written_since: Mapped[datetime | None]


class CopiedRow(Base):
    """An object that lies in one of them, copied and compared by its full hash."""

    __tablename__ = "vault_copied"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
