"""Reading no faster than was set, so that whoever watches notices nothing."""

from __future__ import annotations

import threading
import time

MIB = 2**20


class Pace:
    """Counts bytes and waits until so many may have been read.

    Args:
        bytes_per_second: at most; nothing: as fast as it goes.
        stop: set to go on no more; waiting ends at once then.
    """

    def __init__(self, bytes_per_second: float | None = None, *, stop: threading.Event | None = None) -> None:
        self._rate = bytes_per_second
        self._stop = stop or threading.Event()
        self._due = time.monotonic()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody wants it to end."""
        return self._stop.is_set()

    def count(self, size: int) -> None:
        """Note that so many bytes were read; wait for their time."""
        if self._rate is None:
            return
        now = time.monotonic()
        self._due = max(self._due, now - 1.0) + size / self._rate  # what wasn't used for a second isn't saved up
        if self._due > now:
            self._stop.wait(self._due - now)
