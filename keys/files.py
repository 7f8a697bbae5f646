"""Small private files that must be whole or absent: written beside, synced, renamed; read only where nobody else can.

What a rename replaces is overwritten once it has lost its name. On a copy-on-write or flash disk remnants of its
blocks may still exist; that is what the assurance ``file`` on a certificate says.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import Invalid, OutOfRoom, Refused, Unavailable
from core.secret import Secret
from keys import credentials

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_LONGEST_PASSPHRASE_FILE = 4096


def read_passphrase_file(path: Path) -> Secret[str]:
    """The passphrase in a private file, without the line's end.

    Raises:
        Refused: others may read the file.
        Unavailable: it isn't there.
        Invalid: it is empty, too long or not text.
    """
    data = read_private(path)
    try:
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _no_passphrase() from None
    if not text or len(data) > _LONGEST_PASSPHRASE_FILE:
        raise _no_passphrase()
    return Secret(text)


def read_private(path: Path) -> bytes:
    """A file's content, if only its owner may read it (or it is our own credential of systemd's).

    Raises:
        Refused: ``file_too_open``.
        Unavailable: ``file_missing`` or ``file_unreachable``.
    """
    try:
        while True:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
                seen = os.fstat(file.fileno())
                if not stat.S_ISREG(seen.st_mode) or (
                    stat.S_IMODE(seen.st_mode) & ~PRIVATE_FILE
                    and not credentials.is_ours_alone(path, file.fileno(), environment=os.environ)
                ):
                    raise _too_open()
                data = file.read()
            if path.lstat().st_ino == seen.st_ino:  # otherwise it was replaced, and perhaps scrubbed, as we read
                return data
    except OSError as error:
        raise _in_our_words(error) from error


def write_private(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of a file, all or nothing, durable on return; scrub what it replaced.

    Also scrubs what a killed write left beside it: that may be a capsule with a key that has since been destroyed. So
    there is one writer at a time (``only_writer``).

    Raises:
        OutOfRoom: the disk is full; the old file stands.
        Unavailable: the place can't be written; the old file stands.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}.*"):
            with _existing(left) as old:
                left.unlink()
                _scrub(old)
        try:
            _write_new(beside, data)
            with _existing(path) as old:
                beside.rename(path)
                _sync_folder(path.parent)
                _scrub(old)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
    except OSError as error:
        raise _in_our_words(error) from error


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the one writer's lock of a folder (``flock``: the kernel lets go of it when the process dies).

    Raises:
        Unavailable: ``keyring_busy``: another process or thread holds it.
    """
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    except OSError as error:
        raise _in_our_words(error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy() from None
        yield
    finally:
        os.close(descriptor)


def _write_new(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, PRIVATE_FILE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _existing(path: Path) -> Iterator[int | None]:
    try:
        old = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        yield old
    finally:
        os.close(old)


def _scrub(descriptor: int | None) -> None:
    if descriptor is not None:
        os.pwrite(descriptor, secrets.token_bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_our_words(error: OSError) -> Unavailable:
    if error.errno == errno.ENOSPC:
        return OutOfRoom("disk_full", "A disk that keeps keys has run out of room. Nothing was lost.")
    if error.errno == errno.ENOENT:
        return Unavailable("file_missing", "A private file of the vault is not where it should be.")
    return Unavailable("file_unreachable", "A private file of the vault can't be reached just now.")


def _too_open() -> Refused:
    return Refused("file_too_open", "Others can read a private file of the vault. Make it readable by its owner only.")


def _no_passphrase() -> Invalid:
    return Invalid("passphrase_file_unusable", "The passphrase file is empty, or holds something else.")


def _busy() -> Unavailable:
    return Unavailable("keyring_busy", "Another process is changing the keys just now. Please try again in a moment.")
