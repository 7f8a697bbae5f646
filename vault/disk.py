"""An object store of plain files on the local disk.

An object is written beside its place, synced, given its name (which must be free), and its folder is synced: it is
whole and durable or not there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType

from core.ids import new_id, well_formed
from vault import errors
from vault.folders import clear, files_in, listed, make_folder, make_spool, sync_folder
from vault.objects import Bytes, ObjectWriter, Part, Stored

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BROKEN = frozenset({errno.EIO, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Calls:
    """The system calls that can fail on a bad day (tests put failing ones here)."""

    write: Callable[[int, Bytes], int] = os.write
    sync: Callable[[int], None] = os.fsync


class DiskStore:
    """Objects as plain files, mode 0600, in folders by the first two digits of their names.

    After one failed sync nothing that was written is certain any more (a second ``fsync`` can lie), so the store then
    refuses every further write until the service is started again.

    Args:
        root: its folder; made where it is missing.
        calls: the system calls to use.
    """

    def __init__(self, root: Path, *, calls: Calls | None = None) -> None:
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        self._spool = root / "spool"
        self._calls = calls or Calls()
        self._failed = False
        for folder in (root, self._objects, self._incoming):
            make_folder(folder)
        make_spool(self._spool)

    @property
    def takes_writes(self) -> bool:
        """Whether writing is still believed in."""
        return not self._failed

    @property
    def stride(self) -> int:
        """Nothing: a disk is asked for what is wanted now; the kernel reads ahead."""
        return 0

    @property
    def spool(self) -> Path:
        """On the disk of the objects, so that what has room there has room here; cleared at start."""
        return self._spool

    def writer(self, name: str) -> DiskWriter:
        """Begin to put an object."""
        if self._failed:
            raise errors.store_read_only()
        shard = self._path(name).parent
        self._see_folder()  # else its folders would be made where the disk isn't mounted
        with _told(self._fail):
            make_folder(shard)
            return DiskWriter(self._incoming / f"{name}.{new_id()}", self._path(name), self._calls, self._fail)

    def read(self, name: str, *, start: int, length: int) -> bytes:
        """A range of an object; shorter where the object ends."""
        return self.part(name, start=start, length=length).content

    def part(self, name: str, *, start: int, length: int) -> Part:
        """The same with the object's length."""
        try:
            handle = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return Part(_read_fully(handle, start=start, length=length), os.fstat(handle).st_size)
            finally:
                os.close(handle)
        except FileNotFoundError:
            self._see_folder()
            raise errors.object_missing() from None
        except OSError as error:
            if error.errno == errno.EIO:
                raise errors.object_missing() from None
            raise errors.store_unavailable() from None

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        """Fill a buffer from what the system has in memory (Linux's ``RWF_NOWAIT``); no disk is waited for."""
        try:
            handle = os.open(self._place(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return os.preadv(handle, [into], start, os.RWF_NOWAIT) == len(into)
            finally:
                os.close(handle)
        except OSError:  # not in memory, or a file system that can't say: whoever reads in earnest finds out
            return False

    def size(self, name: str) -> int | None:
        """Length in bytes; nothing where there is no such object."""
        try:
            return self._path(name).stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            self._see_folder()
            return None
        except OSError:
            raise errors.store_unavailable() from None

    def delete(self, name: str) -> None:
        """Remove an object, durably; one that isn't there is fine."""
        path = self._path(name)
        with _told(self._fail):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent, self._calls.sync)
                return
        self._see_folder()

    def names(self) -> Iterator[Stored]:
        """Every object, in no order. What isn't named like one (an administrator's own file) is none."""
        self._see_folder()
        try:
            for shard in self._objects.iterdir():
                for entry in list(os.scandir(shard)) if shard.is_dir() else ():
                    with suppress(FileNotFoundError):  # deleted while we look
                        if well_formed(entry.name):
                            yield listed(entry)
        except OSError:
            raise errors.store_unavailable() from None

    def unfinished(self) -> Iterator[Stored]:
        """What writers have begun and not committed, by names of its own."""
        for folder in (self._incoming, self._spool):
            yield from files_in(folder)

    def clear_unfinished(self, *, before: datetime) -> int:
        """Remove what writers left behind that died before a time."""
        return sum(clear(folder, before=before) for folder in (self._incoming, self._spool))

    def _see_folder(self) -> None:
        """Tell an object that isn't there from a disk that isn't mounted."""
        if not self._objects.is_dir():
            raise errors.store_unavailable()

    def _path(self, name: str) -> Path:
        return Path(self._place(name))

    def _place(self, name: str) -> str:
        if not well_formed(name):
            raise errors.bad_object_name()
        return f"{self._objects}/{name[:2]}/{name}"  # a Path takes its time, and this is asked for each segment

    def _fail(self) -> None:
        self._failed = True


def holds(root: Path, name: str) -> bool:
    """Whether a folder that may be a store has an object; nothing is made or changed."""
    return (root / "objects" / name[:2] / name).is_file()


class DiskWriter(ObjectWriter):
    """A file on its way into a ``DiskStore``."""

    def __init__(self, incoming: Path, final: Path, calls: Calls, fail: Callable[[], None]) -> None:
        self._incoming, self._final, self._calls, self._fail = incoming, final, calls, fail
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._handle: int | None = os.open(incoming, flags, 0o600)
        self._size = 0

    def write(self, data: Bytes, /) -> None:
        """Append."""
        if self._handle is None:
            message = "written to after its end"
            raise RuntimeError(message)
        rest = memoryview(data)
        with _told(self._fail):
            while rest:
                count = self._calls.write(self._handle, rest)
                self._size += count
                rest = rest[count:]

    def commit(self) -> int:
        """Sync the bytes, give them their name, sync the folder: only then is it there."""
        if self._handle is None:
            message = "committed after its end"
            raise RuntimeError(message)
        with _told(self._fail):
            self._calls.sync(self._handle)
            self._close()
            try:
                self._final.hardlink_to(self._incoming)  # renaming would replace an object that has this name
            except FileExistsError:
                raise errors.object_exists() from None
            self._incoming.unlink()
            sync_folder(self._final.parent, self._calls.sync)
        return self._size

    def abandon(self) -> None:
        """Drop what was written, unless it was committed."""
        self._close()
        with suppress(OSError):  # a leftover holds only ciphertext; clear_unfinished finds it
            self._incoming.unlink(missing_ok=True)

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


class _told:  # noqa: N801 - reads as a verb where it is used
    """Turn the operating system's errors into ours; a broken disk also stops all further writes."""

    def __init__(self, fail: Callable[[], None]) -> None:
        self._fail = fail

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in _FULL:
            raise errors.store_full() from None
        if error.errno in _BROKEN:
            self._fail()
            raise errors.store_read_only() from None
        raise errors.store_unavailable() from None


def _read_fully(handle: int, *, start: int, length: int) -> bytes:
    pieces = []
    while length > 0:
        piece = os.pread(handle, length, start)
        if not piece:
            break
        pieces.append(piece)
        start, length = start + len(piece), length - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
