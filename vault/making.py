"""What every media job does: keep its lease, report its progress, and have the sandbox turn one object into another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core import jobs
from core.db import Database, get
from core.errors import Conflict, Damaged, Invalid, TooLarge, VaultError
from core.ids import CaseId, ObjectId
from core.jobs import JobRow, Lease
from core.secret import Secret
from core.segments import SegmentReader
from keys import JobCapability, KeyStore
from media import launcher
from media.launcher import Job, Result, Sink, Source
from vault import errors, quarantine, sealed, stretches
from vault.models import LEAVING, ObjectKind, ObjectRow
from vault.objects import ObjectStore
from vault.reporting import Progress, Span
from vault.sealed import Draft, Fenced, Pin, Plain


@dataclass(frozen=True, slots=True)
class Work:
    """A worker with a lease on a job about one case."""

    db: Database
    keystore: KeyStore
    store: ObjectStore
    lease: Lease
    case_id: CaseId

    def carry_out(self, do: Callable[[], object], *, reject: Callable[[VaultError], object] | None = None) -> None:
        """Do all that is left of the job. Safe to repeat; harmless in a worker that lost it.

        What attempts before left unfinished is discarded first, and what this one leaves when it is stopped. A job that
        was to be stopped meanwhile has stopped, whatever it met on the way: what it works on may be going.

        Args:
            do: the steps that are left, in their order.
            reject: told of what trying again wouldn't change; without it the job is parked with that reason.

        Raises:
            VaultError: something that may pass: try again later.
        """
        self.discard_drafts()
        try:
            do()
        except Fenced:
            self._stop()
        except VaultError as error:
            if self._is_lost():
                self._stop()
            elif isinstance(error, Invalid | TooLarge):
                self.discard_drafts()
                (reject or self._park)(error)
                self._note_stopped()
            else:
                raise

    def progress(self, span: Span) -> Progress:
        """A counter for one stage."""
        return Progress(self.db, self.lease, span)

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
            Invalid: it is on its way out.
        """
        with self._while_there(row), quarantine.quarantining(self.db, ObjectId(row.id)):
            quarantine.refuse_unsound(row)
            reader = self._opened(row)
            return reader.read(0, reader.plain_size)

    def begin(self, kind: ObjectKind, *, media_type: str) -> Draft:
        """Make a key and a row for an object that this job is about to write.

        Raises:
            Fenced: the job is no longer this worker's.
        """
        draft = sealed.new_draft(self.keystore, case_id=self.case_id, job=self.lease.job_id)
        at = self.db.clock.now()
        try:
            with self.db.begin() as session:
                self.own(session)
                session.add(sealed.draft_row(draft, kind=kind, media_type=media_type, lease=self.lease, at=at))
        except Fenced:
            self.keystore.destroy_object_key(draft.id)  # no row will ever tell of it
            raise
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

    def _is_lost(self) -> bool:
        with self.db.read() as session:
            return jobs.is_lost(session, self.lease)

    def _stop(self) -> None:
        self.discard_drafts()
        self._note_stopped()

    def _note_stopped(self) -> None:
        with self.db.begin() as session:
            jobs.stopped(session, self.lease, at=self.db.clock.now())

    def _park(self, error: VaultError) -> None:
        with self.db.begin() as session:
            jobs.park(session, self.lease, at=self.db.clock.now(), code=error.code, sentence=error.sentence)

    @contextmanager
    def _while_there(self, row: ObjectRow) -> Iterator[None]:
        """Around work on an object: whatever fails since it is being destroyed isn't a fault, and isn't tried again."""
        try:
            yield
        except VaultError as error:
            with self.db.read() as session:
                found = session.get(ObjectRow, row.id)
            if found is None or found.state in LEAVING:
                raise errors.film_gone() from error
            raise

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

    def make(self, job: Job, *, of: ObjectRow, kind: ObjectKind, media_type: str, span: Span) -> Made:
        """Run one media job over an object; its output is durable when this returns, and pinned by ``Made.keep``.

        Raises:
            Damaged: the object isn't what was sealed; it is quarantined now.
            Invalid: the film can't be read as one, is on its way out, or the job asks for what it hasn't.
            TooLarge: the film is over the bounds.
            Fenced: the job is no longer this worker's.
            Unavailable: the sandbox failed; trying again may help.
        """
        with self._while_there(of):
            with quarantine.quarantining(self.db, ObjectId(of.id)):
                source = self.source(of)
            try:
                return self._run(job, source=source, kind=kind, media_type=media_type, span=span)
            except Damaged:
                self.look_again(of)
                raise

    def make_of(self, made: Made, job: Job, *, kind: ObjectKind, media_type: str, span: Span) -> Made:
        """Run one media job over what this worker has just made, which nobody else can see yet.

        Raises:
            VaultError, Fenced: as ``make``; nothing is quarantined.
        """
        source = Source(
            size=made.pin.length,
            header=made.pin.header,
            key=made.draft.key,
            associated_data=made.draft.associated_data,
            read=self.ciphertext_of(made.draft.id),
        )
        return self._run(job, source=source, kind=kind, media_type=media_type, span=span)

    def _run(self, job: Job, *, source: Source, kind: ObjectKind, media_type: str, span: Span) -> Made:
        progress = self.progress(span)
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
            writer.commit()
        return Made(draft, pin, result)


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
