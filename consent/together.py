"""Collecting together: many who ask about one rendition at one moment are answered from one collection.

When somebody withdraws, everything that plays is decided again at once. Each decision is its own, but the facts under
them are the same, and collecting them is what takes time. Whoever asks gets facts that were collected *after* they
asked, as if they had collected them alone; nothing is kept for whoever asks later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from consent.facts import Facts
from core.db import Database
from core.ids import CaseId, RenditionId

Key = tuple[CaseId, RenditionId]
AT_ONCE: Final = 4
"""How many look up at once what is each one's own: more would only open more connections to the database."""
_NAME: Final = "consent_together"


@dataclass(slots=True)
class _Turn:
    """One rendition's collections.

    Attributes:
        begun: monotonic seconds at which the latest one began.
        waiting: how many are here; the last one takes the facts away.
    """

    begun: float = float("-inf")
    found: Facts | None = None
    fault: Exception | None = None
    waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Together:
    """What one process collects just now.

    Attributes:
        one_by_one: to be held while something is looked up that is each one's own.
    """

    def __init__(self) -> None:
        self._turns: dict[Key, _Turn] = {}
        self._lock = threading.Lock()
        self.one_by_one = threading.BoundedSemaphore(AT_ONCE)

    def collected(self, key: Key, collect: Callable[[], Facts]) -> Facts:
        """Facts from a collection that begins after this call.

        Args:
            key: what they are about.
            collect: collects them, in a snapshot of its own; what it raises is raised for all who waited for it.
        """
        asked = time.monotonic()
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                if turn.begun <= asked:
                    self._collect(turn, collect)
                if turn.fault is not None:
                    raise turn.fault
                assert turn.found is not None
                return turn.found
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]

    def _collect(self, turn: _Turn, collect: Callable[[], Facts]) -> None:
        turn.begun, turn.found, turn.fault = time.monotonic(), None, None
        try:
            turn.found = collect()
        except Exception as error:  # noqa: BLE001 - it is everybody's who waited
            turn.fault = error


def together_on(db: Database) -> Together:
    """This process's, for one database."""
    found = db.info.setdefault(_NAME, Together())
    assert isinstance(found, Together)
    return found
