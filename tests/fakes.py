"""Hand-written stand-ins for what a test must steer: time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by
