"""What there is: a case's footage and clips, with titles, goals and file names, for the guider who works on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import keys
from audit import Event
from consent import RenditionState
from core.db import Database, lock, not_found
from core.ids import CaseId, ClipId, FootageId, PersonId, RenditionId, VisitId, well_formed
from identity import Actor
from keys import KeyStore, RecordOwner
from vault import access, clips, renditions
from vault.models import ClipRow, ClipState, FootageRow, FootageState, RenditionRow, Treatment
from vault.progress import Progress, progress_of
from vault.versions import is_current

Row = TypeVar("Row", FootageRow, ClipRow)


@dataclass(frozen=True, slots=True)
class StripGrid:
    """How a strip's pictures lie: ``count`` of them, row by row in ``columns``, each of so many pixels."""

    columns: int
    count: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class RenditionLine:
    """A rendition as its guider sees it.

    Attributes:
        is_current: whether it is the one of its clip that is checked and asked about.
    """

    id: RenditionId
    treatment: Treatment
    is_current: bool
    state: RenditionState
    content_hash: str
    persons_shown: frozenset[PersonId]
    attested_by: PersonId | None
    attested_at: datetime | None
    nobody_recognisable: bool
    width: int
    height: int
    fps: Fraction
    frames: int
    duration_ms: int
    has_audio: bool
    has_poster: bool
    strip: StripGrid | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Footage:
    """A deposit as its guider sees it; ``working_copy`` once there is one."""

    id: FootageId
    case_id: CaseId
    visit_id: VisitId
    state: FootageState
    filename: str = field(repr=False)
    deposited_at: datetime
    phone_copy_removed_at: datetime | None
    progress: Progress
    working_copy: RenditionLine | None


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip as its guider sees it."""

    id: ClipId
    case_id: CaseId
    footage_id: FootageId
    state: ClipState
    title: str = field(repr=False)
    goals: tuple[str, ...] = field(repr=False)
    first_frame: int
    last_frame: int
    created_at: datetime
    progress: Progress
    renditions: tuple[RenditionLine, ...]

    @property
    def current(self) -> RenditionLine | None:
        """The rendition that is checked and asked about; nothing while it is being cut."""
        return next((one for one in self.renditions if one.is_current), None)

    @property
    def original(self) -> RenditionLine | None:
        """The one in which nothing is covered."""
        return next((one for one in self.renditions if one.treatment is Treatment.ORIGINAL_CUT), None)


def footage_of(db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId) -> tuple[Footage, ...]:
    """A case's footage, the latest first, for its guider.

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: not its guider.
    """
    with db.read() as session:
        access.require_guider(session, actor=actor, case_id=case_id, at=db.clock.now())
        rows = session.scalars(
            select(FootageRow).where(FootageRow.case_id == case_id).order_by(FootageRow.deposited_at.desc())
        )
        return tuple(_footage(session, row, keystore=keystore) for row in rows)


def footage(db: Database, *, keystore: KeyStore, actor: Actor, footage_id: FootageId) -> Footage:
    """One deposit, for its guider.

    Raises:
        NotFound: no such footage, or none of the actor's.
        Refused: not its guider.
    """
    with db.read() as session:
        row = _own(session, FootageRow, footage_id, actor=actor, at=db.clock.now())
        return _footage(session, row, keystore=keystore)


def clips_of(db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId) -> tuple[Clip, ...]:
    """A case's clips, the latest first, for its guider.

    Raises:
        NotFound: no such case, or none of the actor's.
        Refused: not its guider.
    """
    with db.read() as session:
        access.require_guider(session, actor=actor, case_id=case_id, at=db.clock.now())
        rows = session.scalars(select(ClipRow).where(ClipRow.case_id == case_id).order_by(ClipRow.created_at.desc()))
        return tuple(_clip(session, row, keystore=keystore) for row in rows)


def clip(db: Database, *, keystore: KeyStore, actor: Actor, clip_id: ClipId) -> Clip:
    """One clip, for its guider.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not its guider.
    """
    with db.read() as session:
        row = _own(session, ClipRow, clip_id, actor=actor, at=db.clock.now())
        return _clip(session, row, keystore=keystore)


def record_phone_copy_removed(db: Database, *, actor: Actor, footage_id: FootageId) -> None:
    """The guider says that the film is gone from the phone that made it.

    Raises:
        NotFound: no such footage, or none of the actor's.
        Refused: not its guider.
    """
    at = db.clock.now()
    with db.begin() as session:
        _own(session, FootageRow, footage_id, actor=actor, at=at)
        row = lock(session, FootageRow, footage_id)
        if row.phone_copy_removed_at is None:
            row.phone_copy_removed_at = at
            audit.record(
                session,
                Event.PHONE_COPY_REMOVED,
                actor=actor.person,
                case_id=CaseId(row.case_id),
                object_id=footage_id,
            )


def _own(session: Session, kind: type[Row], row_id: str, *, actor: Actor, at: datetime) -> Row:
    """A row of a case that the actor guides."""
    row = session.get(kind, row_id) if well_formed(row_id) else None
    if row is None:
        raise not_found()
    access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=at)
    return row


def _footage(session: Session, row: FootageRow, *, keystore: KeyStore) -> Footage:
    copy = renditions.working_copy(session, FootageId(row.id))
    return Footage(
        id=FootageId(row.id),
        case_id=CaseId(row.case_id),
        visit_id=VisitId(row.visit_id),
        state=row.state,
        filename=_filename(row, keystore=keystore),
        deposited_at=row.deposited_at,
        phone_copy_removed_at=row.phone_copy_removed_at,
        progress=progress_of(session, row.job_id),
        working_copy=_line(session, copy) if copy is not None else None,
    )


def _clip(session: Session, row: ClipRow, *, keystore: KeyStore) -> Clip:
    return Clip(
        id=ClipId(row.id),
        case_id=CaseId(row.case_id),
        footage_id=FootageId(row.footage_id),
        state=row.state,
        title=clips.open_title(keystore, row),
        goals=clips.open_goals(keystore, row),
        first_frame=row.first_frame,
        last_frame=row.last_frame,
        created_at=row.created_at,
        progress=progress_of(session, row.job_id),
        renditions=tuple(_line(session, one) for one in renditions.of_clip(session, ClipId(row.id))),
    )


def _line(session: Session, row: RenditionRow) -> RenditionLine:
    return RenditionLine(
        id=RenditionId(row.id),
        treatment=row.treatment,
        is_current=row.clip_id is not None and is_current(session, RenditionId(row.id)),
        state=row.state,
        content_hash=row.content_hash,
        persons_shown=renditions.persons_shown(session, RenditionId(row.id)),
        attested_by=PersonId(row.attested_by) if row.attested_by else None,
        attested_at=row.attested_at,
        nobody_recognisable=row.nobody_recognisable,
        width=row.width,
        height=row.height,
        fps=Fraction(row.fps_numerator, row.fps_denominator),
        frames=row.frames,
        duration_ms=row.duration_ms,
        has_audio=row.has_audio,
        has_poster=row.poster_id is not None,
        strip=_grid(row),
        created_at=row.created_at,
    )


def _grid(row: RenditionRow) -> StripGrid | None:
    if row.strip_id is None or not (row.strip_columns and row.strip_count and row.strip_width and row.strip_height):
        return None
    return StripGrid(row.strip_columns, row.strip_count, row.strip_width, row.strip_height)


def _filename(row: FootageRow, *, keystore: KeyStore) -> str:
    if row.filename is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_upload", column="filename", row=row.upload_id, sealed=row.filename)
