"""From rows to values: what sealing, proving, verifying and searching all read."""

from __future__ import annotations

from typing import NoReturn, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from audit.leaf import Entry
from audit.merkle import StoredHash
from audit.models import (
    AuditCheckpointRow,
    AuditDisposalRow,
    AuditEntryRow,
    AuditHashRow,
    AuditLeafRow,
    AuditPendingRow,
    AuditWriterRow,
)
from core.errors import Damaged

ENTRY, PENDING, WRITER, LEAF, HASH, CHECKPOINT, DISPOSAL = (
    cast("Table", row.__table__)
    for row in (
        AuditEntryRow,
        AuditPendingRow,
        AuditWriterRow,
        AuditLeafRow,
        AuditHashRow,
        AuditCheckpointRow,
        AuditDisposalRow,
    )
)
"""The tables themselves, for statements that shouldn't go through the unit of work."""


def entry_of(row: AuditEntryRow) -> Entry:
    """The value behind an entry's row: exactly what is hashed."""
    return Entry(
        id=row.id,
        at=row.at,
        writer=row.writer_id,
        number=row.number,
        event=row.event,
        outcome=row.outcome,
        actor=row.actor,
        case_id=row.case_id,
        object_id=row.object_id,
        reason=row.reason,
        purpose=row.purpose,
        request_id=row.request_id,
        details=row.commitment,
        salt=row.salt,
    )


def latest_checkpoint(session: Session) -> AuditCheckpointRow | None:
    """The checkpoint over the largest tree, if anything was sealed yet."""
    return session.scalars(select(AuditCheckpointRow).order_by(AuditCheckpointRow.size.desc()).limit(1)).first()


def stored_hashes(session: Session) -> StoredHash:
    """The look-up that ``audit.merkle`` reads the tree through.

    The look-up raises ``Damaged`` where a hash is missing.
    """

    def stored(level: int, position: int) -> bytes:
        if level:
            query = select(HASH.c.hash).where(HASH.c.level == level, HASH.c.position == position)
        else:
            query = select(LEAF.c.leaf_hash).where(LEAF.c.position == position)
        found = session.execute(query).scalar_one_or_none()
        if not isinstance(found, bytes):
            alarm(f"the hash at level {level}, position {position} is missing")
        return found

    return stored


def alarm(what: str) -> NoReturn:
    """Say that the log was changed behind the service's back.

    Args:
        what: which part, without any name or secret.

    Raises:
        Damaged: always.
    """
    raise Damaged(
        "audit_log_damaged",
        f"The audit log was changed behind the service's back: {what}. Run “vig-vault audit verify”.",
    )
