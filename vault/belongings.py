"""What belongs to one record and lives and dies with it: its row, its renditions, its objects; and what outlives it.

Every function is a step that reads; nothing is unsealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consent import Action
from core import jobs
from core.db import get
from core.ids import ObjectId
from vault.models import ClipRow, FootageRow, ObjectRow, RenditionRow
from vault.redaction_models import DetectionsRow
from vault.viewing_models import ViewingRow


@dataclass(frozen=True, slots=True)
class RecordObject:
    """One object of a record; no size and no hashes where it was never finished."""

    id: ObjectId
    kind: str
    size_bytes: int
    plain_sha256: str | None
    sealed_sha256: str | None


@dataclass(frozen=True, slots=True)
class Copy:
    """Something that outlives a record: which kind, and since when it has been there."""

    kind: str
    since: datetime


def objects_of(session: Session, record_id: str) -> tuple[RecordObject, ...]:
    """A record's objects, whatever has become of them."""
    return tuple(object_of(found) for found in objects_in(session, record_id))


def copies_outside(session: Session, record_id: str) -> tuple[Copy, ...]:
    """What is left of a record where the vault has no power: what was exported, and the phone that filmed it."""
    renditions = [found.id for found in renditions_of(session, record_id)]
    exported = session.scalars(
        select(ViewingRow.begun_at)
        .where(
            ViewingRow.rendition_id.in_(renditions),
            ViewingRow.action == Action.EXPORT.value,
            ViewingRow.bytes_served > 0,
        )
        .order_by(ViewingRow.begun_at)
    )
    copies = [Copy("exported", since) for since in exported]
    row = row_of(session, record_id)
    if isinstance(row, FootageRow) and row.phone_copy_removed_at is None:
        copies.append(Copy("phone_not_recorded_as_removed", row.deposited_at))
    return tuple(copies)


def row_of(session: Session, record_id: str) -> FootageRow | ClipRow:
    """A record's row.

    Raises:
        NotFound: no such record.
    """
    film = session.get(FootageRow, record_id)
    return film if film is not None else get(session, ClipRow, record_id)


def renditions_of(session: Session, record_id: str) -> list[RenditionRow]:
    """A clip's renditions, or the working copy of footage."""
    working_copy = (RenditionRow.footage_id == record_id) & RenditionRow.clip_id.is_(None)
    return list(session.scalars(select(RenditionRow).where(or_(RenditionRow.clip_id == record_id, working_copy))))


def objects_in(session: Session, record_id: str) -> list[ObjectRow]:
    """A record's objects: what the jobs about it wrote, what its renditions are made of, what was found in it."""
    row = row_of(session, record_id)
    ids = {
        one for found in renditions_of(session, record_id) for one in (found.object_id, found.poster_id, found.strip_id)
    }
    if isinstance(row, FootageRow):
        seen = session.get(DetectionsRow, record_id)
        ids |= {row.original_id, *((seen.object_id, seen.faces_id) if seen is not None else ())}
    wrote = ObjectRow.job_id.in_({row.job_id, *jobs.about(session, record_id)})
    query = select(ObjectRow).where(or_(wrote, ObjectRow.id.in_(sorted(filter(None, ids)))))
    return list(session.scalars(query.order_by(ObjectRow.id)))


def object_of(found: ObjectRow) -> RecordObject:
    """An object as retention sees it."""
    return RecordObject(
        ObjectId(found.id), found.kind.value, found.sealed_length or 0, found.plain_sha256, found.sealed_sha256
    )
