"""The tables' history: two Alembic trees, one for the main database and one for the key database."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from core.db import Database
from core.errors import Unavailable

_FOLDER = Path(__file__).parent / "migrations"


class Tree(StrEnum):
    """Which database."""

    VAULT = "vault"
    KEYS = "keys"


def upgrade(db: Database, tree: Tree) -> None:
    """Bring a database to the newest version; running it again, also after a crash half-way, is safe."""
    with db.engine.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table may take its time
        config = _config(tree)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_current(db: Database, tree: Tree) -> None:
    """Refuse a database of another version.

    Raises:
        Unavailable: it is older (upgrade it) or newer (upgrade the program); ``database_missing``: it is empty.
    """
    with db.engine.connect() as connection:
        have = MigrationContext.configure(connection).get_current_heads()
    if not have:
        which = "key" if tree is Tree.KEYS else "main"
        raise Unavailable(
            "database_missing",
            f"There is nothing in the {which} database. Is its disk mounted, is its address right? If it is lost, see "
            "Restore in docs/operations.md.",
        )
    if set(have) != newest(tree):
        raise Unavailable(
            "schema_version",
            "The database is of another version than this program. Run `vig-vault upgrade` after a backup.",
        )


def newest(tree: Tree) -> set[str]:
    """The version that this program wants."""
    return set(ScriptDirectory.from_config(_config(tree)).get_heads())


def _config(tree: Tree) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER / tree.value))
    return config
