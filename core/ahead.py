"""Reading ahead and writing behind, on a second thread with memory that is used again.

The cipher, the hash and the system's reads and writes let go of the interpreter, so where two cores are free, one opens
or seals while the other one writes. Each of the two keeps at most ``BUFFERS`` pieces in flight: memory stays flat, and
whoever is faster waits. What the second thread meets is raised in the first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

from core.memory import aligned, roomy
from core.segments import PLAIN_SIZE, SEGMENT_SIZE, Write

BUFFERS = 4
"""Pieces that are in flight at most."""

Item = TypeVar("Item")


def plain_buffers() -> Iterator[memoryview]:
    """What ``SegmentReader.views`` may open segments into where ``ahead`` passes the views on."""
    return cycle([aligned(roomy(PLAIN_SIZE)) for _ in range(BUFFERS)])


@contextmanager
def ahead(source: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """Have a second thread take items from an iterator before they are asked for.

    An item is done with when the next one is asked for: until then no more than ``BUFFERS`` have been begun.

    Yields:
        The items, in order; raises what the iterator raised, at the item at which it did.
    """
    reading = _Reading(source)
    reading.start()
    try:
        yield reading.items()
    finally:
        reading.stop()


class _End:
    """Nothing more comes, or this was in the way."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reading(Generic[Item]):
    def __init__(self, source: Iterator[Item]) -> None:
        self._source = source
        self._room = threading.Semaphore(BUFFERS)
        self._made: SimpleQueue[Item | _End] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._room.release()
        self._thread.join()

    def items(self) -> Iterator[Item]:
        while not isinstance(item := self._made.get(), _End):
            yield item
            self._room.release()
        if item.error is not None:
            raise item.error

    def _run(self) -> None:
        try:
            self._room.acquire()
            while not self._stopped:
                self._made.put(next(self._source))
                self._room.acquire()
        except StopIteration:
            self._made.put(_End())
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            self._made.put(_End(error))


class WriteBehind:
    """Takes pieces of ciphertext and has a second thread write them. Leave the ``with`` only after ``flush``.

    Give a ``SegmentWriter`` both ``write`` and ``buffers``: a buffer comes round again only when it has been written.
    Leaving the ``with`` waits for the write that is under way, so what was written to may be closed then.

    Args:
        write: what the second thread calls, with one piece at a time.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._ring = cycle([aligned(roomy(SEGMENT_SIZE)) for _ in range(BUFFERS)])
        self._room = threading.Semaphore(BUFFERS)
        self._given: SimpleQueue[memoryview | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._is_given_up = False
        self._thread = threading.Thread(target=self._run, name="behind", daemon=True)

    def buffers(self) -> Iterator[memoryview]:
        """Buffers that hold nothing that is still to be written; each must be given to ``write``."""
        for buffer in self._ring:
            self._room.acquire()
            yield buffer

    def write(self, piece: memoryview) -> None:
        """Pass on a piece of the buffer that was taken last.

        Raises:
            Exception: what writing an earlier piece raised.
        """
        if self._error is not None:
            raise self._error
        self._given.put(memoryview(piece))  # of its own: the giver's is void when this returns

    def flush(self) -> None:
        """Wait until all is written, and take nothing more.

        Raises:
            Exception: what writing raised.
        """
        self._given.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_given_up = True
        self._given.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (piece := self._given.get()) is not None:
            with piece:
                if self._error is None and not self._is_given_up:
                    try:
                        self._write(piece)
                    except BaseException as error:  # noqa: BLE001 - raised again where more is given
                        self._error = error
            self._room.release()
