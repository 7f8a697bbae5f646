"""A database that can be put back to how it was, so that one test may try a thousand acts on the same family."""

from __future__ import annotations

from pathlib import Path

from core.db import Database


class Rewind:
    """How a SQLite database is now.

    Args:
        db: nobody may be using it when it is put back.
    """

    def __init__(self, db: Database) -> None:
        db.engine.dispose()  # the last one to leave writes the log into the file
        self._db = db
        self._path = Path(db.engine.url.database or "")
        self._content = self._path.read_bytes()

    def back(self) -> None:
        """Put it back."""
        self._db.engine.dispose()
        for ending in ("-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        self._path.write_bytes(self._content)
