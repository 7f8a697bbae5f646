"""What somebody may watch just now. Of anything else a list gives not even the title, nor that it was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

import consent
import identity
from consent import Action, Permit, Purpose, RenditionState
from core.db import Database
from core.ids import CaseId, ClipId, RenditionId
from identity import Actor
from keys import KeyStore
from vault import clips, renditions
from vault.models import ClipRow, RenditionRow


@dataclass(frozen=True, slots=True)
class Showing:
    """A clip that somebody may watch just now, as a list of such shows it."""

    rendition_id: RenditionId
    clip_id: ClipId
    case_id: CaseId
    title: str = field(repr=False)
    goals: tuple[str, ...] = field(repr=False)
    duration_ms: int
    has_poster: bool
    purpose: Purpose


def watchable(
    db: Database, *, keystore: KeyStore, actor: Actor, purpose: Purpose, cases: Iterable[CaseId] | None = None
) -> tuple[Showing, ...]:
    """What the actor may watch just now for a purpose, the latest first; of anything else not even the title.

    Nothing is opened by it: watching is decided again when it begins.

    Args:
        db: the main database.
        keystore: opens the titles.
        actor: who asks.
        purpose: what for.
        cases: where to look; for a family member, their own where nothing is given.
    """
    found = []
    with db.read() as session:
        wanted = identity.member_cases(session, actor.person) if cases is None else list(cases)
        rows = session.execute(
            select(RenditionRow, ClipRow)
            .join(ClipRow, ClipRow.id == RenditionRow.clip_id)
            .where(RenditionRow.case_id.in_(wanted), RenditionRow.state == RenditionState.LIVE)
            .order_by(ClipRow.created_at.desc(), RenditionRow.created_at)
        ).all()
        inquiry = consent.inquiry_of(actor, purpose=purpose, action=Action.STREAM, at=db.clock.now())
        for row, cut in rows:
            facts = renditions.facts_for(session, RenditionId(row.id))
            if isinstance(consent.consider(session, inquiry=inquiry, rendition=facts), Permit):
                found.append(_showing(row, cut, keystore=keystore, purpose=purpose))
    return tuple(found)


def title_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """The title of what a viewing plays; the caller has a viewing of it. A whole film has none."""
    row = session.scalars(
        select(ClipRow).join(RenditionRow, RenditionRow.clip_id == ClipRow.id).where(RenditionRow.id == rendition_id)
    ).one_or_none()
    return clips.open_title(keystore, row) if row is not None else ""


def _showing(row: RenditionRow, cut: ClipRow, *, keystore: KeyStore, purpose: Purpose) -> Showing:
    return Showing(
        rendition_id=RenditionId(row.id),
        clip_id=ClipId(cut.id),
        case_id=CaseId(row.case_id),
        title=clips.open_title(keystore, cut),
        goals=clips.open_goals(keystore, cut),
        duration_ms=row.duration_ms,
        has_poster=row.poster_id is not None,
        purpose=purpose,
    )
