"""How a connection to each kind of database is opened: waits, write-through, and how a transaction begins."""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url

BUSY_WAIT = timedelta(seconds=10)
"""How long a transaction waits for others before it gives up as ``Unavailable``."""
STATEMENT_WAIT = timedelta(seconds=60)
"""How long one statement may take on PostgreSQL, and how long a transaction may lie idle there with what it holds."""
_WAITS = {
    "lock_timeout": BUSY_WAIT,
    "statement_timeout": STATEMENT_WAIT,
    "idle_in_transaction_session_timeout": STATEMENT_WAIT,
}
_SIGNS_OF_LIFE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A server that is cut off is given up after ten seconds or so, instead of hours."""


def open_engine(url: str) -> Engine:
    """Make SQLAlchemy's engine for an address; nothing is connected yet.

    Args:
        url: ``sqlite:///…`` or ``postgresql+psycopg://…`` (whose own ``options`` win over ours).
    """
    address = make_url(url)
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)


def _sqlite(address: URL) -> Engine:
    engine = create_engine(
        address,
        connect_args={"timeout": BUSY_WAIT.total_seconds(), "check_same_thread": False},
        hide_parameters=True,  # an error's text must not quote what was stored
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres(address: URL) -> Engine:
    waits = {"connect_timeout": str(int(BUSY_WAIT.total_seconds()))} | _SIGNS_OF_LIFE
    if "options" not in address.query:
        waits["options"] = " ".join(f"-c {name}={wait // timedelta(milliseconds=1)}" for name, wait in _WAITS.items())
    return create_engine(
        address, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args=waits, hide_parameters=True
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's documented way: we say BEGIN ourselves
    cursor = connection.cursor()
    _choose_write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _choose_write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch a new database to its write-ahead log, or find it so.

    SQLite asks nobody to wait here (its own time-out doesn't count for this switch): while another process makes the
    same switch, or tidies up as the last one to leave, the answer is "locked" at once.
    """
    until = time.monotonic() + BUSY_WAIT.total_seconds()
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    intent = connection.get_execution_options().get("vault_intent")
    connection.exec_driver_sql("BEGIN" if intent == "read" else "BEGIN IMMEDIATE")
