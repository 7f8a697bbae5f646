"""Faces without a detector: what a search would have found in some footage, really sealed and really stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from core import jobs
from core.db import Database
from core.ids import ClipId, FootageId, JobId, RenditionId, new_id
from keys import KeyStore
from media.detections import Detections, Face
from redaction.faces import stills
from redaction.review import drop_checks
from redaction.track import Followed, follow, tracks
from tests.families import Family
from tests.vault.scene import Clip, add_object
from vault import DiskStore, Treatment, renditions, stills_mark
from vault.models import ClipRow, ObjectKind, PersonShownRow, RenditionRow
from vault.redaction_models import DetectionsRow
from vault.versions import supersede

LEFT, RIGHT = 20.0, 100.0
"""Where two people sit, in a film of 160 by 120 pixels."""


def two_people(*, frames: int = 100, right_from: int = 0) -> Detections:
    """One on the left all the time, and one on the right from some frame on."""
    looked = {}
    for frame in sorted({*range(0, frames, 3), frames - 1}):
        faces = [Face(LEFT, 30.0, 24.0, 30.0, 0.9)]
        if frame >= right_from:
            faces.append(Face(RIGHT, 40.0, 24.0, 30.0, 0.9))
        looked[frame] = tuple(faces)
    return Detections(160, 120, Fraction(25), frames, looked, ())


def numbered_otherwise(found: Detections) -> Followed:
    """As a later version of the program might: whoever was 1 is 2, and whoever was 2 is 1."""
    followed = follow(found)
    first, second = followed.tracks
    return replace(followed, tracks=(replace(second, number=1), replace(first, number=2)))


def footage_of(db: Database, clip_id: ClipId) -> FootageId:
    with db.read() as session:
        return FootageId(session.get_one(ClipRow, clip_id).footage_id)


def add_detections(
    db: Database,
    keystore: KeyStore,
    store: DiskStore,
    family: Family,
    footage_id: FootageId,
    found: Detections,
    *,
    sheet: bytes = b"\xff\xd8 faces",
) -> JobId:
    """As the finished job leaves them; the sheet of faces is any bytes."""
    at = db.clock.now()
    with db.begin() as session:
        job = jobs.enqueue(session, "footage.detect", subject=footage_id, case_id=family.case_id, at=at)
        lease = jobs.take(session, job, at=at)
        assert lease is not None
        jobs.finish(session, lease, at=at)
    data = found.to_bytes()
    found_id = add_object(db, keystore, store, family, data, kind=ObjectKind.DETECTIONS, job=job)
    faces_id = add_object(db, keystore, store, family, sheet, kind=ObjectKind.FACES, job=job)
    with db.begin() as session:
        session.merge(
            DetectionsRow(
                footage_id=footage_id,
                case_id=family.case_id,
                job_id=job,
                asked_by=family.staff.guider.id,
                asked_at=at,
                object_id=found_id,
                faces_id=faces_id,
                people=len(tracks(found)),
                faces_mark=stills_mark(stills(tracks(found))),
                faces_columns=2,
                faces_width=160,
                faces_height=160,
            )
        )
    return job


def add_redacted(
    db: Database,
    keystore: KeyStore,
    store: DiskStore,
    family: Family,
    clip: Clip,
    *,
    content: bytes = b"a film with covers",
    persons: tuple[str, ...] = (),
) -> RenditionId:
    """A redacted version that takes the place of what there is, as its job does it, of any bytes."""
    film = add_object(db, keystore, store, family, content, kind=ObjectKind.REDACTED, job=new_id())
    at = db.clock.now()
    with db.begin() as session:
        cut = renditions.original_cut(session, clip.clip_id)
        assert cut is not None
        words: Mapping[str, object] = {
            name: getattr(cut, name)
            for name in ("case_id", "footage_id", "clip_id", "state", "author", "width", "height", "fps_numerator")
        }
        row = RenditionRow(
            **words,
            id=new_id(),
            treatment=Treatment.REDACTED,
            object_id=film,
            content_hash=hashlib.sha256(content).hexdigest(),
            nobody_recognisable=False,
            fps_denominator=1,
            frames=cut.frames,
            duration_ms=cut.duration_ms,
            has_audio=True,
            created_at=at,
        )
        session.add(row)
        session.flush()
        session.add_all(PersonShownRow(rendition_id=row.id, person_id=one) for one in persons)
        drop_checks(session, by=family.staff.guider.id, renditions=supersede(session, row, at=at), at=at)
        return RenditionId(row.id)
