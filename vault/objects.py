"""Where sealed bytes lie: one small protocol.

A store holds ciphertext under names that say nothing (random ids). It knows no keys and decides nothing: what may be
read is decided before it is asked. An object is either whole and durable or not there, and it is never changed: a name
is given once. Compare-and-swap is the database's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

Bytes = bytes | bytearray | memoryview
"""What may be written; a writer is done with a buffer when ``write`` returns."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing shows it."""

    name: str
    size_bytes: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A range of an object as one look at it showed it.

    Attributes:
        content: the range; shorter where the object ends.
        whole: length of the whole object in bytes, by the same look.
    """

    content: bytes
    whole: int


class ObjectWriter(Protocol):
    """An object on its way: invisible until ``commit`` returns, gone where that never happens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def write(self, data: Bytes, /) -> None:
        """Append.

        Raises:
            OutOfRoom: the store is full.
            Unavailable: the store failed and takes nothing more.
        """
        ...

    def commit(self) -> int:
        """Make it whole, durable and visible.

        Returns:
            Its length in bytes.

        Raises:
            Conflict: ``object_exists``: the name is taken, and what has it stays as it is.
            OutOfRoom: the store is full.
            Unavailable: the store failed; nothing that others see has changed, or all of it has.
        """
        ...

    def abandon(self) -> None:
        """Drop what was written, unless it was committed."""
        ...


class ObjectStore(Protocol):
    """Put a stream, get a range, delete, list."""

    @property
    def spool(self) -> Path:
        """A folder of our own with room for the largest object, for sealed bytes that outlive no process."""
        ...

    @property
    def stride(self) -> int:
        """How many bytes it pays to ask for at once when one reads on; nothing where asking costs nothing."""
        ...

    @property
    def takes_writes(self) -> bool:
        """Whether writing is still believed in."""
        ...

    def writer(self, name: str) -> ObjectWriter:
        """Begin to put an object; leave the ``with`` without ``commit`` and nothing was put."""
        ...

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object; shorter where the object ends.

        Raises:
            Damaged: no such object, although somebody has its name.
            Unavailable: the store can't be read just now.
        """
        ...

    def part(self, name: str, *, start: int, length: int) -> Part:
        """The same with the object's length, and no second way to the store for it.

        Raises:
            Damaged: no such object, although somebody has its name.
            Unavailable: the store can't be read just now.
        """
        ...

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        """Fill a buffer from a place in an object, where nobody has to be waited for.

        Returns:
            Whether it is full; not where it would take longer, or there isn't so much.
        """
        ...

    def size(self, name: str) -> int | None:
        """Length in bytes; nothing where there is no such object."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that isn't there is fine."""
        ...

    def names(self) -> Iterator[Stored]:
        """Every object, in no order."""
        ...

    def unfinished(self) -> Iterator[Stored]:
        """What writers have begun and not committed, by names of its own."""
        ...

    def clear_unfinished(self, *, before: datetime) -> int:
        """Remove what writers left behind that died before a time.

        Returns:
            How many.
        """
        ...
