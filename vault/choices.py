"""The choices of a clip as the vault keeps them: a text of the redaction room's, sealed, with a version.

Whoever writes says which version they looked at. Two windows can't overwrite each other: the second gets a conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import identity
import keys
from consent import RenditionState
from core.db import lock, not_found
from core.errors import Conflict, NotFound, Refused
from core.ids import CaseId, ClipId, FootageId, PersonId, well_formed
from identity import Actor
from keys import KeyStore, RecordOwner
from vault import access, clips, errors, renditions
from vault.models import ClipRow, ClipState
from vault.preparing import require_preparing
from vault.progress import Progress, progress_of
from vault.redaction_models import ChoicesRow

MOST_BESIDE = 3
"""Clips of the same footage whose choices a guider is told of."""
_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """A clip that may be worked on, and which part of its footage it is."""

    id: ClipId
    case_id: CaseId
    footage_id: FootageId
    first_frame: int
    last_frame: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for a clip, and how far the latest rendering has come.

    Attributes:
        version: 0 where nothing was ever chosen.
        text: empty where nothing was ever chosen.
        progress: of the latest rendering; nothing where none was asked for.
        asked_by: who asked for it.
    """

    version: int
    text: str = field(repr=False)
    progress: Progress | None
    asked_by: PersonId | None


@dataclass(frozen=True, slots=True)
class ChosenBeside:
    """What was chosen for another clip of the same footage.

    Attributes:
        version: of these choices.
    """

    clip: ClipSpan
    title: str = field(repr=False)
    version: int
    text: str = field(repr=False)


def clip_at_work(session: Session, *, actor: Actor, clip_id: ClipId, at: datetime) -> ClipSpan:
    """A clip whose guider may choose who is covered in it, in a transaction that may write.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Conflict: it isn't cut yet or no longer in use, or the case is closed.
    """
    clip = clip_to_choose_in(session, actor=actor, clip_id=clip_id, at=at)
    identity.require_open(session, clip.case_id)
    return clip


def clip_to_choose_in(session: Session, *, actor: Actor, clip_id: ClipId, at: datetime) -> ClipSpan:
    """A clip whose guider may look at what is chosen; the work may have ended.

    Raises:
        NotFound: no such clip, or none of the actor's.
        Refused: not the guider; or not everyone who was filmed agrees (``not_available``).
        Conflict: it isn't cut yet or no longer in use.
    """
    clip = session.get(ClipRow, clip_id) if well_formed(clip_id) else None
    if clip is None:
        raise not_found()
    access.require_guider(session, actor=actor, case_id=CaseId(clip.case_id), at=at)
    cut = renditions.original_cut(session, clip_id)
    if clip.state is not ClipState.READY or cut is None:
        raise errors.clip_not_ready()
    if cut.state is not RenditionState.LIVE:
        raise errors.not_live()
    require_preparing(session, cut, actor=actor, at=at)
    return ClipSpan(clip_id, CaseId(clip.case_id), FootageId(clip.footage_id), clip.first_frame, clip.last_frame)


def choices_of(session: Session, *, keystore: KeyStore, clip_id: ClipId) -> Choices:
    """What was chosen so far. Whether the asker may know is the caller's to say."""
    row = session.get(ChoicesRow, clip_id)
    if row is None:
        return Choices(0, "", None, None)
    return Choices(
        version=row.version,
        text=opened(keystore, row, column="choices"),
        progress=progress_of(session, row.job_id) if row.job_id else None,
        asked_by=PersonId(row.asked_by) if row.asked_by else None,
    )


def chosen_beside(
    session: Session, *, keystore: KeyStore, actor: Actor, clip: ClipSpan, at: datetime
) -> list[ChosenBeside]:
    """What was chosen for the other clips of the same footage in which the actor may choose too.

    Args:
        session: a snapshot or a transaction.
        keystore: opens it.
        actor: who asks.
        clip: from ``clip_at_work`` or ``clip_to_choose_in``, in the same transaction.
        at: now.

    Returns:
        Those lately changed first; at most ``MOST_BESIDE``.
    """
    query = (
        select(ChoicesRow)
        .join(ClipRow, ClipRow.id == ChoicesRow.clip_id)
        .where(ClipRow.footage_id == clip.footage_id, ClipRow.id != clip.id, ChoicesRow.choices.is_not(None))
        .order_by(ChoicesRow.changed_at.desc(), ChoicesRow.clip_id)
    )
    found: list[ChosenBeside] = []
    for row in session.scalars(query):
        try:
            beside = clip_to_choose_in(session, actor=actor, clip_id=ClipId(row.clip_id), at=at)
        except (NotFound, Refused, Conflict):
            continue  # out of use, or the actor may not: it isn't told of
        title = clips.open_title(keystore, session.get_one(ClipRow, row.clip_id))
        found.append(ChosenBeside(beside, title, row.version, opened(keystore, row, column="choices")))
        if len(found) == MOST_BESIDE:
            break
    return found


def keep_choices(
    session: Session, *, keystore: KeyStore, clip: ClipSpan, looked_at: int, text: str, at: datetime
) -> int:
    """Keep what was chosen, if nobody chose anything else since.

    Args:
        session: the caller's transaction.
        keystore: seals it.
        clip: from ``clip_at_work``, in the same transaction.
        looked_at: the version that was changed.
        text: all choices as they are now.
        at: now.

    Returns:
        The new version.

    Raises:
        Conflict: ``choices_moved``.
    """
    if len(text) > _MOST_CHARACTERS:
        raise errors.choices_too_many()
    row = locked(session, clip, at=at)
    if row.version != looked_at:
        raise errors.choices_moved()
    row.choices, row.changed_at, row.version = seal(keystore, row, column="choices", value=text), at, row.version + 1
    return row.version


def locked(session: Session, clip: ClipSpan, *, at: datetime) -> ChoicesRow:
    """A clip's row, made where there is none, for the caller alone until its transaction ends."""
    lock(session, ClipRow, clip.id)
    row = session.get(ChoicesRow, clip.id, populate_existing=True)
    if row is None:
        row = ChoicesRow(clip_id=clip.id, case_id=clip.case_id, version=0, changed_at=at)
        session.add(row)
    return row


def seal(keystore: KeyStore, row: ChoicesRow, *, column: str, value: str) -> bytes:
    """One of its texts as it is stored."""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.seal_field(key, table="vault_choices", column=column, row=row.clip_id, value=value)


def opened(keystore: KeyStore, row: ChoicesRow, *, column: str) -> str:
    """One of its texts; empty where there is none."""
    sealed: bytes | None = getattr(row, column)
    if sealed is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_choices", column=column, row=row.clip_id, sealed=sealed)
