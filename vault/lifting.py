"""Lifting quarantines: what was found damaged once is read whole again, and used again only where all of it is right.

The fault may have been on the way (bad memory, a bucket that answered nonsense), or the right bytes were put back from
a copy. So all of an object is read anew and compared with everything that was pinned when it was sealed: its length,
its header, the tag of each segment, the full hashes of what is stored and of what is in it. One that is right is no
longer called damaged. That is all: whatever a family, a hold or a disposal said is decided on anew at each viewing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from consent import RenditionState
from core import jobs
from core.ahead import ahead, plain_buffers
from core.db import Database, get
from core.errors import Damaged, NotFound
from core.ids import CaseId, FootageId, JobId, ObjectId
from core.jobs import JobRow, JobState
from core.segments import SegmentReader, damaged
from keys import JobCapability, KeyStanding, KeyStore
from vault import clips, deposits, detecting, errors, redacting, sealed, stretches
from vault.findings import Finding, Trouble
from vault.models import FootageRow, FootageState, ObjectRow, ObjectState, RenditionRow
from vault.objects import ObjectStore
from vault.pace import Pace
from vault.quarantine import lift

Told = Callable[[int, int], object]
"""Told how many bytes are read, of how many."""

_WORDS: Mapping[str, str] = {
    deposits.FINISH: "A deposit's preparation stopped at it, and something of that family was taken out of use, so it "
    "doesn't go on by itself. If the film is still wanted, deposit it again.",
    clips.CUT: "A clip wasn't cut because of it. Its guider can cut it anew.",
    detecting.DETECT: "The people in a film weren't found because of it. Its guider can have them looked for anew.",
    redacting.REDACT: "A version wasn't blurred because of it. Its guider can have it blurred anew.",
}


@dataclass(frozen=True, slots=True)
class StoppedWork:
    """A job that was given up because of damage, in a case of which something is sound again.

    Attributes:
        subject: id of the footage or the clip that it was about.
    """

    job_id: JobId
    kind: str
    subject: str

    @property
    def sentence(self) -> str:
        """What it was, and what to do."""
        return _WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Lifting:
    """What came of a look at everything that is quarantined.

    Attributes:
        objects, read_bytes: what was read whole.
        lifted: which are in use again.
        findings: which are not, and why.
        left: how many weren't looked at, since it was broken off.
        going_on: deposits whose preparation had stopped at one of them, and goes on.
        stopped: other work that had; it may be asked for again now, and doesn't go on by itself.
    """

    objects: int
    read_bytes: int
    lifted: tuple[ObjectId, ...]
    findings: tuple[Finding, ...]
    left: int
    going_on: tuple[FootageId, ...]
    stopped: tuple[StoppedWork, ...]


class _Stopped(Exception):
    """Somebody wants it to end."""


def lift_quarantines(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    pace: Pace,
    on_progress: Told = lambda _done, _of: None,
) -> Lifting:
    """Read everything that is quarantined again, and lift the quarantine of what is as it was sealed.

    Broken off, it has lifted what it had read whole; it may run twice at once.

    Args:
        db: the main database.
        keystore: opened.
        store: where the objects lie.
        pace: how fast, and for how long.
        on_progress: told now and then.

    Raises:
        Unavailable: a database or the store can't be read just now. What was lifted stays lifted.
    """
    look = _Look(db, keystore, store, pace, on_progress)
    waiting = look.begin()
    lifted: list[ObjectRow] = []
    findings: list[Finding] = []
    done = 0
    for object_id in waiting:
        row = look.row(object_id)
        if row is not None:
            try:
                trouble = look.trouble(row)
            except _Stopped:
                break
            if trouble is not None:
                findings.append(Finding(trouble, object_id))
            elif look.lift(row):
                lifted.append(row)
        done += 1
    with db.read() as session:
        stopped = tuple(_stopped(session, {row.case_id for row in lifted}))
    return Lifting(
        objects=look.objects,
        read_bytes=look.read,
        lifted=tuple(ObjectId(row.id) for row in lifted),
        findings=tuple(findings),
        left=len(waiting) - done,
        going_on=tuple(look.going_on),
        stopped=stopped,
    )


@dataclass(slots=True)
class _Look:
    db: Database
    keystore: KeyStore
    store: ObjectStore
    pace: Pace
    on_progress: Told
    objects: int = 0
    read: int = 0
    whole: int = 0
    going_on: list[FootageId] = field(default_factory=list)

    def begin(self) -> list[ObjectId]:
        """What is quarantined, and how much that is."""
        query = select(ObjectRow.id).where(ObjectRow.state == ObjectState.QUARANTINED).order_by(ObjectRow.id)
        size = select(func.coalesce(func.sum(ObjectRow.sealed_length), 0))
        with self.db.read() as session:
            self.whole = int(session.scalar(size.where(ObjectRow.state == ObjectState.QUARANTINED)) or 0)
            return [ObjectId(found) for found in session.scalars(query)]

    def row(self, object_id: ObjectId) -> ObjectRow | None:
        """Its row, unless it was lifted or is on its way out by now."""
        with self.db.read() as session:
            row = session.get(ObjectRow, object_id)
        return row if row is not None and row.state is ObjectState.QUARANTINED else None

    def trouble(self, row: ObjectRow) -> Trouble | None:
        """Why it stays as it is; nothing where all of it is as it was sealed."""
        object_id = ObjectId(row.id)
        if self.keystore.standings([object_id]).get(object_id) is not KeyStanding.ALIVE:
            return Trouble.KEY_MISSING
        try:
            self._read_whole(row)
        except Damaged as error:
            is_missing = error.code == errors.object_missing().code
            return Trouble.OBJECT_MISSING if is_missing else Trouble.OBJECT_QUARANTINED
        except NotFound:  # its key went while we looked
            return Trouble.KEY_MISSING
        self.objects += 1
        return None

    def lift(self, row: ObjectRow) -> bool:
        """Note that it is sound, and have what stopped at it go on; whether that was news."""
        with self.db.begin() as session:
            is_news = lift(session, row)
            footage_id = _prepare_again(session, row, at=self.db.clock.now()) if is_news else None
        if footage_id is not None:
            self.going_on.append(footage_id)
        return is_news

    def _read_whole(self, row: ObjectRow) -> None:
        """Compare all of it with what was pinned.

        Raises:
            Damaged: it differs.
        """
        sealed.check_length(row, store=self.store)
        case_id, object_id = CaseId(row.case_id), ObjectId(row.id)
        stored, plain = hashlib.sha256(), hashlib.sha256()
        read = stretches.reader(self.store, object_id)

        def read_at(start: int, length: int) -> bytes:
            piece = read(start, length)
            stored.update(piece)  # header and segments come in order, each once: these are all of its bytes
            return piece

        reader = SegmentReader(
            self.keystore.object_key(object_id, capability=JobCapability("lift", case_id, frozenset({object_id}))),
            associated_data=sealed.binding(row),
            size=row.sealed_length or 0,
            header=row.header,
            read_at=read_at,
        )
        with ahead(reader.views(0, reader.plain_size, buffers=plain_buffers())) as pieces:
            for piece in pieces:
                plain.update(piece)
                self._count(len(piece))
        if reader.plain_size != row.plain_length:
            raise damaged()
        for found, pinned in ((stored, row.sealed_sha256), (plain, row.plain_sha256)):
            if not hmac.compare_digest(found.hexdigest(), pinned or ""):
                raise damaged()

    def _count(self, size: int) -> None:
        self.read += size
        self.on_progress(self.read, max(self.whole, self.read))
        self.pace.count(size)
        if self.pace.is_stopped:
            raise _Stopped


def _prepare_again(session: Session, row: ObjectRow, *, at: datetime) -> FootageId | None:
    """Have the deposit be prepared whose preparation stopped at this object, as nobody else can ask for that.

    Not where anything of the case was taken out of use: it may have been everything, and a film that is prepared now
    would be in use again.
    """
    made_of_it = select(RenditionRow.footage_id).where(RenditionRow.object_id == row.id, RenditionRow.clip_id.is_(None))
    footage = session.scalars(
        select(FootageRow).where(
            or_(FootageRow.original_id == row.id, FootageRow.id.in_(made_of_it)),
            FootageRow.state == FootageState.REJECTED,
            FootageRow.error_code == damaged().code,
        )
    ).one_or_none()
    out_of_use = select(RenditionRow.id).where(
        RenditionRow.case_id == row.case_id, RenditionRow.state == RenditionState.WITHDRAWN_FROM_USE
    )
    if footage is None or footage.original_id is None or session.scalars(out_of_use.limit(1)).first() is not None:
        return None
    footage.state, footage.error_code, footage.error_sentence = FootageState.PREPARING, None, None
    footage.job_id = jobs.enqueue(session, deposits.FINISH, subject=footage.id, case_id=row.case_id, at=at)
    return FootageId(footage.id)


def _stopped(session: Session, cases: set[str]) -> Iterator[StoppedWork]:
    """The work of these cases that was given up because of damage."""
    query = select(JobRow).where(
        JobRow.case_id.in_(cases), JobRow.state == JobState.PARKED, JobRow.error_code == damaged().code
    )
    for row in session.scalars(query.order_by(JobRow.created_at, JobRow.id)):
        if row.kind == deposits.FINISH and get(session, FootageRow, row.subject).state is not FootageState.REJECTED:
            continue
        if row.kind in _WORDS:
            yield StoppedWork(JobId(row.id), row.kind, row.subject)
