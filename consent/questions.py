"""What a person sees of consent: their own questions and answers, and what was shown by law. Never anyone else's.

A page made from this tells one parent nothing about another: no name, decision, time or place. Whether a clip can be
seen just now is not said here either: "You said yes. Other checks may still apply."
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent.models import AskRow, EventRow, OverrideRow, OverrideShownRow
from consent.notices import Notice, current_notice
from consent.recording import own_version
from consent.rows import scope_of
from consent.terms import Audience, Decision, Format, GrantState, How, LawfulBasis, Purpose, Scope
from consent.words import ENGLISH
from core.db import Database
from core.ids import AskId, CaseId, ConsentEventId, OverrideId, PersonId, RenditionId
from identity import Actor, Effect, PersonKind, Restriction, member_cases, require_signed_in, roster


@dataclass(frozen=True, slots=True)
class Question:
    """One question that was put to this person, and their own answer.

    Attributes:
        id: to answer it with.
        rendition_id: the clip; nothing for filming.
        on_behalf_of: the person themself, or the child they answer for.
        state: of their own answer.
        page_version: to be sent back with a yes; it counts this person's own answers and so tells nothing of others'.
        notice: the words to show.
    """

    id: AskId
    case_id: CaseId
    rendition_id: RenditionId | None
    purpose: Purpose
    audience: Audience
    on_behalf_of: PersonId
    asked_at: datetime
    state: GrantState
    answered_at: datetime | None
    expires_at: datetime | None
    page_version: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One answer of this person."""

    id: ConsentEventId
    case_id: CaseId
    rendition_id: RenditionId | None
    purpose: Purpose
    audience: Audience
    on_behalf_of: PersonId
    decision: Decision
    at: datetime
    expires_at: datetime | None
    how: How
    state: GrantState


@dataclass(frozen=True, slots=True)
class ShownByLaw:
    """A clip with this person, or a child they speak for, was shown without consent, and they may be told."""

    id: OverrideId
    case_id: CaseId
    rendition_id: RenditionId
    recipient: PersonId
    basis: LawfulBasis
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Disclosure:
    """When someone could watch a clip by law, whether or not the family may be told.

    Attributes:
        told_from: from when the family may be told; nothing where that isn't decided yet.
    """

    rendition_id: RenditionId
    recipient: PersonId
    starts_at: datetime
    ends_at: datetime
    told_from: datetime | None


def questions_for(
    db: Database, *, actor: Actor, language: str = ENGLISH, form: Format = Format.STANDARD
) -> list[Question]:
    """What this person was asked, the open questions first, then the latest.

    Raises:
        NotSignedIn: not with two factors.
        Invalid: ``language_missing``.
    """
    require_signed_in(actor)
    at = db.clock.now()
    with db.read() as session:
        asks = session.scalars(select(AskRow).where(AskRow.grantor == actor.person).order_by(AskRow.version)).all()
        newest = {(ask.case_id, ask.on_behalf_of, scope_of(ask)): ask for ask in asks}
        known = {
            case_id: own_version(session, actor.person, case_id=CaseId(case_id))
            for case_id in {ask.case_id for ask in newest.values()}
        }
        said = _latest_answers(session, actor.person)
        notices: dict[Purpose, Notice] = {}
        found = []
        for (case_id, on_behalf_of, scope), ask in newest.items():
            if _is_staff_notice(actor, ask):
                continue
            if scope.purpose not in notices:
                notices[scope.purpose] = current_notice(session, scope.purpose, language=language, form=form)
            answer = said.get((case_id, on_behalf_of, scope))
            if answer is not None and answer.version < ask.version:
                answer = None  # asked anew since
            found.append(
                Question(
                    id=AskId(ask.id),
                    case_id=CaseId(case_id),
                    rendition_id=None if ask.rendition_id is None else RenditionId(ask.rendition_id),
                    purpose=scope.purpose,
                    audience=scope.audience,
                    on_behalf_of=PersonId(on_behalf_of),
                    asked_at=ask.asked_at,
                    state=GrantState.REQUESTED if answer is None else _state(answer, at=at),
                    answered_at=None if answer is None else answer.at,
                    expires_at=None if answer is None else answer.expires_at,
                    page_version=known[case_id],
                    notice=notices[scope.purpose],
                )
            )
    found.sort(key=lambda one: one.asked_at, reverse=True)
    return sorted(found, key=lambda one: one.state is not GrantState.REQUESTED)


def history(db: Database, *, actor: Actor) -> list[HistoryLine]:
    """Every answer that this person gave (or that was entered in their name), the latest first.

    Raises:
        NotSignedIn: not with two factors.
    """
    require_signed_in(actor)
    at = db.clock.now()
    with db.read() as session:
        latest = {row.id for row in _latest_answers(session, actor.person).values()}
        return [
            HistoryLine(
                id=ConsentEventId(row.id),
                case_id=CaseId(row.case_id),
                rendition_id=None if row.rendition_id is None else RenditionId(row.rendition_id),
                purpose=row.purpose,
                audience=scope_of(row).audience,
                on_behalf_of=PersonId(row.on_behalf_of),
                decision=row.decision,
                at=row.at,
                expires_at=row.expires_at,
                how=row.how,
                state=_state(row, at=at) if row.id in latest else GrantState.SUPERSEDED,
            )
            for row in sorted(_own_answers(session, actor.person), key=lambda one: (one.at, one.version), reverse=True)
        ]


def shown_by_law(db: Database, *, actor: Actor) -> list[ShownByLaw]:
    """What was shown by law of this person, or of a child they speak for, once the family may be told.

    Raises:
        NotSignedIn: not with two factors.
    """
    require_signed_in(actor)
    at = db.clock.now()
    with db.read() as session:
        found: list[ShownByLaw] = []
        for case_id in member_cases(session, actor.person):
            mine = speaks_for(session, actor.person, case_id=case_id, at=at)
            rows = session.scalars(
                select(OverrideRow)
                .join(OverrideShownRow, OverrideShownRow.override_id == OverrideRow.id)
                .where(
                    OverrideRow.case_id == case_id,
                    OverrideRow.approver.is_not(None),
                    OverrideRow.tell_family_on <= at,
                    OverrideRow.starts_at <= at,
                    OverrideShownRow.person_id.in_(mine),
                )
                .distinct()
            )
            found += [
                ShownByLaw(
                    id=OverrideId(row.id),
                    case_id=case_id,
                    rendition_id=RenditionId(row.rendition_id),
                    recipient=PersonId(row.recipient),
                    basis=row.basis,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                )
                for row in rows
            ]
    return sorted(found, key=lambda one: one.starts_at, reverse=True)


def disclosures(session: Session, renditions: Iterable[RenditionId]) -> list[Disclosure]:
    """Lawful disclosures of some renditions. A family's page names only those that they may be told of by now."""
    rows = session.scalars(
        select(OverrideRow).where(OverrideRow.rendition_id.in_(list(renditions)), OverrideRow.approver.is_not(None))
    )
    return [
        Disclosure(
            rendition_id=RenditionId(row.rendition_id),
            recipient=PersonId(row.recipient),
            starts_at=row.starts_at,
            ends_at=min(row.ends_at, row.ended_at or row.ends_at),
            told_from=row.tell_family_on,
        )
        for row in rows
    ]


def asked_about(session: Session, person: PersonId, *, at: datetime) -> frozenset[RenditionId]:
    """The renditions that someone was asked about, for themself or for a child they still speak for."""
    rows = session.scalars(select(AskRow).where(AskRow.grantor == person, AskRow.rendition_id.is_not(None))).all()
    mine = {case: speaks_for(session, person, case_id=CaseId(case), at=at) for case in {row.case_id for row in rows}}
    return frozenset(RenditionId(row.rendition_id or "") for row in rows if row.on_behalf_of in mine[row.case_id])


def speaks_for(session: Session, person: PersonId, *, case_id: CaseId, at: datetime) -> set[str]:
    """Whom a person may learn about in a case: themself, and the children they hold responsibility and a say for."""
    people = roster(session, case_id)

    def silenced(one: Restriction) -> bool:
        return one.person == person and Effect.NO_SAY in one.effects and one.span.covers(at)

    if any(silenced(one) for one in people.restrictions):
        return {person}
    return {person} | {tie.child for tie in people.relationships if tie.holder == person and tie.span.covers(at)}


def _own_answers(session: Session, person: PersonId) -> Iterable[EventRow]:
    """What someone said. What others saw a child show isn't among it, so that no page shows that either."""
    return session.scalars(
        select(EventRow)
        .where(EventRow.grantor == person, EventRow.how != How.OBSERVED)
        .order_by(EventRow.case_id, EventRow.version)
    )


def _latest_answers(session: Session, person: PersonId) -> dict[tuple[str, str, Scope], EventRow]:
    return {(row.case_id, row.on_behalf_of, scope_of(row)): row for row in _own_answers(session, person)}


def _state(row: EventRow, *, at: datetime) -> GrantState:
    if row.decision is Decision.GRANT and row.expires_at is not None and row.expires_at <= at:
        return GrantState.EXPIRED
    return {
        Decision.GRANT: GrantState.GRANTED,
        Decision.REFUSE: GrantState.REFUSED,
        Decision.WITHDRAW: GrantState.WITHDRAWN,
    }[row.decision]


def _is_staff_notice(actor: Actor, ask: AskRow) -> bool:
    return actor.kind is PersonKind.STAFF and ask.on_behalf_of == ask.grantor
