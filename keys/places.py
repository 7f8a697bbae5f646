"""The registered erasable places: adding one, losing one, attesting that a lost one is physically gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict, NotFound
from core.ids import new_id
from keys.capsule import Capsule
from keys.keyring import Keyring
from keys.models import EpochRow, EpochState, PlaceKind, PlaceRow, StoreRow


class Loss(Enum):
    """What a place must be for an act on it."""

    TO_NOTE = auto()
    """In use: its loss is about to be noted."""
    NOTED = auto()
    """Noted as lost."""


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

    It is registered first: a keyring that nobody knew of would be worse than a place without one, which may be noted as
    lost and attested gone. No transaction is open while the root is asked.

    Returns:
        The place's id.

    Raises:
        Conflict: ``keyring_exists``: something is there already.
    """
    with keyring.writer():
        keyring.require_free(folder)
        place_id = new_id()
        with db.begin() as session:
            session.add(PlaceRow(id=place_id, kind=PlaceKind.RECOVERY, registered_at=db.clock.now()))
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


def require_known(db: Database, *, place_id: str, lost: Loss) -> None:
    """Go on only with a registered place of which this is so.

    Raises:
        NotFound: ``place_not_registered``.
        Conflict: ``place_state``: it is (not) noted as lost; or it is the live one; or the last recovery place.
    """
    with db.read() as session:
        row = session.get(PlaceRow, place_id)
        others = session.scalars(
            select(PlaceRow.id).where(
                PlaceRow.kind == PlaceKind.RECOVERY, PlaceRow.lost_at.is_(None), PlaceRow.id != place_id
            )
        ).all()
    if row is None:
        raise NotFound("place_not_registered", "No place of that id is registered: see `vig-vault key places list`.")
    if (row.lost_at is not None) is not (lost is Loss.NOTED):
        noted = "isn't noted as lost" if lost is Loss.NOTED else "is noted as lost already"
        raise Conflict("place_state", f"That place {noted}. Nothing was changed.")
    if lost is Loss.TO_NOTE and row.kind is PlaceKind.LIVE:
        raise Conflict(
            "place_state", "That is the live place, which `vig-vault key restore` brings back. Nothing was changed."
        )
    if lost is Loss.TO_NOTE and not others:
        raise Conflict("place_state", "That is the only recovery place. Add another one first. Nothing was changed.")
