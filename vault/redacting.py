"""Making the redacted rendition of a clip: its frames from the working copy, with covers painted in one pass.

What to cover is the redaction room's to say (``Planner``), from the detections and from the choices as they were when
the rendering was asked for. Film, poster, strip, and the end of the former versions are one transaction: a rendering
that is stopped or dies, however late, leaves nothing.
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
from audit import Event
from consent import RenditionState
from core import jobs
from core.db import Database, get, not_found
from core.ids import CaseId, ClipId, FootageId, PersonId, RenditionId, well_formed
from core.jobs import Lease
from identity import Actor
from keys import KeyStore
from media import launcher
from media.covers import Covers
from vault import access, choices, detecting, errors, manifests, pictures, renditions
from vault.choices import ClipSpan
from vault.making import Made, Work, subject_of
from vault.models import ClipRow, ClipState, FootageRow, ObjectKind, ObjectRow, Treatment
from vault.objects import ObjectStore
from vault.pictures import Pictures
from vault.preparing import require_still_preparing
from vault.progress import has_ended, stop
from vault.redaction_models import ChoicesRow
from vault.reporting import Span
from vault.versions import supersede

REDACT = "clip.redact"
"""The job that makes a redacted rendition; its subject is the clip."""

_REDACTING, _PICTURES = Span("redact", 0, 900), Span("pictures", 900, 1000)


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
    if row.job_id is not None and not has_ended(session, row.job_id):
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
        if row is None or not stop(session, row.job_id, at=at):
            raise errors.nothing_under_way()


@dataclass(frozen=True, slots=True)
class _Version:
    """All of a new version, durable, before anybody sees any of it."""

    made: Made
    pictures: Pictures
    planned: Planned
    footage: FootageRow
    manifest: Mapping[str, object]


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
    work.carry_out(lambda: _make(work, clip, planner=planner, superseded=superseded))


def _make(work: Work, clip: ClipRow, *, planner: Planner, superseded: Superseded) -> None:
    clip_id, footage_id = ClipId(clip.id), FootageId(clip.footage_id)
    with work.db.read() as session:
        film = renditions.working_copy(session, footage_id)
        found = detecting.detections(session, footage_id)
        row = get(session, ChoicesRow, clip_id)
        if film is None or film.state is not RenditionState.LIVE or found is None:
            raise errors.film_gone()
        _require_still_wanted(session, work, clip_id)
        source, footage = get(session, ObjectRow, film.object_id), get(session, FootageRow, footage_id)
        original = get(session, ObjectRow, footage.original_id or "")
    asked = choices.opened(work.keystore, row, column="asked")
    span = (clip.first_frame, clip.last_frame)
    planned = planner(Order(asked, work.read(found), found.plain_sha256 or "", *span))
    job = launcher.Redact(first_frame=span[0], last_frame=span[1], covers=planned.covers)
    made = work.make(job, of=source, kind=ObjectKind.REDACTED, media_type=launcher.MP4, span=_REDACTING)
    drawn = pictures.of_made(work, made, span=_PICTURES)
    manifest = {
        "format": manifests.FORMAT,
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
    version = _Version(made, drawn, planned, footage, manifest)
    _show(work, clip_id, version=version, superseded=superseded)


def _show(work: Work, clip_id: ClipId, *, version: _Version, superseded: Superseded) -> None:
    text = json.dumps(version.manifest, sort_keys=True, separators=(",", ":"))
    at = work.db.clock.now()
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        author = _require_still_wanted(session, work, clip_id)
        row = renditions.add(
            session,
            work,
            version.made,
            footage=version.footage,
            clip_id=clip_id,
            treatment=Treatment.REDACTED,
            author=author,
            persons=version.planned.persons,
        )
        version.pictures.hang(session, work, row)
        manifests.keep(row, keystore=work.keystore, manifest=text, look_here=version.planned.look_here)
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
                "persons": len(version.planned.persons),
                "superseded": len(former),
            },
        )
        jobs.finish(session, work.lease, at=at)


def _require_still_wanted(session: Session, work: Work, clip_id: ClipId) -> PersonId:
    """Go on only with a clip in use that whoever asked may work on now; somebody may have stopped it meanwhile.

    Returns:
        Who asked.
    """
    clip, cut = get(session, ClipRow, clip_id), renditions.original_cut(session, clip_id)
    if clip.state is not ClipState.READY or cut is None or cut.state is not RenditionState.LIVE:
        raise errors.no_longer_in_use()
    asked_by = PersonId(get(session, ChoicesRow, clip_id).asked_by or clip.author)
    require_still_preparing(session, cut, asked_by=asked_by, at=work.db.clock.now())
    return asked_by
