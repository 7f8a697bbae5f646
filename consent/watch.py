"""Watching the versions of what a process is serving, so that a withdrawal stops a film that is already playing.

One thread per process asks, in one query for all, for the versions of the watched cases and whether the watched
sessions still hold, every ``EVERY``. The age of what it knows counts on the monotonic clock from the query's *start*,
so a slow answer is an old answer; older than ``EVIDENCE`` it is none, and a database that hangs stops the film by
itself. Notifications may only make it look sooner (``hurry``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Protocol, Self

from consent.rules import Permit
from core.db import Database
from core.errors import VaultError
from core.ids import CaseId, SessionId
from identity import sessions_live, versions

EVERY: Final = timedelta(milliseconds=125)
"""How often to look; the specification asks for at least every 250 ms."""
EVIDENCE: Final = timedelta(milliseconds=500)
"""How old what is known may be."""
PATIENCE: Final = timedelta(seconds=3)
"""How long it may find nothing out before that counts as a fault, while something is being watched."""
_STOPS_WITHIN_SECONDS = 2.0

_LOG = logging.getLogger("vault.watch")


class Monotonic(Protocol):
    """A clock that only counts: seconds from somewhere."""

    def __call__(self) -> float:
        """The seconds now."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one look found.

    Attributes:
        started: seconds of the monotonic clock when the query began.
    """

    versions: dict[CaseId, int]
    sessions: frozenset[SessionId]
    started: float


OnChange = Callable[[CaseId, int], None]


class Watch:
    """Knows, for the cases and sessions that are being served, what was true half a second ago at most.

    Args:
        db: the main database (the primary).
        monotonic: the clock that counts the age of what is known.
        every: how long to rest between looks.
    """

    def __init__(self, db: Database, *, monotonic: Monotonic = time.monotonic, every: timedelta = EVERY) -> None:
        self._db = db
        self._monotonic = monotonic
        self._every = every
        self._watched: Counter[tuple[CaseId, SessionId | None]] = Counter()
        self._listeners: list[OnChange] = []
        self._evidence = Evidence({}, frozenset(), float("-inf"))
        self._asked_since = float("-inf")  # since when there has been somebody to look for
        self._changed = threading.Condition()
        self._hurried = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look, in a thread of its own."""
        if self._thread is None:
            self._stopping = False
            self._thread = threading.Thread(target=self._run, name="consent-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; from then on nothing is fresh."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOPS_WITHIN_SECONDS)  # it may be waiting for a database that hangs
            self._thread = None
        self._evidence = Evidence({}, frozenset(), float("-inf"))

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @contextmanager
    def watching(self, case_id: CaseId, *, session: SessionId | None = None) -> Iterator[None]:
        """Watch a case, and a session, for as long as the block runs."""
        self.watch(case_id, session=session)
        try:
            yield
        finally:
            self.unwatch(case_id, session=session)

    def watch(self, case_id: CaseId, *, session: SessionId | None = None) -> None:
        """Watch a case, and a session, until ``unwatch`` was called as often.

        It is looked for with the next look, so what was decided just now must stand by itself for as long. A range that
        is answered sooner costs no look at all.
        """
        with self._changed:
            if not self._watched:
                self._asked_since = self._monotonic()
                self._changed.notify_all()
            self._watched[case_id, session] += 1

    def unwatch(self, case_id: CaseId, *, session: SessionId | None = None) -> None:
        """Watch them once less."""
        with self._changed:
            self._watched[case_id, session] -= 1
            if self._watched[case_id, session] <= 0:
                del self._watched[case_id, session]

    def listen(self, on_change: OnChange) -> Callable[[], None]:
        """Be told, in the watch's thread, when a watched case's version moved; must be quick and never raise.

        Returns:
            What to call to be told no longer.
        """
        with self._changed:
            self._listeners.append(on_change)

        def stop() -> None:
            with self._changed:
                self._listeners.remove(on_change)

        return stop

    @property
    def is_well(self) -> bool:
        """Whether the thread looks, and what it last found isn't old while somebody counts on it."""
        if self._thread is None or not self._thread.is_alive():
            return False
        latest = max(self._evidence.started, self._asked_since)  # while nobody is watched, nobody looks
        return not self._watched or self._monotonic() - latest <= PATIENCE.total_seconds()

    def hurry(self) -> None:
        """Look sooner: this process itself has just changed something."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def fresh(self, permit: Permit, *, at: datetime) -> bool:
        """Whether the permit may still be used as it is; where not, ``still_permitted`` finds out what is true now.

        Args:
            permit: of a case and session that are being watched.
            at: the time, by the process's clock.
        """
        known = self._evidence  # one reference: what a look found is never mixed with the next
        return (
            known.versions.get(permit.case_id) == permit.version
            and permit.inquiry.session in known.sessions
            and self._monotonic() - known.started <= EVIDENCE.total_seconds()
            and at < permit.valid_until
        )

    def look(self) -> None:
        """Look once, now, in the caller's thread."""
        with self._changed:
            cases = {case_id for case_id, _ in self._watched}
            sessions = {session for _, session in self._watched if session is not None}
            self._hurried = False
        before = self._evidence
        started = self._monotonic()
        try:
            with self._db.read() as session:
                found = versions(session, cases)
                live = sessions_live(session, sessions, at=self._db.clock.now())
        except VaultError as error:
            # What is known only grows older, and stops counting by itself.
            _LOG.warning("the watch can't look", extra={"code": error.code})
            return
        self._evidence = Evidence(found, frozenset(live), started)
        self._tell(before.versions, found)

    def _tell(self, before: dict[CaseId, int], found: dict[CaseId, int]) -> None:
        with self._changed:
            listeners = list(self._listeners)
        for case_id, version in found.items():
            if before.get(case_id, version) != version:
                for listener in listeners:
                    listener(case_id, version)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watched or self._hurried or self._stopping)
                self._changed.wait_for(lambda: self._hurried or self._stopping, self._every.total_seconds())
                if self._stopping:
                    return
                if not self._watched:
                    self._hurried = False
                    continue
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the thread must live; meanwhile what is known grows old and refuses
                _LOG.exception("the watch stumbled")
                time.sleep(self._every.total_seconds())
