"""Folders of our own on a local disk: made durably, kept to their owner, cleared of what dead processes left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vault import errors
from vault.objects import Stored

_STALE = timedelta(hours=1)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into, durably, unless it is there."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)


def make_spool(folder: Path) -> None:
    """Make a folder for what outlives no process, and clear it of what outlived one."""
    make_folder(folder)
    folder.chmod(0o700)
    clear(folder, before=datetime.now(UTC) - _STALE)


def sync_folder(folder: Path, sync: Callable[[int], None] = os.fsync) -> None:
    """Have the disk keep what names a folder holds."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(handle)
    finally:
        os.close(handle)


def listed(entry: os.DirEntry[str]) -> Stored:
    """A file as a listing shows it."""
    facts = entry.stat(follow_symlinks=False)
    return Stored(entry.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def files_in(folder: Path) -> Iterator[Stored]:
    """The files of a folder; one that goes while we look was never there.

    Raises:
        Unavailable: the folder can't be read.
    """
    try:
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                yield listed(entry)
    except OSError:
        raise errors.store_unavailable() from None


def clear(folder: Path, *, before: datetime) -> int:
    """Remove files that were last written before a time.

    Returns:
        How many.

    Raises:
        Unavailable: the folder can't be read or changed.
    """
    count = 0
    for stored in files_in(folder):
        if stored.written_at < before:
            try:
                (folder / stored.name).unlink(missing_ok=True)
            except OSError:
                raise errors.store_unavailable() from None
            count += 1
    return count
