"""Comparing what the database says with the stored bytes and with the keys. Changes nothing, and may run at any time.

The service goes on meanwhile, so what looks like trouble is looked at a second time, and only then told. What an
ordinary crash may leave is counted apart: it is tidied by itself (``vault.tidying``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import jobs
from core.db import Database
from core.ids import ObjectId
from core.jobs import JobRow
from keys import KeyStanding, KeyStore
from vault import uploads, whereabouts
from vault.findings import Finding, Leftover, Report, Trouble
from vault.judging import Depth, Judge
from vault.models import (
    ClipRow,
    ClipState,
    FootageRow,
    FootageState,
    ObjectRow,
    ObjectState,
    PartRow,
    UploadRow,
    UploadState,
)
from vault.objects import ObjectStore

_AT_ONCE = 500
_ARRIVING = (UploadState.RECEIVING, UploadState.RECEIVED)
_LEAVING = (FootageState.DESTROYING, FootageState.DESTROYED)
_OPENS = (ObjectState.SEALED,)

Progress = Callable[[int, int], object]
"""Told how much is done, of how much: bytes where they are read, else objects."""


def fsck(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    depth: Depth = Depth.LENGTHS,
    on_progress: Progress = lambda _done, _of: None,
) -> Report:
    """Compare rows, bytes and keys.

    Args:
        db: the main database.
        keystore: opened; every live key is tried.
        store: where the bytes lie.
        depth: whether to read and authenticate all of them.
        on_progress: told now and then.

    Returns:
        What was found.

    Raises:
        Unavailable: a database or the store can't be read just now.
    """
    look = _Look(db, keystore, store, depth, on_progress)
    look.begin()
    for check in (look.objects, look.arriving, look.stopped, look.stored, look.unused_keys, look.over):
        check()
    return Report(
        objects=look.counted,
        parts=look.parts,
        read_bytes=look.read,
        findings=tuple(look.findings),
        leftovers=dict(look.leftovers),
    )


@dataclass(slots=True)
class _Look:
    db: Database
    keystore: KeyStore
    store: ObjectStore
    depth: Depth
    on_progress: Progress
    findings: list[Finding] = field(default_factory=list)
    leftovers: Counter[Leftover] = field(default_factory=Counter)
    counted: int = 0
    parts: int = 0
    read: int = 0
    whole: int = 0

    @property
    def judge(self) -> Judge:
        return Judge(self.keystore, self.store, self.depth, self._have_read)

    def begin(self) -> None:
        """See how much there is to do."""
        measure = func.count() if self.depth is Depth.LENGTHS else func.coalesce(func.sum(ObjectRow.plain_length), 0)
        with self.db.read() as session:
            query = select(measure).select_from(ObjectRow).where(ObjectRow.state.in_(_OPENS))
            self.whole = int(session.scalar(query) or 0)

    def objects(self) -> None:
        """Each object's row against its key and its bytes."""
        after = ""
        while page := self._rows(after):
            after = page[-1].id
            keys = self.keystore.standings(row.id for row in page)
            for row in page:
                self.counted += row.state in _OPENS
                self._note(row.id, self.judge.of_object(row, keys.get(ObjectId(row.id))), again=self._object_again)
                if self.depth is Depth.LENGTHS:
                    self.on_progress(self.counted, self.whole)

    def arriving(self) -> None:
        """Each deposit that is on its way: its key, and its parts without a gap."""
        with self.db.read() as session:
            ids = list(session.scalars(select(UploadRow.id).where(UploadRow.state.in_(_ARRIVING))))
            self.parts = session.scalar(select(func.count()).where(PartRow.upload_id.in_(ids))) or 0
        for upload_id in ids:
            first = self._upload(upload_id)
            again = self._upload(upload_id) if first else []
            self.findings.extend(found for found in first if found in again)

    def stopped(self) -> None:
        """Footage and clips that wait for a job that has ended."""
        with self.db.read() as session:
            for table, waits in ((FootageRow, FootageState.PREPARING), (ClipRow, ClipState.CUTTING)):
                query = select(table.id).join(JobRow, JobRow.id == table.job_id)
                for found in session.scalars(query.where(table.state == waits, JobRow.state.in_(jobs.ENDED))):
                    self.findings.append(Finding(Trouble.WORK_STOPPED, found))

    def stored(self) -> None:
        """Stored bytes that no row knows."""
        self.leftovers[Leftover.WRITE_UNFINISHED] += sum(1 for _ in self.store.unfinished())
        for names in _chunks(stored.name for stored in self.store.names()):
            with self.db.read() as session:
                unknown = [name for name in names if name not in _known(session, names)]
            keys = self.keystore.standings(unknown)
            for name in unknown:
                claimed = keys.get(ObjectId(name)) in {KeyStanding.ALIVE, KeyStanding.DAMAGED}
                found = Trouble.BYTES_UNCLAIMED if claimed else Leftover.BYTES_UNKNOWN
                self._note(name, found, again=self._stored_again)

    def unused_keys(self) -> None:
        """Living keys that no row knows and that lock no bytes."""
        after = ""
        while page := self.keystore.live_keys(after=after, most=_AT_ONCE):
            after, names = page[-1].object_id, [line.object_id for line in page]
            with self.db.read() as session:
                known = _known(session, names) | set(
                    session.scalars(select(UploadRow.id).where(UploadRow.id.in_(names)))
                )
            spare = [name for name in names if name not in known and self.store.size(name) is None]
            self.leftovers[Leftover.KEY_UNUSED] += len(spare)

    def over(self) -> None:
        """Deposits and jobs that are over and left something."""
        with self.db.read() as session:
            self.leftovers[Leftover.UPLOAD_UNCLEARED] += len(uploads.uncleared(session))
            self.leftovers[Leftover.DRAFT] += len(left_drafts(session))
            cleared = list(session.scalars(select(UploadRow.id).where(UploadRow.key_destroyed_at.is_not(None))))
        for ids in _chunks(cleared):
            for upload_id, key in self.keystore.standings(ids).items():
                if key is not KeyStanding.DESTROYED:
                    self.findings.append(Finding(Trouble.KEY_ALIVE, upload_id))

    def _rows(self, after: str) -> list[ObjectRow]:
        query = select(ObjectRow).where(ObjectRow.id > after).order_by(ObjectRow.id).limit(_AT_ONCE)
        with self.db.read() as session:
            return list(session.scalars(query))

    def _note(
        self, subject: str, found: Trouble | Leftover | None, *, again: Callable[[str], Trouble | Leftover | None]
    ) -> None:
        if isinstance(found, Trouble):
            found = again(subject)
        if isinstance(found, Trouble):
            self.findings.append(Finding(found, subject))
        elif found is not None:
            self.leftovers[found] += 1

    def _object_again(self, object_id: str) -> Trouble | Leftover | None:
        with self.db.read() as session:
            row = session.get(ObjectRow, object_id)
        return (
            None
            if row is None
            else self.judge.of_object(row, self.keystore.standings([object_id]).get(ObjectId(row.id)))
        )

    def _stored_again(self, name: str) -> Trouble | Leftover | None:
        with self.db.read() as session:
            if _known(session, [name]):
                return None
        if self.store.size(name) is None:
            return None
        gone = self.keystore.standings([name]).get(ObjectId(name)) in {None, KeyStanding.DESTROYED}
        return Leftover.BYTES_UNKNOWN if gone else Trouble.BYTES_UNCLAIMED

    def _upload(self, upload_id: str) -> list[Finding]:
        """What is wrong with one deposit that is on its way."""
        with self.db.read() as session:
            row = session.get(UploadRow, upload_id)
            if row is None or row.state not in _ARRIVING or _is_leaving(session, row):
                return []
            query = select(PartRow).where(PartRow.upload_id == upload_id).order_by(PartRow.offset)
            parts = list(session.scalars(query))
        if self.keystore.standings([upload_id]).get(ObjectId(upload_id)) is not KeyStanding.ALIVE:
            return [Finding(Trouble.KEY_MISSING, upload_id)]
        found = []
        if [part.offset for part in parts] + [row.offset] != [0, *accumulate(part.length for part in parts)]:
            found.append(Finding(Trouble.PART_MISSING, upload_id))
        judged = ((part.name, self.judge.of_part(part, row)) for part in parts)
        return found + [Finding(trouble, name) for name, trouble in judged if trouble is not None]

    def _have_read(self, size: int) -> None:
        self.read += size
        self.on_progress(self.read, max(self.whole, self.read))


def left_drafts(session: Session) -> list[ObjectId]:
    """Objects that a job began, and that nobody will finish since the job has ended."""
    query = select(ObjectRow.id).join(JobRow, JobRow.id == ObjectRow.job_id)
    ended = query.where(ObjectRow.state == ObjectState.WRITING, JobRow.state.in_(jobs.ENDED))
    return [ObjectId(draft) for draft in session.scalars(ended)]


def _known(session: Session, names: Sequence[str]) -> set[str]:
    """Which of these names are an object's or a part's, or the mark of the store itself."""
    known = whereabouts.marks(session).intersection(names)
    known |= set(session.scalars(select(ObjectRow.id).where(ObjectRow.id.in_(names))))
    return known | set(session.scalars(select(PartRow.name).where(PartRow.name.in_(names))))


def _is_leaving(session: Session, upload: UploadRow) -> bool:
    """Whether retention is destroying what it became."""
    footage = session.get(FootageRow, upload.footage_id) if upload.footage_id else None
    return footage is not None and footage.state in _LEAVING


def _chunks(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk
