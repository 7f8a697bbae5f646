"""Steps on renditions: make one, say who is shown, and hand the facts about it to the consent decision.

Whatever the decision reads of a rendition (its state, its hash, who is shown, who attested that) changes only here,
with the case's consent version raised in the same transaction: a permit that was given before is then stale at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

import audit
import consent
import identity
from audit import Event
from consent import RenditionState
from core.db import lock, not_found
from core.ids import CaseId, ClipId, FootageId, ObjectId, PersonId, RenditionId, VisitId, new_id, well_formed
from vault import errors, out_of_use
from vault.making import Made, Work
from vault.models import FootageRow, PersonShownRow, RenditionRow, Treatment
from vault.redaction_models import DetectionsRow

HAS_DETECTIONS = and_(DetectionsRow.footage_id == RenditionRow.footage_id, RenditionRow.clip_id.is_(None))
"""What was found in footage belongs to its working copy, and to no clip."""


def find(session: Session, rendition_id: RenditionId) -> RenditionRow:
    """A rendition's row.

    Raises:
        NotFound: there is none.
    """
    row = session.get(RenditionRow, rendition_id) if well_formed(rendition_id) else None
    if row is None:
        raise not_found()
    return row


def facts_for(session: Session, rendition_id: RenditionId) -> consent.Rendition:
    """What the consent decision needs to know about a rendition, as of the session's snapshot.

    Until a second person has looked, covers hide nobody: everyone whom the original cut shows has a say.

    Raises:
        NotFound: there is none.
    """
    row = find(session, rendition_id)
    footage = session.get_one(FootageRow, row.footage_id)
    shown = persons_shown(session, rendition_id)
    if row.treatment is Treatment.REDACTED and row.attested_by is None:
        cut = original_cut(session, ClipId(row.clip_id or ""))
        shown |= persons_shown(session, RenditionId(cut.id)) if cut is not None else filmed(session, footage)
    return consent.Rendition(
        id=RenditionId(row.id),
        case_id=CaseId(row.case_id),
        clip_id=ClipId(row.clip_id) if row.clip_id else None,
        content_hash=row.content_hash,
        state=row.state,
        persons_shown=shown,
        author=PersonId(row.author),
        attested_by=PersonId(row.attested_by) if row.attested_by else None,
        nobody_recognisable=row.nobody_recognisable,
        is_footage=row.clip_id is None,
        filmed=filmed(session, footage),
    )


def objects_of(session: Session, row: RenditionRow) -> frozenset[ObjectId]:
    """The objects that hold a rendition: its film, its poster, its strip; of a working copy the faces found in it, too.

    What was found in footage is for whoever may see the footage itself, and never for anyone who may see a clip of it.
    """
    return objects_of_row(row, seen=session.get(DetectionsRow, row.footage_id) if row.clip_id is None else None)


def objects_of_row(row: RenditionRow, *, seen: DetectionsRow | None) -> frozenset[ObjectId]:
    """The same for a caller who has found by ``HAS_DETECTIONS`` what belongs to it."""
    found = [row.object_id, row.poster_id, row.strip_id, *((seen.object_id, seen.faces_id) if seen else ())]
    return frozenset(ObjectId(one) for one in found if one)


def persons_shown(session: Session, rendition_id: RenditionId) -> frozenset[PersonId]:
    """Who is recorded as recognisable."""
    query = select(PersonShownRow.person_id).where(PersonShownRow.rendition_id == rendition_id)
    return frozenset(PersonId(person) for person in session.scalars(query))


def showing(session: Session, person: PersonId) -> frozenset[RenditionId]:
    """The renditions that someone is recognisable in."""
    query = select(PersonShownRow.rendition_id).where(PersonShownRow.person_id == person)
    return frozenset(RenditionId(one) for one in session.scalars(query))


def filmed(session: Session, footage: FootageRow) -> frozenset[PersonId]:
    """Who was there when the film was made."""
    return identity.visit(session, VisitId(footage.visit_id)).present


def working_copy(session: Session, footage_id: FootageId) -> RenditionRow | None:
    """The working copy of some footage, once it is made."""
    return session.scalars(
        select(RenditionRow).where(RenditionRow.footage_id == footage_id, RenditionRow.clip_id.is_(None))
    ).one_or_none()


def of_clip(session: Session, clip_id: ClipId) -> list[RenditionRow]:
    """Every rendition of a clip, the first made first."""
    query = select(RenditionRow).where(RenditionRow.clip_id == clip_id).order_by(RenditionRow.created_at)
    return list(session.scalars(query))


def original_cut(session: Session, clip_id: ClipId) -> RenditionRow | None:
    """The rendition of a clip in which nothing is covered, once it is cut."""
    return next((row for row in of_clip(session, clip_id) if row.treatment is Treatment.ORIGINAL_CUT), None)


def add(
    session: Session,
    work: Work,
    made: Made,
    *,
    footage: FootageRow,
    clip_id: ClipId | None,
    treatment: Treatment,
    author: PersonId,
    persons: Iterable[PersonId],
) -> RenditionRow:
    """Make a rendition of a durable output, in the transaction that makes it visible.

    It is in use, unless its clip or film was taken out of use meanwhile.
    """
    identity.lock_case(session, work.case_id)
    result, kept = made.result, made.keep(session, work)
    row = RenditionRow(
        id=new_id(),
        case_id=work.case_id,
        footage_id=footage.id,
        clip_id=clip_id,
        treatment=treatment,
        object_id=kept.id,
        content_hash=result.plain_sha256,
        state=RenditionState.LIVE,
        author=author,
        nobody_recognisable=False,
        width=result.width,
        height=result.height,
        fps_numerator=result.fps.numerator,
        fps_denominator=result.fps.denominator,
        frames=result.frames,
        duration_ms=result.duration_ms,
        has_audio=result.has_audio,
        created_at=work.db.clock.now(),
    )
    out_of_use.put(session, row, footage=footage)
    session.add(row)
    session.flush()
    session.add_all(PersonShownRow(rendition_id=row.id, person_id=person) for person in sorted(persons))
    session.flush()
    return row


def show(session: Session, rendition_id: RenditionId, *, persons: frozenset[PersonId], by: PersonId) -> None:
    """Record who is shown. A former attestation is void, and every permit on the case stale."""
    row = _locked(session, rendition_id)
    if row.state is not RenditionState.LIVE:
        raise errors.not_live()
    session.execute(delete(PersonShownRow).where(PersonShownRow.rendition_id == rendition_id))
    session.add_all(PersonShownRow(rendition_id=rendition_id, person_id=person) for person in sorted(persons))
    row.attested_by, row.attested_at, row.nobody_recognisable = None, None, False
    identity.raise_version(session, CaseId(row.case_id))
    audit.record(
        session,
        Event.PERSONS_SHOWN_RECORDED,
        actor=by,
        case_id=CaseId(row.case_id),
        object_id=rendition_id,
        details={"count": len(persons)},
    )


def attest(
    session: Session, rendition_id: RenditionId, *, persons: frozenset[PersonId], by: PersonId, at: datetime
) -> None:
    """A second person says who is recognisable: exactly those listed, or nobody. Who may say so is redaction's rule.

    Raises:
        NotFound: no such rendition.
        Conflict: the list is another one by now.
    """
    row = _locked(session, rendition_id)
    if row.state is not RenditionState.LIVE:
        raise errors.not_live()
    if persons != persons_shown(session, rendition_id):
        raise errors.list_changed()
    row.attested_by, row.attested_at, row.nobody_recognisable = by, at, not persons
    identity.raise_version(session, CaseId(row.case_id))


def void(session: Session, rendition_id: RenditionId) -> None:
    """Take an attestation back (the check was sent back)."""
    row = _locked(session, rendition_id)
    row.attested_by, row.attested_at, row.nobody_recognisable = None, None, False
    identity.raise_version(session, CaseId(row.case_id))


def _locked(session: Session, rendition_id: RenditionId) -> RenditionRow:
    """A rendition's row, with its case held first: whoever decides on it waits, and the order is always the same."""
    identity.lock_case(session, CaseId(find(session, rendition_id).case_id))
    return lock(session, RenditionRow, rendition_id)
