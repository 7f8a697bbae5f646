"""What became of the keys lately, as their rows tell it: for the log, whatever process was killed before it could say.

The key database and the log's are two. So the rows come first (a root key is written down before the first file is
sealed under it, a place before a file is written there), then the work; and whoever keeps the log asks here what it
doesn't have yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from keys import damage
from keys.damage import DamagedKey
from keys.models import PlaceRow, RollRow, RollState, RootRow, StoreRow


class ChangeKind(StrEnum):
    """What can become of them."""

    EPOCH_ROLLED = "epoch_rolled"
    ROOT_DESTROYED = "root_destroyed"
    PLACE_ADDED = "place_added"
    PLACE_LOST = "place_lost"
    PLACE_GONE = "place_gone"
    KEY_DAMAGED = "key_damaged"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done, and is done for good.

    Attributes:
        id: of the roll, the root key, the place or the damaged key.
        epoch: number of the epoch that went, where one did.
        damaged: the key that was left behind, where one was.
    """

    kind: ChangeKind
    id: str
    at: datetime
    epoch: int | None = None
    damaged: DamagedKey | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What differs as soon as there is something new to tell, and costs one look at small tables.

    A damaged key comes only with a roll, which is in it.

    Attributes:
        roll: id of the one under way, if there is one.
        root: id of the root key that seals the live keyring.
    """

    seen: tuple[Any, ...]
    roll: str | None
    root: str


def pulse(session: Session, *, root: str) -> Pulse:
    """How things stand, in one query."""
    asked: tuple[Select[Any], ...] = (
        select(RollRow.id).where(RollRow.state != RollState.DONE),
        select(func.max(RollRow.finished_at)),
        select(func.count()).select_from(RootRow),
        select(func.max(RootRow.destroyed_at)),
        select(func.count()).select_from(PlaceRow),
        *(select(func.max(column)) for column in (PlaceRow.registered_at, PlaceRow.lost_at, PlaceRow.gone_at)),
    )
    under_way, *seen = session.execute(select(*(one.scalar_subquery() for one in asked))).one()
    return Pulse(tuple(seen), under_way, root)


def changes(session: Session, *, since: datetime) -> list[Change]:
    """Everything but the change of the root itself, which only the keyring's file can tell; the oldest first."""
    made_at = session.scalars(select(StoreRow.made_at)).one()
    rolls = select(RollRow).where(RollRow.state == RollState.DONE, RollRow.finished_at >= since)
    found = [
        Change(ChangeKind.EPOCH_ROLLED, row.id, row.finished_at, row.from_number)
        for row in session.scalars(rolls)
        if row.finished_at is not None
    ]
    found += [
        Change(ChangeKind.ROOT_DESTROYED, row.id, row.destroyed_at)
        for row in session.scalars(select(RootRow).where(RootRow.destroyed_at >= since))
        if row.destroyed_at is not None
    ]
    for place in session.scalars(select(PlaceRow)):
        times = (
            (ChangeKind.PLACE_ADDED, place.registered_at if place.registered_at > made_at else None),
            (ChangeKind.PLACE_LOST, place.lost_at),
            (ChangeKind.PLACE_GONE, place.gone_at),
        )
        found += [Change(kind, place.id, at) for kind, at in times if at is not None and at >= since]
    for key in damage.left_behind(session):
        if key.left_at is not None and key.left_at >= since:
            found.append(Change(ChangeKind.KEY_DAMAGED, key.id, key.left_at, damaged=key))
    return sorted(found, key=lambda one: one.at)
