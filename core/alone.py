"""Long work that one process of a store does at a time. What says so dies with the process that holds it.

On PostgreSQL it is an advisory lock of a connection of its own: the server lets it go when that ends, however it does.
On SQLite every process is on this machine, and it is a lock on a file beside the database, which the kernel lets go.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.errors import Unavailable

_MODE = 0o600


class Task(StrEnum):
    """What is done by one at a time, as its command is called."""

    SCRUB = "scrub"
    REPAIR = "fsck --repair"
    MOVE = "move-store"


@contextmanager
def alone(db: Database, task: Task) -> Iterator[None]:
    """Be the one process that does this, for as long as the block lasts.

    Raises:
        Unavailable: ``already_running``: another one does it. Nothing was done.
    """
    with _beside(db, task) if db.is_sqlite else _on_the_server(db, task):
        yield


@contextmanager
def _on_the_server(db: Database, task: Task) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(f"vig-vault alone {task.value}".encode()).digest()[:8], signed=True)
    with ExitStack() as held:
        try:
            connection = held.enter_context(db.engine.execution_options(isolation_level="AUTOCOMMIT").connect())
            connection.detach()  # it never goes back to the pool, where it would hold the lock on
            is_mine = connection.scalar(select(func.pg_try_advisory_lock(number)))
        except DBAPIError as error:
            raise _unreachable() from error
        if not is_mine:
            raise _already_running(task)
        try:
            yield
        finally:  # the server may take a while to notice that a connection has ended
            with suppress(DBAPIError):  # then the server lets it go by itself
                connection.scalar(select(func.pg_advisory_unlock(number)))


@contextmanager
def _beside(db: Database, task: Task) -> Iterator[None]:
    path = Path(f"{db.engine.url.database}-{task.name.lower()}.lock")
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    except OSError as error:
        raise _unreachable() from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already_running(task) from None
        yield
    finally:
        os.close(held)


def _already_running(task: Task) -> Unavailable:
    return Unavailable(
        "already_running",
        f"`vig-vault {task}` runs on this store already, in another process. Let that one end; nothing was done.",
    )


def _unreachable() -> Unavailable:
    return Unavailable("database_busy", "The service is busy just now. Nothing was changed; please try again.")
