"""The persisted high-water mark of time (see ``core.clock``)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import MAX_LEAP, Leap, judge
from core.db import Base, Database


class ClockMark(Base):
    """One row: the highest time that was believed."""

    __tablename__ = "core_clock_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    highest: Mapped[datetime]


def mark(session: Session) -> datetime | None:
    """The highest time that was believed, if any."""
    row = session.get(ClockMark, 1)
    return row.highest if row else None


def observe(db: Database, *, max_leap: timedelta = MAX_LEAP) -> Leap:
    """Look at the clock and raise the mark, unless time has leapt: then leave it and say so."""
    at = db.clock.now()
    with db.begin() as session:
        verdict = judge(mark=mark(session), now=at, max_leap=max_leap)
        if verdict is Leap.STEADY:
            raise_to(session, at=at)
    return verdict


def raise_to(session: Session, *, at: datetime) -> None:
    """Believe a time: what an officer's acceptance does, and every steady observation."""
    row = session.get(ClockMark, 1)
    if row is None:
        session.add(ClockMark(id=1, highest=at))
    else:
        row.highest = max(row.highest, at)
