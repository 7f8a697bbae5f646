"""Bringing back a lost live keyring or a lost key database, while no process runs."""

from __future__ import annotations

from sqlalchemy import inspect

from app.schema import Tree, check_current, upgrade
from app.service import clock_for
from app.settings import Settings
from app.unsealing import FOLDER, ask_all
from core.db import Database, connect
from keys import Recovered, Root, keys_in_use, recover


def restore(settings: Settings, *, root: Root) -> Recovered:
    """Bring back whatever of the two isn't there.

    Raises:
        Conflict: nothing is missing, or rows and keyring aren't of one time. Nothing was changed.
        Unavailable: a process uses the keys, or no recovery place can be read. Nothing was changed.
        Refused: ``wrong_root``. Nothing was changed.
    """
    if ask_all(settings.store / FOLDER):  # one that has the lost database open still stands in no row of a new one
        raise keys_in_use()
    db = connect(settings.address_of("keys"), clock=clock_for(settings))
    try:
        _make_tables(db)
        return recover(db=db, root=root, places=settings.places)
    finally:
        db.engine.dispose()


def _make_tables(db: Database) -> None:
    """A new key database gets its tables; one that has some must be of this program's version."""
    if inspect(db.engine).get_table_names():
        check_current(db, Tree.KEYS)
    else:
        upgrade(db, Tree.KEYS)
