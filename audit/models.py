"""The audit tables. The database itself refuses to change or drop an entry, a leaf, a subtree's hash or a checkpoint.

``audit_entry`` holds the bodies. A body may go only after a row in ``audit_disposal`` names the certificate; on
PostgreSQL only the disposal role may write there (``docs/audit-log.md``). Its leaf stays, and so does the tree.
Columns of ``audit_entry`` are plain text, not enums: the verifier must be able to read a row that was tampered with.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, insert_only

_Counter = BigInteger().with_variant(Integer, "sqlite")
"""Eight bytes on both; SQLite counts up by itself only in a column called INTEGER."""


class AuditWriterRow(Base):
    """A chain of entries: where it stands. Whoever records holds one such row until the transaction ends."""

    __tablename__ = "audit_writer"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(_Counter)
    mac: Mapped[bytes]


class AuditEntryRow(Base):
    """An entry's body (see ``audit.leaf.Entry``), its details and the salt of their commitment, and its MAC."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        UniqueConstraint("writer_id", "number"),
        Index("ix_audit_entry_time", "at", "id"),
        Index("ix_audit_entry_actor", "actor", "at", "id"),
        Index("ix_audit_entry_actor_event", "actor", "event", "at", "id"),
        Index("ix_audit_entry_case", "case_id", "at", "id"),
        Index("ix_audit_entry_object", "object_id", "at", "id"),
        Index("ix_audit_entry_event", "event", "at", "id"),
        Index("ix_audit_entry_outcome", "outcome", "at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime]
    writer_id: Mapped[str] = mapped_column(String(32))
    number: Mapped[int] = mapped_column(_Counter)
    event: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str | None] = mapped_column(String(100))
    case_id: Mapped[str | None] = mapped_column(String(100))
    object_id: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str | None] = mapped_column(String(100))
    purpose: Mapped[str | None] = mapped_column(String(100))
    request_id: Mapped[str | None] = mapped_column(String(100))
    commitment: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    details_salt: Mapped[bytes | None]
    salt: Mapped[bytes]
    mac: Mapped[bytes]


class AuditPendingRow(Base):
    """The queue of entries that aren't sealed yet. A late commit is simply still in it at the next seal."""

    __tablename__ = "audit_pending"

    position: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    entry_id: Mapped[str] = mapped_column(String(32), unique=True)


class AuditLeafRow(Base):
    """A sealed entry: its place in the tree, and what is needed to check the tree and the chain without the body."""

    __tablename__ = "audit_leaf"
    __table_args__ = (UniqueConstraint("writer_id", "number"),)

    position: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(String(32), unique=True)
    writer_id: Mapped[str] = mapped_column(String(32))
    number: Mapped[int] = mapped_column(_Counter)
    leaf_hash: Mapped[bytes]
    mac: Mapped[bytes]


class AuditHashRow(Base):
    """Hash of a complete subtree: the leaves from ``position << level``, ``1 << level`` of them; level 1 and up."""

    __tablename__ = "audit_hash"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class AuditCheckpointRow(Base):
    """A signed statement of the tree's size and root hash."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class AuditDisposalRow(Base):
    """Permission to remove one body: which certificate says so. Written by the disposal role only."""

    __tablename__ = "audit_disposal"

    entry_id: Mapped[str] = mapped_column(ForeignKey("audit_leaf.entry_id"), primary_key=True)
    certificate_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]


class AuditWitnessMarkRow(Base):
    """How far a witness has said it got, so that a witness that was rolled back is noticed.

    Attributes:
        number, hash: of the last line that it acknowledged.
        size: of the last checkpoint that it was given.
    """

    __tablename__ = "audit_witness_mark"

    witness: Mapped[str] = mapped_column(String(100), primary_key=True)
    number: Mapped[int] = mapped_column(_Counter)
    hash: Mapped[bytes]
    size: Mapped[int] = mapped_column(_Counter)


def disposal_guard_ddl() -> list[tuple[str, str]]:
    """The statements that let a body go only after its disposal was written, each with its dialect.

    Returns:
        Pairs of statement and dialect name, for migrations too.
    """
    allowed = "SELECT 1 FROM audit_disposal WHERE entry_id = OLD.id"
    words = "an audit entry goes only with a certificate"
    return [
        (
            "CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry "
            f"WHEN NOT EXISTS ({allowed}) BEGIN SELECT RAISE(ABORT, '{words}'); END",
            "sqlite",
        ),
        (
            "CREATE OR REPLACE FUNCTION audit_entry_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF NOT EXISTS ({allowed}) THEN RAISE EXCEPTION '{words}'; END IF; RETURN OLD; END $$",
            "postgresql",
        ),
        (
            "CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry "
            "FOR EACH ROW EXECUTE FUNCTION audit_entry_kept()",
            "postgresql",
        ),
    ]


insert_only(AuditEntryRow.__table__, allow_delete=True)
for _row in (AuditLeafRow, AuditHashRow, AuditCheckpointRow, AuditDisposalRow):
    insert_only(_row.__table__)
for _statement, _dialect in disposal_guard_ddl():
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy left this constructor untyped
    event.listen(AuditDisposalRow.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
