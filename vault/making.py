"""What every media job does: keep its lease, report its progress, and have the sandbox turn one object into another."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from core import jobs
from core.db import Database, get
from core.errors import Conflict, Damaged, VaultError
from core.ids import CaseId, ObjectId
from core.jobs import JobRow, Lease
from core.secret import Secret
from core.segments import SegmentReader
from keys import JobCapability, KeyStore
from media import launcher
from media.launcher import Job, Result, Sink, Source
from vault import quarantine, sealed, stretches
from vault.models import ObjectKind, ObjectRow
from vault.objects import ObjectStore
from vault.sealed import Draft, Fenced, Pin, Plain

_STEP = 10
"""Progress is written when it has moved by so many parts of a thousand."""
_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stage and which parts of a thousand of the whole job it is."""

    stage: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Work:
    """A worker with a lease on a job about one case."""

    db: Database
    keystore: KeyStore
    store: ObjectStore
    lease: Lease
    case_id: CaseId

    def progress(self, span: Span) -> Progress:
        """A counter for one stage."""
        return Progress(self, span)

    def own(self, session: Session) -> JobRow:
        """The job's row, locked: what this transaction does counts only while the lease holds.

        Raises:
            Fenced: another worker has it, or it was cancelled.
        """
        row = jobs.holds(session, self.lease)
        if row is None:
            raise Fenced
        return row

    def ciphertext_of(self, name: str) -> Callable[[int, int], bytes]:
        """A reader of stored bytes, as the segment format and the sandbox want one."""
        return stretches.reader(self.store, name)

    def source(self, row: ObjectRow) -> Source:
        """A sealed object for the sandbox, which alone opens it.

        Raises:
            Damaged: its length isn't the pinned one, or it was quarantined.
        """
        quarantine.refuse_unsound(row)
        sealed.check_length(row, store=self.store)
        object_id = ObjectId(row.id)
        return Source(
            size=row.sealed_length or 0,
            header=row.header or b"",
            key=self._key(object_id),
            associated_data=sealed.binding(row),
            read=self.ciphertext_of(object_id),
        )

    def read(self, row: ObjectRow) -> bytes:
        """A small sealed object in clear, in memory.

        Raises:
            Damaged: it isn't what was sealed; it is quarantined now.
        """
        quarantine.refuse_unsound(row)
        with quarantine.quarantining(self.db, ObjectId(row.id)):
            reader = self._opened(row)
            return reader.read(0, reader.plain_size)

    def begin(self, kind: ObjectKind, *, media_type: str) -> Draft:
        """Make a key and a row for an object that this job is about to write.

        Raises:
            Fenced: the job is no longer this worker's.
        """
        draft = sealed.new_draft(self.keystore, case_id=self.case_id, job=self.lease.job_id)
        with self.db.begin() as session:
            self.own(session)
            session.add(
                sealed.draft_row(draft, kind=kind, media_type=media_type, lease=self.lease, at=self.db.clock.now())
            )
        return draft

    def look_again(self, row: ObjectRow) -> None:
        """Read all of an object that is said to be damaged, here: a sandbox's word alone puts no film in quarantine.

        Raises:
            Damaged: it is; it is quarantined now.
        """
        with quarantine.quarantining(self.db, ObjectId(row.id)):
            reader = self._opened(row)
            for index in range(reader.segment_count):
                reader.segment(index)

    def _opened(self, row: ObjectRow) -> SegmentReader:
        return sealed.opened(row, key=self._key(ObjectId(row.id)), store=self.store)

    def _key(self, object_id: ObjectId) -> Secret[bytes]:
        use = JobCapability(job=self.lease.job_id, case_id=self.case_id, objects=frozenset({object_id}))
        return self.keystore.object_key(object_id, capability=use)

    def discard_drafts(self) -> None:
        """Destroy what attempts at this job, up to and including this one, left unfinished. Safe to repeat."""
        with self.db.read() as session:
            drafts = sealed.drafts_of(session, self.lease)
        for draft in drafts:
            sealed.discard(self.db, keystore=self.keystore, store=self.store, draft=draft)

    def park(self, error: VaultError) -> None:
        """Give the job up with its reason, which trying again wouldn't change."""
        with self.db.begin() as session:
            jobs.park(session, self.lease, at=self.db.clock.now(), code=error.code, sentence=error.sentence)

    def note_cancelled(self) -> None:
        """If it was to be stopped, and is still this worker's: it has stopped."""
        with self.db.begin() as session:
            jobs.stopped(session, self.lease, at=self.db.clock.now())

    def make(self, job: Job, *, of: ObjectRow, kind: ObjectKind, media_type: str, span: Span) -> Made:
        """Run one media job over an object; its output is durable when this returns, and pinned by ``Made.keep``.

        Raises:
            Damaged: the object isn't what was sealed; it is quarantined now.
            Invalid: the film can't be read as one, or the job asks for what it hasn't.
            TooLarge: the film is over the bounds.
            Fenced: the job is no longer this worker's.
            Unavailable: the sandbox failed; trying again may help.
        """
        progress = self.progress(span)
        with quarantine.quarantining(self.db, ObjectId(of.id)):
            source = self.source(of)
        draft = self.begin(kind, media_type=media_type)
        with self.store.writer(draft.id) as writer:
            pin = Pin(writer)
            sink = Sink(draft.key, draft.associated_data, pin.write)
            try:
                result = launcher.run(
                    job,
                    source=source,
                    sink=sink,
                    on_progress=lambda parts: progress.reach(parts / 1000),
                    cancelled=progress.is_lost,
                    spool=self.store.spool,
                )
            except Conflict:
                progress.check()
                raise
            except Damaged:
                self.look_again(of)
                raise
            writer.commit()
        return Made(draft, pin, result)


@dataclass(slots=True)
class Progress:
    """How far one stage is; notices when the lease is lost."""

    work: Work
    span: Span
    _shown: int = field(default=-_STEP)
    _lost: bool = field(default=False)
    _looked: float = field(default_factory=time.monotonic)

    def reach(self, share: float) -> None:
        """Note a share of the stage, from 0 to 1; written only when it moved."""
        at = self.span.start + int((self.span.end - self.span.start) * max(0.0, min(1.0, share)))
        if at - self._shown < _STEP:
            return
        self._shown = at
        with self.work.db.begin() as session:
            self._lost = not jobs.report(session, self.work.lease, stage=self.span.stage, progress=at)
        self._looked = time.monotonic()

    def is_lost(self) -> bool:
        """Whether there is no use in going on; looked up once a second at most."""
        if not self._lost and time.monotonic() - self._looked > _LOOK_EVERY:
            self._looked = time.monotonic()
            with self.work.db.read() as session:
                row = session.get(JobRow, self.work.lease.job_id)
                self._lost = row is None or row.fence != self.work.lease.fence or row.cancel_asked
        return self._lost

    def check(self) -> None:
        """Stop where the lease is lost.

        Raises:
            Fenced: it is.
        """
        if self.is_lost():
            raise Fenced


@dataclass(frozen=True, slots=True)
class Made:
    """A durable output that the database doesn't know as sealed yet."""

    draft: Draft
    pin: Pin
    result: Result

    def keep(self, session: Session, work: Work) -> ObjectRow:
        """Pin it, in the transaction that makes it visible."""
        sealed_as = self.result.sealed
        if (sealed_as.header, sealed_as.ciphertext_size) != (self.pin.header, self.pin.length):
            raise RuntimeError("the sandbox tells of other bytes than came")  # noqa: TRY003 - a fault of ours
        plain = Plain(sealed_as.plain_size, self.result.plain_sha256)
        return sealed.keep(session, self.draft, pin=self.pin, plain=plain, at=work.db.clock.now())


def subject_of(db: Database, lease: Lease) -> str:
    """What a job is about."""
    with db.read() as session:
        return get(session, JobRow, lease.job_id).subject
