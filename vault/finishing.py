"""The job that makes a film of a deposit, in steps that any crash resumes.

1. *Assemble*: open the parts in order, compare length and SHA-256, seal the one final object under its own key, destroy
   the upload's key, delete the parts.
2. *Normalise*: the sandbox makes the working copy, which the guider plays and cuts from.
3. *Poster* and *strip* of the working copy.

Each step ends in one transaction that only the worker with the lease can commit, and is skipped once it is done. No
transaction is open while bytes move. What can't be made into a film is rejected with its reason; the deposit then
stays sealed and unplayable until its retention ends.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from sqlalchemy import select

import audit
import identity
from audit import Event
from core import jobs
from core.ahead import WriteBehind, ahead, plain_buffers
from core.db import Database, get, lock
from core.errors import VaultError
from core.ids import CaseId, FootageId, PersonId, UploadId
from core.jobs import Lease
from core.secret import Secret
from core.segments import SegmentReader, SegmentWriter, damaged
from keys import KeyStore, part_binding
from media import launcher
from vault import errors, pictures, quarantine, renditions, sealed, uploads
from vault.making import Work, subject_of
from vault.models import (
    FootageRow,
    FootageState,
    ObjectKind,
    ObjectRow,
    PartRow,
    RenditionRow,
    Treatment,
    UploadRow,
    UploadState,
)
from vault.objects import ObjectStore
from vault.reporting import Progress, Span
from vault.sealed import Fenced, Pin, Plain

_SEAL = Span("seal", 0, 200)
_PREPARE = Span("prepare", 200, 900)
_PICTURES = Span("pictures", 900, 1000)


def finish(db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease) -> None:
    """Do all that is left of a ``deposit.finish`` job. Safe to repeat; harmless in a worker that lost the job.

    Raises:
        VaultError: something that may pass (busy, sealed, out of room): try again later.
    """
    footage_id = FootageId(subject_of(db, lease))
    with db.read() as session:
        case_id = CaseId(get(session, FootageRow, footage_id).case_id)
    work = Work(db, keystore=keystore, store=store, lease=lease, case_id=case_id)

    def steps() -> None:
        _assemble(work, footage_id)
        _normalise(work, footage_id)
        _finish(work, footage_id)

    work.carry_out(steps, reject=lambda error: _reject(work, footage_id, error=error))


def _assemble(work: Work, footage_id: FootageId) -> None:
    with work.db.read() as session:
        footage = get(session, FootageRow, footage_id)
        upload = get(session, UploadRow, footage.upload_id)
        parts = list(
            session.scalars(select(PartRow).where(PartRow.upload_id == footage.upload_id).order_by(PartRow.offset))
        )
    upload_id = UploadId(upload.id)
    if footage.original_id is None:
        _seal_original(work, footage_id, upload=upload, parts=parts)
    uploads.clear(work.db, keystore=work.keystore, store=work.store, upload_id=upload_id)


def _seal_original(work: Work, footage_id: FootageId, *, upload: UploadRow, parts: list[PartRow]) -> None:
    upload_id = UploadId(upload.id)
    use = uploads.key_use(case_id=work.case_id, upload_id=upload_id)
    part_key = work.keystore.object_key(uploads.key_name(upload_id), capability=use)
    draft = work.begin(ObjectKind.ORIGINAL, media_type=upload.media_type)
    whole, progress = hashlib.sha256(), work.progress(_SEAL)
    with (
        work.store.writer(draft.id) as writer,
        WriteBehind((pin := Pin(writer)).write) as behind,
        quarantine.telling_of_deposit(work.db, case_id=work.case_id, footage_id=footage_id),
        ahead(_opened(work, upload, parts=parts, key=part_key, progress=progress)) as pieces,
    ):
        sealer = SegmentWriter(
            draft.key, associated_data=draft.associated_data, write=behind.write, buffers=behind.buffers()
        )
        for piece in pieces:
            whole.update(piece)
            sealer.write(piece)
        length = sealer.close().plain_size
        behind.flush()
        if upload.declared_sha256 and not hmac.compare_digest(whole.hexdigest(), upload.declared_sha256):
            raise errors.film_checksum_mismatch()
        writer.commit()
    at = work.db.clock.now()
    with work.db.begin() as session:
        work.own(session)
        original = sealed.keep(session, draft, pin=pin, plain=Plain(length, whole.hexdigest()), at=at)
        lock(session, FootageRow, footage_id).original_id = original.id
        row = lock(session, UploadRow, upload_id)
        row.state, row.ended_at = UploadState.SEALED, at
        audit.record(
            session,
            Event.DEPOSIT_SEALED,
            actor=None,
            case_id=work.case_id,
            object_id=footage_id,
            details={"object": original.id, "length": length, "sha256": original.plain_sha256},
        )


def _opened(
    work: Work, upload: UploadRow, *, parts: list[PartRow], key: Secret[bytes], progress: Progress
) -> Iterator[memoryview]:
    """The plaintext of an upload, segment by segment; memory stays flat."""
    reached, buffers = 0, plain_buffers()
    for part in parts:
        size = work.store.size(part.name)
        if size is None:  # it may come back, as with a disk that isn't mounted
            raise errors.object_missing()
        if part.offset != reached or size != part.sealed_length:
            raise damaged()
        reader = SegmentReader(
            key,
            associated_data=part_binding(upload_id=UploadId(upload.id), offset=part.offset, length=part.length),
            size=part.sealed_length,
            header=part.header,
            read_at=work.ciphertext_of(part.name),
        )
        if reader.plain_size != part.length:
            raise damaged()
        yield from reader.views(0, part.length, buffers=buffers)
        reached += part.length
        progress.reach(reached / upload.length)
        progress.check()
    if reached != upload.length:
        raise damaged()


def _normalise(work: Work, footage_id: FootageId) -> None:
    with work.db.read() as session:
        if renditions.working_copy(session, footage_id) is not None:
            return
        footage = get(session, FootageRow, footage_id)
        original = get(session, ObjectRow, footage.original_id or "")
    made = work.make(
        launcher.Normalise(), of=original, kind=ObjectKind.WORKING_COPY, media_type=launcher.MP4, span=_PREPARE
    )
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        renditions.add(
            session,
            work,
            made,
            footage=footage,
            clip_id=None,
            treatment=Treatment.WORKING_COPY,
            author=PersonId(footage.depositor),
            persons=renditions.filmed(session, footage),
        )


def _finish(work: Work, footage_id: FootageId) -> None:
    with work.db.read() as session:
        rendition = renditions.working_copy(session, footage_id)
    if rendition is None:
        raise Fenced  # destroyed meanwhile
    pictures.draw(work, rendition, span=_PICTURES)
    at = work.db.clock.now()
    with work.db.begin() as session:
        work.own(session)
        footage = lock(session, FootageRow, footage_id)
        footage.state = FootageState.READY
        facts = get(session, RenditionRow, rendition.id)
        audit.record(
            session,
            Event.FOOTAGE_PREPARED,
            actor=None,
            case_id=work.case_id,
            object_id=footage_id,
            details={"rendition": facts.id, "frames": facts.frames, "duration_ms": facts.duration_ms},
        )
        jobs.finish(session, work.lease, at=at)


def _reject(work: Work, footage_id: FootageId, *, error: VaultError) -> None:
    at = work.db.clock.now()
    with work.db.begin() as session:
        if jobs.holds(session, work.lease) is None:
            return
        footage = lock(session, FootageRow, footage_id)
        footage.state, footage.error_code, footage.error_sentence = FootageState.REJECTED, error.code, error.sentence
        if footage.original_id is None:
            upload = lock(session, UploadRow, footage.upload_id)
            upload.state, upload.ended_at = UploadState.REJECTED, at
        audit.record(
            session,
            Event.FOOTAGE_REJECTED,
            actor=None,
            outcome=audit.Outcome.FAILED,
            case_id=work.case_id,
            object_id=footage_id,
            reason=error.code,
        )
        jobs.park(session, work.lease, at=at, code=error.code, sentence=error.sentence)
    with work.db.read() as session:
        upload_id = UploadId(get(session, FootageRow, footage_id).upload_id)
    uploads.clear(work.db, keystore=work.keystore, store=work.store, upload_id=upload_id)
