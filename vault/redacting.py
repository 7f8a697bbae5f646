"""Making the redacted rendition of a clip: its frames from the working copy, with covers painted in one pass.

What to cover is the redaction room's to say (``Planner``), from the detections and from the choices as they were when
the rendering was asked for. The new rendition and the end of the former ones are one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

import audit
import identity
import keys
from audit import Event
from consent import RenditionState
from core import jobs
from core.db import Database, get, not_found
from core.errors import Invalid, TooLarge
from core.ids import CaseId, ClipId, FootageId, JobId, PersonId, RenditionId, well_formed
from core.jobs import Lease
from identity import Actor
from keys import KeyStore, RecordOwner
from media import launcher
from media.covers import Covers
from vault import access, choices, detecting, errors, pictures, renditions
from vault.choices import ClipSpan
from vault.making import Made, Span, Work, subject_of
from vault.models import ClipRow, ClipState, FootageRow, ObjectKind, ObjectRow, RenditionRow, Treatment
from vault.objects import ObjectStore
from vault.redaction_models import ChoicesRow
from vault.sealed import Fenced
from vault.versions import supersede

REDACT = "clip.redact"
"""The job that makes a redacted rendition; its subject is the clip."""

_REDACTING, _PICTURES = Span("redact", 0, 900), Span("pictures", 900, 1000)
_MANIFEST = "vig-vault.manifest/1"


@dataclass(frozen=True, slots=True)
class Order:
    """What a planner is given.

    Attributes:
        asked: the text that the redaction room handed over when it was asked for.
        detections: what was found in the footage, as bytes.
        detections_sha256: of these bytes.
        first_frame, last_frame: of the clip, in the working copy.
    """

    asked: str = field(repr=False)
    detections: bytes = field(repr=False)
    detections_sha256: str
    first_frame: int
    last_frame: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a planner answers.

    Attributes:
        persons: who stays visible.
        look_here: the frames at which a checker must look, in a form of the redaction room's.
        reason: why it is redacted as it is, in the guider's words.
        choices_sha256: of the choices in their canonical form.
    """

    covers: Covers = field(repr=False)
    persons: frozenset[PersonId]
    look_here: str = field(repr=False)
    reason: str = field(repr=False)
    choices_sha256: str


Planner = Callable[[Order], Planned]
"""Raises ``Invalid`` or ``Damaged`` where there can be no plan."""

Superseded = Callable[[Session, PersonId, list[RenditionId]], None]
"""Told, in the transaction that makes the new rendition, by whom it was asked for and which it takes the place of."""


def post_redaction(
    session: Session,
    *,
    keystore: KeyStore,
    actor: Actor,
    clip: ClipSpan,
    looked_at: int,
    asked: str,
    at: datetime,
) -> None:
    """Ask for a redacted rendition.

    Args:
        session: the caller's transaction.
        keystore: seals what is asked.
        actor: the guider, who will be its author.
        clip: from ``clip_at_work``, in the same transaction.
        looked_at: the version of the choices that is to be made.
        asked: what the planner will be given.
        at: now.

    Raises:
        Conflict: ``choices_moved``, ``redaction_under_way``, ``faces_not_found_yet``, ``footage_gone``.
    """
    row = choices.locked(session, clip, at=at)
    if row.version != looked_at:
        raise errors.choices_moved()
    if row.job_id is not None and not detecting.has_ended(session, row.job_id):
        raise errors.redaction_under_way()
    film = renditions.working_copy(session, clip.footage_id)
    if film is None or film.state is not RenditionState.LIVE:
        raise errors.footage_gone()
    found = detecting.looking(session, clip.footage_id)
    if found is None or not found.is_done:
        raise errors.faces_not_found_yet()
    row.job_id = jobs.enqueue(session, REDACT, subject=clip.id, case_id=clip.case_id, at=at)
    row.asked, row.asked_by, row.asked_at = choices.seal(keystore, row, column="asked", value=asked), actor.person, at


def stop_redaction(db: Database, *, actor: Actor, clip_id: ClipId) -> None:
    """Stop a rendering; the choices stay.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not the guider.
        Conflict: ``nothing_under_way``.
    """
    at = db.clock.now()
    with db.begin() as session:
        clip = session.get(ClipRow, clip_id) if well_formed(clip_id) else None
        if clip is None:
            raise not_found()
        access.require_guider(session, actor=actor, case_id=CaseId(clip.case_id), at=at)
        row = session.get(ChoicesRow, clip_id)
        if row is None or row.job_id is None or detecting.has_ended(session, row.job_id):
            raise errors.nothing_under_way()
        jobs.cancel(session, JobId(row.job_id), at=at)


def redact(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    lease: Lease,
    planner: Planner,
    superseded: Superseded,
) -> None:
    """Do all that is left of a ``clip.redact`` job. Safe to repeat; harmless in a worker that lost the job.

    Raises:
        VaultError: something that may pass: try again later.
    """
    clip_id = ClipId(subject_of(db, lease))
    with db.read() as session:
        clip = get(session, ClipRow, clip_id)
    work = Work(db, keystore=keystore, store=store, lease=lease, case_id=CaseId(clip.case_id))
    work.discard_drafts()
    try:
        _make(work, clip, planner=planner, superseded=superseded)
        _finish(work, clip_id)
    except Fenced:
        work.discard_drafts()
        work.note_cancelled()
    except (Invalid, TooLarge) as error:
        work.discard_drafts()
        work.park(error)


def manifest_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """What a redacted rendition was made of, as JSON: hashes of the film that it came from, and why. Empty for others.

    Whoever has the film can tell that it is that one; nobody else learns anything of it. Whether the asker may know is
    the caller's to say.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    return _open(keystore, row, column="manifest", sealed=row.manifest)


def look_here_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """The frames at which a checker must look, as the redaction room wrote them; empty for what isn't redacted.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    return _open(keystore, row, column="look_here", sealed=row.look_here)


def _make(work: Work, clip: ClipRow, *, planner: Planner, superseded: Superseded) -> None:
    clip_id, footage_id = ClipId(clip.id), FootageId(clip.footage_id)
    with work.db.read() as session:
        if _made(session, work, clip_id) is not None:
            return
        film = renditions.working_copy(session, footage_id)
        found = detecting.detections(session, footage_id)
        row = get(session, ChoicesRow, clip_id)
        if film is None or film.state is not RenditionState.LIVE or found is None:
            raise errors.film_gone()
        source, footage = get(session, ObjectRow, film.object_id), get(session, FootageRow, footage_id)
        original = get(session, ObjectRow, footage.original_id or "")
    asked = choices.opened(work.keystore, row, column="asked")
    span = (clip.first_frame, clip.last_frame)
    planned = planner(Order(asked, work.read(found), found.plain_sha256 or "", *span))
    job = launcher.Redact(first_frame=span[0], last_frame=span[1], covers=planned.covers)
    made = work.make(job, of=source, kind=ObjectKind.REDACTED, media_type=launcher.MP4, span=_REDACTING)
    manifest = {
        "format": _MANIFEST,
        "made": made.result.plain_sha256,
        "original": original.plain_sha256,
        "working_copy": source.plain_sha256,
        "first_frame": span[0],
        "last_frame": span[1],
        "detections": found.plain_sha256,
        "choices": planned.choices_sha256,
        "persons": sorted(planned.persons),
        "reason": planned.reason,
    }
    _show(work, clip_id, made=made, planned=planned, footage=footage, manifest=manifest, superseded=superseded)


def _show(
    work: Work,
    clip_id: ClipId,
    *,
    made: Made,
    planned: Planned,
    footage: FootageRow,
    manifest: Mapping[str, object],
    superseded: Superseded,
) -> None:
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    at = work.db.clock.now()
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        clip, cut = get(session, ClipRow, clip_id), renditions.original_cut(session, clip_id)
        if clip.state is not ClipState.READY or cut is None or cut.state is not RenditionState.LIVE:
            raise errors.no_longer_in_use()  # somebody stopped it meanwhile: nothing of it comes back to life here
        author = PersonId(get(session, ChoicesRow, clip_id).asked_by or clip.author)
        row = renditions.add(
            session,
            work,
            made,
            footage=footage,
            clip_id=clip_id,
            treatment=Treatment.REDACTED,
            author=author,
            persons=planned.persons,
        )
        row.manifest = _seal(work.keystore, row, column="manifest", value=text)
        row.look_here = _seal(work.keystore, row, column="look_here", value=planned.look_here)
        former = supersede(session, row, at=at)
        superseded(session, author, former)
        identity.raise_version(session, work.case_id)
        audit.record(
            session,
            Event.CLIP_REDACTED,
            actor=author,
            case_id=work.case_id,
            object_id=clip_id,
            details={
                "rendition": row.id,
                "sha256": row.content_hash,
                "manifest": hashlib.sha256(text.encode()).hexdigest(),
                "persons": len(planned.persons),
                "superseded": len(former),
            },
        )


def _finish(work: Work, clip_id: ClipId) -> None:
    with work.db.read() as session:
        made = _made(session, work, clip_id)
    if made is None:
        raise Fenced  # destroyed meanwhile
    pictures.draw(work, made, span=_PICTURES)
    with work.db.begin() as session:
        work.own(session)
        jobs.finish(session, work.lease, at=work.db.clock.now())


def _made(session: Session, work: Work, clip_id: ClipId) -> RenditionRow | None:
    """What this very job has made already."""
    for row in renditions.of_clip(session, clip_id):
        if session.get_one(ObjectRow, row.object_id).job_id == work.lease.job_id:
            return row
    return None


def _seal(keystore: KeyStore, row: RenditionRow, *, column: str, value: str) -> bytes:
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.seal_field(key, table="vault_rendition", column=column, row=row.id, value=value)


def _open(keystore: KeyStore, row: RenditionRow, *, column: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_rendition", column=column, row=row.id, sealed=sealed)
