"""What is out of use as a whole: whatever work under way still makes of it is out of use from its first moment.

A record is marked by the id that it has from its beginning: a clip by its own, a film by its upload's, so that one
which is still being sent is meant as well. The mark remembers what was made meanwhile: it comes back with the rest.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from consent import RenditionState
from core.db import Base
from core.ids import CaseId, ClipId
from vault.models import ClipRow, ClipState, FootageRow, FootageState, RenditionRow, UploadRow, UploadState

_ON_ITS_WAY = (UploadState.RECEIVING, UploadState.RECEIVED)
_FILM_GONE = (FootageState.DESTROYING, FootageState.DESTROYED)
_CLIP_GONE = (ClipState.DESTROYING, ClipState.DESTROYED)


class OutOfUseRow(Base):
    """A mark on a clip or an upload.

    Attributes:
        record_id: id of the clip, or of the upload that a film came by.
        rendition_id: what was made of it since; nothing where nothing was.
    """

    __tablename__ = "vault_out_of_use"

    record_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    rendition_id: Mapped[str | None]


def marked_in(session: Session, case_id: CaseId, clip_id: ClipId | None) -> set[str]:
    """The marks on a clip, or on anything of a case."""
    is_in: ColumnElement[bool] = OutOfUseRow.case_id == case_id if clip_id is None else OutOfUseRow.record_id == clip_id
    return set(session.scalars(select(OutOfUseRow.record_id).where(is_in)))


def mark(session: Session, *, case_id: CaseId, clip_id: ClipId | None) -> list[str]:
    """Mark a clip, or all that is there of a case or on its way. The caller holds the case.

    Returns:
        What was not marked until now.
    """
    there = {clip_id} if clip_id is not None else _there(session, case_id)
    fresh = sorted(there - marked_in(session, case_id, clip_id))
    session.add_all(OutOfUseRow(record_id=one, case_id=case_id) for one in fresh)
    session.flush()
    return fresh


def unmark(session: Session, records: Collection[str]) -> list[str]:
    """Take marks away.

    Returns:
        The renditions that were made meanwhile.
    """
    is_meant = OutOfUseRow.record_id.in_(sorted(records))
    made = [one for one in session.scalars(select(OutOfUseRow.rendition_id).where(is_meant)) if one]
    session.execute(delete(OutOfUseRow).where(is_meant))
    return made


def put(session: Session, made: RenditionRow, *, footage: FootageRow) -> None:
    """Put a rendition that has just been made out of use, where its record is. The caller holds the case."""
    found = session.get(OutOfUseRow, made.clip_id or footage.upload_id, populate_existing=True)
    if found is not None:
        made.state, found.rendition_id = RenditionState.WITHDRAWN_FROM_USE, made.id


def _there(session: Session, case_id: CaseId) -> set[str]:
    sent = select(UploadRow.id).where(UploadRow.case_id == case_id, UploadRow.state.in_(_ON_ITS_WAY))
    films = select(FootageRow.upload_id).where(FootageRow.case_id == case_id, FootageRow.state.not_in(_FILM_GONE))
    clips = select(ClipRow.id).where(ClipRow.case_id == case_id, ClipRow.state.not_in(_CLIP_GONE))
    return {*session.scalars(sent), *session.scalars(films), *session.scalars(clips)}
