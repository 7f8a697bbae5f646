"""Whether a guider may work on a film just now: cutting it, looking for faces in it, covering them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

import consent
from consent import Action, Permit, Purpose
from core.ids import RenditionId
from identity import Actor
from vault import errors, renditions
from vault.models import RenditionRow


def require_preparing(session: Session, film: RenditionRow, *, actor: Actor, at: datetime) -> None:
    """Go on only where those filmed have agreed, and nothing stands in the guider's way.

    Raises:
        Refused: ``not_available``.
    """
    inquiry = consent.inquiry_of(actor, purpose=Purpose.PREPARE, action=Action.STREAM, at=at)
    facts = renditions.facts_for(session, RenditionId(film.id))
    if not isinstance(consent.consider(session, inquiry=inquiry, rendition=facts), Permit):
        raise errors.not_available()
