"""Time that never goes back.

The rules of this product take ``at`` and hold no clock; use cases read ``db.clock``. A machine's clock can step
back (a bad NTP server would revive expired grants and codes) or leap ahead (a flat battery would make everything
due). So a *high-water mark* is kept in the database: time never falls below it, and a leap beyond
``MAX_LEAP`` doesn't move it until an officer accepts the new time (``vig-vault clock accept``).
"""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from zoneinfo import ZoneInfo

MAX_LEAP = timedelta(hours=26)
"""How far time may move between two observations without being asked about (a night switched off, and some)."""

ENGLAND: Final = ZoneInfo("Europe/London")
"""Where a day begins and ends for the families and staff of an English authority."""


def day_in_england(at: datetime) -> date:
    """The calendar day of a moment, as the people concerned live it."""
    return at.astimezone(ENGLAND).date()


class Clock(Protocol):
    """Where use cases get the time from."""

    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        return datetime.now(UTC)


class SteadyClock:
    """A clock that never shows less than the highest time it has shown or been told.

    Args:
        source: the clock underneath.
    """

    def __init__(self, source: Clock) -> None:
        self._source = source
        self._highest = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time in UTC: the source's, or the highest seen where the source stepped back."""
        with self._lock:
            self._highest = max(self._highest, self._source.now())
            return self._highest

    def raise_to(self, mark: datetime | None) -> None:
        """Never show less than a mark that an earlier life of the service left."""
        if mark is not None:
            with self._lock:
                self._highest = max(self._highest, mark)


class Leap(StrEnum):
    """What a look at clock and mark says."""

    STEADY = "steady"
    AHEAD = "ahead"


def judge(*, mark: datetime | None, now: datetime, max_leap: timedelta = MAX_LEAP) -> Leap:
    """Compare the time with the mark: ``AHEAD`` where it leapt and nobody has accepted that yet."""
    if mark is not None and now - mark > max_leap:
        return Leap.AHEAD
    return Leap.STEADY
