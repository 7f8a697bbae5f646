"""Reading on in an object that lies far away: larger ranges than are wanted now, asked for before they are wanted.

A single read goes straight to the store, so the first byte comes as quickly as it can. Whoever then reads on where the
last read ended has the next stretch fetched meanwhile, and the one after it as soon as that is begun. Two stretches of
ciphertext are held for one reader at most.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from core.segments import damaged
from vault.headers import Headers
from vault.objects import ObjectStore

_COUNTS = 64 * 2**10
"""Smaller reads (a header) say nothing about what comes next."""


def reader(store: ObjectStore, name: str) -> Callable[[int, int], bytes]:
    """A function that reads (offset, length) of an object, ahead of time where that pays. Threads may share it."""
    if not store.stride:
        return lambda start, length: store.read(name, start=start, length=length)
    return ReadAhead(store, name)


class Pinned:
    """What an object far away holds, read under what was pinned of it. Threads may share it.

    The first read finds out whether length and header are the pinned ones in the one way there and back that it takes
    anyway: each range says how long the whole is, and the header comes with it, or is asked for beside it. Until then
    nothing is asked of the store; the header that may be read before is the pinned one.

    Args:
        store: where it lies.
        name: the object's.
        header: as it was pinned.
        size: its length as it was pinned.
        headers: what was found a moment ago; without it, it is found out anew.
    """

    def __init__(
        self, store: ObjectStore, name: str, *, header: bytes, size: int, headers: Headers | None = None
    ) -> None:
        self._store, self._name, self._header, self._size = store, name, header, size
        self._headers = headers or Headers()
        self._read: ReadAhead | None = None
        self._lock = threading.Lock()

    def __call__(self, start: int, length: int) -> bytes:
        """So many bytes from a place, fewer where the object ends.

        Raises:
            Damaged: no such object, or not of the pinned length and header.
            Unavailable: the store can't be read just now.
        """
        if start + length <= len(self._header):
            return self._header[start : start + length]
        with self._lock:
            read = self._read
            if read is None:
                content = self._first(start, length)
                self._read = ReadAhead(self._store, self._name, expected=start + length)
                return content
        return read(start, length)

    def _first(self, start: int, length: int) -> bytes:
        in_it = len(self._header)
        if start <= in_it:
            found = self._store.part(self._name, start=0, length=start + length)
            header, content = found.content[:in_it], found.content[start:]
        else:
            is_known = self._headers.holds(self._name)
            beside = None if is_known else _Stretch(self._store, self._name, start=0, length=in_it)
            found = self._store.part(self._name, start=start, length=length)
            header, content = beside.part(0, in_it) if beside else self._header, found.content
        if found.whole != self._size or header != self._header:
            self._headers.forget(self._name)
            raise damaged()
        if start <= in_it or not is_known:
            self._headers.note(self._name)
        return content


class ReadAhead:
    """What is known and on its way of one object for one reader.

    Args:
        store: where it lies; its stride is the length of a stretch.
        name: the object's.
        expected: where the next read goes on, if it does.
    """

    def __init__(self, store: ObjectStore, name: str, *, expected: int = -1) -> None:
        self._store, self._name = store, name
        self._stretches: deque[_Stretch] = deque()
        self._expected = expected
        self._lock = threading.Lock()

    def __call__(self, start: int, length: int) -> bytes:
        """So many bytes from a place, fewer where the object ends.

        Raises:
            Damaged: no such object.
            Unavailable: the store can't be read just now.
        """
        with self._lock:
            goes_on, end = start == self._expected, start + length
            if length >= _COUNTS:
                self._expected = end
            held = next((one for one in self._stretches if one.holds(start, end)), None)
            if held is not None:
                while self._stretches[0] is not held:
                    self._stretches.popleft()
            elif length >= _COUNTS:
                self._stretches.clear()
            if goes_on or held is not None:
                self._fetch_after(self._stretches[-1].end if self._stretches else end, most=2)
        if held is None:
            return self._store.read(self._name, start=start, length=length)
        try:
            return held.part(start, length)
        except BaseException:
            with self._lock:
                self._stretches.clear()
            raise

    def _fetch_after(self, start: int, *, most: int) -> None:
        if len(self._stretches) < most and not (self._stretches and self._stretches[-1].is_last):
            self._stretches.append(_Stretch(self._store, self._name, start=start, length=self._store.stride))


class _Stretch:
    """A range that is fetched in a thread of its own."""

    def __init__(self, store: ObjectStore, name: str, *, start: int, length: int) -> None:
        self.start, self.end = start, start + length
        self._content: Future[bytes] = Future()
        threading.Thread(target=self._fetch, args=(store, name), name="ahead", daemon=True).start()

    @property
    def is_last(self) -> bool:
        """Whether the object is known to end in it."""
        return self._content.done() and not (
            self._content.exception() is None and len(self._content.result()) == self.end - self.start
        )

    def holds(self, start: int, end: int) -> bool:
        """Whether a range lies in it."""
        return self.start <= start and end <= self.end

    def part(self, start: int, length: int) -> bytes:
        """A range of it, waited for."""
        return self._content.result()[start - self.start : start - self.start + length]

    def _fetch(self, store: ObjectStore, name: str) -> None:
        try:
            self._content.set_result(store.read(name, start=self.start, length=self.end - self.start))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
            self._content.set_exception(error)
