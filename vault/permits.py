"""Permits of a moment ago, so that a range needn't collect every fact again while nothing has changed.

Nothing is decided by them: a kept permit is only worth comparing (``consent.still_stands``), in the very snapshot in
which the ticket is looked at, with the case's version and the session as they are *now*. Where anything differs, it is
decided from the beginning. And none is compared for longer than ``KEPT_SECONDS``, so that a fact of which somebody
forgot to raise the version is found out soon.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from consent import Permit
from core.db import Database
from core.ids import ViewingId

KEPT_SECONDS: Final = 10.0
"""How long after it was decided from the beginning."""
MOST: Final = 512
_NAME: Final = "vault_permits"


class Permits:
    """One process's latest permit of each viewing; the oldest are forgotten first.

    Args:
        monotonic: counts how old they are, in seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[ViewingId, tuple[float, Permit]] = {}

    def keep(self, viewing_id: ViewingId, permit: Permit) -> None:
        """Keep what was just decided."""
        with self._lock:
            self._kept.pop(viewing_id, None)
            self._kept[viewing_id] = (self._monotonic(), permit)
            while len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]

    def forget(self, viewing_id: ViewingId) -> None:
        """Compare it with nothing any more."""
        with self._lock:
            self._kept.pop(viewing_id, None)

    def latest(self, viewing_id: ViewingId) -> Permit | None:
        """What was decided last, if that was a moment ago."""
        with self._lock:
            since, permit = self._kept.get(viewing_id, (float("-inf"), None))
        return permit if self._monotonic() - since < KEPT_SECONDS else None


def permits_on(db: Database) -> Permits:
    """This process's, for one database."""
    found = db.info.setdefault(_NAME, Permits())
    assert isinstance(found, Permits)
    return found
