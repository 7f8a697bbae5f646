"""An object store in somebody's cloud, or in one's own: S3, Azure Blob Storage or Google Cloud Storage, by ``obstore``.

Objects lie under their names below a prefix. Small ones are put in one request that fails where the name is taken,
larger ones in pieces that the store joins at the end: whole or not there, and memory stays flat. Reading asks for
ranges only (``obstore``'s streams measured a twelfth of that). No address is ever signed for others to use: it couldn't
be taken back. What ``obstore`` says of an error stays here, since it may quote an address.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, S3Store

from core.errors import VaultError
from core.ids import well_formed
from vault import errors
from vault.folders import clear, files_in, make_spool
from vault.objects import Bytes, Stored

PIECE_BYTES = 9 * 2**20
"""Put at once: more than a part of a deposit. A store joins at most 10,000 pieces, so that is also what bounds it."""
MOST_BYTES = 10_000 * PIECE_BYTES
_AT_ONCE = 2
_LISTED_AT_ONCE = 1000
_STRIDE = 2 * 2**20

_PAST_THE_END = ("status code: 416", "Wanted range")
_FULL = ("status code: 507", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "EntityTooLarge")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "bucket does not exist")
_DENIED = (PermissionDeniedError, UnauthenticatedError)
_ERRORS = (BaseError, OSError, ValueError)

Remote = S3Store | AzureStore | GCSStore


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store may take.

    Attributes:
        connect: to take a connection.
        answer: to answer one request whole.
        retries: how often a request is made again that failed in a way that may pass.
        retrying: after how long none is made again.
    """

    connect: timedelta = timedelta(seconds=5)
    answer: timedelta = timedelta(seconds=30)
    retries: int = 4
    retrying: timedelta = timedelta(seconds=20)

    def client(self) -> dict[str, Any]:
        """As ``obstore`` takes it."""
        return {"connect_timeout": self.connect, "timeout": self.answer}

    def retry(self) -> dict[str, Any]:
        """As ``obstore`` takes it."""
        backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3), "base": 2}
        return {"max_retries": self.retries, "retry_timeout": self.retrying, "backoff": backoff}


class BucketStore:
    """Objects under a prefix of a bucket or container.

    Args:
        remote: the bucket, as ``obstore`` knows it.
        spool: a folder of our own on a local disk.
    """

    def __init__(self, remote: Remote, *, spool: Path) -> None:
        self._remote = remote
        self._spool = spool
        make_spool(spool)

    @property
    def takes_writes(self) -> bool:
        """Always: each write stands or fails alone."""
        return True

    @property
    def stride(self) -> int:
        """So much that the way there and back weighs little."""
        return _STRIDE

    @property
    def spool(self) -> Path:
        """On a local disk; cleared at start."""
        return self._spool

    def writer(self, name: str) -> BucketWriter:
        """Begin to put an object."""
        return BucketWriter(self, self._remote, _checked(name))

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object; shorter where the object ends."""
        if length <= 0:
            return b""
        try:
            return bytes(obstore.get_range(self._remote, _checked(name), start=start, length=length))
        except FileNotFoundError as error:
            raise (errors.store_unavailable() if _says(error, _NO_BUCKET) else errors.object_missing()) from None
        except _ERRORS as error:
            refusal = _ours(error)
            past = _says(error, _PAST_THE_END)
        size = self.size(name) if past else None
        if size is not None and start >= size:
            return b""
        raise refusal

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        """Never: another machine is always waited for."""
        del name, start, into
        return False

    def size(self, name: str) -> int | None:
        """Length in bytes; nothing where there is no such object, and the bucket says so."""
        return size_in(self._remote, name)

    def delete(self, name: str) -> None:
        """Remove an object; one that isn't there is fine."""
        try:
            obstore.delete(self._remote, _checked(name))
        except FileNotFoundError:
            _see_bucket(self._remote)
        except _ERRORS as error:
            raise _ours(error) from None

    def names(self) -> Iterator[Stored]:
        """Every object, page by page. What isn't named like one is none."""
        try:
            for page in obstore.list(self._remote, chunk_size=_LISTED_AT_ONCE):
                for one in page:
                    if well_formed(one["path"]):
                        yield Stored(one["path"], int(one["size"]), one["last_modified"])
        except _ERRORS as error:
            raise _ours(error) from None

    def unfinished(self) -> Iterator[Stored]:
        """What lies in the spool. Pieces of uploads that died can't be seen: the bucket's own rule removes them."""
        yield from files_in(self._spool)

    def clear_unfinished(self, *, before: datetime) -> int:
        """Clear the spool."""
        return clear(self._spool, before=before)


def size_in(remote: Remote, name: str) -> int | None:
    """Length in bytes; nothing where there is no such object, and the bucket says so."""
    try:
        return int(obstore.head(remote, _checked(name))["size"])
    except FileNotFoundError:
        _see_bucket(remote)
        return None
    except _ERRORS as error:
        raise _ours(error) from None


def keeps_versions(remote: Remote, name: str) -> bool | None:
    """Whether an object has a version of its own, as where former ones are kept; nothing where that can't be told."""
    if isinstance(remote, GCSStore):  # there each object has a generation, kept or not
        return None
    try:
        return obstore.head(remote, _checked(name))["version"] not in {None, "null"}
    except _ERRORS as error:
        raise _ours(error) from None


def _see_bucket(remote: Remote) -> None:
    """Tell an object that isn't there from a bucket that isn't."""
    try:
        next(iter(obstore.list(remote, chunk_size=1)), None)
    except _ERRORS as error:
        raise _ours(error) from None


class BucketWriter:
    """An object on its way into a ``BucketStore``. Up to ``PIECE_BYTES`` wait here; more go out in a thread."""

    def __init__(self, store: BucketStore, remote: Remote, name: str) -> None:
        self._store, self._remote, self._name = store, remote, name
        self._waiting = bytearray()
        self._size = 0
        self._ended = False
        self._sending: _Sending | None = None

    def write(self, data: Bytes, /) -> None:
        """Append."""
        if self._ended:
            message = "written to after its end"
            raise RuntimeError(message)
        if self._size + len(data) > MOST_BYTES:
            raise errors.store_full()
        rest = memoryview(data).cast("B")
        self._size += len(rest)
        while rest:
            room = PIECE_BYTES - len(self._waiting)
            if not room:
                self._send()
                continue
            self._waiting += rest[:room]
            rest = rest[room:]

    def commit(self) -> int:
        """Put it in one request, or have the pieces joined: only then is it there."""
        if self._ended:
            message = "committed after its end"
            raise RuntimeError(message)
        if self._sending is None:
            self._put()
        else:
            if self._waiting:
                self._send()
            if self._store.size(self._name) is not None:
                raise errors.object_exists()
            self._sending.finish()
            self._sending = None
        self._ended = True
        self._waiting = bytearray()
        return self._size

    def abandon(self) -> None:
        """Drop what was written, unless it was committed; the store is told to forget its pieces."""
        sending, self._sending, self._ended = self._sending, None, True
        self._waiting = bytearray()
        if sending is not None:
            sending.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def _send(self) -> None:
        if self._sending is None:
            self._sending = _Sending(self._remote, self._name)
        piece, self._waiting = bytes(self._waiting), bytearray()
        self._sending.hand_over(piece)

    def _put(self) -> None:
        content = bytes(self._waiting)
        try:
            obstore.put(self._remote, self._name, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            # A request whose answer was lost was made again, and met its own result; or the name is really taken.
            size = self._store.size(self._name)
            if size != len(content) or self._store.read(self._name, start=0, length=size) != content:
                raise errors.object_exists() from None
        except _ERRORS as error:
            raise _ours(error) from None


class _Last(Enum):
    """What becomes of the pieces."""

    JOIN = auto()
    DROP = auto()


class _Abandoned(Exception):
    """Raised among the pieces, so that the store is told to drop them."""


class _Sending:
    """A large object that goes out piece by piece in a thread of its own, one piece waiting at most."""

    def __init__(self, remote: Remote, name: str) -> None:
        self._pieces: Queue[bytes | _Last] = Queue(maxsize=1)
        self._failure: VaultError | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(remote, name), name="put", daemon=True)
        self._thread.start()

    def hand_over(self, piece: bytes) -> None:
        """Have the next piece sent; waits while one is waiting already."""
        if not self._over.is_set():
            self._pieces.put(piece)
        if self._over.is_set():
            raise self._failure or errors.store_unavailable()

    def finish(self) -> None:
        """Have the pieces joined; it is there when this returns."""
        if not self._over.is_set():
            self._pieces.put(_Last.JOIN)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Have the pieces dropped."""
        if not self._over.is_set():
            self._pieces.put(_Last.DROP)
        self._thread.join()

    def _send(self, remote: Remote, name: str) -> None:
        try:
            obstore.put(
                remote, name, self._taken(), use_multipart=True, chunk_size=PIECE_BYTES, max_concurrency=_AT_ONCE
            )
        except _Abandoned:
            pass
        except _ERRORS as error:
            self._failure = _ours(error)
        except BaseException:
            self._failure = errors.store_unavailable()
            raise
        finally:
            self._over.set()
            with suppress(Empty):  # whoever waits to hand a piece over is let go, and then sees that it is over
                self._pieces.get_nowait()

    def _taken(self) -> Iterator[bytes]:
        while not isinstance(piece := self._pieces.get(), _Last):
            yield piece
        if piece is _Last.DROP:
            raise _Abandoned


def _checked(name: str) -> str:
    if not well_formed(name):
        raise errors.bad_object_name()
    return name


def _ours(error: Exception) -> VaultError:
    """The same error without the words of another program."""
    if isinstance(error, _DENIED):
        return errors.store_denied()
    return errors.store_full() if _says(error, _FULL) else errors.store_unavailable()


def _says(error: Exception, words: tuple[str, ...]) -> bool:
    text = str(error)
    return any(word in text for word in words)
