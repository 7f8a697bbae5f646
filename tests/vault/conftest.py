from __future__ import annotations

from pathlib import Path

import pytest

import identity
from core.db import Database
from core.ids import VisitId
from keys import KeyStore
from tests.families import Family, make_family
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
    return identity.record_visit(
        db,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        kind=identity.VisitKind.FILMING,
        visited_on=db.clock.now().date(),
        present=[family.mother.id, family.father.id, family.child],
    )


@pytest.fixture
def cinema(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Cinema:
    return make_cinema(db, keystore, store, family, visit)
