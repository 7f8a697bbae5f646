"""`fsck` on every store: what is missing, cut, flipped or another's is told; leftovers are tidied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

import vault
from core.db import Database
from core.ids import VisitId, new_id
from keys import KeyStore
from tests.families import Family
from tests.vault.scene import add_footage
from tests.vault.stores.test_every_store import put
from vault import Depth, Leftover, ObjectStore, Trouble
from vault.models import ObjectKind, ObjectRow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def originals(db: Database, keystore: KeyStore, store: ObjectStore, family: Family, visit: VisitId) -> list[str]:
    for _ in range(2):
        add_footage(db, keystore, store, family, visit)
    with db.read() as session:
        return list(session.scalars(select(ObjectRow.id).where(ObjectRow.kind == ObjectKind.ORIGINAL)))


def content(store: ObjectStore, name: str) -> bytes:
    return store.read(name, start=0, length=store.size(name) or 0)


def replace(store: ObjectStore, name: str, by: bytes) -> None:
    store.delete(name)
    put(store, by, name=name)


def flipped(data: bytes) -> bytes:
    return data[:500] + bytes([data[500] ^ 1]) + data[501:]


Harm = Callable[[ObjectStore, str, str], object]
HARMS: dict[str, tuple[Harm, Trouble]] = {
    "gone": (lambda store, name, _: store.delete(name), Trouble.OBJECT_MISSING),
    "cut": (lambda store, name, _: replace(store, name, content(store, name)[:-1]), Trouble.OBJECT_DAMAGED),
    "longer": (lambda store, name, _: replace(store, name, content(store, name) + b"x"), Trouble.OBJECT_DAMAGED),
    "flipped": (lambda store, name, _: replace(store, name, flipped(content(store, name))), Trouble.OBJECT_DAMAGED),
    "another's": (lambda store, name, other: replace(store, name, content(store, other)), Trouble.OBJECT_DAMAGED),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_not_what_was_sealed_is_told(
    db: Database, keystore: KeyStore, store: ObjectStore, originals: list[str], harm: str
) -> None:
    act, trouble = HARMS[harm]
    assert vault.fsck(db, keystore=keystore, store=store, depth=Depth.EVERYTHING).is_clean
    act(store, *originals)
    report = vault.fsck(db, keystore=keystore, store=store, depth=Depth.EVERYTHING)
    assert [(found.trouble, found.subject) for found in report.findings] == [(trouble, originals[0])]


def test_bytes_that_nobody_knows_are_counted_and_tidied(
    db: Database, keystore: KeyStore, store: ObjectStore, originals: list[str]
) -> None:
    unknown = put(store, b"nobody knows", name=new_id())
    assert vault.fsck(db, keystore=keystore, store=store).leftovers[Leftover.BYTES_UNKNOWN] == 1
    vault.tidy(db, keystore=keystore, store=store, older_than=timedelta(days=-1))
    assert store.size(unknown) is None
    assert vault.fsck(db, keystore=keystore, store=store).is_clean
    assert len(originals) == 2
