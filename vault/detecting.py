"""Looking for the people in footage, once: what is found is sealed, and is a part of the footage until it is destroyed.

1. *Detect*: the sandbox looks for faces in the working copy.
2. *Faces*: one still of each person that the caller makes of them, in one picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

import audit
import identity
from audit import Event
from consent import RenditionState
from core import jobs
from core.db import Database, get, lock, not_found
from core.ids import CaseId, FootageId, PersonId, well_formed
from core.jobs import Lease
from identity import Actor
from keys import KeyStore
from media import launcher
from media.detections import DETECTIONS
from vault import access, errors, renditions
from vault.making import Work, subject_of
from vault.models import FootageRow, FootageState, ObjectKind, ObjectRow, ObjectState, RenditionRow
from vault.objects import ObjectStore
from vault.preparing import require_preparing, require_still_preparing
from vault.progress import Progress, has_ended, progress_of, stop, was_stopped
from vault.redaction_models import DetectionsRow
from vault.reporting import Span
from vault.sealed import Fenced

DETECT = "footage.detect"
"""The job that looks for faces; its subject is the footage."""

_DETECTING, _FACES = Span("detect", 0, 950), Span("faces", 950, 1000)


@dataclass(frozen=True, slots=True)
class People:
    """What a caller makes of detections: how many people, and where a still of each of them is."""

    count: int
    stills: Sequence[launcher.Crop]


def stills_mark(stills: Sequence[launcher.Crop]) -> str:
    """What tells one picture of stills from another, as hex SHA-256: which places of the film are on it, in order."""
    return hashlib.sha256(repr([*stills]).encode()).hexdigest()


PeopleIn = Callable[[bytes], People]
"""Makes people of detections; raises ``Damaged`` where they can't be read."""


@dataclass(frozen=True, slots=True)
class Looking:
    """How far looking for people in some footage has come.

    Attributes:
        is_done: whether they are found, and can be chosen among.
        sha256: of what was found; empty where nothing is.
        people: how many.
        stills: ``stills_mark`` of what is on the picture; empty where that isn't known.
        columns, width, height: how their stills lie on it, row by row, in pixels; 0 where there is none.
    """

    asked_at: datetime
    progress: Progress
    is_done: bool
    sha256: str
    people: int
    stills: str
    columns: int
    width: int
    height: int


def look_for_people(db: Database, *, actor: Actor, footage_id: FootageId) -> None:
    """Ask for it, unless it was done or is being done.

    Raises:
        NotFound: no such footage, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Conflict: the footage isn't ready or no longer there, or the case is closed.
    """
    at = db.clock.now()
    with (
        audit.refusals_recorded(db, Event.FACES_SOUGHT, actor=actor.person, object_id=footage_id),
        db.begin() as session,
    ):
        footage = session.get(FootageRow, footage_id) if well_formed(footage_id) else None
        if footage is None:
            raise not_found()
        case_id = CaseId(footage.case_id)
        access.require_guider_at_work(session, actor=actor, case_id=case_id, at=at)
        lock(session, FootageRow, footage_id)
        film = renditions.working_copy(session, footage_id)
        if footage.state is not FootageState.READY or film is None or film.state is not RenditionState.LIVE:
            raise errors.footage_gone()
        require_preparing(session, film, actor=actor, at=at)
        row = session.get(DetectionsRow, footage_id)
        if row is not None and (_is_found(session, row) or not has_ended(session, row.job_id)):
            return
        goes_on = row is not None and was_stopped(session, row.job_id)  # with its last step: nothing was wrong with it
        job = jobs.enqueue(session, DETECT, subject=footage_id, case_id=case_id, at=at)
        if row is None:
            row = DetectionsRow(footage_id=footage_id, case_id=case_id)
            session.add(row)
        row.job_id, row.asked_by, row.asked_at = job, actor.person, at
        row.faces_id, row.people, row.faces_mark = None, None, None
        row.faces_columns, row.faces_width, row.faces_height = None, None, None
        if not goes_on:
            row.object_id = None
        audit.record(session, Event.FACES_SOUGHT, actor=actor.person, case_id=case_id, object_id=footage_id)


def stop_looking(db: Database, *, actor: Actor, footage_id: FootageId) -> None:
    """Stop it; it can be asked for again.

    Raises:
        NotFound: no such footage, or none of the actor's; or nobody asked for it.
        Refused: not the guider.
    """
    at = db.clock.now()
    with db.begin() as session:
        row = session.get(DetectionsRow, footage_id) if well_formed(footage_id) else None
        if row is None:
            raise not_found()
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=at)
        stop(session, row.job_id, at=at)


def looking(session: Session, footage_id: FootageId) -> Looking | None:
    """How far it has come; nothing where nobody asked for it. Whether the asker may know is the caller's to say."""
    row = session.get(DetectionsRow, footage_id)
    if row is None:
        return None
    found = detections(session, footage_id)
    return Looking(
        asked_at=row.asked_at,
        progress=progress_of(session, row.job_id),
        is_done=_is_found(session, row),
        sha256=(found.plain_sha256 or "") if found is not None else "",
        people=row.people or 0,
        stills=row.faces_mark or "",
        columns=row.faces_columns or 0,
        width=row.faces_width or 0,
        height=row.faces_height or 0,
    )


def detect(db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease, people_in: PeopleIn) -> None:
    """Do all that is left of a ``footage.detect`` job. Safe to repeat; harmless in a worker that lost the job.

    Raises:
        VaultError: something that may pass: try again later.
    """
    footage_id = FootageId(subject_of(db, lease))
    with db.read() as session:
        case_id = CaseId(get(session, FootageRow, footage_id).case_id)
    work = Work(db, keystore=keystore, store=store, lease=lease, case_id=case_id)

    def steps() -> None:
        film = _film(work, footage_id)
        _detect(work, footage_id, film)
        _draw_faces(work, footage_id, film, people_in=people_in)
        with db.begin() as session:
            work.own(session)
            jobs.finish(session, lease, at=db.clock.now())

    work.carry_out(steps)


def detections(session: Session, footage_id: FootageId) -> ObjectRow | None:
    """The object that holds what was found in some footage, while it can be opened."""
    row = session.get(DetectionsRow, footage_id)
    found = session.get(ObjectRow, row.object_id) if row is not None and row.object_id else None
    return found if found is not None and found.state is ObjectState.SEALED else None


def _detect(work: Work, footage_id: FootageId, film: ObjectRow) -> None:
    with work.db.read() as session:
        if detections(session, footage_id) is not None:
            return
    made = work.make(launcher.Detect(), of=film, kind=ObjectKind.DETECTIONS, media_type=DETECTIONS, span=_DETECTING)
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        _require_still_wanted(session, work, renditions.working_copy(session, footage_id))
        lock(session, DetectionsRow, footage_id).object_id = made.keep(session, work).id


def _draw_faces(work: Work, footage_id: FootageId, film: ObjectRow, *, people_in: PeopleIn) -> None:
    with work.db.read() as session:
        found = detections(session, footage_id)
        drawn = get(session, DetectionsRow, footage_id).people is not None
    if found is None:
        raise Fenced  # quarantined, or destroyed, meanwhile
    if drawn:
        return
    people = people_in(work.read(found))
    if not people.stills:
        with work.db.begin() as session:
            work.own(session)
            lock(session, DetectionsRow, footage_id).people = people.count
        return
    job = launcher.Sheet(crops=tuple(people.stills))
    made = work.make(job, of=film, kind=ObjectKind.FACES, media_type=launcher.JPEG, span=_FACES)
    grid, mark = made.result.grid, stills_mark(people.stills)
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        _require_still_wanted(session, work, renditions.working_copy(session, footage_id))
        row = lock(session, DetectionsRow, footage_id)
        row.faces_id, row.people, row.faces_mark = made.keep(session, work).id, people.count, mark
        if grid is not None:
            row.faces_columns, row.faces_width, row.faces_height = grid.columns, grid.width, grid.height


def _film(work: Work, footage_id: FootageId) -> ObjectRow:
    with work.db.read() as session:
        film = renditions.working_copy(session, footage_id)
        return get(session, ObjectRow, _require_still_wanted(session, work, film).object_id)


def _require_still_wanted(session: Session, work: Work, film: RenditionRow | None) -> RenditionRow:
    if film is None or film.state is not RenditionState.LIVE:
        raise errors.film_gone()
    asked_by = PersonId(get(session, DetectionsRow, film.footage_id).asked_by)
    require_still_preparing(session, film, asked_by=asked_by, at=work.db.clock.now())
    return film


def _is_found(session: Session, row: DetectionsRow) -> bool:
    return row.people is not None and detections(session, FootageId(row.footage_id)) is not None
