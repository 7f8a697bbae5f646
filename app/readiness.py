"""Whether this process can do its work just now: looked at part by part, never waited for longer than a moment.

Each part is looked at in a thread of its own, with at most one look under way: where a database hangs, its part fails
as ``unanswered`` and nothing piles up. A look that is a second old is still good, so that asking costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import audit
import vault
from app.ending import Ending, Stage
from app.service import Service
from core.db import Database, reachable
from core.errors import Damaged, OutOfRoom, Unavailable, VaultError
from media import launcher
from vault import ObjectStore

LIMIT = timedelta(seconds=2)
"""How long a look may take."""
FRESH = timedelta(seconds=1)
LEAST_FREE_BYTES = 256 * 2**20
"""Below it the store counts as full: what is written while something is put right needs room too."""

Check = Callable[[], None]


@dataclass(slots=True)
class Part:
    """One thing that must hold.

    Args:
        name: a word of ours.
        check: raises ``VaultError`` where it doesn't hold.
        fresh: how long a look is good.
        hanging: what is wrong where it doesn't answer in time; nothing where that is no reason to stop.
    """

    name: str
    check: Check
    fresh: timedelta = FRESH
    hanging: str | None = "unanswered"
    _look: Future[str | None] = field(default_factory=Future)
    _begun: float = float("-inf")

    def look(self) -> Future[str | None]:
        """The look that is fresh, or under way, or begun now: the code of what is wrong, or nothing."""
        if self._begun == float("-inf") or (
            self._look.done() and time.monotonic() - self._begun > self.fresh.total_seconds()
        ):
            self._look, self._begun = Future(), time.monotonic()
            threading.Thread(target=self._run, args=(self._look,), name=f"ready-{self.name}", daemon=True).start()
        return self._look

    def _run(self, look: Future[str | None]) -> None:
        try:
            self.check()
            look.set_result(None)
        except VaultError as error:
            look.set_result(error.code)
        except Exception as error:  # noqa: BLE001 - whatever it was, it doesn't hold
            look.set_result(type(error).__name__)


class Readiness:
    """What ``/readyz`` says.

    Args:
        parts: what must hold.
        ending: this process's end.
        alarms: what somebody must look at, though this process may go on meanwhile.
    """

    def __init__(self, parts: tuple[Part, ...], *, ending: Ending, alarms: tuple[Part, ...] = ()) -> None:
        self._parts = parts
        self._ending = ending
        self._alarms = alarms

    async def failing(self) -> Mapping[str, str]:
        """What doesn't hold, by name, with its code; answered within ``LIMIT`` whatever hangs."""
        if self._ending.stage > Stage.OPEN:
            return {"process": "closing"}
        return await _look_at(self._parts)

    async def alarming(self) -> Mapping[str, str]:
        """What doesn't stop this process and must be seen to, by name, with its code; answered as quickly."""
        return {} if self._ending.stage > Stage.OPEN else await _look_at(self._alarms)


async def _look_at(parts: tuple[Part, ...]) -> Mapping[str, str]:
    looks = {part.name: part.look() for part in parts}
    waiting = [asyncio.wrap_future(look) for look in looks.values() if not look.done()]
    if waiting:
        await asyncio.wait(waiting, timeout=LIMIT.total_seconds())
    return {
        part.name: code
        for part in parts
        if (code := look.result() if (look := looks[part.name]).done() else part.hanging) is not None
    }


def parts_of(service: Service) -> tuple[Part, ...]:
    """What must hold for every process that serves pages."""
    parts = [
        Part("database", lambda: _answers(service.db)),
        Part("key_database", lambda: _answers(service.keystore.db)),
        Part("keys", lambda: _keys_are_there(service)),
        Part("store", lambda: _has_room(service.settings.store, store=service.store)),
        Part("watch", lambda: _watches(service)),
    ]
    if service.witness is not None:
        witness = service.witness
        parts.append(Part("witness", lambda: _stands_by(service.db, witness=witness), hanging=None))
    return tuple(parts)


def _stands_by(db: Database, *, witness: audit.Witness) -> None:
    """See that the witness hasn't forgotten. One that is away hasn't: what it is to be told waits for it.

    Nobody is kept from withdrawing because a disk elsewhere is gone; ``doctor`` and the officer's page say that it is.
    """
    with suppress(Unavailable):
        audit.check_mark(db, witness=witness)


def alarms_of(service: Service) -> tuple[Part, ...]:
    """What somebody must look at, though pages may be served meanwhile."""
    return (
        Part("key_copy", lambda: _is_copied(service), fresh=timedelta(seconds=30), hanging=None),
        # Not among what must hold: a proxy would send nobody here any more, and people must be able to withdraw.
        Part("objects", lambda: vault.look_at(service.store)),
        Part("spool", lambda: _spool_has_room(service)),
    )


def _is_copied(service: Service) -> None:
    with suppress(Unavailable):  # a database that doesn't answer is told as such
        if not service.keystore.copy_is_overdue():
            return
        raise Damaged("key_copy_overdue", "The key rows weren't copied to a recovery place for half an hour.")


def sandbox_part() -> Part:
    """What must hold where films are worked on: the sandbox, proved once."""
    return Part("sandbox", _prove, fresh=timedelta(seconds=30))


def _prove() -> None:
    launcher.self_test()


def check_room(folder: Path) -> None:
    """Look whether a file system takes more.

    Raises:
        Unavailable: ``store_read_only``, ``store_unreachable``.
        OutOfRoom: ``store_full``.
    """
    try:
        facts = os.statvfs(folder)
    except OSError:
        raise Unavailable("store_unreachable", "The folder of the store can't be reached.") from None
    if facts.f_flag & os.ST_RDONLY:
        raise Unavailable("store_read_only", "The disk of the store takes no writing.")
    if facts.f_bavail * facts.f_frsize < LEAST_FREE_BYTES or (facts.f_files and not facts.f_favail):
        raise OutOfRoom("store_full", "The disk of the store is full.")


def _has_room(folder: Path, *, store: ObjectStore) -> None:
    check_room(folder)
    if not store.takes_writes:
        raise Unavailable("store_read_only", "The disk failed to write through: nothing more is taken.")


def _spool_has_room(service: Service) -> None:
    """Only where it lies on a disk of its own: the store's disk is a part that must hold."""
    spool = service.store.spool
    with suppress(OSError):
        if spool.stat().st_dev == service.settings.store.stat().st_dev:
            return
    check_room(spool)


def _answers(db: Database) -> None:
    if not reachable(db):
        raise Unavailable("unreachable", "The database doesn't answer.")


def _keys_are_there(service: Service) -> None:
    if service.keystore.is_sealed:
        raise Unavailable("sealed", "The keys are sealed.")
    keyring = service.keystore.keyring
    try:
        keyring.file_at(keyring.places[0])
    except Damaged:
        raise Unavailable("keyring_damaged", "The keyring can't be read.") from None


def _watches(service: Service) -> None:
    if not service.watch.is_well:
        raise Unavailable("watch_stopped", "Withdrawals can't be seen just now, so nothing is shown.")
