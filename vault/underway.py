"""Uploads that are under way, as those see them who send them: how far, until when, and what became of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import identity
import keys
from core.db import Database
from core.errors import VaultError
from core.ids import CaseId, FootageId, UploadId, VisitId
from identity import Actor, Role
from keys import KeyStore, RecordOwner
from vault import access, uploads
from vault.models import UploadRow, UploadState
from vault.uploads import Bounds

TOLD_FOR = timedelta(days=7)
"""How long a sender is told that an upload was given up."""


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is.

    Attributes:
        state: *expired* from the moment on at which its time has run out, swept up or not.
        offset: bytes that are safe; the next piece begins there.
        expires_at: when it is given up if nothing more comes; nothing unless it waits for bytes.
        ended_at: when it was given up, or was whole and sealed.
        filename, fingerprint: as the sender gave them; empty once it is over.
    """

    id: UploadId
    case_id: CaseId
    visit_id: VisitId
    state: UploadState
    offset: int
    length: int
    begun_at: datetime
    last_byte_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    footage_id: FootageId | None
    media_type: str
    sha256: str | None
    filename: str = field(repr=False)
    fingerprint: str = field(repr=False)


def upload(
    db: Database, *, keystore: KeyStore, actor: Actor, upload_id: UploadId, bounds: Bounds | None = None
) -> Upload:
    """How far an upload is, for the one who sends it.

    Raises:
        NotFound: no such upload, or not this actor's.
    """
    bounds, at = bounds or Bounds(), db.clock.now()
    with db.read() as session:
        row = uploads.own_upload(session, actor=actor, upload_id=upload_id)
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=at)
        return _shown(row, keystore=keystore, bounds=bounds, at=at)


def resumable_upload(
    db: Database, *, keystore: KeyStore, actor: Actor, upload_id: UploadId, bounds: Bounds | None = None
) -> Upload:
    """How far an upload is that can go on, or that has arrived whole.

    Raises:
        NotFound: no such upload, or not this actor's.
        Gone: it was given up, or its time has run out.
    """
    bounds, at = bounds or Bounds(), db.clock.now()
    with db.read() as session:
        row = uploads.own_upload(session, actor=actor, upload_id=upload_id)
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=at)
        if row.state not in {UploadState.RECEIVED, UploadState.SEALED}:
            uploads.require_receiving(row, life=bounds.life, at=at)
        return _shown(row, keystore=keystore, bounds=bounds, at=at)


def unfinished_uploads(
    db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId | None = None, bounds: Bounds | None = None
) -> tuple[Upload, ...]:
    """The actor's uploads that wait for bytes, the latest first, and those lately given up since nothing came.

    One that was given up is no longer told of once another was begun for the same visit.

    Args:
        db: the main database.
        keystore: opens names.
        actor: whose uploads.
        case_id: of one family; without it, of every family whose guider they are.
        bounds: the authority's settings.

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: not its guider.
    """
    bounds, at = bounds or Bounds(), db.clock.now()
    since = at - bounds.life - TOLD_FOR
    query = select(UploadRow).where(UploadRow.depositor == actor.person, UploadRow.last_byte_at > since)
    with db.read() as session:
        if case_id is not None:
            access.require_guider(session, actor=actor, case_id=case_id, at=at)
            query = query.where(UploadRow.case_id == case_id)
        rows = session.scalars(query.order_by(UploadRow.created_at.desc())).all()
        cases = {CaseId(row.case_id) for row in rows}
        guided = cases if case_id is not None else {each for each in cases if _guides(session, actor, each, at=at)}
        begun_later: set[str] = set()
        found = []
        for row in rows:
            is_over = row.state is UploadState.EXPIRED or uploads.is_late(row, life=bounds.life, at=at)
            is_told = is_over and row.footage_id is None and row.visit_id not in begun_later
            is_waiting = row.state is UploadState.RECEIVING and not is_over
            if CaseId(row.case_id) in guided and (is_told or is_waiting):
                found.append(_shown(row, keystore=keystore, bounds=bounds, at=at))
            begun_later.add(row.visit_id)
        return tuple(found)


def _guides(session: Session, actor: Actor, case_id: CaseId, *, at: datetime) -> bool:
    with suppress(VaultError):
        return Role.GUIDER in identity.roles_in(session, actor, case_id=case_id, at=at)
    return False


def _shown(row: UploadRow, *, keystore: KeyStore, bounds: Bounds, at: datetime) -> Upload:
    is_late = uploads.is_late(row, life=bounds.life, at=at)
    is_waiting = row.state is UploadState.RECEIVING and not is_late
    return Upload(
        id=UploadId(row.id),
        case_id=CaseId(row.case_id),
        visit_id=VisitId(row.visit_id),
        state=UploadState.EXPIRED if is_late else row.state,
        offset=row.offset,
        length=row.length,
        begun_at=row.created_at,
        last_byte_at=row.last_byte_at,
        expires_at=row.last_byte_at + bounds.life if is_waiting else None,
        ended_at=row.last_byte_at + bounds.life if is_late else row.ended_at,
        footage_id=FootageId(row.footage_id) if row.footage_id else None,
        media_type=row.media_type,
        sha256=row.declared_sha256,
        filename=_opened(row, "filename", keystore=keystore),
        fingerprint=_opened(row, "fingerprint", keystore=keystore),
    )


def _opened(row: UploadRow, column: str, *, keystore: KeyStore) -> str:
    sealed: bytes | None = getattr(row, column)
    if sealed is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_upload", column=column, row=row.id, sealed=sealed)
