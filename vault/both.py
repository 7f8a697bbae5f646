"""Two stores as one, while objects move from one to the other: nothing that lies in either can be missed.

New objects are written to the first. An object that the first hasn't got is read from the other: a name is given once
and its bytes never change, so whichever has it has the right ones. What is deleted is deleted in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from core.errors import Damaged
from vault import errors
from vault.objects import ObjectStore, ObjectWriter, Part, Stored


class BothStores:
    """The first of two stores, and what only the other one has.

    Attributes:
        first: where new objects go.
        also: where others may still lie.
    """

    def __init__(self, first: ObjectStore, also: ObjectStore) -> None:
        self.first, self.also = first, also

    @property
    def takes_writes(self) -> bool:
        """Whether the first does."""
        return self.first.takes_writes

    @property
    def stride(self) -> int:
        """The longer of the two."""
        return max(self.first.stride, self.also.stride)

    @property
    def spool(self) -> Path:
        """The first one's."""
        return self.first.spool

    def writer(self, name: str) -> ObjectWriter:
        """Begin to put an object into the first."""
        return self.first.writer(name)

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object, from whichever has it."""
        return self.part(name, start=start, length=length).content

    def part(self, name: str, *, start: int, length: int) -> Part:
        """The same with the object's length."""
        for store in (self.first, self.also):
            found = _part(store, name, start=start, length=length)
            if found is not None:
                return found
        return self.first.part(name, start=start, length=length)  # copied, and dropped there, between the two looks

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        """From whichever has it in memory."""
        return any(store.read_at_once(name, start=start, into=into) for store in (self.first, self.also))

    def size(self, name: str) -> int | None:
        """Length in bytes; nothing where neither has it."""
        for store in (self.first, self.also, self.first):
            size = store.size(name)
            if size is not None:
                return size
        return None

    def delete(self, name: str) -> None:
        """Remove an object from both; in the first once more, for a copy that was just being made of the other's."""
        for store in (self.first, self.also, self.first):
            store.delete(name)

    def names(self) -> Iterator[Stored]:
        """Every object of either, once."""
        seen = set()
        for stored in self.also.names():  # first what may be moving over while we look
            seen.add(stored.name)
            yield stored
        for stored in self.first.names():
            if stored.name not in seen:
                yield stored

    def unfinished(self) -> Iterator[Stored]:
        """What writers have begun in either."""
        yield from self.first.unfinished()
        yield from self.also.unfinished()

    def clear_unfinished(self, *, before: datetime) -> int:
        """Remove what writers left behind in either."""
        return self.first.clear_unfinished(before=before) + self.also.clear_unfinished(before=before)


def _part(store: ObjectStore, name: str, *, start: int, length: int) -> Part | None:
    """A range, or nothing where there is no such object; every other error is one."""
    try:
        return store.part(name, start=start, length=length)
    except Damaged as error:
        if error.code != errors.object_missing().code:
            raise
        return None
