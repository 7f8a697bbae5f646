"""How the keys stand: what is pending, which places hold which epochs, and what may be promised of a destroyed key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import VaultError
from keys import heartbeat, roll
from keys.keyring import Keyring
from keys.models import (
    EpochRow,
    EpochState,
    ObjectKeyRow,
    PlaceKind,
    PlaceRow,
    ProcessRow,
    RecordKeyRow,
    RollRow,
    RollState,
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What may be promised of a destroyed key, and no more.

    Attributes:
        destroyed_at: its wrapping left the live store.
        epoch: number of the epoch that had to go for it.
        rolled_at: an epoch roll that began later was finished at every registered place.
        irrecoverable_since: nothing that is known of can open it; nothing while ``survivors`` are left.
        survivors: ids of the registered places that may still hold a capsule that opens an old copy.
    """

    destroyed_at: datetime
    epoch: int
    rolled_at: datetime | None
    irrecoverable_since: datetime | None
    survivors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceStanding:
    """One registered place.

    Attributes:
        folder: where it is configured, if it is.
        epochs: numbers of the epochs in its capsule; nothing where it can't be read (or the vault is sealed).
        problem: code of what keeps it from being read.
        copied_at: when the key rows were last copied there.
    """

    id: str
    kind: PlaceKind
    folder: Path | None
    epochs: tuple[int, ...] | None
    problem: str | None
    copied_at: datetime | None
    lost_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The key store at a glance, for the IG page and ``doctor``.

    Attributes:
        sealed: whether the root is still to be given.
        epoch: number of the active epoch.
        roll: the roll under way.
        rolled_at: when the last one was finished.
        pending: destroyed keys that no finished roll covers.
        processes: how many live ones there are.
    """

    sealed: bool
    epoch: int
    roll: roll.RollReport | None
    rolled_at: datetime | None
    pending: int
    processes: int
    places: tuple[PlaceStanding, ...]


def erasure(session: Session, row: ObjectKeyRow | RecordKeyRow) -> Erasure | None:
    """What may be promised of this key; nothing while it lives."""
    if row.destroyed_at is None or row.destroyed_epoch is None:
        return None
    rolled_at = session.scalars(
        select(func.min(RollRow.finished_at)).where(
            RollRow.state == RollState.DONE, RollRow.from_number >= row.destroyed_epoch
        )
    ).one()
    places = session.scalars(select(PlaceRow).where(PlaceRow.registered_at <= (rolled_at or row.destroyed_at))).all()
    if rolled_at is None:
        survivors = tuple(p.id for p in places if p.gone_at is None)
        return Erasure(row.destroyed_at, row.destroyed_epoch, None, None, survivors)
    # A place that was lost before the roll was never rolled: it may hold the old capsule until it is attested gone.
    missed = [p for p in places if p.lost_at is not None and p.lost_at <= rolled_at]
    survivors = tuple(p.id for p in missed if p.gone_at is None)
    since = None if survivors else max([rolled_at, *(p.gone_at for p in missed if p.gone_at is not None)])
    return Erasure(row.destroyed_at, row.destroyed_epoch, rolled_at, since, survivors)


def standing(db: Database, *, keyring: Keyring) -> Standing:
    """Look at rows and places."""
    under_way, at = roll.unfinished(db), db.clock.now()
    folders = _folders(keyring)
    with db.read() as session:
        live = select(func.count()).select_from(ProcessRow).where(ProcessRow.seen_at > at - heartbeat.LAPSES_AFTER)
        places = session.scalars(select(PlaceRow).order_by(PlaceRow.registered_at, PlaceRow.id)).all()
        return Standing(
            sealed=not keyring.is_open,
            epoch=session.scalars(select(EpochRow.number).where(EpochRow.state == EpochState.ACTIVE)).one(),
            roll=under_way,
            rolled_at=session.scalars(select(func.max(RollRow.finished_at))).one(),
            pending=roll.pending(session),
            processes=session.scalars(live).one(),
            places=tuple(_look_at(row, folder=folders.get(row.id), keyring=keyring) for row in places),
        )


def _folders(keyring: Keyring) -> dict[str, Path]:
    found = {}
    for folder in keyring.places:
        try:
            found[keyring.file_at(folder).place] = folder
        except VaultError:  # the place then shows as not configured
            continue
    return found


def _look_at(row: PlaceRow, *, folder: Path | None, keyring: Keyring) -> PlaceStanding:
    epochs: tuple[int, ...] | None = None
    problem = None if folder is not None else "keyring_missing"
    if folder is not None:
        try:
            epochs = tuple(epoch.number for epoch in keyring.capsule_at(folder).epochs)
        except VaultError as error:
            problem = error.code
    return PlaceStanding(row.id, row.kind, folder, epochs, problem, row.copied_at, row.lost_at)
