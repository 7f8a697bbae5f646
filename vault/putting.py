"""Putting an object into a bucket: in one request where it is small, else in pieces that the store joins at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from queue import Empty, Queue

import obstore
from obstore.exceptions import AlreadyExistsError

from core.errors import VaultError
from vault import errors
from vault.asking import ERRORS, Remote, ours, range_of, size_in
from vault.objects import Bytes, ObjectWriter

PIECE_BYTES = 9 * 2**20
"""Put at once: more than a part of a deposit. A store joins at most 10,000 pieces, so that is also what bounds it."""
MOST_BYTES = 10_000 * PIECE_BYTES
_AT_ONCE = 2


class BucketWriter(ObjectWriter):
    """An object on its way into a ``BucketStore``. Up to ``PIECE_BYTES`` wait here; more go out in a thread."""

    def __init__(self, remote: Remote, name: str) -> None:
        self._remote, self._name = remote, name
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
            if size_in(self._remote, self._name) is not None:
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
            size = size_in(self._remote, self._name)
            if size != len(content) or range_of(self._remote, self._name, start=0, length=size) != content:
                raise errors.object_exists() from None
        except ERRORS as error:
            raise ours(error) from None


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
        except ERRORS as error:
            self._failure = ours(error)
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
