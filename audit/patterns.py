"""What an officer looks for without knowing whom: viewing in bulk, and viewing out of hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.entry import Event
from audit.models import AuditEntryRow
from audit.search import MAX_PAGE, Filters, Found, search
from core.ids import PersonId

LONDON = ZoneInfo("Europe/London")
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """When people are expected to work, on weekdays.

    Attributes:
        opens: from.
        closes: until, not at; later than ``opens``.
        zone: by whose clocks.
    """

    opens: time = time(8)
    closes: time = time(18, 30)
    zone: ZoneInfo = LONDON

    def covers(self, at: datetime) -> bool:
        """Whether a point in time is within them."""
        local = at.astimezone(self.zone)
        return local.weekday() < _SATURDAY and self.opens <= local.time() < self.closes


@dataclass(frozen=True, slots=True)
class Heavy:
    """Someone who watched much.

    Attributes:
        actor: who.
        objects: how many different renditions.
        viewings: how many viewings.
    """

    actor: PersonId
    objects: int
    viewings: int


def watched_in_bulk(session: Session, *, since: datetime, until: datetime, more_than: int) -> tuple[Heavy, ...]:
    """Who began to view more than so many different things, the most first.

    Args:
        session: a reading one.
        since: not before.
        until: before, not at.
        more_than: number of different things that is still usual.
    """
    row = AuditEntryRow
    objects = func.count(row.object_id.distinct())
    query = (
        select(row.actor, objects, func.count())
        .where(row.event == Event.VIEWING_BEGUN.value, row.at >= since, row.at < until, row.actor.is_not(None))
        .group_by(row.actor)
        .having(objects > more_than)
        .order_by(objects.desc(), row.actor)
    )
    return tuple(
        Heavy(PersonId(actor), things, viewings) for actor, things, viewings in session.execute(query) if actor
    )


def watched_out_of_hours(
    session: Session, *, since: datetime, until: datetime, hours: Hours | None = None
) -> Iterator[Found]:
    """Viewings begun when nobody is expected to work, newest first.

    Args:
        session: a reading one.
        since: not before.
        until: before, not at.
        hours: when people are expected to; weekdays from eight to half past six in London where not given.
    """
    usual = hours or Hours()
    filters = Filters(since=since, until=until, events=frozenset({Event.VIEWING_BEGUN}))
    after: str | None = None
    while True:
        page = search(session, filters, after=after, most=MAX_PAGE)
        yield from (entry for entry in page.entries if not usual.covers(entry.at))
        if (after := page.after) is None:
            return
