"""Footage and clips without a film: any bytes, really sealed and really stored, as the jobs would have left them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from consent import RenditionState
from core.clock import Clock
from core.db import Database
from core.ids import ClipId, FootageId, JobId, ObjectId, RenditionId, UploadId, VisitId, new_id
from core.jobs import Lease
from core.segments import SegmentWriter
from keys import KeyStore
from tests.families import Family
from vault import ClipState, FootageState, ObjectStore, Treatment, UploadState, clips, renditions, sealed
from vault.models import ClipRow, FootageRow, ObjectKind, PersonShownRow, RenditionRow, UploadRow
from vault.sealed import Pin, Plain

TITLE = "Kit laughs in the bath"


@dataclass(frozen=True, slots=True)
class Clip:
    clip_id: ClipId
    rendition_id: RenditionId
    object_id: ObjectId
    poster_id: ObjectId
    content: bytes


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - filler


def add_object(
    db: Database, keystore: KeyStore, store: ObjectStore, family: Family, content: bytes, *, kind: ObjectKind, job: str
) -> ObjectId:
    """Seal and store some bytes."""
    draft = sealed.new_draft(keystore, case_id=family.case_id, job="test")
    with store.writer(draft.id) as writer:
        pin = Pin(writer)
        sealer = SegmentWriter(draft.key, associated_data=draft.associated_data, write=pin.write)
        sealer.write(content)
        sealer.close()
        writer.commit()
    with db.begin() as session:
        lease = Lease(JobId(job), 1)
        at = db.clock.now()
        session.add(sealed.draft_row(draft, kind=kind, media_type="video/mp4", lease=lease, at=at))
        session.flush()
        plain = Plain(len(content), hashlib.sha256(content).hexdigest())
        sealed.keep(session, draft, pin=pin, plain=plain, at=at)
    return draft.id


def add_footage(
    db: Database, keystore: KeyStore, store: ObjectStore, family: Family, visit: VisitId, *, frames: int = 100
) -> FootageId:
    """Footage that is ready to be cut."""
    footage_id, job, content = FootageId(new_id()), new_id(), noise(1000)
    original = add_object(db, keystore, store, family, content, kind=ObjectKind.ORIGINAL, job=job)
    copy = add_object(db, keystore, store, family, content, kind=ObjectKind.WORKING_COPY, job=job)
    at, upload = db.clock.now(), UploadId(new_id())
    guider = family.staff.guider.id
    with db.begin() as session:
        session.add(
            UploadRow(
                id=upload,
                case_id=family.case_id,
                visit_id=visit,
                depositor=guider,
                length=len(content),
                offset=len(content),
                media_type="video/mp4",
                state=UploadState.SEALED,
                footage_id=footage_id,
                created_at=at,
                last_byte_at=at,
                key_destroyed_at=at,
            )
        )
        session.flush()
        session.add(
            FootageRow(
                id=footage_id,
                case_id=family.case_id,
                visit_id=visit,
                upload_id=upload,
                depositor=guider,
                original_id=original,
                job_id=job,
                state=FootageState.READY,
                deposited_at=at,
            )
        )
        session.flush()
        row = _rendition(family, footage_id, clip_id=None, film=copy, content=content, frames=frames, clock=db.clock)
        session.add(row)
        session.flush()
        people = (family.mother.id, family.father.id, family.child)
        session.add_all(PersonShownRow(rendition_id=row.id, person_id=person) for person in people)
    return footage_id


def add_clip(
    db: Database,
    keystore: KeyStore,
    store: ObjectStore,
    family: Family,
    footage_id: FootageId,
    *,
    content: bytes | None = None,
    frames: int = 25,
) -> Clip:
    """A clip with one rendition, showing mother, father and child."""
    clip_id, job = ClipId(new_id()), new_id()
    content = noise(900_000) if content is None else content
    film = add_object(db, keystore, store, family, content, kind=ObjectKind.CUT, job=job)
    poster = add_object(db, keystore, store, family, b"\xff\xd8 a still", kind=ObjectKind.POSTER, job=job)
    with db.begin() as session:
        session.add(
            ClipRow(
                id=clip_id,
                case_id=family.case_id,
                footage_id=footage_id,
                first_frame=0,
                last_frame=frames,
                title=clips.seal(keystore, family.case_id, column="title", row=clip_id, value=TITLE),
                goals=clips.seal(keystore, family.case_id, column="goals", row=clip_id, value=""),
                author=family.staff.guider.id,
                job_id=job,
                state=ClipState.READY,
                created_at=db.clock.now(),
            )
        )
        session.flush()
        row = _rendition(family, footage_id, clip_id=clip_id, film=film, content=content, frames=frames, clock=db.clock)
        row.poster_id = poster
        session.add(row)
        session.flush()
        people = (family.mother.id, family.father.id, family.child)
        session.add_all(PersonShownRow(rendition_id=row.id, person_id=person) for person in people)
        assert renditions.find(session, RenditionId(row.id)) is row
    return Clip(clip_id, RenditionId(row.id), film, poster, content)


def _rendition(
    family: Family,
    footage_id: FootageId,
    *,
    clip_id: ClipId | None,
    film: ObjectId,
    content: bytes,
    frames: int,
    clock: Clock,
) -> RenditionRow:
    return RenditionRow(
        id=new_id(),
        case_id=family.case_id,
        footage_id=footage_id,
        clip_id=clip_id,
        treatment=Treatment.ORIGINAL_CUT if clip_id else Treatment.WORKING_COPY,
        object_id=film,
        content_hash=hashlib.sha256(content).hexdigest(),
        state=RenditionState.LIVE,
        author=family.staff.guider.id,
        nobody_recognisable=False,
        width=160,
        height=120,
        fps_numerator=25,
        fps_denominator=1,
        frames=frames,
        duration_ms=frames * 40,
        has_audio=True,
        created_at=clock.now(),
    )
