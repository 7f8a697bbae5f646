"""Beginning and ending a deposit. How its bytes arrive is in ``receiving``; how it becomes a film in ``finishing``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
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
from keys import KeyStore, RecordOwner
from vault import access, errors, uploads
from vault.models import FootageRow, FootageState, UploadRow, UploadState
from vault.objects import ObjectStore

FINISH = "deposit.finish"
"""The job that makes a film of what has arrived; its subject is the footage."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VIDEO = re.compile(r"video/[a-z0-9.+-]{1,60}")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """The authority's settings for deposits.

    Attributes:
        most_bytes: of one film.
        life: how long an upload waits for its next byte.
    """

    most_bytes: int = 40 * 2**30
    life: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is.

    Attributes:
        offset: bytes that are safe; the next piece begins there.
        expires_at: when it is given up if nothing more comes; nothing once it is whole.
    """

    id: UploadId
    case_id: CaseId
    visit_id: VisitId
    state: UploadState
    offset: int
    length: int
    begun_at: datetime
    expires_at: datetime | None
    footage_id: FootageId | None


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
        media_type: as the sender says; only noted.
        bounds: the authority's settings.

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: not its guider, or its work has ended.
        Invalid: no bytes, an unknown visit, a checksum that is none.
        TooLarge: over the bound.
    """
    bounds, at = bounds or Bounds(), db.clock.now()
    with audit.refusals_recorded(db, Event.DEPOSIT_REFUSED, actor=actor.person, case_id=case_id), db.begin() as session:
        access.require_guider_at_work(session, actor=actor, case_id=case_id, at=at)
        _check(length=length, sha256=sha256, bounds=bounds)
        _check_visit(session, visit_id, case_id=case_id)
        upload_id = UploadId(new_id())
        name = _tidy(filename)
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
                filename=seal_filename(keystore, case_id=case_id, row=upload_id, name=name) if name else None,
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


def upload(db: Database, *, actor: Actor, upload_id: UploadId, bounds: Bounds | None = None) -> Upload:
    """How far an upload is, for the one who sends it.

    Raises:
        NotFound: no such upload, or not this actor's.
    """
    with db.read() as session:
        row = uploads.own_upload(session, actor=actor, upload_id=upload_id)
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=db.clock.now())
        return _shown(row, bounds=bounds or Bounds())


def unfinished_uploads(
    db: Database, *, actor: Actor, case_id: CaseId, bounds: Bounds | None = None
) -> tuple[Upload, ...]:
    """The actor's uploads to a case that still wait for bytes, the latest first."""
    with db.read() as session:
        access.require_guider(session, actor=actor, case_id=case_id, at=db.clock.now())
        rows = session.scalars(
            select(UploadRow)
            .where(
                UploadRow.case_id == case_id,
                UploadRow.depositor == actor.person,
                UploadRow.state == UploadState.RECEIVING,
            )
            .order_by(UploadRow.created_at.desc())
        )
        return tuple(_shown(row, bounds=bounds or Bounds()) for row in rows)


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
    """
    with db.begin() as session:
        row = lock(session, UploadRow, uploads.own_upload(session, actor=actor, upload_id=upload_id).id)
        if row.state is not UploadState.RECEIVING:
            raise errors.upload_ended()
        uploads.end(session, row, state=UploadState.CANCELLED, event=Event.UPLOAD_CANCELLED, at=db.clock.now())
    uploads.clear(db, keystore=keystore, store=store, upload_id=upload_id)


def seal_filename(keystore: KeyStore, *, case_id: CaseId, row: str, name: str) -> bytes:
    """A file name as it is stored; the footage's row takes it over from the upload's under the same binding."""
    key = keystore.record_key(RecordOwner.case(case_id))
    return keys.seal_field(key, table="vault_upload", column="filename", row=row, value=name)


def _check(*, length: int, sha256: str | None, bounds: Bounds) -> None:
    if length <= 0:
        raise errors.empty_film()
    if length > bounds.most_bytes:
        raise errors.film_too_large()
    if sha256 is not None and not _SHA256.fullmatch(sha256):
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


def _shown(row: UploadRow, *, bounds: Bounds) -> Upload:
    return Upload(
        id=UploadId(row.id),
        case_id=CaseId(row.case_id),
        visit_id=VisitId(row.visit_id),
        state=row.state,
        offset=row.offset,
        length=row.length,
        begun_at=row.created_at,
        expires_at=row.last_byte_at + bounds.life if row.state is UploadState.RECEIVING else None,
        footage_id=FootageId(row.footage_id) if row.footage_id else None,
    )
