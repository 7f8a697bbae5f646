"""What tests of rolling and of old copies share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.db import Database, connect
from core.ids import CaseId, ObjectId
from keys import KEYS_METADATA, KeyStore
from keys.capsule import open_capsule, open_root
from keys.keyring import Keyring
from keys.models import ObjectKeyRow
from tests.fakes import HandClock
from tests.keys.conftest import Keys


def epochs_at(keys: Keys) -> list[list[int]]:
    """What each place's capsule holds, opened from the file alone."""
    found = []
    for place in keys.places:
        file = Keyring(tuple(keys.places)).file_at(place)
        found.append([e.number for e in open_capsule(file, root=open_root(keys.root, file=file)).epochs])
    return found


def other_case(store: KeyStore, object_id: ObjectId) -> CaseId:
    with store.db.read() as session:
        return CaseId(session.get_one(ObjectKeyRow, object_id).case_id)


@contextmanager
def fresh_database(path: Path, clock: HandClock) -> Iterator[Database]:
    db = connect(f"sqlite:///{path}", clock=clock)
    KEYS_METADATA.create_all(db.engine)
    yield db
    db.engine.dispose()
