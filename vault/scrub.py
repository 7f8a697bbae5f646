"""Reading every stored object again at a set pace, and comparing its full hash with the pinned one.

Disks and clouds lose bits in silence; what is found late is found when no backup has it any more. A scrub remembers
after each object where it was, so it is broken off at any moment and goes on later, in this process or another. What
isn't what was sealed is quarantined and stands in the log; what is missing is told, since it may come back (a disk that
isn't mounted). Keys aren't needed. Parts of unfinished deposits are compared when their film is sealed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import audit
from audit import Event
from core.alone import Task, alone
from core.db import Database, lock
from core.errors import Damaged
from core.ids import ObjectId, new_id
from vault import errors, stretches
from vault.findings import Finding, Trouble
from vault.models import ObjectRow, ObjectState
from vault.objects import ObjectStore
from vault.pace import MIB, Pace
from vault.quarantine import quarantine
from vault.upkeep_models import ScrubRow

HELD_FOR = timedelta(minutes=2)
"""How long nobody else goes on with a scrub whose holder was heard of."""
_HOLD_EVERY = timedelta(seconds=20)

Told = Callable[[int, int], object]
"""Told how many bytes are read, of how many."""


_LOCK = int.from_bytes(b"scrub")
"""PostgreSQL's advisory lock for begun scrubs: there is never a second beside the one that isn't over."""


class Claim(Enum):
    """Whether to go on with a scrub that somebody else may be at."""

    TAKE_OVER = auto()
    """As a person asks for it: a worker that is at it leaves it to them, and a second person is refused."""
    IF_FREE = auto()
    """As a worker does it."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """How far a scrub is.

    Attributes:
        begun_at: when its first object was read.
        finished_at: when its last one was; nothing while it isn't over.
        findings: what this turn found.
        damaged, missing: how many it found in all its turns.
    """

    begun_at: datetime
    finished_at: datetime | None
    objects: int
    read_bytes: int
    damaged: int
    missing: int
    findings: tuple[Finding, ...] = ()


class _Elsewhere(Exception):
    """Somebody else goes on with it."""


def scrub(
    db: Database,
    *,
    store: ObjectStore,
    pace: Pace,
    claim: Claim = Claim.TAKE_OVER,
    on_progress: Told = lambda _done, _of: None,
) -> Scrubbed | None:
    """Begin a scrub, or go on with the one that isn't over, until it is or until the pace is stopped.

    Args:
        db: the main database.
        store: where the objects lie.
        pace: how fast, and for how long.
        claim: what to do where another process is at it.
        on_progress: told now and then.

    Returns:
        How far it came; nothing where somebody else is at it.

    Raises:
        Unavailable: ``already_running``; or a database or the store can't be read just now. Where it was is remembered.
    """
    with alone(db, Task.SCRUB) if claim is Claim.TAKE_OVER else nullcontext():
        return _scrub(db, store=store, pace=pace, claim=claim, on_progress=on_progress)


def last_scrub(session: Session) -> Scrubbed | None:
    """The last scrub that is over."""
    query = select(ScrubRow).where(ScrubRow.finished_at.is_not(None)).order_by(ScrubRow.finished_at.desc()).limit(1)
    row = session.scalars(query).first()
    return _told(row) if row else None


def _scrub(db: Database, *, store: ObjectStore, pace: Pace, claim: Claim, on_progress: Told) -> Scrubbed | None:
    turn = _Turn(db, store, pace, on_progress, holder=new_id())
    try:
        turn.take(claim)
        while not pace.is_stopped and (row := turn.next_object()) is not None:
            turn.look_at(row)
        if not pace.is_stopped:
            turn.finish()
    except _Elsewhere:
        return None
    return turn.told()


class _Turn:
    """One process at a scrub."""

    def __init__(self, db: Database, store: ObjectStore, pace: Pace, on_progress: Told, *, holder: str) -> None:
        self._db, self._store, self._pace, self._on_progress, self._holder = db, store, pace, on_progress, holder
        self._id, self._after = "", ""
        self._read, self._whole = 0, 0
        self._held_at = db.clock.now()
        self._findings: list[Finding] = []

    def take(self, claim: Claim) -> None:
        """Take the scrub that isn't over, or begin one."""
        at, query = self._db.clock.now(), select(ScrubRow).where(ScrubRow.finished_at.is_(None))
        with self._db.begin() as session:
            if not self._db.is_sqlite:  # where writers queue anyway
                session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            row = session.scalars(query.order_by(ScrubRow.begun_at).with_for_update()).first()
            if row is None:
                row = ScrubRow(id=new_id(), begun_at=at, after="", objects=0, read_bytes=0, damaged=0, missing=0)
                session.add(row)
            elif claim is Claim.IF_FREE and timedelta(0) <= at - row.held_at < HELD_FOR:
                raise _Elsewhere
            row.holder, row.held_at = self._holder, at
            session.flush()
            self._id, self._after, self._read = row.id, row.after, row.read_bytes
            left = select(func.coalesce(func.sum(ObjectRow.sealed_length), 0))
            left = left.where(ObjectRow.state == ObjectState.SEALED, ObjectRow.id > row.after)
            self._whole = self._read + int(session.scalar(left) or 0)

    def next_object(self) -> ObjectRow | None:
        """The next one in order."""
        query = select(ObjectRow).where(ObjectRow.state == ObjectState.SEALED, ObjectRow.id > self._after)
        with self._db.read() as session:
            return session.scalars(query.order_by(ObjectRow.id).limit(1)).first()

    def look_at(self, row: ObjectRow) -> None:
        """Read one object and note what was found; one that was stopped in the middle is read again next time."""
        trouble = self._trouble(row)
        if trouble is not None:
            trouble = self._trouble(row)  # it may have been destroyed, or come back, meanwhile
        if self._pace.is_stopped:
            return
        with self._db.begin() as session:
            mine = self._mine(session)
            still = session.get(ObjectRow, row.id)
            if trouble is not None and still is not None and still.state is ObjectState.SEALED:
                self._findings.append(Finding(trouble, row.id))
                mine.damaged += trouble is Trouble.OBJECT_DAMAGED
                mine.missing += trouble is Trouble.OBJECT_MISSING
                if trouble is Trouble.OBJECT_DAMAGED:
                    quarantine(session, ObjectId(row.id))
            mine.after, mine.objects, mine.read_bytes = row.id, mine.objects + 1, self._read
        self._after = row.id

    def finish(self) -> None:
        """Every object was read."""
        at = self._db.clock.now()
        with self._db.begin() as session:
            mine = self._mine(session)
            mine.finished_at = at
            audit.record(
                session,
                Event.STORE_SCRUBBED,
                actor=None,
                outcome=audit.Outcome.FAILED if mine.damaged or mine.missing else audit.Outcome.DONE,
                details={
                    "objects": mine.objects,
                    "bytes": mine.read_bytes,
                    "damaged": mine.damaged,
                    "missing": mine.missing,
                },
            )

    def told(self) -> Scrubbed:
        """How far it is now."""
        with self._db.read() as session:
            return _told(session.get_one(ScrubRow, self._id), findings=tuple(self._findings))

    def _trouble(self, row: ObjectRow) -> Trouble | None:
        whole, length, read = hashlib.sha256(), row.sealed_length or 0, stretches.reader(self._store, row.id)
        begun = self._read
        try:
            if self._store.size(row.id) != length:
                return Trouble.OBJECT_MISSING if self._store.size(row.id) is None else Trouble.OBJECT_DAMAGED
            for start in range(0, length, MIB):
                piece = read(start, min(MIB, length - start))
                whole.update(piece)
                self._count(len(piece))
                if self._pace.is_stopped:
                    return None
        except Damaged as error:
            self._read = begun
            return Trouble.OBJECT_MISSING if error.code == errors.object_missing().code else Trouble.OBJECT_DAMAGED
        if hmac.compare_digest(whole.hexdigest(), row.sealed_sha256 or ""):
            return None
        self._read = begun
        return Trouble.OBJECT_DAMAGED

    def _count(self, size: int) -> None:
        self._read += size
        self._on_progress(self._read, max(self._whole, self._read))
        self._pace.count(size)
        at = self._db.clock.now()
        if at - self._held_at > _HOLD_EVERY:
            self._held_at = at
            with self._db.begin() as session:
                self._mine(session)

    def _mine(self, session: Session) -> ScrubRow:
        row = lock(session, ScrubRow, self._id)
        if row.holder != self._holder or row.finished_at is not None:
            raise _Elsewhere
        row.held_at = self._db.clock.now()
        return row


def _told(row: ScrubRow, *, findings: tuple[Finding, ...] = ()) -> Scrubbed:
    return Scrubbed(
        row.begun_at, row.finished_at, row.objects, row.read_bytes, row.damaged, row.missing, findings=findings
    )
