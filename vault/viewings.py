"""Steps on viewings: the tickets that bytes are asked for with.

A ticket is worth nothing by itself. It says who plays what, for what, in which session; each range is decided again on
the facts of that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

import consent
from consent import Action, Inquiry, Permit, Presenting, Purpose
from core.db import not_found
from core.ids import CaseId, ConferenceId, ObjectId, PersonId, RenditionId, ViewingId, new_id, well_formed
from identity import Actor
from vault import renditions
from vault.models import ObjectRow, RenditionRow
from vault.redaction_models import DetectionsRow
from vault.viewing_models import ViewingPresentRow, ViewingRow


@dataclass(frozen=True, slots=True)
class Viewing:
    """A ticket, and what a player must know of what it plays.

    Attributes:
        size_bytes: of the film in clear.
        valid_until: when it ends by itself at the latest.
    """

    id: ViewingId
    case_id: CaseId
    rendition_id: RenditionId
    purpose: Purpose
    size_bytes: int
    media_type: str
    width: int
    height: int
    fps: tuple[int, int]
    frames: int
    duration_ms: int
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A live viewing with what deciding on it again and reading it needs.

    Attributes:
        film: the rendition's object; poster, strip: those beside it.
        detections, faces: what was found in it, where it is a working copy.
        duration: of the film.
    """

    id: ViewingId
    case_id: CaseId
    rendition_id: RenditionId
    content_hash: str
    objects: frozenset[ObjectId]
    inquiry: Inquiry
    film: ObjectRow
    poster: ObjectId | None
    strip: ObjectId | None
    detections: ObjectId | None
    faces: ObjectId | None
    duration: timedelta


def begin(session: Session, row: RenditionRow, *, permit: Permit) -> Viewing:
    """Write the ticket, in the transaction in which the permit was given."""
    inquiry = permit.inquiry
    viewing = ViewingRow(
        id=new_id(),
        case_id=row.case_id,
        rendition_id=row.id,
        viewer=inquiry.viewer,
        session_id=inquiry.session,
        purpose=inquiry.purpose.value,
        action=inquiry.action.value,
        conference_id=inquiry.presenting.conference if inquiry.presenting else None,
        presented_until=inquiry.presenting.ends_at if inquiry.presenting else None,
        begun_at=inquiry.at,
        valid_until=permit.valid_until,
        bytes_served=0,
    )
    session.add(viewing)
    session.flush()
    session.add_all(ViewingPresentRow(viewing_id=viewing.id, person_id=one) for one in sorted(inquiry.playing_to))
    film = session.get_one(ObjectRow, row.object_id)
    return Viewing(
        id=ViewingId(viewing.id),
        case_id=CaseId(row.case_id),
        rendition_id=RenditionId(row.id),
        purpose=inquiry.purpose,
        size_bytes=film.plain_length or 0,
        media_type=film.media_type,
        width=row.width,
        height=row.height,
        fps=(row.fps_numerator, row.fps_denominator),
        frames=row.frames,
        duration_ms=row.duration_ms,
        valid_until=permit.valid_until,
    )


def own(session: Session, viewing_id: ViewingId, *, actor: Actor) -> ViewingRow:
    """A viewing of this actor, begun in this very session.

    Raises:
        NotFound: no such viewing, somebody else's, or another session's.
    """
    row = session.get(ViewingRow, viewing_id) if well_formed(viewing_id) else None
    if row is None or row.viewer != actor.person or row.session_id != actor.session:
        raise not_found()
    return row


def ticket(session: Session, viewing_id: ViewingId, *, actor: Actor, at: datetime) -> Ticket:
    """A live viewing, with all that deciding again and reading needs.

    Raises:
        NotFound: no such viewing, not of this session, or one that has ended.
    """
    query = (  # one query: every range of a film asks it
        select(ViewingRow, RenditionRow, ObjectRow, DetectionsRow)
        .join(RenditionRow, RenditionRow.id == ViewingRow.rendition_id)
        .join(ObjectRow, ObjectRow.id == RenditionRow.object_id)
        .outerjoin(DetectionsRow, renditions.HAS_DETECTIONS)
        .where(ViewingRow.id == viewing_id, ViewingRow.viewer == actor.person, ViewingRow.session_id == actor.session)
    )
    found = session.execute(query).one_or_none() if well_formed(viewing_id) else None
    if found is None or found[0].ended_at is not None:
        raise not_found()
    viewing, row, film, seen = found
    return Ticket(
        id=viewing_id,
        case_id=CaseId(row.case_id),
        rendition_id=RenditionId(row.id),
        content_hash=row.content_hash,
        objects=renditions.objects_of_row(row, seen=seen),
        inquiry=consent.inquiry_of(
            actor,
            purpose=Purpose(viewing.purpose),
            action=Action(viewing.action),
            at=at,
            presenting=_presenting(viewing),
            playing_to=_present(session, viewing_id),
        ),
        film=film,
        poster=_object(row.poster_id),
        strip=_object(row.strip_id),
        detections=_object(seen.object_id if seen else None),
        faces=_object(seen.faces_id if seen else None),
        duration=timedelta(milliseconds=row.duration_ms),
    )


def served(session: Session, viewing_id: ViewingId, *, count: int, at: datetime) -> None:
    """Note how many bytes a range gave out."""
    session.execute(
        update(ViewingRow)
        .where(ViewingRow.id == viewing_id)
        .values(bytes_served=ViewingRow.bytes_served + count, last_read_at=at)
    )


def end(session: Session, viewing_id: ViewingId, *, reason: str, at: datetime) -> ViewingRow | None:
    """End a viewing that hasn't ended.

    Returns:
        Its row; nothing where it had ended already.
    """
    row = session.get(ViewingRow, viewing_id, with_for_update=True, populate_existing=True)
    if row is None or row.ended_at is not None:
        return None
    row.ended_at, row.end_reason = at, reason
    return row


def end_all(session: Session, rendition_id: RenditionId, *, reason: str, at: datetime) -> None:
    """End every open viewing of a rendition."""
    session.execute(
        update(ViewingRow)
        .where(ViewingRow.rendition_id == rendition_id, ViewingRow.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )


def _object(name: str | None) -> ObjectId | None:
    return ObjectId(name) if name else None


def _present(session: Session, viewing_id: ViewingId) -> frozenset[PersonId]:
    query = select(ViewingPresentRow.person_id).where(ViewingPresentRow.viewing_id == viewing_id)
    return frozenset(PersonId(person) for person in session.scalars(query))


def _presenting(viewing: ViewingRow) -> Presenting | None:
    if viewing.conference_id is None or viewing.presented_until is None:
        return None
    return Presenting(ConferenceId(viewing.conference_id), PersonId(viewing.viewer), viewing.presented_until)
