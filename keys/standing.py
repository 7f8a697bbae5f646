"""How the keys stand: what is pending, which places hold which epochs, and what may be promised of a destroyed key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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
    RootRow,
)


class SurvivorKind(StrEnum):
    """What may still open an old copy."""

    PLACE = "place"
    """A registered place that may hold an old capsule."""
    ROOT = "root"
    """A root key whose deletion waits."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """Something that may still open an old copy.

    Attributes:
        until: when it ends by itself, where that is known.
    """

    kind: SurvivorKind
    id: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """What may be promised of a destroyed key, and no more.

    Attributes:
        destroyed_at: its wrapping left the live store.
        epoch: number of the epoch that had to go for it.
        rolled_at: an epoch roll that began later was finished at every registered place.
        irrecoverable_since: nothing that is known of can open it; nothing while ``survivors`` are left.
        survivors: what may still open an old copy: registered places, and root keys whose deletion waits.
    """

    destroyed_at: datetime
    epoch: int
    rolled_at: datetime | None
    irrecoverable_since: datetime | None
    survivors: tuple[Survivor, ...]


@dataclass(frozen=True, slots=True)
class PlaceStanding:
    """One registered place.

    Attributes:
        folder: where it is configured, if it is.
        epochs: numbers of the epochs in its capsule; nothing where it can't be read (or the vault is sealed).
        sequence: how often its capsule had been changed; tells an older one from a newer one.
        problem: code of what keeps it from being read.
        copied_at: of which moment the copy of the key rows is that lies there.
    """

    id: str
    kind: PlaceKind
    folder: Path | None
    epochs: tuple[int, ...] | None
    sequence: int | None
    problem: str | None
    copied_at: datetime | None
    lost_at: datetime | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The key store at a glance, for the IG page and ``doctor``.

    Attributes:
        sealed: whether the root is still to be given.
        epoch: number of the active epoch.
        roll: the roll under way.
        rolled_at: when the last one was finished.
        pending: destroyed keys that no finished roll covers.
        pending_since: when the first of them was destroyed.
        processes: how many live ones there are.
    """

    sealed: bool
    epoch: int
    roll: roll.RollReport | None
    rolled_at: datetime | None
    pending: int
    pending_since: datetime | None
    processes: int
    places: tuple[PlaceStanding, ...]


def erasure(session: Session, row: ObjectKeyRow | RecordKeyRow, *, at: datetime) -> Erasure | None:
    """What may be promised of this key; nothing while it lives.

    A place that was lost before the roll may hold an old capsule, until somebody attests that it is gone, or until
    every root key that can have sealed that capsule is. A root key whose deletion was asked for before the roll was
    over, and waits, is named until it is gone.
    """
    if row.destroyed_at is None or row.destroyed_epoch is None:
        return None
    rolled_at = session.scalars(
        select(func.min(RollRow.finished_at)).where(
            RollRow.state == RollState.DONE, RollRow.from_number >= row.destroyed_epoch
        )
    ).one()
    places = session.scalars(select(PlaceRow).where(PlaceRow.registered_at <= (rolled_at or row.destroyed_at))).all()
    if rolled_at is None:
        survivors = tuple(Survivor(SurvivorKind.PLACE, p.id) for p in places if p.gone_at is None)
        return Erasure(row.destroyed_at, row.destroyed_epoch, None, None, survivors)
    # A place that was lost before the roll was never rolled: it may hold the old capsule until it is attested gone.
    roots = session.scalars(select(RootRow).where(RootRow.made_at <= rolled_at).order_by(RootRow.made_at)).all()
    ends = [
        (Survivor(SurvivorKind.PLACE, p.id, until := _end_of(p, lost_at=p.lost_at, roots=roots)), until)
        for p in places
        if p.lost_at is not None and p.lost_at <= rolled_at
    ]
    ends += [
        (Survivor(SurvivorKind.ROOT, r.id, r.gone_at), r.gone_at)
        for r in roots
        if r.destroyed_at is not None and r.gone_at is not None and r.destroyed_at <= rolled_at < r.gone_at
    ]
    survivors = tuple(survivor for survivor, end in ends if end is None or end > at)
    since = None if survivors else max([rolled_at, *(end for _, end in ends if end is not None)])
    return Erasure(row.destroyed_at, row.destroyed_epoch, rolled_at, since, survivors)


def _end_of(place: PlaceRow, *, lost_at: datetime, roots: Sequence[RootRow]) -> datetime | None:
    """From when a lost place opens nothing; nothing where that isn't known."""
    if place.gone_at is not None:
        return place.gone_at
    could = [root.gone_at for root in roots if root.made_at <= lost_at]
    known = [gone_at for gone_at in could if gone_at is not None]
    return max(known) if could and len(known) == len(could) else None


def standing(db: Database, *, keyring: Keyring) -> Standing:
    """Look at rows and places."""
    under_way, at = roll.unfinished(db), db.clock.now()
    folders = _folders(keyring)
    with db.read() as session:
        live = select(func.count()).select_from(ProcessRow).where(ProcessRow.seen_at > at - heartbeat.LAPSES_AFTER)
        places = session.scalars(select(PlaceRow).order_by(PlaceRow.kind, PlaceRow.registered_at, PlaceRow.id)).all()
        return Standing(
            sealed=not keyring.is_open,
            epoch=session.scalars(select(EpochRow.number).where(EpochRow.state == EpochState.ACTIVE)).one(),
            roll=under_way,
            rolled_at=session.scalars(select(func.max(RollRow.finished_at))).one(),
            pending=roll.pending(session),
            pending_since=roll.pending_since(session),
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
    sequence: int | None = None
    problem = None if folder is not None else "keyring_missing"
    if folder is not None:
        try:
            capsule = keyring.capsule_at(folder)
            epochs, sequence = tuple(epoch.number for epoch in capsule.epochs), capsule.sequence
        except VaultError as error:
            problem = error.code
    return PlaceStanding(
        id=row.id,
        kind=row.kind,
        folder=folder,
        epochs=epochs,
        sequence=sequence,
        problem=problem,
        copied_at=row.copied_at,
        lost_at=row.lost_at,
        gone_at=row.gone_at,
    )
