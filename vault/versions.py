"""Which rendition of a clip goes out: one at a time, the latest.

A clip that was redacted is checked, asked about and shown as it was redacted. Whatever was attested of an earlier
rendition ends with that, so that nobody watches a version from which somebody was taken out since.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import identity
from consent import RenditionState
from core.ids import CaseId, ClipId, PersonId, RenditionId
from vault import renditions, viewings
from vault.models import ClipRow, RenditionRow, Treatment

_IN_USE = (RenditionState.LIVE, RenditionState.QUARANTINED)


def current(session: Session, clip_id: ClipId) -> RenditionRow | None:
    """The one that is checked and asked about: the latest redacted one, else the original cut."""
    made = renditions.of_clip(session, clip_id)
    return max(made, key=lambda row: (row.treatment is Treatment.REDACTED, row.created_at, row.id), default=None)


def is_current(session: Session, rendition_id: RenditionId) -> bool:
    """Whether a rendition is the current one of its clip.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    latest = current(session, ClipId(row.clip_id)) if row.clip_id else None
    return latest is not None and latest.id == row.id


def makers_of(session: Session, rendition_id: RenditionId) -> frozenset[PersonId]:
    """Who had or may have had a hand in a rendition: its author, whoever cut the clip, and whoever guided meanwhile.

    A former guider may have chosen who stays visible, though another had it made: in this clip, or in one that was cut
    from the same footage before, from whose choices this one's were begun. None of them checks it.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    cut = session.get(ClipRow, row.clip_id) if row.clip_id else None
    made = frozenset(PersonId(one) for one in (row.author, cut.author if cut else None) if one)
    since = select(func.min(ClipRow.created_at)).where(ClipRow.footage_id == row.footage_id)
    first = session.scalars(since).one() or row.created_at
    return made | identity.guiders_since(session, CaseId(row.case_id), since=first)


def supersede(session: Session, row: RenditionRow, *, at: datetime) -> list[RenditionId]:
    """A clip has a new redacted rendition: no earlier one goes to anybody outside the family any more.

    Earlier redacted ones are out of use. The original cut stays, for the guider's work and for those who are in it, but
    what was attested of it is void. Whatever the clock says, the new one is the latest. The caller raises the
    case's version.

    Returns:
        The earlier ones.
    """
    former = [one for one in renditions.of_clip(session, ClipId(row.clip_id or "")) if one.id != row.id]
    after = [one.created_at + timedelta(microseconds=1) for one in former]  # a clock may stand, or go back
    row.created_at = max([row.created_at, *after])
    for one in former:
        one.attested_by, one.attested_at, one.nobody_recognisable = None, None, False
        if one.treatment is Treatment.REDACTED:
            if one.state in _IN_USE:
                one.state = RenditionState.WITHDRAWN_FROM_USE
            viewings.end_all(session, RenditionId(one.id), reason="superseded", at=at)
    return [RenditionId(one.id) for one in former]
