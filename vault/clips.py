"""Cutting a clip from footage, exact to the frame, and saying who is shown in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import audit
import identity
import keys
from audit import Event
from consent import RenditionState
from core import jobs
from core.db import Database, get, lock, not_found
from core.errors import VaultError
from core.ids import CaseId, ClipId, FootageId, PersonId, RenditionId, new_id, well_formed
from core.jobs import Lease
from identity import Actor
from keys import KeyStore, RecordOwner
from media import launcher
from vault import access, errors, pictures, renditions
from vault.making import Work, subject_of
from vault.models import ClipRow, ClipState, FootageRow, FootageState, ObjectKind, ObjectRow, Treatment
from vault.objects import ObjectStore
from vault.preparing import require_preparing, require_still_preparing
from vault.reporting import Span

CUT = "clip.cut"
"""The job that makes a clip's bytes; its subject is the clip."""

_LONGEST_TITLE, _LONGEST_GOAL, _MOST_GOALS = 120, 80, 10
_CUTTING, _PICTURES = Span("cut", 0, 800), Span("pictures", 800, 1000)


def cut_clip(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    footage_id: FootageId,
    first_frame: int,
    last_frame: int,
    title: str,
    goals: Sequence[str] = (),
) -> ClipId:
    """Ask for a clip; a job makes it. Until somebody says otherwise it shows everyone who was filmed.

    Args:
        db: the main database.
        keystore: seals the title.
        actor: the case's guider.
        footage_id: what to cut from.
        first_frame: the first that is in it, counted from 0 in the working copy.
        last_frame: the first that isn't in it any more.
        title: what the family and those who may watch will read.
        goals: what it shows, as tags.

    Raises:
        NotFound: no such footage, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Invalid: end before start, outside the film, no title.
        Conflict: the footage isn't ready, or the case is closed.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.CLIP_CUT, actor=actor.person, object_id=footage_id), db.begin() as session:
        footage = session.get(FootageRow, footage_id) if well_formed(footage_id) else None
        if footage is None:
            raise not_found()
        case_id = CaseId(footage.case_id)
        access.require_guider_at_work(session, actor=actor, case_id=case_id, at=at)
        film = renditions.working_copy(session, footage_id)
        if footage.state is not FootageState.READY or film is None or film.state is not RenditionState.LIVE:
            raise errors.footage_not_ready()
        require_preparing(session, film, actor=actor, at=at)
        _check_span(first_frame, last_frame, frames=film.frames)
        clip_id = ClipId(new_id())
        session.add(
            ClipRow(
                id=clip_id,
                case_id=case_id,
                footage_id=footage_id,
                first_frame=first_frame,
                last_frame=last_frame,
                title=seal(keystore, case_id, column="title", row=clip_id, value=_title(title)),
                goals=seal(keystore, case_id, column="goals", row=clip_id, value="\n".join(_goals(goals))),
                author=actor.person,
                job_id=jobs.enqueue(session, CUT, subject=clip_id, case_id=case_id, at=at),
                state=ClipState.CUTTING,
                created_at=at,
            )
        )
        audit.record(
            session,
            Event.CLIP_CUT,
            actor=actor.person,
            case_id=case_id,
            object_id=clip_id,
            details={"footage": footage_id, "first_frame": first_frame, "last_frame": last_frame},
        )
    return clip_id


def set_persons_shown(db: Database, *, actor: Actor, rendition_id: RenditionId, persons: Iterable[PersonId]) -> None:
    """Record who is recognisable in a rendition. What was attested or permitted before no longer holds.

    Raises:
        NotFound: no such rendition, or none of the actor's.
        Refused: not the guider.
        Invalid: someone who isn't in the case.
        Conflict: the rendition is no longer in use.
    """
    wanted = frozenset(persons)
    with (
        audit.refusals_recorded(db, Event.PERSONS_SHOWN_RECORDED, actor=actor.person, object_id=rendition_id),
        db.begin() as session,
    ):
        row = renditions.find(session, rendition_id)
        case_id = CaseId(row.case_id)
        access.require_guider(session, actor=actor, case_id=case_id, at=db.clock.now())
        if not wanted <= identity.roster(session, case_id).persons.keys():
            raise errors.persons_unknown()
        renditions.show(session, rendition_id, persons=wanted, by=actor.person)


def cut(db: Database, *, keystore: KeyStore, store: ObjectStore, lease: Lease) -> None:
    """Do all that is left of a ``clip.cut`` job. Safe to repeat; harmless in a worker that lost the job.

    Raises:
        VaultError: something that may pass: try again later.
    """
    clip_id = ClipId(subject_of(db, lease))
    with db.read() as session:
        clip = get(session, ClipRow, clip_id)
    work = Work(db, keystore=keystore, store=store, lease=lease, case_id=CaseId(clip.case_id))

    def steps() -> None:
        _cut(work, clip)
        _finish(work, clip_id)

    work.carry_out(steps, reject=lambda error: _reject(work, clip_id, error=error))


def open_title(keystore: KeyStore, clip: ClipRow) -> str:
    """A clip's title; empty once it is destroyed."""
    return _open(keystore, clip, column="title", sealed=clip.title)


def open_goals(keystore: KeyStore, clip: ClipRow) -> tuple[str, ...]:
    """A clip's goals."""
    return tuple(filter(None, _open(keystore, clip, column="goals", sealed=clip.goals).split("\n")))


def _cut(work: Work, clip: ClipRow) -> None:
    with work.db.read() as session:
        film = renditions.working_copy(session, FootageId(clip.footage_id))
        if renditions.of_clip(session, ClipId(clip.id)):
            return
        if film is None or film.state is not RenditionState.LIVE:
            raise errors.film_gone()
        require_still_preparing(session, film, asked_by=PersonId(clip.author), at=work.db.clock.now())
        source = get(session, ObjectRow, film.object_id)
        footage = get(session, FootageRow, clip.footage_id)
        persons = renditions.persons_shown(session, RenditionId(film.id))
    job = launcher.Cut(first_frame=clip.first_frame, last_frame=clip.last_frame)
    made = work.make(job, of=source, kind=ObjectKind.CUT, media_type=launcher.MP4, span=_CUTTING)
    with work.db.begin() as session:
        identity.lock_case(session, work.case_id)
        work.own(session)
        require_still_preparing(session, film, asked_by=PersonId(clip.author), at=work.db.clock.now())
        renditions.add(
            session,
            work,
            made,
            footage=footage,
            clip_id=ClipId(clip.id),
            treatment=Treatment.ORIGINAL_CUT,
            author=PersonId(clip.author),
            persons=persons,
        )


def _finish(work: Work, clip_id: ClipId) -> None:
    with work.db.read() as session:
        made = renditions.of_clip(session, clip_id)
    for rendition in made:
        pictures.draw(work, rendition, span=_PICTURES)
    with work.db.begin() as session:
        work.own(session)
        lock(session, ClipRow, clip_id).state = ClipState.READY
        jobs.finish(session, work.lease, at=work.db.clock.now())


def _reject(work: Work, clip_id: ClipId, *, error: VaultError) -> None:
    with work.db.begin() as session:
        if jobs.holds(session, work.lease) is None:
            return
        row = lock(session, ClipRow, clip_id)
        row.state, row.error_code, row.error_sentence = ClipState.REJECTED, error.code, error.sentence
        jobs.park(session, work.lease, at=work.db.clock.now(), code=error.code, sentence=error.sentence)


def _check_span(first_frame: int, last_frame: int, *, frames: int) -> None:
    if last_frame <= first_frame:
        raise errors.clip_end_before_start()
    if first_frame < 0 or last_frame > frames:
        raise errors.clip_outside_film()


def _title(text: str) -> str:
    title = _words(text)
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise errors.title_needed()
    return title


def _goals(texts: Sequence[str]) -> list[str]:
    goals = list(dict.fromkeys(filter(None, map(_words, texts))))
    if len(goals) > _MOST_GOALS or any(len(goal) > _LONGEST_GOAL for goal in goals):
        raise errors.bad_goals()
    return goals


def _words(text: str) -> str:
    """One line of text, without characters that hide or turn others round."""
    kept = "".join(" " if sign.isspace() else sign for sign in text)
    return " ".join("".join(sign for sign in kept if unicodedata.category(sign)[0] != "C").split())


def seal(keystore: KeyStore, case_id: CaseId, *, column: str, row: str, value: str) -> bytes:
    """A clip's title or goals as they are stored."""
    key = keystore.record_key(RecordOwner.case(case_id))
    return keys.seal_field(key, table="vault_clip", column=column, row=row, value=value)


def _open(keystore: KeyStore, clip: ClipRow, *, column: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(clip.case_id)))
    return keys.open_field(key, table="vault_clip", column=column, row=clip.id, sealed=sealed)
