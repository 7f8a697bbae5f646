"""An object store in somebody's cloud, or in one's own: S3, Azure Blob Storage or Google Cloud Storage, by ``obstore``.

Objects lie under their names below a prefix. Small ones are put in one request that fails where the name is taken,
larger ones in pieces that the store joins at the end: whole or not there, and memory stays flat. Reading asks for
ranges only (``obstore``'s streams measured a twelfth of that). No address is ever signed for others to use: it couldn't
be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import obstore

from core.ids import well_formed
from vault.asking import ERRORS, Remote, checked, ours, part_of, range_of, see_bucket, size_in
from vault.folders import clear, files_in, make_spool
from vault.objects import Part, Stored
from vault.putting import BucketWriter

_LISTED_AT_ONCE = 1000
_STRIDE = 2 * 2**20


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
        return BucketWriter(self._remote, checked(name))

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object; shorter where the object ends."""
        return range_of(self._remote, name, start=start, length=length)

    def part(self, name: str, *, start: int, length: int) -> Part:
        """The same with the object's length, which comes with each range."""
        return part_of(self._remote, name, start=start, length=length)

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
            obstore.delete(self._remote, checked(name))
        except FileNotFoundError:
            see_bucket(self._remote)
        except ERRORS as error:
            raise ours(error) from None

    def names(self) -> Iterator[Stored]:
        """Every object, page by page. What isn't named like one is none."""
        try:
            for page in obstore.list(self._remote, chunk_size=_LISTED_AT_ONCE):
                for one in page:
                    if well_formed(one["path"]):
                        yield Stored(one["path"], int(one["size"]), one["last_modified"])
        except ERRORS as error:
            raise ours(error) from None

    def unfinished(self) -> Iterator[Stored]:
        """What lies in the spool. Pieces of uploads that died can't be seen: the bucket's own rule removes them."""
        yield from files_in(self._spool)

    def clear_unfinished(self, *, before: datetime) -> int:
        """Clear the spool."""
        return clear(self._spool, before=before)
