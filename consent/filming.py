"""Filming agreements: a yes per person, before or at the visit, on paper or on the guider's tablet.

A child who doesn't speak for themself needs a holder's yes, and their own assent (or dissent) noted beside it. Without
all of these a deposit stays sealed and can't be played, also for the guider.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from consent.asking import write_ask
from consent.collect import facts_of, now
from consent.facts import Facts, no_film
from consent.models import AskRow
from consent.notices import current_notice
from consent.recording import Answer, write_answer
from consent.says import filming_objection
from consent.terms import (
    NO_FILM_YET,
    Audience,
    Decision,
    Format,
    How,
    Purpose,
    Reason,
    Refusal,
    Scope,
)
from consent.who import holders, is_child
from consent.words import ENGLISH
from core.db import Database
from core.errors import Invalid
from core.ids import CaseId, ConsentEventId, NoticeId, PersonId
from identity import Actor, Role, require_in_case, require_member, require_open
from keys import KeyStore

_ALLOWED = frozenset({How.PAPER, How.WITNESSED_TABLET, How.OBSERVED, How.TOLD_TO_STAFF})


@dataclass(frozen=True, slots=True)
class FilmingAnswer:
    """What someone said about being filmed.

    Attributes:
        person: who would be filmed.
        said_by: that person, or who holds parental responsibility for them.
        decision: yes or no.
        how: ``PAPER`` or ``WITNESSED_TABLET``; ``OBSERVED`` for a child's own assent or dissent; ``TOLD_TO_STAFF`` for
            a no that was only told.
        scan_reference: where the signed paper is kept; for paper, and only then.
    """

    person: PersonId
    said_by: PersonId
    decision: Decision
    how: How
    scan_reference: str | None = field(default=None, repr=False)


def record_filming(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    answers: Sequence[FilmingAnswer],
    notice: NoticeId | None = None,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
) -> tuple[ConsentEventId, ...]:
    """Record what people said about being filmed by this guider; each can be changed later, by the same call.

    Args:
        db: the main database.
        keystore: to seal where papers are kept.
        actor: the case's guider, who films.
        case_id: the case.
        answers: at least one.
        notice: the words that were shown; today's standard ones where nothing is said.
        language: of the words.
        form: in which form they were given.

    Raises:
        NotFound: a foreign case or person.
        Refused: not the case's guider.
        Invalid: ``no_answer``, ``how_unfit``, ``not_theirs_to_say``, ``reference_form``.
        Conflict: ``case_closed``.
    """
    at = db.clock.now()
    if not answers:
        raise Invalid("no_answer", "Say who agreed to be filmed.", field="answers")
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, case_id=case_id, at=at)
        require_open(session, case_id)
        facts = facts_of(session, no_film(case_id))
        words = notice or current_notice(session, Purpose.FILMING, language=language, form=form).id
        written = []
        for answer in answers:
            _check(session, facts, answer, case_id=case_id, at=at)
            scope = Scope(NO_FILM_YET, Purpose.FILMING, Audience(person=actor.person))
            _ensure_question(session, actor, facts, answer, scope=scope, at=at)
            event = Answer(
                case_id=case_id,
                rendition_id=None,
                scope=scope,
                grantor=answer.said_by,
                on_behalf_of=answer.person,
                decision=answer.decision,
                how=answer.how,
                recorded_by=actor.person,
                assurance=answer.how.value,
                notice=words,
                language=language,
                form=form,
                witness=actor.person if answer.how is How.WITNESSED_TABLET else None,
                scan_reference=answer.scan_reference,
            )
            written.append(write_answer(session, event, at=at, keystore=keystore))
        return tuple(written)


def filming_state(
    session: Session, *, case_id: CaseId, people: Iterable[PersonId], guider: PersonId
) -> dict[PersonId, Refusal]:
    """Who of these people hasn't (or no longer) agreed to be filmed by this guider, and why; empty means all have.

    An empty list of people is no agreement: ask with those who were at the visit.

    Raises:
        NotFound: no such case.
    """
    facts, at = facts_of(session, no_film(case_id)), now(session)
    missing = {
        person: no
        for person in sorted(set(people))
        if (no := filming_objection(facts, person, guider=guider, at=at)) is not None
    }
    return missing if people else {guider: Refusal(Reason.NOBODY_LISTED)}


def _check(session: Session, facts: Facts, answer: FilmingAnswer, *, case_id: CaseId, at: datetime) -> None:
    require_member(session, answer.person, case_id=case_id)
    is_paper = answer.how is How.PAPER
    told_yes = answer.how is How.TOLD_TO_STAFF and answer.decision is Decision.GRANT
    if answer.how not in _ALLOWED or is_paper != (answer.scan_reference is not None) or told_yes:
        raise Invalid("how_unfit", "Say how they agreed: on paper, or on your tablet beside you.", field="how")
    is_own = answer.said_by == answer.person
    if answer.how is How.OBSERVED and not (is_own and is_child(facts, answer.person, at=at)):
        raise Invalid("how_unfit", "What you saw somebody show counts for a child only.", field="how")
    if not is_own and answer.said_by not in holders(facts, answer.person, at=at):
        raise Invalid("not_theirs_to_say", "This person can't agree for them.", field="said_by")


def _ensure_question(
    session: Session, actor: Actor, facts: Facts, answer: FilmingAnswer, *, scope: Scope, at: datetime
) -> None:
    """Put the question on the person's own page, so that they can stop it there."""
    is_there = (
        session.query(AskRow.id)
        .filter_by(
            case_id=facts.roster.case_id,
            purpose=Purpose.FILMING,
            audience_person=actor.person,
            grantor=answer.said_by,
            on_behalf_of=answer.person,
        )
        .first()
    )
    if is_there is None and answer.how is not How.OBSERVED:
        write_ask(session, actor, facts=facts, scope=scope, grantor=answer.said_by, person=answer.person, at=at)
