from __future__ import annotations

import pytest

from core.db import Database
from keys import KeyStore
from tests.families import Family, Staff, make_family, make_staff


@pytest.fixture
def staff(db: Database, keystore: KeyStore) -> Staff:
    return make_staff(db, keystore)


@pytest.fixture
def family(db: Database, keystore: KeyStore, staff: Staff) -> Family:
    return make_family(db, keystore, staff=staff)
