"""The migrations make exactly what the models say, on both databases, and bear being run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url

from app import tables
from app.schema import Tree, check_current, upgrade
from core.db import Database, connect
from core.errors import Unavailable
from keys import KEYS_METADATA
from tests.fakes import HandClock

TREES = [(Tree.VAULT, tables.METADATA), (Tree.KEYS, KEYS_METADATA)]
TRIGGERS = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
}


@pytest.fixture
def fresh(empty_database_url: str, clock: HandClock) -> Iterator[Database]:
    database = connect(empty_database_url, clock=clock)
    yield database
    database.engine.dispose()


@pytest.mark.parametrize(("tree", "metadata"), TREES)
def test_migrating_makes_what_the_models_say(fresh: Database, tree: Tree, metadata: MetaData) -> None:
    upgrade(fresh, tree)
    upgrade(fresh, tree)
    check_current(fresh, tree)
    with fresh.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_makes_the_same_triggers_as_the_models(
    empty_database_url: str, postgres_template: str, sqlite_template: Path, postgres_address: str, clock: HandClock
) -> None:
    migrated = connect(empty_database_url, clock=clock)
    upgrade(migrated, Tree.VAULT)
    address = make_url(postgres_address).set(database=postgres_template).render_as_string(hide_password=False)
    made = connect(f"sqlite:///{sqlite_template}" if migrated.is_sqlite else address, clock=clock)
    found = []
    for database in (migrated, made):
        with database.engine.connect() as connection:
            query = TRIGGERS[database.engine.dialect.name]
            found.append([tuple(row) for row in connection.execute(text(query))])
        database.engine.dispose()
    assert found[0] == found[1]
    assert any("consent_event" in str(row) for row in found[0])
    assert any("audit_entry" in str(row) for row in found[0])


def test_a_database_of_another_version_is_refused(fresh: Database) -> None:
    with pytest.raises(Unavailable, match="database_missing"):  # upgrading it would hide that it is lost
        check_current(fresh, Tree.VAULT)
    with fresh.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    with pytest.raises(Unavailable, match="schema_version"):
        check_current(fresh, Tree.VAULT)
