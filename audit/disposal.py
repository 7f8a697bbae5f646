"""Disposal of old bodies. The leaf, its MAC and the tree stay; the body, its details and both salts go.

On PostgreSQL only the disposal role may do this (``docs/audit-log.md``); the application's own can't. What has a
certificate is *disposed*; what is gone without one is *dropped*, and the verifier says which.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from audit.rows import DISPOSAL, ENTRY, LEAF
from core.clock import Clock
from core.errors import Conflict
from core.ids import CertificateId, EntryId


def dispose(session: Session, entries: Collection[EntryId], *, certificate_id: CertificateId, clock: Clock) -> None:
    """Remove the bodies of sealed entries for good.

    Args:
        session: a transaction of the disposal role.
        entries: at most a few hundred at a time.
        certificate_id: what says that they were due.
        clock: when.

    Raises:
        Conflict: one of them isn't sealed, so nothing would be left of it.
    """
    wanted = sorted(set(entries))
    if session.scalar(select(func.count()).select_from(LEAF).where(LEAF.c.entry_id.in_(wanted))) != len(wanted):
        raise Conflict("audit_not_sealed_yet", "An audit entry that isn't sealed yet can't be disposed of.")
    at = clock.now()
    if wanted:
        session.execute(
            insert(DISPOSAL), [{"entry_id": entry, "certificate_id": certificate_id, "at": at} for entry in wanted]
        )
        session.execute(delete(ENTRY).where(ENTRY.c.id.in_(wanted)))
