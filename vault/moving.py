"""Copying every object to another store while the service goes on, until the old one may be dropped.

1. *Copy*: each object is written to the target, read back whole, and its hash compared with what the database pinned
   when it was sealed; only then is it noted as copied. A copy that is broken off, even by a kill, goes on after the
   last note: an object is whole in the target or not there.
2. *Switch*: the processes are started with the target as their store and the old one beside it (``BothStores``). What
   was written to the old one until the last of them had switched is still read from there.
3. *Copy again*: what came meanwhile. Once everything that the database knows lies in the target, and every live process
   was started after the first had switched, the old store is noted as left: a process that is still set to it refuses
   to start. Only then may it be dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import delete, select

import audit
from audit import Event
from core.db import Database, lock
from core.errors import Conflict, Damaged, Unavailable
from core.ids import ObjectId, new_id
from keys import KeyStore
from vault import errors, stretches, whereabouts
from vault.models import ObjectRow, ObjectState, PartRow
from vault.objects import ObjectStore, Stored
from vault.pace import MIB, Pace
from vault.quarantine import quarantine
from vault.upkeep_models import CopiedRow, StoreRow, StoreState

_AT_ONCE = 500
_GONE = (ObjectState.WRITING, ObjectState.KEY_DESTROYED, ObjectState.DESTROYED)

Told = Callable[[int, int], object]
"""Told how many bytes are copied, of how many."""


class Next(StrEnum):
    """What is to be done after a turn at copying."""

    COPY = "copy"
    """Go on copying: it was broken off."""
    SWITCH = "switch"
    """Everything is copied: start the processes with the target as their store, the old one beside it."""
    RESTART = "restart"
    """Everything is copied, and a process that was started before the switch still runs."""
    DROP = "drop"
    """The old store may be dropped."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a move is.

    Attributes:
        copied, copied_bytes: in this turn.
        damaged: objects that weren't what was sealed any more; quarantined, and copied as they are.
        missing: objects that the database knows and that neither store has.
    """

    copied: int
    copied_bytes: int
    damaged: tuple[str, ...]
    missing: tuple[str, ...]
    next: Next


class _Stopped(Exception):
    """Somebody wants it to end."""


def move(
    db: Database,
    *,
    keystore: KeyStore,
    source: ObjectStore,
    target: ObjectStore,
    address: str,
    pace: Pace,
    on_progress: Told = lambda _done, _of: None,
) -> Moved:
    """Copy what isn't copied yet; where the service has switched already, see whether the old store may be dropped.

    Args:
        db: the main database.
        keystore: knows which processes live.
        source: where the objects come from.
        target: where they go.
        address: the target's, to be shown.
        pace: how fast, and for how long.
        on_progress: told now and then.

    Raises:
        Conflict: ``target_not_empty``: there is something in the target, and it isn't this move's.
        Unavailable: a store or a database can't be read or written just now. What is copied is noted.
    """
    turn = _Turn(db, source, target, pace, on_progress, store=_target(db, target=target, address=address))
    try:
        while turn.copy_all():
            pass
        turn.drop_strays()
    except _Stopped:
        return turn.told(Next.COPY, missing=())
    missing = tuple(turn.missing())
    return turn.told(_what_next(db, turn, keystore=keystore), missing=missing)


def _target(db: Database, *, target: ObjectStore, address: str) -> str:
    """The target's row: of a move that was begun, or a new one."""
    with db.read() as session:
        rows = list(session.scalars(select(StoreRow).where(StoreRow.state != StoreState.FORMER)))
    found = whereabouts.bears(target, rows)
    if found is not None:
        return found.id
    if next(target.names(), None) is not None:
        raise Conflict("target_not_empty", "There is something in the target already. Name an empty one.")
    name = new_id()
    with db.begin() as session:
        for stale in session.scalars(select(StoreRow).where(StoreRow.state == StoreState.TARGET).with_for_update()):
            if stale.written_since is not None:
                raise Conflict("move_under_way", f"The objects are moving to {stale.address}. Finish that first.")
            stale.state = StoreState.FORMER
        session.add(StoreRow(id=name, address=address, state=StoreState.TARGET, noted_at=db.clock.now()))
        audit.record(session, Event.STORE_MOVE_BEGUN, actor=None, details={"store": name})
    whereabouts.mark(target, name=name)  # after its row: a mark that no row knows would make the target look taken
    return name


def _what_next(db: Database, turn: _Turn, *, keystore: KeyStore) -> Next:
    """Note the old store as left where nothing can lie there alone any more."""
    at = db.clock.now()
    oldest = keystore.oldest_process()
    with db.begin() as session:
        row = lock(session, StoreRow, turn.store)
        if row.state is StoreState.CURRENT:
            session.execute(delete(CopiedRow))
            return Next.DROP
        if row.written_since is None:
            return Next.SWITCH
        if oldest is not None and oldest < row.written_since:
            return Next.RESTART
        if turn.is_behind:
            return Next.COPY
        for other in session.scalars(select(StoreRow).where(StoreRow.id != row.id)):
            other.state, other.noted_at = StoreState.FORMER, at
        row.state, row.noted_at = StoreState.CURRENT, at
        session.execute(delete(CopiedRow))
        audit.record(session, Event.STORE_MOVED, actor=None, details={"store": row.id, "objects": turn.known})
    return Next.DROP


@dataclass(slots=True)
class _Turn:
    db: Database
    source: ObjectStore
    target: ObjectStore
    pace: Pace
    on_progress: Told
    store: str
    copied: int = 0
    copied_bytes: int = 0
    known: int = 0
    is_behind: bool = False
    damaged: list[str] = field(default_factory=list)
    _seen: int = 0
    _whole: int = 0

    def copy_all(self) -> bool:
        """Copy what the source has and isn't noted; whether there was any."""
        with self.db.read() as session:
            marks = whereabouts.marks(session)
        waiting = [stored for stored in self.source.names() if stored.name not in marks]
        before, self._whole = self.copied, sum(stored.size_bytes for stored in waiting)
        self._seen = 0
        for start in range(0, len(waiting), _AT_ONCE):
            page = waiting[start : start + _AT_ONCE]
            noted = self._noted([stored.name for stored in page])
            for stored in page:
                if stored.name in noted:
                    self._count(stored.size_bytes, paced=0)
                else:
                    self._copy(stored)
        return self.copied > before

    def drop_strays(self) -> None:
        """Remove from the target what was copied and then destroyed at its source."""
        after = ""
        query = select(CopiedRow.name).where(CopiedRow.store_id == self.store).order_by(CopiedRow.name).limit(_AT_ONCE)
        while True:
            with self.db.read() as session:
                names = list(session.scalars(query.where(CopiedRow.name > after)))
            if not names:
                return
            after, wanted = names[-1], self._wanted(names)
            for name in names:
                if name not in wanted and self.source.size(name) is None:
                    self._forget(name)

    def missing(self) -> Iterator[str]:
        """What the database knows and neither store has; notes whether the target lacks anything."""
        for table, name, length in (
            (ObjectRow, ObjectRow.id, ObjectRow.sealed_length),
            (PartRow, PartRow.name, PartRow.sealed_length),
        ):
            after = ""
            query = select(name, length).order_by(name).limit(_AT_ONCE)
            if table is ObjectRow:
                query = query.where(ObjectRow.state.not_in(_GONE))
            while True:
                with self.db.read() as session:
                    rows = session.execute(query.where(name > after)).all()
                if not rows:
                    break
                after = rows[-1][0]
                for one, size in rows:
                    self.known += 1
                    there = self.target.size(one)
                    if there == size or not self._wanted([one]):
                        continue
                    here = self.source.size(one)
                    if here is None:
                        yield one
                    self.is_behind = self.is_behind or there is None or there != here  # damage is copied as it is

    def told(self, what: Next, *, missing: tuple[str, ...]) -> Moved:
        """How far it came."""
        return Moved(self.copied, self.copied_bytes, tuple(self.damaged), missing, what)

    def _copy(self, stored: Stored) -> None:
        try:
            sha256 = self._copied(stored.name)
        except Damaged as error:
            if error.code != errors.object_missing().code:
                raise
            return  # deleted meanwhile
        with self.db.begin() as session:
            row = CopiedRow(store_id=self.store, name=stored.name, size_bytes=stored.size_bytes, sha256=sha256)
            session.merge(row)
        if self.source.size(stored.name) is None:  # deleted while it was copied: whoever deletes looks only once
            self._forget(stored.name)
            return
        self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + stored.size_bytes

    def _copied(self, name: str) -> str:
        """Have one object in the target, compared; gives its hash."""
        pinned = self._pinned(name)
        if self.target.size(name) is not None:  # of a copy that was broken off before it was noted
            there, here = self._hash(self.target, name), pinned or self._hash(self.source, name)
            if there == here:
                return there
            self.target.delete(name)
        whole, size = hashlib.sha256(), self.source.size(name)
        if size is None:
            raise errors.object_missing()
        read = stretches.reader(self.source, name)
        with self.target.writer(name) as writer:
            for start in range(0, size, MIB):
                piece = read(start, min(MIB, size - start))
                whole.update(piece)
                writer.write(piece)
                self._count(len(piece), paced=len(piece))
            writer.commit()
        copied = whole.hexdigest()
        is_as_pinned = copied == pinned  # nothing is pinned of a part; one bad read of it is found out all the same
        if not (is_as_pinned or self._hash(self.source, name) == copied) or self._hash(self.target, name) != copied:
            self.target.delete(name)
            raise Unavailable("copy_differs", "One of the stores gave other bytes than before. Look at its disks.")
        if pinned is not None and not is_as_pinned:
            self.damaged.append(name)
            with self.db.begin() as session:
                quarantine(session, ObjectId(name))
        return copied

    def _hash(self, store: ObjectStore, name: str) -> str:
        whole, size, read = hashlib.sha256(), store.size(name), stretches.reader(store, name)
        for start in range(0, size or 0, MIB):
            whole.update(read(start, min(MIB, (size or 0) - start)))
            self._count(0, paced=MIB)
        return whole.hexdigest()

    def _pinned(self, name: str) -> str | None:
        with self.db.read() as session:
            row = session.get(ObjectRow, name)
            return row.sealed_sha256 if row is not None and row.state is ObjectState.SEALED else None

    def _noted(self, names: list[str]) -> set[str]:
        """What needs no copy: it was compared, or the move is over and only what was forgotten is looked for."""
        query = select(CopiedRow.name).where(CopiedRow.store_id == self.store, CopiedRow.name.in_(names))
        with self.db.read() as session:
            is_over = session.get_one(StoreRow, self.store).state is StoreState.CURRENT
            noted = set(session.scalars(query))
        return {name for name in names if self.target.size(name) is not None} if is_over else noted

    def _wanted(self, names: list[str]) -> set[str]:
        with self.db.read() as session:
            query = select(ObjectRow.id).where(ObjectRow.id.in_(names), ObjectRow.state.not_in(_GONE))
            return set(session.scalars(query)) | set(
                session.scalars(select(PartRow.name).where(PartRow.name.in_(names)))
            )

    def _forget(self, name: str) -> None:
        self.target.delete(name)
        with self.db.begin() as session:
            session.execute(delete(CopiedRow).where(CopiedRow.store_id == self.store, CopiedRow.name == name))

    def _count(self, size: int, *, paced: int) -> None:
        self._seen += size
        self.on_progress(self._seen, max(self._whole, self._seen))
        self.pace.count(paced)
        if self.pace.is_stopped:
            raise _Stopped
