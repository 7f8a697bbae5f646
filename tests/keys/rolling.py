"""What tests of rolling and of old copies share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database, connect
from core.ids import CaseId, ObjectId
from keys import KEYS_METADATA, KeyStore, RecordOwner
from keys.capsule import open_capsule, open_root
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, ObjectKeyRow, RecordKeyRow
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


def case_key(session: Session, case_id: CaseId) -> CaseKeyRow:
    """A case's living media key."""
    living = select(CaseKeyRow).where(CaseKeyRow.case_id == case_id, CaseKeyRow.state == KeyState.ACTIVE)
    return session.scalars(living).one()


def break_case_key(store: KeyStore, case_id: CaseId) -> str:
    """Flip the last bit of a case's wrapped key; gives its id."""
    with store.db.begin() as session:
        row = case_key(session, case_id)
        row.wrapped = _flipped(row.wrapped)
        return row.id


def break_object_key(store: KeyStore, object_id: ObjectId) -> None:
    with store.db.begin() as session:
        row = session.get_one(ObjectKeyRow, object_id)
        row.wrapped = _flipped(row.wrapped)


def break_record_key(store: KeyStore, owner: RecordOwner) -> None:
    with store.db.begin() as session:
        row = session.scalars(select(RecordKeyRow).where(RecordKeyRow.owner_id == owner.id)).one()
        row.wrapped = _flipped(row.wrapped)


def _flipped(wrapped: bytes | None) -> bytes:
    assert wrapped is not None
    return wrapped[:-1] + bytes([wrapped[-1] ^ 1])
