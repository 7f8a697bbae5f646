"""Headers that were in their place a moment ago, so that a player that seeks in a film far away isn't made to wait.

A small bucket's answer to forty bytes took longer than one to a whole segment. Objects are never changed, every segment
is opened under the *pinned* header, and how long the object is comes with each range; so what is left to find out by
looking once more is that somebody wrote over those forty bytes, which shows nobody anything. That is looked at once in
``KEPT_SECONDS``, and whenever a film is read from its beginning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from core.db import Database

KEPT_SECONDS: Final = 60.0
MOST: Final = 512
_NAME: Final = "vault_headers"


class Headers:
    """The objects of one process whose headers were as pinned; the oldest are forgotten first.

    Args:
        monotonic: counts how long ago that was, in seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def note(self, name: str) -> None:
        """An object's header was as pinned."""
        with self._lock:
            self._seen.pop(name, None)
            self._seen[name] = self._monotonic()
            while len(self._seen) > MOST:
                del self._seen[next(iter(self._seen))]

    def forget(self, name: str) -> None:
        """Something was wrong with an object."""
        with self._lock:
            self._seen.pop(name, None)

    def holds(self, name: str) -> bool:
        """Whether that was a moment ago."""
        with self._lock:
            return self._monotonic() - self._seen.get(name, float("-inf")) < KEPT_SECONDS


def headers_on(db: Database) -> Headers:
    """This process's, for the objects of one database."""
    found = db.info.setdefault(_NAME, Headers())
    assert isinstance(found, Headers)
    return found
