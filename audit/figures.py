"""Figures for the first page of officers: how often what happened on which day, and how far the log is sealed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from audit.entry import Event
from audit.models import AuditEntryRow, AuditWitnessMarkRow
from audit.patterns import LONDON
from audit.rows import PENDING, latest_checkpoint


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the log is.

    Attributes:
        size: entries that are sealed.
        sealed_at: when the last of them were.
        pending: entries that wait to be sealed.
        told: size of the last checkpoint that the witness acknowledged; nothing where it never was told one.
    """

    size: int
    sealed_at: datetime | None
    pending: int
    told: int | None


def extent(session: Session, *, witness: str = "") -> Extent:
    """How far the log is sealed, and how far its witness knows it.

    Args:
        session: a reading one.
        witness: name of the witness; empty where there is none.
    """
    latest = latest_checkpoint(session)
    mark = session.get(AuditWitnessMarkRow, witness)
    return Extent(
        size=latest.size if latest else 0,
        sealed_at=latest.at if latest else None,
        pending=session.scalar(select(func.count()).select_from(PENDING)) or 0,
        told=mark.size if mark else None,
    )


def begun_at(session: Session) -> datetime | None:
    """When the first entry was written: how old the store is. Nothing where there is none yet."""
    return session.scalar(select(func.min(AuditEntryRow.at)))


def per_day(
    session: Session, *, events: Collection[Event], first: date, days: int, zone: ZoneInfo = LONDON
) -> Mapping[tuple[date, Event], int]:
    """How often each of some events happened on each of some days; what never happened isn't in it.

    Args:
        session: a reading one.
        events: which.
        first: the first day.
        days: how many, one after the other.
        zone: by whose clocks a day begins.
    """
    calendar = [first + timedelta(days=number) for number in range(days + 1)]
    begins = [datetime.combine(day, time(), tzinfo=zone) for day in calendar]
    row = AuditEntryRow
    nth_day = case(*((row.at < end, index) for index, end in enumerate(begins[1:])), else_=days).label("nth_day")
    query = (
        select(row.event, nth_day, func.count())
        .where(row.event.in_([event.value for event in events]), row.at >= begins[0], row.at < begins[-1])
        .group_by("event", "nth_day")
    )
    return {(calendar[index], Event(event)): count for event, index, count in session.execute(query)}
