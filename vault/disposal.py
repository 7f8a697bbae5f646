"""The steps in which retention destroys a record, and takes one out of use.

Every function is a step of the caller's transaction, which holds the case's lock. The order is retention's:
``begin_destroying`` → the keys of ``keys_of`` are destroyed → ``keys_gone`` → ``destroyed`` → the names of ``names_of``
are deleted from the store. Each may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import identity
from consent import RenditionState
from core import jobs
from core.ids import CaseId, ClipId, ObjectId, RenditionId
from vault import out_of_use, viewings
from vault.belongings import objects_in, renditions_of, row_of
from vault.models import (
    ClipState,
    FootageRow,
    FootageState,
    ObjectRow,
    ObjectState,
    PartRow,
    RenditionRow,
    UploadRow,
    UploadState,
)
from vault.records import scope
from vault.redaction_models import ChoicesRow

_IN_USE = (RenditionState.LIVE, RenditionState.QUARANTINED)
_RESUMED = {ObjectState.SEALED: RenditionState.LIVE, ObjectState.QUARANTINED: RenditionState.QUARANTINED}
"""What a rendition is again by its film's state; whatever else that is, it stays out of use."""
_THERE = (ObjectState.WRITING, ObjectState.SEALED, ObjectState.QUARANTINED)


def stop_use(session: Session, *, case_id: CaseId, clip_id: ClipId | None) -> list[str]:
    """Take a clip, or a whole case, out of use. The caller raises the case's version.

    One that is quarantined is taken out too: it must not come back with its quarantine's end. What work under way still
    makes of it is out of use from its first moment.

    Returns:
        Ids of the renditions that were in use, or quarantined, until now, and of what was marked (``out_of_use``).
    """
    rows = session.scalars(
        select(RenditionRow)
        .where(*scope(session, case_id, clip_id), RenditionRow.state.in_(_IN_USE))
        .order_by(RenditionRow.id)
    ).all()
    for row in rows:
        row.state = RenditionState.WITHDRAWN_FROM_USE
    return [*(row.id for row in rows), *out_of_use.mark(session, case_id=case_id, clip_id=clip_id)]


def resume_use(session: Session, stopped: Iterable[str]) -> None:
    """Let be decided on again what ``stop_use`` took out of use, and what was made of it since.

    What is damaged by now is quarantined. The caller raises the case's version.
    """
    ids = set(stopped)
    ids |= set(out_of_use.unmark(session, ids))
    for row in session.scalars(
        select(RenditionRow).where(
            RenditionRow.id.in_(sorted(ids)), RenditionRow.state == RenditionState.WITHDRAWN_FROM_USE
        )
    ):
        row.state = _RESUMED.get(session.get_one(ObjectRow, row.object_id).state, row.state)


def stopped_in(session: Session, *, case_id: CaseId, clip_id: ClipId | None) -> frozenset[str]:
    """Whatever of a clip, or of a whole case, ``stop_use`` may have named.

    Raises:
        NotFound: no such clip in that case.
    """
    made = session.scalars(select(RenditionRow.id).where(*scope(session, case_id, clip_id)))
    return frozenset({*made, *out_of_use.marked_in(session, case_id, clip_id)})


def begin_destroying(session: Session, record_id: str, *, at: datetime) -> None:
    """Stop every use of a record for good: its renditions, its objects, the jobs that may still be writing to it."""
    row = row_of(session, record_id)
    if isinstance(row, FootageRow):
        row.state = FootageState.DESTROYING
    else:
        row.state = ClipState.DESTROYING
    for rendition in renditions_of(session, record_id):
        if rendition.state in _IN_USE:
            rendition.state = RenditionState.WITHDRAWN_FROM_USE
        viewings.end_all(session, RenditionId(rendition.id), reason="destroyed", at=at)
    for found in objects_in(session, record_id):
        if found.state in _THERE:
            found.state, found.destroying_at = ObjectState.DESTROYING, at
    for job in jobs.about(session, record_id):
        jobs.cancel(session, job, at=at)
    identity.raise_version(session, CaseId(row.case_id))


def keys_of(session: Session, record_id: str) -> list[ObjectId]:
    """The keys that must go: one for each object, and an unfinished upload's."""
    found = [ObjectId(one.id) for one in objects_in(session, record_id)]
    row = row_of(session, record_id)
    if isinstance(row, FootageRow):
        found.append(ObjectId(row.upload_id))
    return found


def keys_gone(session: Session, record_id: str, *, at: datetime) -> None:
    """Note that they are gone."""
    for found in objects_in(session, record_id):
        if found.state is ObjectState.DESTROYING:
            found.state, found.key_destroyed_at = ObjectState.KEY_DESTROYED, at


def destroyed(session: Session, record_id: str, *, at: datetime) -> None:
    """Note that the record is destroyed: its row stays, without title, goals, file name or choices."""
    row = row_of(session, record_id)
    if isinstance(row, FootageRow):
        row.state, row.filename = FootageState.DESTROYED, None
        upload = session.get_one(UploadRow, row.upload_id)
        if upload.state is UploadState.RECEIVED:  # its job never sealed it: its parts are cleared later
            upload.state, upload.ended_at, upload.filename = UploadState.EXPIRED, at, None
    else:
        row.state, row.title, row.goals = ClipState.DESTROYED, None, None
        chosen = session.get(ChoicesRow, record_id)
        if chosen is not None:
            chosen.choices, chosen.asked = None, None
    out_of_use.unmark(session, [row.upload_id if isinstance(row, FootageRow) else row.id])
    for rendition in renditions_of(session, record_id):
        rendition.state, rendition.manifest, rendition.look_here = RenditionState.DESTROYED, None, None
    for found in objects_in(session, record_id):
        if found.state is ObjectState.KEY_DESTROYED:
            found.state, found.destroyed_at = ObjectState.DESTROYED, at


def names_of(session: Session, record_id: str) -> list[str]:
    """What lies in the store for it: its objects, and the parts of an unfinished upload."""
    names = [found.id for found in objects_in(session, record_id)]
    row = row_of(session, record_id)
    if isinstance(row, FootageRow):
        names += session.scalars(select(PartRow.name).where(PartRow.upload_id == row.upload_id))
    return names
