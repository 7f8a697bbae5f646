"""A child's own no, with or without words, and the later sign that lifts it. Parents' pages never show either.

Dissent is noted by anybody who works on the case and counts at once, in every question about that clip, in the shared
review too, and in every question that is asked later. Only the child's own later sign lifts it, and only when two
people have noted that sign, neither for the other.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent.collect import facts_of
from consent.facts import Facts, Rendition
from consent.models import EventRow, SignRow
from consent.recording import Answer, write_answer
from consent.says import dissents_anywhere
from consent.terms import Audience, Decision, How, Purpose, Scope
from consent.who import is_child
from core.db import Database
from core.errors import Conflict, Invalid
from core.ids import CaseId, ConsentEventId, PersonId, new_id
from identity import Actor, Role, lock_case, raise_version, require_member, roles_in


class Lifting(StrEnum):
    """What noting a sign did."""

    NOTED = "noted"
    """The first person has noted it; a second one must."""
    LIFTED = "lifted"


def record_dissent(db: Database, *, actor: Actor, rendition: Rendition, child: PersonId) -> tuple[ConsentEventId, ...]:
    """Record that a child showed it doesn't want this clip used.

    Raises:
        NotFound: a foreign case or person.
        Invalid: ``not_a_child``.
    """
    at = db.clock.now()
    with db.begin() as session:
        facts = _begin(session, actor, rendition, child, at=at)
        asked = {one.scope for one in facts.asks if one.scope.rendition_hash == rendition.content_hash}
        return tuple(
            _note(session, actor, rendition, child, scope, Decision.REFUSE, at=at)
            for scope in sorted(asked | set(_reviews(facts, at=at)), key=repr)
        )


def lift_dissent(db: Database, *, actor: Actor, rendition: Rendition, child: PersonId) -> Lifting:
    """Note a child's own later sign that it may be used after all; the second person to note it lifts the dissent.

    Dissent to being filmed is lifted in the same way: give ``no_film(case_id)`` as the rendition.

    Raises:
        NotFound: a foreign case or person.
        Invalid: ``not_a_child``.
        Conflict: ``no_dissent``; ``second_person_needed``: the same person has noted it already.
    """
    at = db.clock.now()
    with db.begin() as session:
        facts = _begin(session, actor, rendition, child, at=at)
        standing = dissents_anywhere(facts, child, at=at)
        if not standing:
            raise Conflict("no_dissent", "No dissent is on record for this clip.")
        first = _first_sign(session, rendition, child)
        if first is None:
            session.add(
                SignRow(
                    id=new_id(),
                    case_id=rendition.case_id,
                    child_id=child,
                    rendition_hash=rendition.content_hash,
                    noted_by=actor.person,
                    version=raise_version(session, rendition.case_id),
                    noted_at=at,
                )
            )
            return Lifting.NOTED
        if first.noted_by == actor.person:
            raise Conflict("second_person_needed", "Someone else must have seen it too, and note it themself.")
        noted_by = PersonId(first.noted_by)
        for scope in sorted(standing, key=repr):
            _note(session, actor, rendition, child, scope, Decision.GRANT, at=at, noted_by=noted_by)
        return Lifting.LIFTED


def _begin(session: Session, actor: Actor, rendition: Rendition, child: PersonId, *, at: datetime) -> Facts:
    case_id = rendition.case_id
    roles_in(session, actor, case_id=case_id, at=at)
    lock_case(session, case_id)
    require_member(session, child, case_id=case_id)
    facts = facts_of(session, rendition)
    if not is_child(facts, child, at=at):
        raise Invalid("not_a_child", "Someone of 18 or over says no for themself.", field="child")
    return facts


def _reviews(facts: Facts, *, at: datetime) -> list[Scope]:
    """The shared review with the present guider: there is no question about it, so dissent finds it here."""
    return [
        Scope(facts.rendition.content_hash, Purpose.REVIEW_TOGETHER, Audience(person=place.person))
        for place in facts.roster.assignments
        if place.role is Role.GUIDER and place.span.covers(at)
    ]


def _first_sign(session: Session, rendition: Rendition, child: PersonId) -> SignRow | None:
    """The latest sign that was noted after the child's last dissent, if it waits for its second person."""
    about = (EventRow.case_id == rendition.case_id, EventRow.rendition_hash == rendition.content_hash)
    latest = session.scalars(
        select(EventRow.version)
        .where(*about, EventRow.grantor == child, EventRow.how == How.OBSERVED)
        .order_by(EventRow.version.desc())
    ).first()
    return session.scalars(
        select(SignRow)
        .where(
            SignRow.case_id == rendition.case_id,
            SignRow.child_id == child,
            SignRow.rendition_hash == rendition.content_hash,
            SignRow.version > (latest or 0),
        )
        .order_by(SignRow.version.desc())
    ).first()


def _note(
    session: Session,
    actor: Actor,
    rendition: Rendition,
    child: PersonId,
    scope: Scope,
    decision: Decision,
    *,
    at: datetime,
    noted_by: PersonId | None = None,
) -> ConsentEventId:
    answer = Answer(
        case_id=CaseId(rendition.case_id),
        rendition_id=rendition.id or None,
        scope=scope,
        grantor=child,
        on_behalf_of=child,
        decision=decision,
        how=How.OBSERVED,
        recorded_by=noted_by or actor.person,
        assurance="observed",
        witness=None if noted_by is None else actor.person,
    )
    return write_answer(session, answer, at=at)
