"""What a later one took the place of: redacted versions, and what earlier searches for people found.

Nobody may watch such a version ever again. Who answered about it, who checked it and who watched it stays known by its
row and its hash; only its film and stills go. A search is made anew where an earlier one was given up after it had
found something, or where that is damaged; nobody chooses among the former any more.

Every function is a step of the caller's transaction. The order is retention's: ``begin_erasing`` (or
``begin_erasing_search``) under the case's lock → the keys that it names are destroyed → ``erased`` → the bytes are
deleted. Each may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from core.ids import CaseId, ClipId, FootageId, ObjectId, RenditionId
from core.jobs import JobRow
from vault import renditions
from vault.models import (
    ClipRow,
    ClipState,
    FootageRow,
    FootageState,
    ObjectKind,
    ObjectRow,
    ObjectState,
    RenditionRow,
    Treatment,
)
from vault.redaction_models import DetectionsRow

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


@dataclass(frozen=True, slots=True)
class ReplacedSearch:
    """Something that an earlier search found, which no choice is about any more.

    Attributes:
        plain_sha256: hex, of what was found.
        is_going: whether its erasure has begun.
    """

    id: ObjectId
    case_id: CaseId
    footage_id: FootageId
    plain_sha256: str
    is_going: bool


def replaced_searches(session: Session, *, object_id: ObjectId | None = None) -> list[ReplacedSearch]:
    """What earlier searches in footage in use found, and lies there still; or one of it."""
    query = (
        select(ObjectRow, DetectionsRow.footage_id)
        .join(JobRow, JobRow.id == ObjectRow.job_id)
        .join(DetectionsRow, DetectionsRow.footage_id == JobRow.subject)
        .join(FootageRow, FootageRow.id == DetectionsRow.footage_id)
        .where(
            ObjectRow.kind.in_((ObjectKind.DETECTIONS, ObjectKind.FACES)),
            ObjectRow.state.in_((*_THERE, ObjectState.DESTROYING)),
            or_(DetectionsRow.object_id.is_(None), DetectionsRow.object_id != ObjectRow.id),
            or_(DetectionsRow.faces_id.is_(None), DetectionsRow.faces_id != ObjectRow.id),
            FootageRow.state == FootageState.READY,
        )
        .order_by(ObjectRow.id)
    )
    if object_id is not None:
        query = query.where(ObjectRow.id == object_id)
    return [
        ReplacedSearch(
            ObjectId(row.id),
            CaseId(row.case_id),
            FootageId(footage_id),
            plain_sha256=row.plain_sha256 or "",
            is_going=row.state is ObjectState.DESTROYING,
        )
        for row, footage_id in session.execute(query)
    ]


def begin_erasing_search(session: Session, object_id: ObjectId, *, at: datetime) -> None:
    """Take something that an earlier search found out of use for good; its key must go."""
    row = session.get_one(ObjectRow, object_id)
    if row.state in _THERE:
        row.state, row.destroying_at = ObjectState.DESTROYING, at


def search_erased(session: Session, object_id: ObjectId, *, at: datetime) -> None:
    """Note that its key is gone."""
    row = session.get_one(ObjectRow, object_id)
    if row.state is ObjectState.DESTROYING:
        row.state, row.key_destroyed_at, row.destroyed_at = ObjectState.DESTROYED, at, at


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
