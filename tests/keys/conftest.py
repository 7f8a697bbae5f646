"""A key store on each kind of database, which a test can open again as another process would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.db import Database, connect
from core.ids import CaseId, ObjectId, new_id
from core.secret import Secret
from keys import KEYS_METADATA, Cost, JobCapability, KeyStore, LocalRoot
from tests.databases import Databases, make_template
from tests.fakes import HandClock

PASSPHRASE = Secret("correct horse battery")
QUICK = Cost(passes=1, memory_kib=64, lanes=1)


@dataclass
class Keys:
    """A store's database and places, and whatever processes use them."""

    db: Database
    places: list[Path]
    root: LocalRoot = field(default_factory=lambda: LocalRoot(PASSPHRASE, cost=QUICK))

    def create(self) -> KeyStore:
        return KeyStore.create(db=self.db, root=self.root, places=self.places)

    def open(self) -> KeyStore:
        return KeyStore.open(db=self.db, root=self.root, places=self.places)


@pytest.fixture(scope="session")
def keys_databases(postgres_address: str) -> Databases:
    """PostgreSQL databases with the tables of the keys and no rows."""
    return Databases(postgres_address, make_template(postgres_address, name="keys_template", metadata=KEYS_METADATA))


@pytest.fixture(params=["sqlite", "postgresql"])
def keys_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty key database, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'vault.db'}"
        return
    databases: Databases = request.getfixturevalue("keys_databases")
    with databases.lend() as address:
        yield address


@pytest.fixture
def keys_db(keys_url: str, clock: HandClock) -> Iterator[Database]:
    """An empty key database, once on each kind."""
    database = connect(keys_url, clock=clock)
    KEYS_METADATA.create_all(database.engine)
    yield database
    database.engine.dispose()


@pytest.fixture
def keys(keys_db: Database, tmp_path: Path) -> Keys:
    return Keys(keys_db, [tmp_path / "places" / "live", tmp_path / "places" / "recovery"])


@pytest.fixture
def store(keys: Keys) -> KeyStore:
    return keys.create()


def an_object(store: KeyStore, *, case_id: CaseId) -> tuple[ObjectId, Secret[bytes]]:
    object_id = ObjectId(new_id())
    return object_id, store.new_object_key(case_id=case_id, object_id=object_id, capability=may(case_id))


def may(case_id: CaseId) -> JobCapability:
    return JobCapability("test", case_id)
