"""The database door: one declarative base, one way to begin a transaction, on SQLite and on PostgreSQL.

A use case takes a ``Database`` and owns one transaction (``begin``); a step takes the ``Session`` and never commits.
``begin`` on SQLite is ``BEGIN IMMEDIATE`` with full sync, so writers queue instead of failing half-way; on PostgreSQL
it is READ COMMITTED, and whoever needs order locks the case row first (``lock``). ``read`` is one snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any, TypeVar

from sqlalchemy import DDL, DateTime, Engine, FromClause, MetaData, Table, event, select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from core.clock import Clock
from core.engines import open_engine
from core.errors import NotFound, OutOfRoom, Unavailable
from core.requests import current_request

_NOT_SYNCED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""The second one: there was no room for the index beside the log."""
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Row = TypeVar("Row", bound=DeclarativeBase)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: zone-aware UTC in Python, naive UTC in SQLite, ``timestamptz`` in PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a stored time needs a zone"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Parent of the main database's tables. Each room names its tables ``<room>_<noun>``."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute


@dataclass(frozen=True, slots=True)
class Database:
    """One database and what every transaction on it needs.

    Attributes:
        engine: SQLAlchemy's engine, made by ``connect``.
        clock: where use cases get the time from.
        info: copied into every session's ``info``: what lower rooms need from above (the audit writer).
    """

    engine: Engine
    clock: Clock
    info: dict[str, Any] = field(default_factory=dict)
    unsynced: Event = field(default_factory=Event)
    """Set once a sync of the embedded database failed: from then on nothing is read or written until a new start.

    A later sync can succeed without having written what the first one lost. And where a withdrawal can't be written,
    nobody may be shown anything either.
    """

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database (one writer at a time, no row locks)."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One writing transaction: committed when the block ends, rolled back when it raises.

        Raises:
            Unavailable: the database is locked, gone or read-only. Nothing was done. But ``database_fault`` (its disk
                failed to write through) and ``database_lost`` (the connection broke): it may or may not be done.
            OutOfRoom: its disk is full. Nothing was done.
        """
        with self._session("write") as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One reading snapshot (REPEATABLE READ); never writes.

        Raises:
            Unavailable: the database is locked or gone.
        """
        with self._session("read") as session, session.begin():
            yield session

    @contextmanager
    def _session(self, intent: str) -> Iterator[Session]:
        if self.unsynced.is_set():
            raise _fault()
        options: dict[str, Any] = {"vault_intent": intent}
        if not self.is_sqlite and intent == "read":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with Session(
                self.engine.execution_options(**options),
                info=self.info | {"request_id": current_request()},
                expire_on_commit=False,
            ) as session:
                yield session
        except DBAPIError as error:
            if getattr(error.orig, "sqlite_errorcode", None) in _NOT_SYNCED:
                self.unsynced.set()
                raise _fault() from error
            raise _in_our_words(error) from error


def connect(url: str, *, clock: Clock) -> Database:
    """Open a database.

    Args:
        url: SQLAlchemy address: ``sqlite:///…`` or ``postgresql+psycopg://…`` (whose own ``options`` win over ours).
        clock: where use cases get the time from.
    """
    return Database(open_engine(url), clock)


def lock(session: Session, table: type[Row], key: str) -> Row:
    """Load a row and hold it until the transaction ends (on SQLite the transaction itself holds everything).

    Raises:
        NotFound: no such row.
    """
    row = session.get(table, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise not_found()
    return row


def get(session: Session, table: type[Row], key: str) -> Row:
    """Load a row.

    Raises:
        NotFound: no such row.
    """
    row = session.get(table, key)
    if row is None:
        raise not_found()
    return row


def not_found() -> NotFound:
    """The one answer for what isn't there and for what is someone else's."""
    return NotFound("not_found", "We can't find that page. It may have been moved, or it may not be yours to see.")


def insert_only(table: FromClause, *, allow_delete: bool = False) -> None:
    """Have the database itself refuse changes to a table's rows, and their removal unless that is allowed.

    Args:
        table: the table (``Model.__table__``), before it is created.
        allow_delete: for tables whose rows a disposal removes whole.
    """
    if not isinstance(table, Table):
        message = "only a table can be insert-only"
        raise TypeError(message)
    for statement, dialect in insert_only_ddl(table.name, allow_delete=allow_delete):
        ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy left this constructor untyped
        event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def insert_only_ddl(name: str, *, allow_delete: bool = False) -> list[tuple[str, str]]:
    """The statements behind ``insert_only``, each with its dialect (for migrations).

    Returns:
        Pairs of statement and dialect name.
    """
    verbs = ["update"] if allow_delete else ["update", "delete"]
    pairs = [
        (
            f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb.upper()} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{name} is insert-only'); END",
            "sqlite",
        )
        for verb in verbs
    ]
    pairs.append(
        (
            f"CREATE OR REPLACE FUNCTION {name}_insert_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{name} is insert-only'; END $$",
            "postgresql",
        )
    )
    events = " OR ".join(verb.upper() for verb in verbs)
    pairs.append(
        (
            f"CREATE TRIGGER {name}_insert_only BEFORE {events} ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}_insert_only()",
            "postgresql",
        )
    )
    return pairs


def reachable(db: Database) -> bool:
    """Whether the database answers just now."""
    try:
        with db.read() as session:
            session.execute(select(1))
    except Unavailable:
        return False
    return True


def _fault() -> Unavailable:
    return Unavailable("database_fault", "The service has a fault and has stopped. Please tell your administrator.")


def _in_our_words(error: DBAPIError) -> Exception:
    cause = error.orig
    code = getattr(cause, "sqlite_errorcode", None)
    state = getattr(cause, "sqlstate", None)
    if code in _FULL or state == "53100":
        return OutOfRoom(
            "disk_full", "The server has run out of room. Nothing was lost; please tell your administrator."
        )
    if error.connection_invalidated:
        return Unavailable(
            "database_lost",
            "The service lost its database for a moment. Please look whether this was saved.",
        )
    if isinstance(error, OperationalError) and code != sqlite3.SQLITE_ERROR:
        return Unavailable("database_busy", "The service is busy just now. Nothing was changed; please try again.")
    return error
