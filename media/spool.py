"""What a job puts aside: ciphertext in a file without a name, which is gone with the process that holds it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from media.refusals import no_room


class Spool:
    """A nameless file, unbuffered, so that what has no room fails at once.

    Args:
        folder: where it lies; the system's own for temporary files if none is given.

    Raises:
        OutOfRoom: there is no room for it.
    """

    def __init__(self, folder: Path | None) -> None:
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - this is one
        except OSError as error:
            raise no_room() from error

    def keep(self, data: bytes) -> None:
        """Append.

        Raises:
            OutOfRoom: it has no room.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise no_room() from error

    def read(self, at: int, length: int) -> bytes:
        """So many bytes from a place, fewer where it ends."""
        self._file.seek(at)
        return self._file.read(length)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
