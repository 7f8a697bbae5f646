"""Sealed objects: from a draft that only its job knows to an object that is pinned in the database.

An object's key is made first, then its row (``writing``), then its bytes; only when those are durable are header,
length and hash pinned and the row says ``sealed``. A job that dies leaves a draft; its next attempt finds it by the job
and destroys key, bytes and row. Sealing again is always another id and another key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import keys
from core.db import Database
from core.ids import CaseId, ObjectId, new_id
from core.jobs import Lease
from core.secret import Secret
from core.segments import HEADER_SIZE, SegmentReader, damaged
from keys import JobCapability, KeyStore
from vault import errors, stretches
from vault.headers import Headers
from vault.models import ObjectKind, ObjectRow, ObjectState
from vault.objects import Bytes, ObjectStore, ObjectWriter


class Fenced(Exception):
    """Another worker has the job, or it was cancelled: stop, and leave the result to nobody."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An object that is being written."""

    id: ObjectId
    case_id: CaseId
    key: Secret[bytes]
    associated_data: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """What was sealed: its length and its hex SHA-256."""

    length: int
    sha256: str


class Pin:
    """Passes ciphertext on to a store's writer and notes what must be pinned of it."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer
        self._hash = hashlib.sha256()
        self._header = bytearray()
        self._length = 0

    def write(self, data: Bytes, /) -> None:
        """Take the next piece of ciphertext."""
        if len(self._header) < HEADER_SIZE:
            self._header += memoryview(data)[: HEADER_SIZE - len(self._header)]
        self._hash.update(data)
        self._length += len(data)
        self._writer.write(data)

    @property
    def header(self) -> bytes:
        """The first 40 bytes."""
        return bytes(self._header)

    @property
    def length(self) -> int:
        """Bytes so far."""
        return self._length

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the ciphertext so far."""
        return self._hash.hexdigest()


def new_draft(keystore: KeyStore, *, case_id: CaseId, job: str) -> Draft:
    """Make the key of an object; its row comes next."""
    object_id = ObjectId(new_id())
    use = JobCapability(job=job, case_id=case_id, objects=frozenset({object_id}))
    key = keystore.new_object_key(case_id=case_id, object_id=object_id, capability=use)
    return Draft(object_id, case_id, key, keys.object_binding(case_id=case_id, object_id=object_id, generation=1))


def draft_row(draft: Draft, *, kind: ObjectKind, media_type: str, lease: Lease, at: datetime) -> ObjectRow:
    """The row of an object that a job is about to write."""
    return ObjectRow(
        id=draft.id,
        case_id=draft.case_id,
        generation=1,
        kind=kind,
        state=ObjectState.WRITING,
        job_id=lease.job_id,
        fence=lease.fence,
        media_type=media_type,
        created_at=at,
    )


def keep(session: Session, draft: Draft, *, pin: Pin, plain: Plain, at: datetime) -> ObjectRow:
    """Pin a draft whose bytes are durable. Joins the transaction that makes the result visible."""
    row = session.get_one(ObjectRow, draft.id)
    row.header, row.sealed_length, row.sealed_sha256 = pin.header, pin.length, pin.sha256
    row.plain_length, row.plain_sha256 = plain.length, plain.sha256
    row.state, row.sealed_at = ObjectState.SEALED, at
    return row


def drafts_of(session: Session, lease: Lease) -> list[ObjectId]:
    """What attempts at a job, up to and including this one, have not finished."""
    query = select(ObjectRow.id).where(
        ObjectRow.job_id == lease.job_id, ObjectRow.state == ObjectState.WRITING, ObjectRow.fence <= lease.fence
    )
    return [ObjectId(draft) for draft in session.scalars(query)]


def forget_draft(session: Session, draft: ObjectId) -> None:
    """Remove the row of a draft whose key and bytes are gone."""
    row = session.get(ObjectRow, draft)
    if row is not None and row.state is ObjectState.WRITING:
        session.delete(row)


def discard(db: Database, *, keystore: KeyStore, store: ObjectStore, draft: ObjectId) -> None:
    """Destroy what nobody will finish: key, then bytes, then row. Safe to repeat."""
    keystore.destroy_object_key(draft)
    store.delete(draft)
    with db.begin() as session:
        forget_draft(session, draft)


def check_length(row: ObjectRow, *, store: ObjectStore) -> None:
    """Compare an object's length in the store with the pinned one.

    Raises:
        Damaged: they differ, or it was never pinned.
    """
    size = store.size(row.id)
    if size is None:
        raise errors.object_missing()
    if row.header is None or row.sealed_length is None or size != row.sealed_length:
        raise damaged()


def opened(row: ObjectRow, *, key: Secret[bytes], store: ObjectStore, headers: Headers | None = None) -> SegmentReader:
    """A reader of a sealed object that has the length and the header that were pinned.

    Of an object far away that is found out by the first read, and raised there.

    Args:
        row: the object's.
        key: its own.
        store: where it lies.
        headers: those that were in place a moment ago, for whoever is played to; without it, it is looked at anew.

    Raises:
        Damaged: it hasn't, or it is gone.
    """
    read: Callable[[int, int], bytes]
    if store.stride and row.header is not None and row.sealed_length is not None:
        read = stretches.Pinned(store, row.id, header=row.header, size=row.sealed_length, headers=headers)
    else:
        check_length(row, store=store)
        read = stretches.reader(store, row.id)
    return SegmentReader(
        key, associated_data=binding(row), size=row.sealed_length or 0, header=row.header, read_at=read
    )


def binding(row: ObjectRow) -> bytes:
    """What an object's ciphertext is bound to."""
    return keys.object_binding(case_id=CaseId(row.case_id), object_id=ObjectId(row.id), generation=row.generation)
