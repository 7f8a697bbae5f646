"""What a person shown says: the latest answers, which of them still stand, and what stands in the way (PURE).

``objection`` is the specification's ``say(person)``, turned round: nothing means yes, a ``Refusal`` says why not.
Answers are ordered by the case's consent version, never by wall time. A grant that expired or lapsed is as if never
given, so an earlier refusal beneath it counts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from consent.facts import ConsentEvent, Facts
from consent.lapses import has_lapsed, was_theirs_to_give
from consent.terms import NO_FILM_YET, Audience, Decision, GrantState, How, PrMode, Purpose, Reason, Refusal, Scope
from consent.who import (
    Voice,
    authority_holders,
    holders,
    is_child,
    restricted,
    voice,
)
from core.ids import PersonId
from identity.facts import Effect


def objection(facts: Facts, person: PersonId, *, scope: Scope, at: datetime) -> Refusal | None:
    """What stands in the way of showing this person in this scope; nothing where they say yes."""
    match voice(facts, person, purpose=scope.purpose, at=at):
        case Voice.OWN:
            return _own(facts, person, scope, at)
        case Voice.PARENTS:
            return _dissent(facts, person, scope, at) or _parents(facts, person, scope, at)
        case Voice.UNSETTLED:
            return _own(facts, person, scope, at) or _parents(facts, person, scope, at)
        case Voice.BEST_INTERESTS:
            return _dissent(facts, person, scope, at) or _no_of_their_own(facts, person, scope)
        case Voice.LACKING:
            return Refusal(Reason.NO_CAPACITY, person)
        case Voice.TOLD:
            return None if _asked_since(facts, person, person, scope) else Refusal(Reason.NOT_ASKED, person)
        case Voice.UNKNOWN:
            return Refusal(Reason.UNKNOWN_PERSON, person)


def family_objection(facts: Facts, person: PersonId, *, scope: Scope, at: datetime) -> Refusal | None:
    """What stands in the way of a family member watching someone else on their own device.

    Adults and young people who speak for themselves must have said yes to that named viewer; for a child who
    doesn't, nobody needs to be asked, but the child's own dissent is a no.
    """
    match voice(facts, person, purpose=scope.purpose, at=at):
        case Voice.PARENTS:
            return _dissent(facts, person, scope, at)
        case Voice.UNSETTLED:
            return _own(facts, person, scope, at)
        case _:
            return objection(facts, person, scope=scope, at=at)


def own_no(facts: Facts, person: PersonId, *, scope: Scope, at: datetime) -> Refusal | None:
    """The no that someone gave for themself, if that is their latest answer."""
    return _dissent(facts, person, scope, at) or _no_of_their_own(facts, person, scope)


def filming_objection(facts: Facts, person: PersonId, *, guider: PersonId, at: datetime) -> Refusal | None:
    """What stands in the way of playing what this guider filmed of a person.

    A yes per person: their own, or a holder's for a child who doesn't speak for themself, with the child's assent
    noted. Filming waits for no notice, but any holder's no is a no.
    """
    scope = Scope(NO_FILM_YET, Purpose.FILMING, Audience(person=guider))
    match voice(facts, person, purpose=Purpose.FILMING, at=at):
        case Voice.TOLD:
            return None
        case Voice.PARENTS:
            noted = any(event.grantor == person for event in _about(facts, person, scope))
            return (
                _dissent(facts, person, scope, at)
                or _parents_answers(facts, person, scope, at)
                or (None if noted else Refusal(Reason.NO_FILMING_AGREEMENT, person))
            )
        case Voice.UNSETTLED:
            return _own(facts, person, scope, at) or _parents_answers(facts, person, scope, at)
        case _:
            return objection(facts, person, scope=scope, at=at)


def state_of(facts: Facts, grantor: PersonId, person: PersonId, *, scope: Scope, at: datetime) -> GrantState:
    """Where someone's answer about a person and a scope is; ``REQUESTED`` where none was given."""
    answers = [one for one in _by(facts, grantor, person, scope) if one.how is not How.OBSERVED]
    no = _latest(facts, grantor, person, scope, at, answers)
    return GrantState.GRANTED if no is None else _STATES.get(no.reason, GrantState.REQUESTED)


def dissents_anywhere(facts: Facts, child: PersonId, *, at: datetime) -> frozenset[Scope]:
    """The scopes of this rendition in which a child's dissent stands."""
    scopes = {one.scope for one in facts.events if one.on_behalf_of == child}
    return frozenset(
        scope
        for scope in scopes
        if scope.rendition_hash == facts.rendition.content_hash and _dissent(facts, child, scope, at) is not None
    )


_STATES = {
    Reason.REFUSED: GrantState.REFUSED,
    Reason.WITHDRAWN: GrantState.WITHDRAWN,
    Reason.EXPIRED: GrantState.EXPIRED,
    Reason.LAPSED: GrantState.LAPSED,
}


def in_order(events: Iterable[ConsentEvent]) -> list[ConsentEvent]:
    """Answers from oldest to latest; where two claim the same version, the one that opens least counts as later."""
    return sorted(
        events,
        key=lambda one: (
            one.version,
            one.decision is not Decision.GRANT,
            -one.expires_at.timestamp() if one.expires_at else float("-inf"),
            one.id,
        ),
    )


def _about(facts: Facts, person: PersonId, scope: Scope) -> list[ConsentEvent]:
    return [
        event
        for event in facts.events
        if event.on_behalf_of == person and event.scope == scope and event.case_id == facts.rendition.case_id
    ]


def _by(facts: Facts, grantor: PersonId, person: PersonId, scope: Scope) -> list[ConsentEvent]:
    return in_order(event for event in _about(facts, person, scope) if event.grantor == grantor)


def _own(facts: Facts, person: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    if restricted(facts, person, Effect.NO_SAY, at=at):
        return Refusal(Reason.RESTRICTED, person)
    answers = _by(facts, person, person, scope)
    if is_child(facts, person, at=at):
        if (no := _dissent(facts, person, scope, at)) is not None:
            return no
        answers = [one for one in answers if one.how is not How.OBSERVED]
    return _latest(facts, person, person, scope, at, answers)


def _parents(facts: Facts, child: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    if (no := _parents_answers(facts, child, scope, at)) is not None:
        return no
    return Refusal.weightiest(_notice(facts, holder, child, scope, at) for holder in holders(facts, child, at=at))


def _parents_answers(facts: Facts, child: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    """No holder's latest answer is a no, the authority's manager has decided, and at least one says yes."""
    said = {holder: _holders_word(facts, holder, child, scope, at) for holder in holders(facts, child, at=at)}
    if not said:
        return Refusal(Reason.NO_HOLDER, child)
    decided = Refusal.weightiest(said[manager] for manager in authority_holders(facts, child, at=at))
    noes = [no for no in said.values() if no is not None and no.reason in {Reason.REFUSED, Reason.WITHDRAWN}]
    if noes or decided is not None:
        return Refusal.weightiest([*noes, decided])
    return None if None in said.values() else Refusal.weightiest(said.values())


def _notice(facts: Facts, holder: PersonId, child: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    """What stands in the way where a holder hasn't said yes: they weren't asked, or not yet for long enough."""
    if _holders_word(facts, holder, child, scope, at) is None:
        return None
    if facts.policy.pr_mode is PrMode.ALL:
        return Refusal(Reason.NOT_ANSWERED, holder)
    ends = notice_ends(facts, holder, child, scope)
    if ends is None:
        return Refusal(Reason.NOT_ASKED, holder)
    return Refusal(Reason.NOTICE_RUNNING, holder) if at < ends else None


def _holders_word(facts: Facts, holder: PersonId, child: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    return _latest(facts, holder, child, scope, at, _by(facts, holder, child, scope))


def notice_ends(facts: Facts, holder: PersonId, child: PersonId, scope: Scope) -> datetime | None:
    """From when a holder's silence counts as having been asked in time; nothing where nobody asked."""
    ends = [asked + facts.policy.pr_notice for asked in _asked_since(facts, holder, child, scope)]
    ends += [
        one.notice_ends_at
        for one in facts.waivers
        if one.grantor == holder and one.on_behalf_of == child and one.scope == scope
    ]
    return min(ends, default=None)


def _asked_since(facts: Facts, grantor: PersonId, person: PersonId, scope: Scope) -> list[datetime]:
    return [
        one.asked_at
        for one in facts.asks
        if one.grantor == grantor and one.on_behalf_of == person and one.scope == scope
    ]


def _latest(
    facts: Facts, grantor: PersonId, person: PersonId, scope: Scope, at: datetime, answers: list[ConsentEvent]
) -> Refusal | None:
    fallen: Refusal | None = None
    for event in reversed(answers):
        if event.decision is Decision.REFUSE:
            return Refusal(Reason.REFUSED, grantor)
        if event.decision is Decision.WITHDRAW:
            return Refusal(Reason.WITHDRAWN, grantor)
        if not was_theirs_to_give(facts, event):
            continue
        if event.expires_at is not None and event.expires_at <= at:
            fallen = fallen or Refusal(Reason.EXPIRED, grantor)
        elif has_lapsed(facts, event, at):
            fallen = fallen or Refusal(Reason.LAPSED, grantor)
        else:
            # An older yes doesn't come back when a later, shorter one has ended: expiry is never a maximum.
            return fallen
    if fallen is not None:
        return fallen
    asked = _asked_since(facts, grantor, person, scope)
    return Refusal(Reason.NOT_ANSWERED if asked else Reason.NOT_ASKED, grantor)


def _no_of_their_own(facts: Facts, person: PersonId, scope: Scope) -> Refusal | None:
    answers = _by(facts, person, person, scope)
    if not answers or answers[-1].decision is Decision.GRANT:
        return None
    reason = Reason.REFUSED if answers[-1].decision is Decision.REFUSE else Reason.WITHDRAWN
    return Refusal(reason, person)


def _dissent(facts: Facts, person: PersonId, scope: Scope, at: datetime) -> Refusal | None:
    """A child's own no, which only the child's own later sign, noted by a second person, lifts."""
    if not is_child(facts, person, at=at):
        return None
    speaks = voice(facts, person, purpose=scope.purpose, at=at) in {Voice.OWN, Voice.UNSETTLED}
    dissents = False
    for event in _by(facts, person, person, scope):
        if event.decision is not Decision.GRANT:
            # Someone who speaks for themself takes back what they said themself; a sign seen by others stays.
            dissents = dissents or event.how is How.OBSERVED or not speaks
        elif event.how is How.OBSERVED and event.witness not in {None, event.recorded_by, event.grantor}:
            dissents = False
    return Refusal(Reason.DISSENT, person) if dissents else None
