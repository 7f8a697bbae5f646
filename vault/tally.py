"""Counting what ranges gave out. Many small ones are written down together: each write waits for a disk.

It is a number, not evidence: that a viewing began stands in the log before its first byte. A process that dies forgets
at most ``WITHIN_SECONDS`` of small ranges, so that less counts as watched, never more.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Final

from core.db import Database
from core.errors import VaultError
from core.ids import ViewingId
from vault import viewings
from vault.watched import Span, note

SMALL_BYTES: Final = 1024 * 1024
"""Ranges below that needn't be written down one by one."""
WITHIN_SECONDS: Final = 0.5
_NAME: Final = "vault_tally"


class Tally:
    """What one process has given out and not written down yet."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: Counter[ViewingId] = Counter()
        self._watched: defaultdict[ViewingId, list[Span]] = defaultdict(list)
        self._due = float("-inf")

    def add(self, viewing_id: ViewingId, *, count: int, watched: Span | None = None) -> None:
        """Count bytes; they are written down with the next ``write``.

        Args:
            viewing_id: whose.
            count: how many.
            watched: which, where that must be known.
        """
        with self._lock:
            self._pending[viewing_id] += count
            if watched is not None:
                self._watched[viewing_id].append(watched)

    def write(self) -> None:
        """Write down all that was counted. Blocks; what can't be written waits for the next time."""
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, Counter()
                watched, self._watched = self._watched, defaultdict(list)
            if not pending.total():
                return
            at = self._db.clock.now()
            try:
                with self._db.begin() as session:
                    for viewing_id, count in sorted(pending.items()):
                        viewings.served(session, viewing_id, count=count, at=at)
                    for viewing_id, spans in sorted(watched.items()):
                        note(session, viewing_id, spans)
            except BaseException:
                with self._lock:
                    self._pending.update(pending)
                    for viewing_id, spans in watched.items():
                        self._watched[viewing_id] += spans
                raise

    def write_soon(self) -> None:
        """Have it written down within ``WITHIN_SECONDS``; call it in the event loop."""
        loop, at = asyncio.get_running_loop(), time.monotonic()
        with self._lock:
            if at < self._due:
                return
            self._due = at + WITHIN_SECONDS
        loop.call_later(WITHIN_SECONDS, lambda: loop.run_in_executor(None, self._write))

    def _write(self) -> None:
        with suppress(VaultError):  # only a number; it is counted again with the next range
            self.write()


def tally_on(db: Database) -> Tally:
    """This process's, for one database."""
    found = db.info.setdefault(_NAME, Tally(db))
    assert isinstance(found, Tally)
    return found
