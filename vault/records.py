"""Which records there are, as retention sees them.

A *record* is a deposit with its working copy and the faces found in it, or a clip with all its renditions: its objects
live and die together.
Every function is a step that reads; nothing is unsealed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.db import get, not_found
from core.ids import CaseId, ClipId, PersonId, VisitId
from vault.belongings import RecordObject, object_of, objects_in, renditions_of
from vault.models import (
    LEAVING,
    ClipRow,
    ClipState,
    FootageRow,
    FootageState,
    ObjectRow,
    ObjectState,
    PersonShownRow,
    RenditionRow,
    UploadRow,
)

_CHUNK = 500
_FILM_THERE = (FootageState.PREPARING, FootageState.READY, FootageState.REJECTED)
_CLIP_THERE = (ClipState.CUTTING, ClipState.READY, ClipState.REJECTED)


class RecordKind(StrEnum):
    """What lives and dies together."""

    FOOTAGE = "footage"
    CLIP = "clip"


@dataclass(frozen=True, slots=True)
class Record:
    """A deposit or a clip, as far as its life and death are concerned.

    Attributes:
        visit_id: of the footage, or of the footage that a clip was cut from.
        begun_at: when it was begun to be sent, or cut.
        made_at: when it was deposited or cut.
        persons: shown in any of its renditions.
        objects: those that are there; a version that was replaced may have gone before the rest.
    """

    id: str
    kind: RecordKind
    case_id: CaseId
    visit_id: VisitId
    begun_at: datetime
    made_at: datetime
    persons: frozenset[PersonId]
    objects: tuple[RecordObject, ...]


def records_for_disposal(
    session: Session,
    *,
    footage_by: datetime | None,
    footage_in: Collection[CaseId],
    clips_in: Collection[CaseId],
    clips: Collection[ClipId] = (),
) -> list[Record]:
    """The records that are still there and may be due.

    Args:
        session: a snapshot or a transaction.
        footage_by: all footage deposited before this; nothing to look by case only.
        footage_in: all footage of these cases.
        clips_in: all clips of these cases.
        clips: these clips.
    """
    films: dict[str, FootageRow] = {}
    cuts: dict[str, ClipRow] = {}
    there = FootageRow.state.in_(_FILM_THERE)
    if footage_by is not None:
        films |= {
            row.id: row
            for row in session.scalars(select(FootageRow).where(there, FootageRow.deposited_at < footage_by))
        }
    for cases in _chunks(sorted(footage_in)):
        films |= {
            row.id: row for row in session.scalars(select(FootageRow).where(there, FootageRow.case_id.in_(cases)))
        }
    for ids, column in ((clips_in, ClipRow.case_id), (clips, ClipRow.id)):
        for chunk in _chunks(sorted(ids)):
            query = select(ClipRow).where(ClipRow.state.in_(_CLIP_THERE), column.in_(chunk))
            cuts |= {row.id: row for row in session.scalars(query)}
    return [*_films(session, list(films.values())), *_cuts(session, list(cuts.values()))]


def record_for_disposal(session: Session, record_id: str) -> Record | None:
    """One record, as it is now; nothing where it is gone or on its way out."""
    film = session.get(FootageRow, record_id, populate_existing=True)
    if film is not None:
        return _films(session, [film])[0] if film.state in _FILM_THERE else None
    cut = session.get(ClipRow, record_id, populate_existing=True)
    return _cuts(session, [cut])[0] if cut is not None and cut.state in _CLIP_THERE else None


def totals(session: Session) -> tuple[int, int]:
    """How many records there are, and how many bytes all objects take."""
    films = session.scalar(select(func.count()).select_from(FootageRow).where(FootageRow.state.in_(_FILM_THERE)))
    cuts = session.scalar(select(func.count()).select_from(ClipRow).where(ClipRow.state.in_(_CLIP_THERE)))
    size = session.scalar(
        select(func.coalesce(func.sum(ObjectRow.sealed_length), 0)).where(
            ObjectRow.state.in_((ObjectState.SEALED, ObjectState.QUARANTINED))
        )
    )
    return (films or 0) + (cuts or 0), int(size or 0)


def leaving(session: Session) -> list[str]:
    """The records whose destruction has begun and isn't through."""
    films = session.scalars(select(FootageRow.id).where(FootageRow.state == FootageState.DESTROYING))
    cuts = session.scalars(select(ClipRow.id).where(ClipRow.state == ClipState.DESTROYING))
    return [*films, *cuts]


def case_of_clip(session: Session, clip_id: ClipId) -> CaseId:
    """The case that a clip belongs to.

    Raises:
        NotFound: no such clip.
    """
    return CaseId(get(session, ClipRow, clip_id).case_id)


def persons_in(session: Session, *, case_id: CaseId, clip_id: ClipId | None) -> frozenset[PersonId]:
    """Who is shown in a clip, or in anything of a case.

    Raises:
        NotFound: no such clip in that case.
    """
    query = select(PersonShownRow.person_id).join(RenditionRow, RenditionRow.id == PersonShownRow.rendition_id)
    return frozenset(PersonId(one) for one in session.scalars(query.where(*scope(session, case_id, clip_id))))


def is_left(session: Session, *, case_id: CaseId, clip_id: ClipId | None, begun_by: datetime) -> bool:
    """Whether a clip, or anything of a case that was begun by some time, is still there or on its way out."""
    gone = ClipRow.state == ClipState.DESTROYED
    if clip_id is not None:
        return session.scalar(select(ClipRow.id).where(ClipRow.id == clip_id, ~gone)) is not None
    cut = select(ClipRow.id).where(ClipRow.case_id == case_id, ClipRow.created_at <= begun_by, ~gone)
    film = (
        select(FootageRow.id)
        .join(UploadRow, UploadRow.id == FootageRow.upload_id)
        .where(
            FootageRow.case_id == case_id,
            UploadRow.created_at <= begun_by,
            FootageRow.state != FootageState.DESTROYED,
        )
    )
    return session.scalars(cut).first() is not None or session.scalars(film).first() is not None


def scope(session: Session, case_id: CaseId, clip_id: ClipId | None) -> list[ColumnElement[bool]]:
    """Conditions on renditions: those of a clip, or all of a case.

    Raises:
        NotFound: no such clip in that case.
    """
    if clip_id is None:
        return [RenditionRow.case_id == case_id]
    if get(session, ClipRow, clip_id).case_id != case_id:
        raise not_found()
    return [RenditionRow.clip_id == clip_id]


def _films(session: Session, rows: Sequence[FootageRow]) -> list[Record]:
    return [
        _record(
            session,
            row,
            kind=RecordKind.FOOTAGE,
            visit=row.visit_id,
            begun_at=session.get_one(UploadRow, row.upload_id).created_at,
            made_at=row.deposited_at,
        )
        for row in rows
    ]


def _cuts(session: Session, rows: Sequence[ClipRow]) -> list[Record]:
    return [
        _record(
            session,
            row,
            kind=RecordKind.CLIP,
            visit=session.get_one(FootageRow, row.footage_id).visit_id,
            begun_at=row.created_at,
            made_at=row.created_at,
        )
        for row in rows
    ]


def _record(
    session: Session, row: FootageRow | ClipRow, *, kind: RecordKind, visit: str, begun_at: datetime, made_at: datetime
) -> Record:
    shown = select(PersonShownRow.person_id).where(
        PersonShownRow.rendition_id.in_([found.id for found in renditions_of(session, row.id)])
    )
    return Record(
        id=row.id,
        kind=kind,
        case_id=CaseId(row.case_id),
        visit_id=VisitId(visit),
        begun_at=begun_at,
        made_at=made_at,
        persons=frozenset(PersonId(person) for person in session.scalars(shown)),
        objects=tuple(object_of(found) for found in objects_in(session, row.id) if found.state not in LEAVING),
    )


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
