"""What stands in the log already, for whoever must tell it things that were done in another database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.entry import Event, Outcome
from audit.models import AuditEntryRow


def told(
    session: Session, event: Event, *, object_ids: Collection[str], outcome: Outcome = Outcome.DONE
) -> frozenset[str]:
    """Of which of these the log says that it was done, or ended in another way."""
    found = session.scalars(
        select(AuditEntryRow.object_id).where(
            AuditEntryRow.object_id.in_(object_ids),
            AuditEntryRow.event == event.value,
            AuditEntryRow.outcome == outcome.value,
        )
    )
    return frozenset(one for one in found if one is not None)


def told_last(session: Session, event: Event) -> str | None:
    """Of what the log said it last; nothing where it never did."""
    return session.scalars(
        select(AuditEntryRow.object_id)
        .where(AuditEntryRow.event == event.value, AuditEntryRow.object_id.is_not(None))
        .order_by(AuditEntryRow.at.desc(), AuditEntryRow.number.desc())
        .limit(1)
    ).first()
