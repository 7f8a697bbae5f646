"""One turn at copying objects from a store to another, each compared by its full hash before it is noted as copied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Damaged, Unavailable
from core.ids import ObjectId
from vault import errors, stretches, whereabouts
from vault.models import ObjectRow, ObjectState, PartRow
from vault.objects import ObjectStore, Stored
from vault.pace import MIB, Pace
from vault.quarantine import quarantine
from vault.upkeep_models import CopiedRow, StoreRow, StoreState

_AT_ONCE = 500
_GONE = (ObjectState.WRITING, ObjectState.KEY_DESTROYED, ObjectState.DESTROYED)
_PINNED = (ObjectState.SEALED, ObjectState.QUARANTINED)

Told = Callable[[int, int], object]
"""Told how many bytes are copied, of how many."""


class Stopped(Exception):
    """Somebody wants it to end."""


@dataclass(slots=True)
class Copying:
    """One process at a move.

    Attributes:
        store: the target's row.
        copied, copied_bytes: in this turn.
        known: objects and parts that the database knows.
        is_behind: whether the target lacks anything of them that the source has.
        damaged: objects that weren't what was sealed any more.
    """

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

    def is_outdone(self, session: Session) -> bool:
        """Whether what was copied while it was damaged is sound by now, so that the source alone has it right."""
        return session.scalar(select(exists(_unlike_its_pin(self.store, states=(ObjectState.SEALED,))))) or False

    def _copy(self, stored: Stored) -> None:
        try:
            sha256 = self._copied(stored.name)
        except Damaged as error:
            if error.code != errors.object_missing().code:
                raise
            return  # deleted meanwhile
        with self.db.begin() as session:
            before = session.get(CopiedRow, (self.store, stored.name))
            is_news = before is None or before.sha256 != sha256
            row = CopiedRow(store_id=self.store, name=stored.name, size_bytes=stored.size_bytes, sha256=sha256)
            session.merge(row)
        if self.source.size(stored.name) is None:  # deleted while it was copied: whoever deletes looks only once
            self._forget(stored.name)
            return
        if is_news:  # else it is damaged still, and lies there as it is
            self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + stored.size_bytes

    def _copied(self, name: str) -> str:
        """Have one object in the target, compared; gives its hash."""
        state, pinned = self._pinned(name)
        if self.target.size(name) is not None:  # of a copy that was broken off before it was noted, or of damage
            there = self._hash(self.target, name)
            if there == pinned or (state is not ObjectState.SEALED and there == self._hash(self.source, name)):
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
        if state is ObjectState.SEALED and not is_as_pinned:
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

    def _pinned(self, name: str) -> tuple[ObjectState | None, str | None]:
        """An object's state, and its hash where one is pinned; neither for a part."""
        with self.db.read() as session:
            row = session.get(ObjectRow, name)
            return (row.state, row.sealed_sha256 if row.state in _PINNED else None) if row is not None else (None, None)

    def _noted(self, names: list[str]) -> set[str]:
        """What needs no copy: it was compared, or the move is over and only what was forgotten is looked for."""
        query = select(CopiedRow.name).where(CopiedRow.store_id == self.store, CopiedRow.name.in_(names))
        with self.db.read() as session:
            is_over = session.get_one(StoreRow, self.store).state is StoreState.CURRENT
            noted = set(session.scalars(query)) - set(session.scalars(_unlike_its_pin(self.store)))
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
            raise Stopped


def _unlike_its_pin(store: str, *, states: Collection[ObjectState] = _PINNED) -> Select[str]:
    """Names of what was damaged when it was copied to a store: the source may have been put right since."""
    return (
        select(CopiedRow.name)
        .join(ObjectRow, ObjectRow.id == CopiedRow.name)
        .where(CopiedRow.store_id == store, CopiedRow.sha256 != ObjectRow.sealed_sha256, ObjectRow.state.in_(states))
    )
