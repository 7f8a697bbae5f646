"""What families see at home: their clips, and which professionals watched them.

A list is the same whatever anybody else in the family answers: it goes by who is shown and who was asked. Somebody who
is neither, and only speaks for a child, is listed a clip while they may watch it, so that a film which they were not
to be asked about isn't given away by its title.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

import consent
import identity
from consent import Disclosure, Purpose, RenditionState
from core.db import Database
from core.ids import CaseId, ClipId, PersonId, RenditionId, VisitId
from identity import Actor, Role
from keys import KeyStore
from vault import clips, renditions, showings
from vault.models import ClipRow, FootageRow, RenditionRow, Treatment
from vault.versions import current
from vault.viewing_models import ViewingRow

NOT_LISTED = frozenset({Purpose.PREPARE, Purpose.REVIEW_TOGETHER, Purpose.FAMILY_REVIEW, Purpose.FAMILY_COPY})
"""The guider's own work with the family, and the family itself."""


@dataclass(frozen=True, slots=True)
class HomeClip:
    """A clip as a family member's list shows it.

    Attributes:
        title: empty once it is destroyed, and for those who are only told that it was shown by law.
        filmed_on: only for those who are in it.
        persons_shown: for the words of a page; who else is in it is no secret among them.
        is_redacted: whether people in it are covered.
        is_replaced: whether another version of the clip took its place.
    """

    rendition_id: RenditionId
    case_id: CaseId
    title: str = field(repr=False)
    duration_ms: int
    filmed_on: date | None = field(repr=False)
    persons_shown: frozenset[PersonId]
    may_watch: bool
    is_live: bool
    is_redacted: bool
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """A professional watched a clip.

    Attributes:
        role: the place in the case that they had at that time.
        by_law: without consent, and the family may be told by now.
    """

    rendition_id: RenditionId
    title: str = field(repr=False)
    viewer: PersonId
    role: Role | None
    purpose: Purpose
    at: datetime
    by_law: bool


def clips_at_home(db: Database, *, keystore: KeyStore, actor: Actor) -> tuple[HomeClip, ...]:
    """A family member's clips, the latest first.

    Raises:
        NotSignedIn: not with two factors.
    """
    identity.require_signed_in(actor)
    at = db.clock.now()
    watchable = {
        one.rendition_id
        for one in showings.watchable(db, keystore=keystore, actor=actor, purpose=Purpose.FAMILY_REVIEW)
    }
    told = {one.rendition_id for one in consent.shown_by_law(db, actor=actor)}
    with db.read() as session:
        asked = consent.asked_about(session, actor.person, at=at)
        found = []
        for row, cut in _clips_of(session, actor, more=asked | watchable | told):
            shown = renditions.persons_shown(session, RenditionId(row.id))
            known = actor.person in shown or row.id in asked | watchable
            if row.id not in told and (not known or row.state is RenditionState.DESTROYED):
                continue
            latest = current(session, ClipId(cut.id))
            is_replaced = latest is not None and latest.id != row.id
            if is_replaced and row.id not in asked | told and _is_known(session, latest, actor=actor, asked=asked):
                continue
            found.append(
                HomeClip(
                    rendition_id=RenditionId(row.id),
                    case_id=CaseId(row.case_id),
                    title=clips.open_title(keystore, cut) if known else "",
                    duration_ms=row.duration_ms,
                    filmed_on=_filmed_on(session, row) if actor.person in shown else None,
                    persons_shown=shown,
                    may_watch=row.state is RenditionState.LIVE and (actor.person in shown or row.id in watchable),
                    is_live=row.state is RenditionState.LIVE,
                    is_redacted=row.treatment is Treatment.REDACTED,
                    is_replaced=is_replaced,
                )
            )
    return tuple(found)


def watched_by_professionals(db: Database, *, keystore: KeyStore, actor: Actor) -> tuple[Watched, ...]:
    """Who of the professionals watched a family member's clips, the latest first; of any clip that was ever theirs.

    What was shown by law and mustn't be told yet is left out.

    Raises:
        NotSignedIn: not with two factors.
    """
    identity.require_signed_in(actor)
    at = db.clock.now()
    told = {one.rendition_id for one in consent.shown_by_law(db, actor=actor)}
    with db.read() as session:
        asked = consent.asked_about(session, actor.person, at=at)
        mine = asked | renditions.showing(session, actor.person)
        known = {RenditionId(row.id): cut for row, cut in _clips_of(session, actor, more=asked | told)}
        by_law = consent.disclosures(session, known)
        rows = session.scalars(
            select(ViewingRow)
            .where(
                ViewingRow.rendition_id.in_(known),
                ViewingRow.purpose.not_in([one.value for one in NOT_LISTED]),
            )
            .order_by(ViewingRow.begun_at.desc(), ViewingRow.id)
        ).all()
        people = {case: identity.roster(session, CaseId(case)) for case in {row.case_id for row in rows}}
        return tuple(
            Watched(
                rendition_id=RenditionId(row.rendition_id),
                title=clips.open_title(keystore, known[RenditionId(row.rendition_id)])
                if row.rendition_id in mine
                else "",
                viewer=PersonId(row.viewer),
                role=_role(people[row.case_id], row),
                purpose=Purpose(row.purpose),
                at=row.begun_at,
                by_law=bool(disclosed),
            )
            for row in rows
            for disclosed in [_disclosed(row, by_law)]
            if all(one.told_from is not None and one.told_from <= at for one in disclosed)
        )


def _clips_of(session: Session, actor: Actor, *, more: Iterable[RenditionId]) -> list[tuple[RenditionRow, ClipRow]]:
    """Renditions of clips that show the actor, and further ones of their cases, the latest first."""
    shown = renditions.showing(session, actor.person)
    rows = session.execute(
        select(RenditionRow, ClipRow)
        .join(ClipRow, ClipRow.id == RenditionRow.clip_id)
        .where(
            RenditionRow.case_id.in_(identity.member_cases(session, actor.person)),
            or_(RenditionRow.id.in_(shown), RenditionRow.id.in_(list(more))),
        )
        .order_by(ClipRow.created_at.desc(), RenditionRow.created_at, RenditionRow.id)
    )
    return [(row, cut) for row, cut in rows]


def _is_known(session: Session, row: RenditionRow | None, *, actor: Actor, asked: frozenset[RenditionId]) -> bool:
    """Whether somebody's list has this rendition: they are in it, or were asked about it."""
    if row is None:
        return False
    return row.id in asked or actor.person in renditions.persons_shown(session, RenditionId(row.id))


def _filmed_on(session: Session, row: RenditionRow) -> date:
    footage = session.get_one(FootageRow, row.footage_id)
    return identity.visit(session, VisitId(footage.visit_id)).visited_on


def _disclosed(row: ViewingRow, by_law: list[Disclosure]) -> list[Disclosure]:
    return [
        one
        for one in by_law
        if (one.rendition_id, one.recipient) == (row.rendition_id, row.viewer)
        and one.starts_at <= row.begun_at <= one.ends_at
    ]


def _role(people: identity.Roster, row: ViewingRow) -> Role | None:
    """The place in the case that the viewer had when it began."""
    return next(
        (one.role for one in people.assignments if one.person == row.viewer and one.span.covers(row.begun_at)), None
    )
