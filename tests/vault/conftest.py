from __future__ import annotations

from pathlib import Path

import pytest

from core.db import Database
from core.ids import VisitId
from keys import KeyStore
from tests.families import Family, filming_visit, make_family
from tests.vault.cinema import Cinema, make_cinema
from vault import DiskStore


@pytest.fixture
def family(db: Database, keystore: KeyStore) -> Family:
    return make_family(db, keystore)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


@pytest.fixture
def visit(db: Database, family: Family) -> VisitId:
    return filming_visit(db, family)


@pytest.fixture
def cinema(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Cinema:
    return make_cinema(db, keystore, store, family, visit)
