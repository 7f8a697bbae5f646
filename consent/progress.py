"""How far asking has come, for the guider and the manager: who said what, what is missing, when it may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from consent.audiences import FAMILY_PURPOSES
from consent.collect import facts_of, now
from consent.facts import Facts, Rendition
from consent.says import dissents_anywhere, family_objection, notice_ends, objection, state_of
from consent.terms import GrantState, Purpose, Refusal, Scope
from core.ids import PersonId
from identity import Actor, PersonKind, Role, require_in_case


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One person's answer, for themself or for a child.

    Attributes:
        notice_ends_at: from when their silence counts as having been asked in time (a child's other holder).
    """

    grantor: PersonId
    on_behalf_of: PersonId
    state: GrantState
    asked_at: datetime | None
    answered_at: datetime | None
    notice_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class AudienceState:
    """How far asking for one audience has come.

    Attributes:
        missing: what stands in the way of showing it, person by person; empty means everyone who has a say agrees.
        may_show_from: when it may be shown if nobody answers any more; nothing where it needs another answer.
        dissenting: children whose dissent stands. For staff only; no parent's page shows it.
    """

    scope: Scope
    lines: tuple[AnswerLine, ...]
    missing: tuple[Refusal, ...]
    may_show_from: datetime | None
    dissenting: frozenset[PersonId]


def state_for_staff(session: Session, *, actor: Actor, rendition: Rendition) -> list[AudienceState]:
    """Every audience that was asked about for this rendition.

    Raises:
        NotFound: a foreign case.
        Refused: neither the case's guider nor a manager.
    """
    at = now(session)
    require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=rendition.case_id, at=at)
    facts = facts_of(session, rendition)
    scopes = {one.scope for one in facts.asks if one.scope.purpose is not Purpose.FILMING}
    return [_audience(facts, scope, at) for scope in sorted(scopes, key=repr)]


def _audience(facts: Facts, scope: Scope, at: datetime) -> AudienceState:
    pairs = {(one.grantor, one.on_behalf_of) for one in facts.asks if one.scope == scope}
    pairs |= {
        (one.grantor, one.on_behalf_of)
        for one in facts.events
        if one.scope == scope and one.grantor != one.on_behalf_of
    }
    lines = tuple(_line(facts, scope, grantor, person, at) for grantor, person in sorted(pairs))
    ends = sorted({at} | {line.notice_ends_at for line in lines if line.notice_ends_at and line.notice_ends_at > at})
    return AudienceState(
        scope=scope,
        lines=lines,
        missing=_missing(facts, scope, at),
        may_show_from=next((moment for moment in ends if not _missing(facts, scope, moment)), None),
        dissenting=frozenset(
            child for child in facts.rendition.persons_shown if scope in dissents_anywhere(facts, child, at=at)
        ),
    )


def _missing(facts: Facts, scope: Scope, at: datetime) -> tuple[Refusal, ...]:
    asks = family_objection if scope.purpose is Purpose.FAMILY_REVIEW else objection
    viewer = scope.audience.person if scope.purpose in FAMILY_PURPOSES else None
    found = (
        asks(facts, person, scope=scope, at=at) for person in sorted(facts.rendition.persons_shown) if person != viewer
    )
    return tuple(no for no in found if no is not None)


def _line(facts: Facts, scope: Scope, grantor: PersonId, person: PersonId, at: datetime) -> AnswerLine:
    asked = [
        one.asked_at for one in facts.asks if (one.grantor, one.on_behalf_of, one.scope) == (grantor, person, scope)
    ]
    said = [one for one in facts.events if (one.grantor, one.on_behalf_of, one.scope) == (grantor, person, scope)]
    known = facts.roster.persons.get(grantor)
    told = known is not None and known.kind is PersonKind.STAFF and grantor == person
    return AnswerLine(
        grantor=grantor,
        on_behalf_of=person,
        state=GrantState.TOLD if told else state_of(facts, grantor, person, scope=scope, at=at),
        asked_at=max(asked, default=None),
        answered_at=max((one.at for one in said), default=None),
        notice_ends_at=notice_ends(facts, grantor, person, scope) if grantor != person else None,
    )
