"""A witness: a place outside the database that remembers how far the log had come, and what took access away.

It gets *lines*, numbered and chained by hash: a checkpoint each minute, and every narrowing event at once. A checkpoint
is signed already. A narrowing event is sealed (AES-256-GCM) under a key derived from the writer's, so that the keeper
of the witness learns nothing; there is enough in it to be replayed after a restore. ``FileWitness`` is the embedded
one: a file that only grows, best on another disk. Other places keep to the same protocol.

A file on a machine that an intruder owns can be rolled back with the database. The store remembers what the witness
acknowledged, and the keyring a checkpoint of its own (``audit.remembered``); rolling back all three together is caught
only by a witness in other hands.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

from core.errors import Damaged, Unavailable

_START = "0" * 64
_TAIL = 1 << 16


class Kind(StrEnum):
    """What a line is about."""

    CHECKPOINT = "checkpoint"
    NARROWING = "narrowing"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a witness.

    Attributes:
        number: from 1, without gaps.
        kind: what it is about.
        body: a signed note, or a sealed entry in base64.
        previous: hash of the line before it, in hexadecimal digits.
    """

    number: int
    kind: Kind
    body: str
    previous: str

    def encode(self) -> bytes:
        """The line as it stands in the file, without its line feed."""
        fields = {"body": self.body, "kind": self.kind.value, "number": self.number, "previous": self.previous}
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        """What the next line is chained to: SHA-256 in hexadecimal digits."""
        return hashlib.sha256(self.encode()).hexdigest()


class Witness(Protocol):
    """A place that remembers lines and never changes one."""

    @property
    def name(self) -> str:
        """What the store knows it by."""
        ...

    def append(self, kind: Kind, body: str) -> Line:
        """Remember one more line, durably, before this returns.

        Raises:
            Unavailable: it can't just now.
            Damaged: what it holds isn't a chain of lines any more.
        """
        ...

    def lines(self) -> Iterator[Line]:
        """All lines, oldest first, each checked against the one before it.

        Raises:
            Unavailable: it can't be read just now.
            Damaged: a line is missing, doubled or changed.
        """
        ...

    def last(self) -> Line | None:
        """The newest line alone, however long the witness has grown.

        Raises:
            Unavailable: it can't be read just now.
            Damaged: it doesn't end in a line.
        """
        ...


class FileWitness:
    """A file that only grows. Several processes may write to it: each append holds the file's lock.

    A line that a crash tore is left where it is and skipped: it was never acknowledged.

    Args:
        path: the file; it is made at the first line, its folder must be there.
        name: what the store knows this witness by.
    """

    def __init__(self, path: Path, *, name: str = "file") -> None:
        self._path = path
        self._name = name

    @property
    def name(self) -> str:
        """What the store knows it by."""
        return self._name

    def append(self, kind: Kind, body: str) -> Line:
        """Write a line and wait until the disk has it.

        Raises:
            Unavailable: the file can't be written.
            Damaged: its end isn't a line of ours.
        """
        try:
            with self._open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                last, torn = _last(file)
                line = Line(last.number + 1 if last else 1, kind, body, previous=last.hash if last else _START)
                file.write((b"\n" if torn else b"") + line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unavailable() from error
        return line

    def lines(self) -> Iterator[Line]:
        """All lines, oldest first, each checked against the one before it.

        Raises:
            Unavailable: the file can't be read.
            Damaged: a line is missing, doubled or changed.
        """
        last: Line | None = None
        try:
            with self._path.open("rb") as file:
                for raw in file:
                    line = _parse(raw.rstrip(b"\n"))
                    if line is None:
                        continue
                    if (line.number, line.previous) != ((last.number + 1, last.hash) if last else (1, _START)):
                        raise _damaged()
                    last = line
                    yield line
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unavailable() from error

    def last(self) -> Line | None:
        """The newest line alone, read from the end.

        Raises:
            Unavailable: the file can't be read.
            Damaged: it doesn't end in a line.
        """
        try:
            with self._path.open("rb") as file:
                return _last(file)[0]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable() from error

    def _open(self) -> IO[bytes]:
        made = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+b")
        if made:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return file


def _last(file: IO[bytes]) -> tuple[Line | None, bool]:
    """The last whole line, read from the end, and whether something torn follows it."""
    end = file.seek(0, os.SEEK_END)
    width = _TAIL
    while True:
        start = max(0, end - width)
        file.seek(start)
        data = file.read(end - start)
        pieces = data.split(b"\n")
        if start:
            del pieces[0]  # it may begin in the middle of a line
        found = next((line for piece in reversed(pieces) if (line := _parse(piece))), None)
        if found is not None or start == 0:
            file.seek(0, os.SEEK_END)
            if found is None and any(pieces):
                raise _damaged()
            return found, not data.endswith(b"\n") and bool(data)
        width *= 2


def _parse(raw: bytes) -> Line | None:
    """Read a line; nothing where it was torn, or is anything but exactly what we write."""
    try:
        fields = json.loads(raw)
        line = Line(fields["number"], Kind(fields["kind"]), fields["body"], fields["previous"])
    except (ValueError, LookupError, TypeError):
        return None
    return line if line.encode() == raw else None


def _damaged() -> Damaged:
    return Damaged("witness_damaged", "The witness's lines don't follow each other. Someone has changed its file.")


def _unavailable() -> Unavailable:
    return Unavailable("witness_unavailable", "The witness can't be reached just now.")
