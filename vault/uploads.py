"""Steps on uploads, whatever becomes of them: whose they are, what their key may be used for, and their end.

An upload that is over is *cleared*: first its key is destroyed, then its parts are deleted. A crash in between is made
good by clearing it again (``vault.tidying``).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import audit
from audit import Event
from core.db import Database, get, lock, not_found
from core.errors import NotFound
from core.ids import CaseId, ObjectId, PersonId, UploadId, well_formed
from identity import Actor
from keys import JobCapability, KeyStore
from vault import errors, out_of_use
from vault.models import PartRow, UploadRow, UploadState
from vault.objects import ObjectStore

_OVER = frozenset({UploadState.SEALED, UploadState.CANCELLED, UploadState.EXPIRED, UploadState.REJECTED})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The authority's settings for deposits.

    Attributes:
        most_bytes: of one film.
        life: how long an upload waits for its next byte.
    """

    most_bytes: int = 40 * 2**30
    life: timedelta = timedelta(hours=24)


def expire_upload(
    db: Database, *, keystore: KeyStore, store: ObjectStore, upload_id: UploadId, before: datetime
) -> None:
    """Give an upload up because nothing came since a time (retention says which). Safe to repeat.

    Looked at again under lock: a byte that came meanwhile saves it.
    """
    with db.begin() as session:
        row = lock(session, UploadRow, upload_id)
        if row.state is UploadState.RECEIVING and row.last_byte_at < before:
            end(session, row, state=UploadState.EXPIRED, event=Event.UPLOAD_EXPIRED, at=db.clock.now())
    clear(db, keystore=keystore, store=store, upload_id=upload_id)


def end(session: Session, row: UploadRow, *, state: UploadState, event: Event, at: datetime) -> None:
    """Note that an upload takes nothing more; ``clear`` comes after the commit."""
    row.state, row.ended_at = state, at
    out_of_use.unmark(session, [row.id])
    is_refused = state is UploadState.REJECTED
    audit.record(
        session,
        event,
        actor=PersonId(row.depositor) if state is not UploadState.EXPIRED else None,
        outcome=audit.Outcome.REFUSED if is_refused else audit.Outcome.DONE,
        case_id=CaseId(row.case_id),
        object_id=row.id,
        reason=errors.not_a_film().code if is_refused else None,
        details={"offset": row.offset, "length": row.length},
    )


def is_late(row: UploadRow, *, life: timedelta, at: datetime) -> bool:
    """Whether nothing came for too long, swept up or not."""
    return row.state is UploadState.RECEIVING and row.last_byte_at + life < at


def require_receiving(row: UploadRow, *, life: timedelta, at: datetime) -> None:
    """Go on only while an upload waits for bytes.

    Raises:
        Gone: it was given up, its time has run out, or its first bytes were no film's.
        Conflict: it is whole.
    """
    if row.state is UploadState.EXPIRED or is_late(row, life=life, at=at):
        raise errors.upload_expired()
    if row.state in {UploadState.RECEIVED, UploadState.SEALED}:
        raise errors.upload_whole()
    if row.state is not UploadState.RECEIVING:
        raise errors.upload_ended()


def clear(db: Database, *, keystore: KeyStore, store: ObjectStore, upload_id: UploadId) -> None:
    """Destroy the key of an upload that is over, then its parts. Any crash in between is made good by repeating."""
    with db.read() as session:
        row = get(session, UploadRow, upload_id)
        if row.state not in _OVER:
            return
        names = list(session.scalars(select(PartRow.name).where(PartRow.upload_id == upload_id)))
    with suppress(NotFound):  # an older key database never had it
        keystore.destroy_upload_key(upload_id)
    for name in names:
        store.delete(name)
    with db.begin() as session:
        row = lock(session, UploadRow, upload_id)
        row.filename = row.fingerprint = None
        row.key_destroyed_at = row.key_destroyed_at or db.clock.now()
        session.execute(delete(PartRow).where(PartRow.upload_id == upload_id))


def uncleared(session: Session) -> list[UploadId]:
    """Uploads that are over and whose clearing a crash interrupted."""
    query = select(UploadRow.id).where(UploadRow.state.in_(_OVER), UploadRow.key_destroyed_at.is_(None))
    return [UploadId(upload_id) for upload_id in session.scalars(query)]


def stale_uploads(session: Session, *, before: datetime) -> list[UploadId]:
    """Uploads that still wait for bytes and got none since a time."""
    query = select(UploadRow.id).where(UploadRow.state == UploadState.RECEIVING, UploadRow.last_byte_at < before)
    return [UploadId(upload_id) for upload_id in session.scalars(query)]


def own_upload(session: Session, *, actor: Actor, upload_id: UploadId) -> UploadRow:
    """The row of an upload, for the one who sends it.

    Raises:
        NotFound: no such upload, or somebody else's.
    """
    row = session.get(UploadRow, upload_id) if well_formed(upload_id) else None
    if row is None or row.depositor != actor.person:
        raise not_found()
    return row


def key_name(upload_id: UploadId) -> ObjectId:
    """What an upload's key is called in the key store."""
    return ObjectId(upload_id)


def key_use(*, case_id: CaseId, upload_id: UploadId) -> JobCapability:
    """What receiving and assembling may do with keys: open this upload's own."""
    return JobCapability(job="deposit", case_id=case_id, objects=frozenset({key_name(upload_id)}))
