"""The registered erasable places: adding one, losing one, and coming back from one after the live store was lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict
from core.ids import new_id
from keys import copies
from keys.capsule import Capsule, open_capsule, open_root
from keys.keyring import Keyring
from keys.models import EpochRow, EpochState, PlaceKind, PlaceRow, StoreRow
from keys.roots import Root


def first_rows(session: Session, *, capsule: Capsule, place_ids: Sequence[str], at: datetime) -> None:
    """The rows of a new store: itself, its first epoch, its places (the live one first)."""
    session.add(StoreRow(id=capsule.store, made_at=at))
    for epoch in capsule.epochs:
        session.add(EpochRow(id=epoch.id, number=epoch.number, state=EpochState.ACTIVE, created_at=at))
    for index, place_id in enumerate(place_ids):
        kind = PlaceKind.RECOVERY if index else PlaceKind.LIVE
        session.add(PlaceRow(id=place_id, kind=kind, registered_at=at))
    session.flush()


def add_recovery(db: Database, *, keyring: Keyring, folder: Path) -> str:
    """Register one more recovery place and write the keyring there; configure it from the next start on.

    Returns:
        The place's id.

    Raises:
        Conflict: ``keyring_exists``: something is there already.
    """
    with keyring.writer(), db.begin() as session:
        place_id = new_id()
        session.add(PlaceRow(id=place_id, kind=PlaceKind.RECOVERY, registered_at=db.clock.now()))
        session.flush()
        keyring.copy_to(folder, place_id=place_id)
    return place_id


def lose(db: Database, *, place_id: str) -> None:
    """Record that a place can't be written any more. It may hold an old capsule until it is attested gone."""
    with db.begin() as session:
        session.execute(
            update(PlaceRow).where(PlaceRow.id == place_id, PlaceRow.lost_at.is_(None)).values(lost_at=db.clock.now())
        )


def attest_gone(db: Database, *, place_id: str) -> None:
    """Record that somebody attested a lost place's physical destruction."""
    with db.begin() as session:
        session.execute(
            update(PlaceRow)
            .where(PlaceRow.id == place_id, PlaceRow.lost_at.is_not(None), PlaceRow.gone_at.is_(None))
            .values(gone_at=db.clock.now())
        )


def recover(*, db: Database, root: Root, places: Sequence[Path]) -> None:
    """Make a new live place and an empty key database from the first recovery place's copies.

    The live place that was lost stays on record as such. What was made after the last copy is lost; what was
    destroyed after it has its key again: ``retention`` replays destructions from the witness before it serves.

    Args:
        db: the key database, with empty tables.
        root: what opens the keyring.
        places: the new live folder, then the recovery places.

    Raises:
        Conflict: ``keyring_exists``: the database or the live folder isn't empty.
        Refused: ``wrong_root``; nothing was changed.
        Damaged: a copy can't be read; nothing was changed.
    """
    keyring = Keyring(tuple(places))
    file = keyring.file_at(places[1])
    opened = open_root(root, file=file)
    capsule = open_capsule(file, root=opened)
    tables, at, live_id = copies.read_copy(places[1], store=capsule.store), db.clock.now(), new_id()
    with keyring.writer(), db.begin() as session:
        if session.scalars(select(StoreRow)).first() is not None:
            raise _not_empty()
        copies.load(session, tables)
        session.execute(
            update(PlaceRow).where(PlaceRow.kind == PlaceKind.LIVE, PlaceRow.lost_at.is_(None)).values(lost_at=at)
        )
        session.add(PlaceRow(id=live_id, kind=PlaceKind.LIVE, registered_at=at))
        session.flush()
        keyring.adopt(file, root=opened, capsule=capsule, place_id=live_id)


def _not_empty() -> Conflict:
    return Conflict("keyring_exists", "There are keys here already. They were left as they are.")
