"""Whether a guider may work on a film just now: cutting it, looking for faces in it, covering them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

import consent
from consent import Action, Inquiry, Permit, Purpose
from core.ids import PersonId, RenditionId, SessionId
from identity import Actor
from vault import errors, renditions
from vault.models import RenditionRow

_A_MOMENT = timedelta(minutes=1)


def require_preparing(session: Session, film: RenditionRow, *, actor: Actor, at: datetime) -> None:
    """Go on only where those filmed have agreed, and nothing stands in the guider's way.

    Raises:
        Refused: ``not_available``.
    """
    inquiry = consent.inquiry_of(actor, purpose=Purpose.PREPARE, action=Action.STREAM, at=at)
    if not _may(session, film, inquiry=inquiry):
        raise errors.not_available()


def require_still_preparing(session: Session, film: RenditionRow, *, asked_by: PersonId, at: datetime) -> None:
    """Go on with a job only where whoever asked for it might ask again now: it may have waited, or taken an hour.

    They had signed in with two factors when they asked; whether they still are doesn't matter.

    Raises:
        Invalid: ``no_longer_agreed``.
    """
    inquiry = Inquiry(
        viewer=asked_by,
        viewer_is_family=False,
        two_factors=True,
        session=SessionId(""),
        session_ends_at=at + _A_MOMENT,
        purpose=Purpose.PREPARE,
        action=Action.STREAM,
        at=at,
    )
    if not _may(session, film, inquiry=inquiry):
        raise errors.no_longer_agreed()


def _may(session: Session, film: RenditionRow, *, inquiry: Inquiry) -> bool:
    facts = renditions.facts_for(session, RenditionId(film.id))
    return isinstance(consent.consider(session, inquiry=inquiry, rendition=facts), Permit)
