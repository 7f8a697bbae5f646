"""What must happen outside once a transaction has committed: one row in the same transaction, delivered later.

A row holds ids only, never a name, a key or a code: a stolen database must not tell what a message said.
Delivery is at least once; the one who delivers makes it harmless to do so twice (by the row's id).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.ids import new_id

MAX_ATTEMPTS = 12


class OutboxRow(Base):
    """Something to deliver.

    Attributes:
        kind: what, as in ``job.start`` or ``message.invitation_code``.
        payload: ids only.
        due_at: not before.
        delivered_at: when it was, or nothing.
        parked: it failed so often that a person should look; it is still tried every hour, since nothing may be lost.
    """

    __tablename__ = "core_outbox"
    __table_args__ = (Index("ix_core_outbox_waiting", "delivered_at", "parked", "due_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None]
    parked: Mapped[bool] = mapped_column(default=False)


def post(session: Session, kind: str, *, at: datetime, payload: dict[str, Any]) -> str:
    """Add a delivery to the caller's transaction.

    Returns:
        The row's id, which the receiver uses to do it once.
    """
    row = OutboxRow(id=new_id(), kind=kind, payload=payload, created_at=at, due_at=at, attempts=0, parked=False)
    session.add(row)
    return row.id


def waiting(session: Session, *, at: datetime, most: int = 50) -> list[OutboxRow]:
    """The oldest deliveries that are due, held against other workers until the transaction ends."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.delivered_at.is_(None), OutboxRow.due_at <= at)
        .order_by(OutboxRow.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def parked(session: Session) -> int:
    """How many deliveries a person must look at."""
    query = select(func.count()).select_from(OutboxRow)
    return session.scalar(query.where(OutboxRow.delivered_at.is_(None), OutboxRow.parked)) or 0


def undelivered(session: Session, kind: str) -> list[dict[str, Any]]:
    """The payloads of all deliveries of a kind that are still to be made, due or not."""
    query = select(OutboxRow.payload).where(OutboxRow.delivered_at.is_(None), OutboxRow.kind == kind)
    return list(session.scalars(query))


def delivered(row: OutboxRow, *, at: datetime) -> None:
    """Note that it arrived."""
    row.delivered_at = at


def failed(row: OutboxRow, *, at: datetime) -> None:
    """Put it off: 2, 4, 8 … seconds, at most an hour, for ever; ask for a look after ``MAX_ATTEMPTS``."""
    row.attempts += 1
    row.due_at = at + min(timedelta(seconds=2 ** min(row.attempts, MAX_ATTEMPTS)), timedelta(hours=1))
    row.parked = row.attempts >= MAX_ATTEMPTS
