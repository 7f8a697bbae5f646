"""What an officer should look at in the store: counts and ids, nothing opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ids import CaseId, ClipId
from vault.models import ClipRow, ClipState, FootageRow, ObjectRow, ObjectState
from vault.quarantine import damaged_deposits


@dataclass(frozen=True, slots=True)
class Attention:
    """What somebody should look at.

    Attributes:
        quarantined: objects that failed their authentication, and deposits whose parts did.
        phone_copies: films that may still be on the phone that made them, in clear.
    """

    quarantined: int
    phone_copies: int


def attention(session: Session, *, deposited_before: datetime) -> Attention:
    """Count what somebody should look at.

    Args:
        session: a snapshot.
        deposited_before: a film that was deposited later may still be on its phone.
    """
    quarantined = select(func.count()).select_from(ObjectRow).where(ObjectRow.state == ObjectState.QUARANTINED)
    on_phones = (
        select(func.count())
        .select_from(FootageRow)
        .where(FootageRow.phone_copy_removed_at.is_(None), FootageRow.deposited_at < deposited_before)
    )
    failed = (session.scalar(quarantined) or 0) + len(damaged_deposits(session))
    return Attention(failed, session.scalar(on_phones) or 0)


def clips_there(session: Session) -> dict[CaseId, list[ClipId]]:
    """The clips of each case that are still there, the oldest first."""
    gone = (ClipState.DESTROYING, ClipState.DESTROYED)
    rows = session.execute(
        select(ClipRow.case_id, ClipRow.id).where(ClipRow.state.not_in(gone)).order_by(ClipRow.created_at, ClipRow.id)
    )
    found: dict[CaseId, list[ClipId]] = {}
    for case_id, clip_id in rows:
        found.setdefault(CaseId(case_id), []).append(ClipId(clip_id))
    return found
