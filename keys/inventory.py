"""What became of object keys, for whoever compares them with rows and bytes. Each live one is tried, none given out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Damaged
from core.ids import CaseId, ObjectId
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, ObjectKeyRow
from keys.objects import Wrapped


class KeyStanding(StrEnum):
    """What an object's key is worth."""

    ALIVE = "alive"
    """It unwraps."""
    DESTROYED = "destroyed"
    DAMAGED = "damaged"
    """Its row says that it lives, and it doesn't unwrap, or a roll left it behind. Or its epoch rolled while we looked:
    look again."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A live key, by what it is called."""

    object_id: ObjectId
    made_at: datetime


def standings(session: Session, *, keyring: Keyring, object_ids: Iterable[str]) -> dict[ObjectId, KeyStanding]:
    """How the keys of these objects stand; an object that never had one is left out.

    Raises:
        Unavailable: ``sealed``.
    """
    rows = session.execute(
        select(ObjectKeyRow, CaseKeyRow)
        .join(CaseKeyRow, CaseKeyRow.id == ObjectKeyRow.case_key_id)
        .where(ObjectKeyRow.object_id.in_(list(object_ids)))
    )
    return {ObjectId(row.object_id): _standing(row, case_row, keyring=keyring) for row, case_row in rows}


def live_keys(session: Session, *, after: str, most: int) -> list[KeyLine]:
    """The live keys of objects and uploads that come after an id, by id."""
    rows = session.execute(
        select(ObjectKeyRow.object_id, ObjectKeyRow.created_at)
        .where(ObjectKeyRow.object_id > after, ObjectKeyRow.state == KeyState.ACTIVE)
        .order_by(ObjectKeyRow.object_id)
        .limit(most)
    )
    return [KeyLine(ObjectId(object_id), made_at) for object_id, made_at in rows]


def _standing(row: ObjectKeyRow, case_row: CaseKeyRow, *, keyring: Keyring) -> KeyStanding:
    if row.state is KeyState.DESTROYED:
        return KeyStanding.DESTROYED
    if row.wrapped is None or case_row.wrapped is None or KeyState.DAMAGED in {row.state, case_row.state}:
        return KeyStanding.DAMAGED
    wrapped = Wrapped(
        ObjectId(row.object_id), CaseId(row.case_id), case_row.id, case_row.epoch_id, case_row.wrapped, row.wrapped
    )
    try:
        wrapped.open(keyring)
    except Damaged:
        return KeyStanding.DAMAGED
    return KeyStanding.ALIVE
