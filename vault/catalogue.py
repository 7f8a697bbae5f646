"""What there is: footage and clips for the guider who works on them, and for everybody else what they may watch.

Titles, goals and file names are opened here, and only for those two. A list says nothing of what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import consent
import identity
import keys
from audit import Event
from consent import Action, Permit, Purpose, RenditionState
from core.db import Database, lock, not_found
from core.ids import CaseId, ClipId, FootageId, PersonId, RenditionId, VisitId, well_formed
from core.jobs import JobRow, JobState
from identity import Actor
from keys import KeyStore, RecordOwner
from vault import access, clips, renditions
from vault.models import ClipRow, ClipState, FootageRow, FootageState, RenditionRow, Treatment


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job behind something is.

    Attributes:
        thousandths: parts of a thousand that are done.
        sentence: why it was given up, if it was.
    """

    state: JobState
    stage: str
    thousandths: int
    started_at: datetime | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class StripGrid:
    """How a strip's pictures lie: ``count`` of them, row by row in ``columns``, each of so many pixels."""

    columns: int
    count: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class RenditionLine:
    """A rendition as its guider sees it."""

    id: RenditionId
    treatment: Treatment
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


@dataclass(frozen=True, slots=True)
class Showing:
    """A clip that somebody may watch just now, as a list of such shows it."""

    rendition_id: RenditionId
    clip_id: ClipId
    case_id: CaseId
    title: str = field(repr=False)
    goals: tuple[str, ...] = field(repr=False)
    duration_ms: int
    has_poster: bool
    purpose: Purpose


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
        row = session.get(FootageRow, footage_id) if well_formed(footage_id) else None
        if row is None:
            raise not_found()
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=db.clock.now())
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
        row = session.get(ClipRow, clip_id) if well_formed(clip_id) else None
        if row is None:
            raise not_found()
        access.require_guider(session, actor=actor, case_id=CaseId(row.case_id), at=db.clock.now())
        return _clip(session, row, keystore=keystore)


def watchable(
    db: Database, *, keystore: KeyStore, actor: Actor, purpose: Purpose, cases: Iterable[CaseId] | None = None
) -> tuple[Showing, ...]:
    """What the actor may watch just now for a purpose, the latest first; of anything else not even the title.

    Nothing is opened by it: watching is decided again when it begins.

    Args:
        db: the main database.
        keystore: opens the titles.
        actor: who asks.
        purpose: what for.
        cases: where to look; for a family member, their own where nothing is given.
    """
    found = []
    with db.read() as session:
        wanted = identity.member_cases(session, actor.person) if cases is None else list(cases)
        rows = session.execute(
            select(RenditionRow, ClipRow)
            .join(ClipRow, ClipRow.id == RenditionRow.clip_id)
            .where(RenditionRow.case_id.in_(wanted), RenditionRow.state == RenditionState.LIVE)
            .order_by(ClipRow.created_at.desc(), RenditionRow.created_at)
        ).all()
        inquiry = consent.inquiry_of(actor, purpose=purpose, action=Action.STREAM, at=db.clock.now())
        for row, cut in rows:
            facts = renditions.facts_for(session, RenditionId(row.id))
            if isinstance(consent.consider(session, inquiry=inquiry, rendition=facts), Permit):
                found.append(_showing(row, cut, keystore=keystore, purpose=purpose))
    return tuple(found)


def title_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """The title of what a viewing plays; the caller has a viewing of it. A whole film has none."""
    row = session.scalars(
        select(ClipRow).join(RenditionRow, RenditionRow.clip_id == ClipRow.id).where(RenditionRow.id == rendition_id)
    ).one_or_none()
    return clips.open_title(keystore, row) if row is not None else ""


def record_phone_copy_removed(db: Database, *, actor: Actor, footage_id: FootageId) -> None:
    """The guider says that the film is gone from the phone that made it.

    Raises:
        NotFound: no such footage, or none of the actor's.
        Refused: not its guider.
    """
    at = db.clock.now()
    with db.begin() as session:
        found = session.get(FootageRow, footage_id) if well_formed(footage_id) else None
        if found is None:
            raise not_found()
        access.require_guider(session, actor=actor, case_id=CaseId(found.case_id), at=at)
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
        progress=_progress(session, row.job_id),
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
        progress=_progress(session, row.job_id),
        renditions=tuple(_line(session, one) for one in renditions.of_clip(session, ClipId(row.id))),
    )


def _showing(row: RenditionRow, cut: ClipRow, *, keystore: KeyStore, purpose: Purpose) -> Showing:
    return Showing(
        rendition_id=RenditionId(row.id),
        clip_id=ClipId(cut.id),
        case_id=CaseId(row.case_id),
        title=clips.open_title(keystore, cut),
        goals=clips.open_goals(keystore, cut),
        duration_ms=row.duration_ms,
        has_poster=row.poster_id is not None,
        purpose=purpose,
    )


def _line(session: Session, row: RenditionRow) -> RenditionLine:
    return RenditionLine(
        id=RenditionId(row.id),
        treatment=row.treatment,
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


def _progress(session: Session, job_id: str) -> Progress:
    row = session.get(JobRow, job_id)
    if row is None:  # long done, and its row was removed
        return Progress(JobState.DONE, "", 1000, None, None)
    return Progress(row.state, row.stage, row.progress, row.started_at, row.error_sentence)


def _filename(row: FootageRow, *, keystore: KeyStore) -> str:
    if row.filename is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_upload", column="filename", row=row.upload_id, sealed=row.filename)
