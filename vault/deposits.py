"""Beginning and ending a deposit. How its bytes arrive is in ``receiving``; how it becomes a film in ``finishing``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

import audit
import identity
import keys
from audit import Event
from core import jobs
from core.db import Database, lock
from core.errors import NotFound
from core.ids import CaseId, FootageId, PersonId, UploadId, VisitId, new_id
from identity import Actor
from keys import KeyStore, RecordKey, RecordOwner
from vault import access, errors, uploads
from vault.models import FootageRow, FootageState, UploadRow, UploadState
from vault.objects import ObjectStore
from vault.uploads import Bounds

FINISH = "deposit.finish"
"""The job that makes a film of what has arrived; its subject is the footage."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VIDEO = re.compile(r"video/[a-z0-9.+-]{1,60}")
_LONGEST_NAME = 200


def begin_deposit(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    visit_id: VisitId,
    length: int,
    sha256: str | None = None,
    filename: str | None = None,
    fingerprint: str | None = None,
    media_type: str = "",
    bounds: Bounds | None = None,
) -> UploadId:
    """Announce a film: its key is made, and it may come in pieces from offset 0.

    Args:
        db: the main database.
        keystore: where its key is made.
        actor: the case's guider.
        case_id: whose film it is.
        visit_id: the visit at which it was made.
        length: its size in bytes.
        sha256: of the whole film, hexadecimal, if the sender knows it.
        filename: as it was on the phone; kept sealed.
        fingerprint: by which the sender knows the same film again, hexadecimal like a SHA-256; kept sealed.
        media_type: as the sender says; only noted.
        bounds: the authority's settings.

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: not its guider, or its work has ended.
        Invalid: no bytes, an unknown visit, a checksum or a fingerprint that is none.
        TooLarge: over the bound.
    """
    bounds, at = bounds or Bounds(), db.clock.now()
    with audit.refusals_recorded(db, Event.DEPOSIT_REFUSED, actor=actor.person, case_id=case_id), db.begin() as session:
        access.require_guider_at_work(session, actor=actor, case_id=case_id, at=at)
        _check(length=length, sums=(sha256, fingerprint), bounds=bounds)
        _check_visit(session, visit_id, case_id=case_id)
        upload_id = UploadId(new_id())
        key = keystore.record_key(RecordOwner.case(case_id))
        keystore.new_object_key(
            case_id=case_id,
            object_id=uploads.key_name(upload_id),
            capability=uploads.key_use(case_id=case_id, upload_id=upload_id),
        )
        session.add(
            UploadRow(
                id=upload_id,
                case_id=case_id,
                visit_id=visit_id,
                depositor=actor.person,
                length=length,
                offset=0,
                declared_sha256=sha256,
                filename=_sealed(key, "filename", row=upload_id, value=_tidy(filename)),
                fingerprint=_sealed(key, "fingerprint", row=upload_id, value=fingerprint),
                media_type=media_type if _VIDEO.fullmatch(media_type) else "",
                state=UploadState.RECEIVING,
                created_at=at,
                last_byte_at=at,
            )
        )
        audit.record(
            session,
            Event.UPLOAD_BEGUN,
            actor=actor.person,
            case_id=case_id,
            object_id=upload_id,
            details={"length": length, "visit": visit_id},
        )
    return upload_id


def complete_deposit(db: Database, *, actor: Actor, upload_id: UploadId) -> FootageId:
    """The footage that a whole upload became (the last byte's transaction made it).

    Raises:
        NotFound: no such upload, or not this actor's.
        Conflict: not every byte has arrived, or it was given up.
    """
    with db.read() as session:
        row = uploads.own_upload(session, actor=actor, upload_id=upload_id)
        if row.state is UploadState.RECEIVING:
            raise errors.upload_unfinished()
        if row.footage_id is None:
            raise errors.upload_ended()
        return FootageId(row.footage_id)


def complete(session: Session, row: UploadRow, *, at: datetime) -> None:
    """The last byte has been counted: note the footage and start the job that seals it. Joins that transaction."""
    footage_id = FootageId(new_id())
    job_id = jobs.enqueue(session, FINISH, subject=footage_id, case_id=row.case_id, at=at)
    row.state, row.footage_id = UploadState.RECEIVED, footage_id
    session.add(
        FootageRow(
            id=footage_id,
            case_id=row.case_id,
            visit_id=row.visit_id,
            upload_id=row.id,
            depositor=row.depositor,
            job_id=job_id,
            filename=row.filename,
            state=FootageState.PREPARING,
            deposited_at=at,
        )
    )
    audit.record(
        session,
        Event.DEPOSIT_RECEIVED,
        actor=PersonId(row.depositor),
        case_id=CaseId(row.case_id),
        object_id=footage_id,
        details={"upload": row.id, "length": row.length},
    )


def cancel_deposit(db: Database, *, keystore: KeyStore, store: ObjectStore, actor: Actor, upload_id: UploadId) -> None:
    """Give an upload up: nothing that arrived can be opened any more.

    Raises:
        NotFound: no such upload, or not this actor's.
        Conflict: it had arrived whole.
        Gone: it is over already.
    """
    with db.begin() as session:
        row = lock(session, UploadRow, uploads.own_upload(session, actor=actor, upload_id=upload_id).id)
        if row.state in {UploadState.RECEIVED, UploadState.SEALED}:
            raise errors.upload_whole()
        if row.state is not UploadState.RECEIVING:
            raise errors.upload_ended()
        uploads.end(session, row, state=UploadState.CANCELLED, event=Event.UPLOAD_CANCELLED, at=db.clock.now())
    uploads.clear(db, keystore=keystore, store=store, upload_id=upload_id)


def _sealed(key: RecordKey, column: str, *, row: UploadId, value: str | None) -> bytes | None:
    """A text as it is stored. The footage's row takes its name over from the upload's, under the same binding."""
    return keys.seal_field(key, table="vault_upload", column=column, row=row, value=value) if value else None


def _check(*, length: int, sums: Iterable[str | None], bounds: Bounds) -> None:
    if length <= 0:
        raise errors.empty_film()
    if length > bounds.most_bytes:
        raise errors.film_too_large()
    if not all(_SHA256.fullmatch(each) for each in sums if each is not None):
        raise errors.bad_checksum()


def _check_visit(session: Session, visit_id: VisitId, *, case_id: CaseId) -> None:
    try:
        visit = identity.visit(session, visit_id)
    except NotFound:
        raise errors.unknown_visit() from None
    if visit.case_id != case_id:
        raise errors.unknown_visit()


def _tidy(filename: str | None) -> str:
    """A file name without its path and without characters that hide or turn others round."""
    last = re.split(r"[/\\]", filename or "")[-1]
    return "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()[:_LONGEST_NAME]
