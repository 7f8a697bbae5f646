"""Rolling the epoch, so that destroyed keys are destroyed in every copy of the key rows, wherever it lies.

begun → the new epoch's key is written to every place and becomes active → every live key is wrapped again under it →
every process forgets the old one → the key rows are copied and the old key leaves every place → done.

A key whose row is damaged can't be wrapped again: it is left behind, named, and holds up nobody (``keys.damage``).

Each step is recorded and safe to repeat: whoever calls ``roll_epoch`` next goes on where a killed one stopped. Both
epochs open until the last step, so reading and writing go on. A destruction is covered by a roll that was begun after
it: one from the epoch that was active at the destruction, or a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.ids import new_id
from keys import cases, damage, heartbeat, rewrap
from keys.capsule import Epoch
from keys.copies import require_places, write_copies
from keys.damage import DamagedKey
from keys.keyring import Keyring
from keys.models import (
    EpochRow,
    EpochState,
    KeyState,
    ObjectKeyRow,
    RecordKeyRow,
    RollRow,
    RollState,
)
from keys.wrap import fresh_key, key_damaged

_KINDS: tuple[type[ObjectKeyRow | RecordKeyRow], ...] = (ObjectKeyRow, RecordKeyRow)


@dataclass(frozen=True, slots=True)
class RollReport:
    """How far an epoch roll has come.

    Attributes:
        from_number: the epoch that goes.
        to_number: the epoch that comes.
        waiting_for: ids of processes that must still forget the old key; call again when they have beaten or lapsed.
        left_behind: keys that didn't open, so that they went with the old one; what isn't destroyed since.
    """

    id: str
    from_number: int
    to_number: int
    state: RollState
    started_at: datetime
    finished_at: datetime | None
    waiting_for: tuple[str, ...] = ()
    left_behind: tuple[DamagedKey, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the old epoch is gone from every registered place."""
        return self.state is RollState.DONE


@dataclass(frozen=True, slots=True)
class Roller:
    """What a roll works with.

    Attributes:
        on_progress: told how many keys were looked at, of how many.
        most_damaged: so many keys at most are left behind.
    """

    db: Database
    keyring: Keyring
    process: heartbeat.Process
    on_progress: Callable[[int, int], object] = lambda _done, _of: None
    most_damaged: int = damage.MOST_AT_ONCE


def roll_epoch(roller: Roller) -> RollReport:
    """Finish a roll that was begun; begin a new one unless that one covered every destruction.

    Raises:
        Unavailable: another process rolls, or a registered place can't be reached. What was done stays done.
        Damaged: ``keys_damaged``: so many keys don't open that none is left behind. What was done stays done.
    """
    with roller.keyring.writer():
        require_places(roller.db, keyring=roller.keyring)
        report = unfinished(roller.db)
        if report is not None:
            report = _go_on(roller)
            if not report.is_done or not _uncovered(roller.db):
                return report
        begin(roller)
        return _go_on(roller)


def go_on(roller: Roller, roll_id: str) -> RollReport | None:
    """Go on with one roll; nothing is begun, and nothing is returned where it is done already.

    Raises:
        Unavailable: another process rolls, or a registered place can't be reached. What was done stays done.
    """
    with roller.keyring.writer():
        require_places(roller.db, keyring=roller.keyring)
        under_way = unfinished(roller.db)
        return _go_on(roller) if under_way is not None and under_way.id == roll_id else None


def report_of(db: Database, roll_id: str) -> RollReport:
    """How far a roll has come."""
    with db.read() as session:
        return _report(session, session.get_one(RollRow, roll_id), at=db.clock.now())


def unfinished(db: Database) -> RollReport | None:
    """The roll under way, if there is one."""
    with db.read() as session:
        row = _current(session)
        return None if row is None else _report(session, row, at=db.clock.now())


def begin(roller: Roller) -> None:
    """Name the new epoch."""
    db = roller.db
    with db.begin() as session:
        old, at = cases.lock_active_epoch(session), db.clock.now()
        new = EpochRow(id=new_id(), number=old.number + 1, state=EpochState.COMING, created_at=at)
        session.add(new)
        session.flush()
        session.add(
            RollRow(
                id=new_id(),
                from_epoch_id=old.id,
                to_epoch_id=new.id,
                from_number=old.number,
                state=RollState.BEGUN,
                started_at=at,
            )
        )


def step(roller: Roller) -> RollReport:
    """Take the roll under way one state further, if nothing stands in its way."""
    with roller.db.read() as session:
        row = _current(session)
        if row is None:
            raise key_damaged()
    {
        RollState.BEGUN: _activate,
        RollState.REWRAPPING: _rewrap,
        RollState.EVICTING: _evict,
        RollState.REMOVING: _remove,
    }[row.state](roller, row)
    with roller.db.read() as session:
        return _report(session, session.get_one(RollRow, row.id), at=roller.db.clock.now())


def _go_on(roller: Roller) -> RollReport:
    while True:
        with roller.db.read() as session:
            row = _current(session)
            before = None if row is None else row.state
        report = step(roller)
        if report.is_done or report.state is before:
            return report


def _activate(roller: Roller, roll: RollRow) -> None:
    new = Epoch(roll.to_epoch_id, roll.from_number + 1, fresh_key())
    roller.keyring.change(lambda capsule: capsule.with_epoch(new))
    with roller.db.begin() as session:
        old = cases.lock_active_epoch(session)
        if old.id == roll.from_epoch_id:
            old.state = EpochState.RETIRING
            session.get_one(EpochRow, roll.to_epoch_id).state = EpochState.ACTIVE
            session.get_one(RollRow, roll.id).state = RollState.REWRAPPING


def _rewrap(roller: Roller, roll: RollRow) -> None:
    rewrap.move_all(
        roller.db,
        keyring=roller.keyring,
        old_id=roll.from_epoch_id,
        new_id=roll.to_epoch_id,
        on_progress=roller.on_progress,
        most_damaged=roller.most_damaged,
    )
    with roller.db.begin() as session:
        if rewrap.live_under(session, epoch_id=roll.from_epoch_id) == 0:
            session.get_one(RollRow, roll.id).state = RollState.EVICTING


def _evict(roller: Roller, roll: RollRow) -> None:
    db = roller.db
    heartbeat.beat(db, process=roller.process, keyring=roller.keyring)
    with db.begin() as session:
        row = session.get_one(RollRow, roll.id)
        if not heartbeat.holding(session, through=roll.from_number, at=db.clock.now()):
            row.state = RollState.REMOVING


def _remove(roller: Roller, roll: RollRow) -> None:
    db = roller.db
    require_places(db, keyring=roller.keyring)
    write_copies(db, keyring=roller.keyring)
    roller.keyring.change(lambda capsule: capsule.without(through=roll.from_number))
    with db.begin() as session:
        at = db.clock.now()
        epoch, row = session.get_one(EpochRow, roll.from_epoch_id), session.get_one(RollRow, roll.id)
        epoch.state, epoch.destroyed_at = EpochState.DESTROYED, at
        row.state, row.finished_at = RollState.DONE, at


def _current(session: Session) -> RollRow | None:
    return session.scalars(select(RollRow).where(RollRow.state != RollState.DONE)).one_or_none()


def _waiting_for(session: Session, roll: RollRow, *, at: datetime) -> tuple[str, ...]:
    if roll.state is not RollState.EVICTING:
        return ()
    return tuple(heartbeat.holding(session, through=roll.from_number, at=at))


def _report(session: Session, row: RollRow, *, at: datetime) -> RollReport:
    return RollReport(
        id=row.id,
        from_number=row.from_number,
        to_number=row.from_number + 1,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        waiting_for=_waiting_for(session, row, at=at),
        left_behind=tuple(damage.left_behind(session, epoch_id=row.from_epoch_id)),
    )


def _uncovered(db: Database) -> bool:
    with db.read() as session:
        return pending(session) > 0


def last_begun(session: Session) -> datetime | None:
    """When the latest roll was begun, done or not; nothing where there was none yet."""
    return session.scalars(select(func.max(RollRow.started_at))).one()


def pending(session: Session) -> int:
    """How many destroyed keys no finished roll covers yet."""
    return sum(
        session.scalars(select(func.count()).select_from(kind).where(*_open(session, kind))).one() for kind in _KINDS
    )


def pending_since(session: Session) -> datetime | None:
    """When the first of them was destroyed."""
    firsts = [
        session.scalars(select(func.min(kind.destroyed_at)).where(*_open(session, kind))).one() for kind in _KINDS
    ]
    return min((at for at in firsts if at is not None), default=None)


def _open(session: Session, kind: type[ObjectKeyRow | RecordKeyRow]) -> tuple[ColumnElement[bool], ...]:
    rolled = session.scalars(select(func.max(RollRow.from_number)).where(RollRow.state == RollState.DONE)).one()
    return kind.state == KeyState.DESTROYED, kind.destroyed_epoch > (rolled or 0)
