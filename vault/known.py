"""A store that is used only once it was known again: so that a process can start while its store doesn't answer.

People must be able to sign in and withdraw whatever becomes of a store on another machine. What needs the store is
refused meanwhile, and not one byte is read from it or written to it before its mark was seen. One that answers and is
another (or was left) ends the start; where it answers only later, everything goes on being refused.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from core.db import Database
from core.errors import Unavailable, VaultError
from vault import errors, whereabouts
from vault.objects import ObjectStore, ObjectWriter, Part, Stored

START_WAITS = timedelta(seconds=5)
"""How long a start waits for a store that neither answers nor refuses."""
_OTHERS_WAIT_SECONDS = 2.0
_FRESH_SECONDS = 3.0
_LOG = logging.getLogger("vault.store")


class KnownStore:
    """A store behind its mark.

    Args:
        db: the main database, which knows the mark.
        behind: the store as the process is set to use it.
        address: of the one that is written to, to be shown.
    """

    def __init__(self, db: Database, behind: ObjectStore, *, address: str) -> None:
        self.behind = behind
        self._db, self._address = db, address
        self._turn = threading.Lock()
        self._is_known = False
        self._wrong: tuple[str, str] | None = _said(errors.store_unavailable())
        self._looked_at = float("-inf")

    def start(self, *, within: timedelta = START_WAITS) -> None:
        """Look for the first time, and don't wait for long.

        Raises:
            Unavailable: ``store_unknown``, ``store_moved``, ``store_move_unfinished``: it answers, and isn't ours.
        """
        looking = threading.Thread(target=self._look_first, name="store", daemon=True)
        looking.start()
        looking.join(within.total_seconds())
        wrong = self._wrong
        if wrong is None:
            return
        if wrong[0] in whereabouts.NOT_OURS:
            raise Unavailable(*wrong)
        _LOG.error("started without the store", extra={"code": wrong[0]})

    def look(self) -> None:
        """See whether it answers and is ours; a look of a moment ago is still good.

        Raises:
            Unavailable: it isn't to be used just now.
        """
        if not self._turn.acquire(timeout=_OTHERS_WAIT_SECONDS):  # somebody waits for it already
            raise errors.store_unavailable()
        try:
            if time.monotonic() - self._looked_at > _FRESH_SECONDS:
                self._look()
            wrong = self._wrong
        finally:
            self._turn.release()
        if wrong is not None:
            raise Unavailable(*wrong)

    @property
    def takes_writes(self) -> bool:
        """Whether writing is still believed in."""
        return self.behind.takes_writes

    @property
    def stride(self) -> int:
        """As the store has it."""
        return self.behind.stride

    @property
    def spool(self) -> Path:
        """On a local disk, which needs no mark."""
        return self.behind.spool

    def writer(self, name: str) -> ObjectWriter:
        """Begin to put an object."""
        return self._seen().writer(name)

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object."""
        return self._seen().read(name, start=start, length=length)

    def part(self, name: str, *, start: int, length: int) -> Part:
        """The same with the object's length."""
        return self._seen().part(name, start=start, length=length)

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        """Fill a buffer where nobody has to be waited for; never before the store is known."""
        return self._is_known and self.behind.read_at_once(name, start=start, into=into)

    def size(self, name: str) -> int | None:
        """Length in bytes."""
        return self._seen().size(name)

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._seen().delete(name)

    def names(self) -> Iterator[Stored]:
        """Every object."""
        return self._seen().names()

    def unfinished(self) -> Iterator[Stored]:
        """What writers have begun and not committed."""
        return self._seen().unfinished()

    def clear_unfinished(self, *, before: datetime) -> int:
        """Remove what writers left behind."""
        return self._seen().clear_unfinished(before=before)

    def _seen(self) -> ObjectStore:
        if not self._is_known:
            self.look()
        return self.behind

    def _look_first(self) -> None:
        with self._turn:
            self._look()

    def _look(self) -> None:
        try:
            whereabouts.recognise(self._db, store=self.behind, address=self._address)
            self._wrong = None
        except VaultError as error:
            self._wrong = _said(error)
        except Exception:  # noqa: BLE001 - whatever it was, the store isn't known by it
            self._wrong = _said(errors.store_unavailable())
            _LOG.exception("the store couldn't be looked at")
        if self._wrong is None:
            if not self._is_known and self._looked_at > 0:
                _LOG.info("the store answers")
            self._is_known = True
        elif self._wrong[0] in whereabouts.NOT_OURS:  # one that is only away may go on where it was
            self._is_known = False
        self._looked_at = time.monotonic()


def look_at(store: ObjectStore) -> None:
    """See whether a store answers and is ours, where it has to be known again.

    Raises:
        Unavailable: it isn't to be used just now.
    """
    if isinstance(store, KnownStore):
        store.look()


def _said(error: VaultError) -> tuple[str, str]:
    return error.code, error.sentence
