"""Steps on viewings: the tickets that ranges are asked with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.ids import RenditionId
from vault.models import ViewingRow


def end_all(session: Session, rendition_id: RenditionId, *, reason: str, at: datetime) -> None:
    """End every open viewing of a rendition."""
    session.execute(
        update(ViewingRow)
        .where(ViewingRow.rendition_id == rendition_id, ViewingRow.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )
