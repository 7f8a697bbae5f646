"""The demonstration's clock: the machine's, moved on by as many seconds as a file says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class DemoClock:
    """A clock that a demonstration can move on while the service runs.

    Args:
        path: a file with a number of seconds; no file means none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """The machine's time, moved on."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead())

    def move(self, by: timedelta) -> None:
        """Move it on."""
        part = self._path.with_suffix(".part")
        part.write_text(str(self._ahead() + by.total_seconds()), encoding="ascii")
        part.replace(self._path)

    def _ahead(self) -> float:
        try:
            return float(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0.0
