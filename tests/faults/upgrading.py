"""The databases are brought to this program's version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import inspect

from app.schema import Tree, check_current, upgrade
from core.db import Database, connect
from tests.fakes import HandClock
from tests.faults.drill import Acknowledge


class Upgrading:
    """Wherever it was killed, it may be run again, and ends with the same tables."""

    def prepare(self, folder: Path) -> None:
        """Nothing is there; what a whole upgrade makes is looked up."""
        whole = folder.parent / "whole"
        whole.mkdir()
        _upgrade(whole)
        self.wanted = _shape(whole)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """Both databases."""
        _upgrade(folder)
        acknowledge("done")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """What was told is so."""
        if "done" in told:
            assert _shape(folder) == self.wanted

    def recover(self, folder: Path) -> None:
        """The administrator runs it again."""
        _upgrade(folder)

    def check_end(self, folder: Path) -> None:
        """The program would start."""
        for tree, db in _databases(folder):
            check_current(db, tree)
        assert _shape(folder) == self.wanted


def _upgrade(folder: Path) -> None:
    for tree, db in _databases(folder):
        upgrade(db, tree)


def _databases(folder: Path) -> Iterator[tuple[Tree, Database]]:
    for tree in Tree:
        with _database(folder / f"{tree}.db") as db:
            yield tree, db


@contextmanager
def _database(path: Path) -> Iterator[Database]:
    db = connect(f"sqlite:///{path}", clock=HandClock())
    try:
        yield db
    finally:
        db.engine.dispose()


def _shape(folder: Path) -> dict[str, list[str]]:
    shape = {}
    for tree, db in _databases(folder):
        looker = inspect(db.engine)
        for table in looker.get_table_names():
            shape[f"{tree}.{table}"] = [str(column["name"]) for column in looker.get_columns(table)]
    return shape
