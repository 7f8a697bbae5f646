"""Which parts of a film its checker was sent, so that nobody passes what they can't have seen.

To sum bytes up isn't enough: whoever steps back and forth in the first half is sent as many as the whole has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from consent import Purpose
from core.db import Base
from core.ids import PersonId, RenditionId, ViewingId, new_id
from vault import renditions
from vault.models import ObjectRow
from vault.viewing_models import ViewingRow

Span = tuple[int, int]
"""First byte of the film in clear, and the first that isn't in it any more."""


class WatchedRow(Base):
    """One run of bytes that a checker's viewing gave out."""

    __tablename__ = "vault_watched"
    __table_args__ = (Index("ix_vault_watched_viewing", "viewing_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    viewing_id: Mapped[str] = mapped_column(ForeignKey("vault_viewing.id"))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)


def note(session: Session, viewing_id: ViewingId, spans: Iterable[Span]) -> None:
    """Write down what a viewing gave out."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    session.add_all(WatchedRow(id=new_id(), viewing_id=viewing_id, start=start, end=end) for start, end in joined)


def has_watched_whole(
    session: Session, rendition_id: RenditionId, *, checker: PersonId, since: datetime, at: datetime
) -> bool:
    """Whether a checker was given every byte of a rendition, and has had the time to watch it.

    What is still on its way counts when its range ends. A browser fetches a short film as soon as its page is opened,
    so bytes alone would say that it was watched before anybody pressed *Play*.

    Args:
        session: of the main database.
        rendition_id: which.
        checker: who.
        since: viewings that began earlier don't count.
        at: now.
    """
    theirs = (
        ViewingRow.rendition_id == rendition_id,
        ViewingRow.viewer == checker,
        ViewingRow.purpose == Purpose.CHECK.value,
        ViewingRow.begun_at >= since,
    )
    spans = select(WatchedRow.start, WatchedRow.end).join(ViewingRow, ViewingRow.id == WatchedRow.viewing_id)
    row = renditions.find(session, rendition_id)
    reached = 0
    for start, end in session.execute(spans.where(*theirs).order_by(WatchedRow.start)):
        if start > reached:
            return False
        reached = max(reached, end)
    begun = session.scalar(select(func.min(ViewingRow.begun_at)).where(*theirs, ViewingRow.bytes_served > 0))
    if begun is None or reached < (session.get_one(ObjectRow, row.object_id).plain_length or 1):
        return False
    return at - begun >= timedelta(milliseconds=row.duration_ms)
