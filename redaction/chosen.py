"""Choosing who stays visible in a clip: every step is saved at once, and can be taken back.

Whoever takes a step says which version of the choices they looked at, so that two windows can't overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import audit
import identity
import vault
from audit import Event
from consent import Purpose
from core.db import Database
from core.errors import Conflict, Invalid
from core.ids import ClipId, FootageId
from identity import Actor
from keys import KeyStore
from redaction.beside import Beside, offered
from redaction.faces import pictured, stills
from redaction.found import Found, remembered, understood
from redaction.history import History
from redaction.plan import people
from redaction.somebody import LookHere, Somebody, looks, somebody_in
from redaction.steps import Begin, Keep, KeepAll, State, Step, in_film
from vault import ClipSpan, Looking, ObjectStore


@dataclass(frozen=True, slots=True)
class Choosing:
    """Everything that the page of choices shows.

    Attributes:
        version: to be sent back with a step.
        state: what is chosen; its frames are those of the working copy.
        started_over: whether earlier choices no longer count, because faces were looked for anew.
        beside: the clips of the same footage that the guider may begin from; none once something is chosen here.
    """

    clip: ClipSpan
    version: int
    state: State
    somebody: tuple[Somebody, ...]
    look_here: tuple[LookHere, ...]
    width: int
    height: int
    can_undo: bool
    can_redo: bool
    started_over: bool
    beside: tuple[Beside, ...]


def choosing(db: Database, *, keystore: KeyStore, store: ObjectStore, actor: Actor, clip_id: ClipId) -> Choosing:
    """What can be chosen, and what is.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Conflict: ``faces_not_found_yet``, ``footage_gone``, or the clip or its case isn't in use.
    """
    clip, looking = _clip_and_faces(db, actor=actor, clip_id=clip_id)
    sha256 = looking.sha256
    found = _found(db, keystore=keystore, store=store, actor=actor, footage_id=clip.footage_id, sha256=sha256)
    at = db.clock.now()
    with db.read() as session:
        kept = vault.choices_of(session, keystore=keystore, clip_id=clip_id)
        history = history_of(kept.text, faces=sha256, numbering=found.numbering)
        state, beside = history.state, tuple[Beside, ...]()
        if state == State():
            beside = offered(session, keystore=keystore, actor=actor, clip=clip, found=found, faces=sha256, at=at)
    persons = people(found.followed.tracks, state.choices)
    return Choosing(
        clip=clip,
        version=kept.version,
        state=state,
        somebody=tuple(somebody_in(persons, clip=clip, state=state, sheet=_sheet(found, looking=looking))),
        look_here=looks(found, persons, first_frame=clip.first_frame, last_frame=clip.last_frame),
        width=found.detections.width,
        height=found.detections.height,
        can_undo=bool(history.done),
        can_redo=bool(history.undone),
        started_over=bool(kept.text) and history == History(sha256, found.numbering) and kept.version > 0,
        beside=beside,
    )


def choose(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    actor: Actor,
    clip_id: ClipId,
    looked_at: int,
    step: Step,
) -> int:
    """Take one step; its frames count from the clip's first.

    Returns:
        The new version.

    Raises:
        NotFound, Refused: as ``choosing``.
        Invalid: the step can't be taken in this film.
        Conflict: ``choices_moved``, or as ``choosing``.
    """
    clip, looking = _clip_and_faces(db, actor=actor, clip_id=clip_id)
    found = _found(db, keystore=keystore, store=store, actor=actor, footage_id=clip.footage_id, sha256=looking.sha256)

    def taken(history: History) -> History:
        if history.numbering != found.numbering:
            history = History(looking.sha256, found.numbering)
        chosen = history.then(in_film(step, first_frame=clip.first_frame, last_frame=clip.last_frame))
        people(found.followed.tracks, chosen.state.choices)  # refuses people and frames that aren't there
        return chosen

    if isinstance(step, Keep | KeepAll):
        with db.read() as session:
            if step.person not in identity.members_of(session, clip.case_id):
                raise Invalid(
                    "persons_unknown", "Say who it is: choose from the people of this family.", field="person"
                )
    return _change(
        db, keystore=keystore, actor=actor, clip_id=clip_id, looked_at=looked_at, faces=looking.sha256, how=taken
    )


def begin_from(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    actor: Actor,
    clip_id: ClipId,
    looked_at: int,
    beside: ClipId,
    beside_looked_at: int,
) -> int:
    """Go on from what was chosen for another clip of the same footage; one step, which can be taken back.

    Args:
        db: the main database.
        keystore: opens and seals choices.
        store: holds what was found.
        actor: the guider of both clips.
        clip_id: the clip for which nothing is chosen yet.
        looked_at: the version of its choices.
        beside: the other clip.
        beside_looked_at: the version of its choices that was offered.

    Returns:
        The new version.

    Raises:
        NotFound, Refused: as ``choosing``.
        Conflict: ``begun_already``, ``choices_moved``; ``none_beside``: the other isn't one that ``choosing`` offers;
            or as ``choosing``.
    """
    clip, looking = _clip_and_faces(db, actor=actor, clip_id=clip_id)
    faces, at = looking.sha256, db.clock.now()
    found = _found(db, keystore=keystore, store=store, actor=actor, footage_id=clip.footage_id, sha256=faces)
    with db.begin() as session:
        clip = vault.clip_at_work(session, actor=actor, clip_id=clip_id, at=at)
        kept = vault.choices_of(session, keystore=keystore, clip_id=clip_id)
        history = history_of(kept.text, faces=faces, numbering=found.numbering)
        if history.state != State():
            raise Conflict("begun_already", "Something is chosen for this clip already. Take that back first.")
        these = offered(session, keystore=keystore, actor=actor, clip=clip, found=found, faces=faces, at=at)
        other = next((one for one in these if one.clip_id == beside), None)
        if other is None or other.state is None:
            raise Conflict("none_beside", "We can't begin from that clip any more. Choose here instead.")
        if other.version != beside_looked_at:
            raise Conflict("choices_moved", "The choices of that clip were changed since. Look again, then begin.")
        return vault.keep_choices(
            session,
            keystore=keystore,
            clip=clip,
            looked_at=looked_at,
            text=history.then(Begin(other.state)).to_json(),
            at=at,
        )


def undo(db: Database, *, keystore: KeyStore, actor: Actor, clip_id: ClipId, looked_at: int) -> int:
    """Take the last step back.

    Returns:
        The new version.

    Raises:
        NotFound, Refused: as ``choosing``.
        Conflict: ``nothing_to_undo``, ``choices_moved``, or as ``choosing``.
    """
    _, looking = _clip_and_faces(db, actor=actor, clip_id=clip_id)
    return _change(
        db, keystore=keystore, actor=actor, clip_id=clip_id, looked_at=looked_at, faces=looking.sha256, how=History.undo
    )


def redo(db: Database, *, keystore: KeyStore, actor: Actor, clip_id: ClipId, looked_at: int) -> int:
    """Do again what was taken back last.

    Returns:
        The new version.

    Raises:
        NotFound, Refused: as ``choosing``.
        Conflict: ``nothing_to_redo``, ``choices_moved``, or as ``choosing``.
    """
    _, looking = _clip_and_faces(db, actor=actor, clip_id=clip_id)
    return _change(
        db, keystore=keystore, actor=actor, clip_id=clip_id, looked_at=looked_at, faces=looking.sha256, how=History.redo
    )


def history_of(text: str, *, faces: str, numbering: str | None = None) -> History:
    """What was chosen, if it was chosen among these very faces; else nothing is, and nobody stays visible.

    Args:
        text: as it is kept; empty where nothing ever was.
        faces: hex SHA-256 of what was found.
        numbering: who is which number just now; nothing where that isn't known, and will be looked at later.
    """
    empty = History(faces, numbering or "")
    history = History.from_json(text) if text else empty
    return history if history.faces == faces and numbering in {None, history.numbering} else empty


def _change(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    clip_id: ClipId,
    looked_at: int,
    faces: str,
    how: Callable[[History], History],
) -> int:
    at = db.clock.now()
    with db.begin() as session:
        clip = vault.clip_at_work(session, actor=actor, clip_id=clip_id, at=at)
        kept = vault.choices_of(session, keystore=keystore, clip_id=clip_id)
        changed = how(history_of(kept.text, faces=faces))
        return vault.keep_choices(
            session, keystore=keystore, clip=clip, looked_at=looked_at, text=changed.to_json(), at=at
        )


def _clip_and_faces(db: Database, *, actor: Actor, clip_id: ClipId) -> tuple[ClipSpan, Looking]:
    at = db.clock.now()
    with (
        audit.refusals_recorded(db, Event.REDACTION_ASKED, actor=actor.person, object_id=clip_id),
        db.read() as session,
    ):
        clip = vault.clip_to_choose_in(session, actor=actor, clip_id=clip_id, at=at)
        looking = vault.looking(session, clip.footage_id)
    if looking is None or not looking.is_done:
        raise Conflict("faces_not_found_yet", "First we must look for faces in this film. That isn't done yet.")
    return clip, looking


def _sheet(found: Found, *, looking: Looking) -> dict[int, int]:
    """Which still is whose, by number; none where the sheet was drawn of people who were numbered otherwise."""
    tracks = found.followed.tracks
    if looking.stills != vault.stills_mark(stills(tracks)):
        return {}
    return {track.number: place for place, track in enumerate(pictured(tracks))}


def _found(
    db: Database, *, keystore: KeyStore, store: ObjectStore, actor: Actor, footage_id: FootageId, sha256: str
) -> Found:
    """What was found; the film's keys are asked for only where it isn't remembered."""
    known = remembered(sha256)
    if known is not None:
        return known
    copy = vault.footage(db, keystore=keystore, actor=actor, footage_id=footage_id).working_copy
    if copy is None:
        raise Conflict("footage_gone", "The film that this clip was cut from is no longer there.")
    viewing = vault.begin_viewing(db, actor=actor, rendition_id=copy.id, purpose=Purpose.PREPARE)
    try:
        data = vault.read_detections(db, keystore=keystore, store=store, actor=actor, viewing_id=viewing.id)
    finally:
        vault.end_viewing(db, actor=actor, viewing_id=viewing.id)
    return understood(data, sha256=sha256)
