"""Redacted versions that a later one took the place of: nobody may watch them ever again, and their bytes lie there.

Who answered about one, who checked it and who watched it stays known by its row and its hash; only its film and stills
go. Every function is a step of the caller's transaction. The order is retention's: ``begin_erasing`` under the case's
lock → the keys that it names are destroyed → ``erased`` → the bytes are deleted. Each may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.ids import CaseId, ClipId, ObjectId, RenditionId
from vault import renditions
from vault.models import ClipRow, ClipState, ObjectRow, ObjectState, RenditionRow, Treatment

_THERE = (ObjectState.SEALED, ObjectState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A version that isn't the one which goes out any more.

    Attributes:
        since: when the next one was made.
        content_hash: hex SHA-256 of what was shown.
        is_going: whether its erasure has begun.
    """

    id: RenditionId
    case_id: CaseId
    clip_id: ClipId
    since: datetime
    content_hash: str
    is_going: bool


def replaced_versions(session: Session, *, rendition_id: RenditionId | None = None) -> list[Replaced]:
    """The versions of clips in use that were replaced, and of which something lies there still; or one of them."""
    film, later = aliased(ObjectRow), aliased(RenditionRow)
    query = (
        select(RenditionRow, film.state, later.created_at)
        .join(ClipRow, ClipRow.id == RenditionRow.clip_id)
        .join(film, film.id == RenditionRow.object_id)
        .join(later, later.clip_id == RenditionRow.clip_id)
        .where(
            RenditionRow.treatment == Treatment.REDACTED,
            later.treatment == Treatment.REDACTED,
            later.created_at > RenditionRow.created_at,
            ClipRow.state == ClipState.READY,
            film.state.in_((*_THERE, ObjectState.DESTROYING)),
        )
        .order_by(RenditionRow.id, later.created_at)
    )
    if rendition_id is not None:
        query = query.where(RenditionRow.id == rendition_id)
    found: dict[str, Replaced] = {}
    for row, state, since in session.execute(query):
        found.setdefault(
            row.id,
            Replaced(
                RenditionId(row.id),
                CaseId(row.case_id),
                ClipId(row.clip_id or ""),
                since=since,
                content_hash=row.content_hash,
                is_going=state is ObjectState.DESTROYING,
            ),
        )
    return list(found.values())


def begin_erasing(session: Session, rendition_id: RenditionId, *, at: datetime) -> list[ObjectId]:
    """Take a replaced version's film and stills out of use for good.

    Returns:
        The keys that must go, which are also the names in the store.
    """
    rows = _objects(session, rendition_id)
    for row in rows:
        if row.state in _THERE:
            row.state, row.destroying_at = ObjectState.DESTROYING, at
    return [ObjectId(row.id) for row in rows if row.state is ObjectState.DESTROYING]


def erased(session: Session, rendition_id: RenditionId, *, at: datetime) -> None:
    """Note that the keys of what ``begin_erasing`` named are gone."""
    for row in _objects(session, rendition_id):
        if row.state is ObjectState.DESTROYING:
            row.state, row.key_destroyed_at, row.destroyed_at = ObjectState.DESTROYED, at, at


def _objects(session: Session, rendition_id: RenditionId) -> list[ObjectRow]:
    ids = sorted(renditions.objects_of(session, renditions.find(session, rendition_id)))
    return list(session.scalars(select(ObjectRow).where(ObjectRow.id.in_(ids)).order_by(ObjectRow.id)))
