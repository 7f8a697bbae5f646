"""Asking: who has to be asked about a clip for one audience, and asking those who can be asked now.

Rules:

1. One question is about one rendition, one purpose, one audience and one person; it is never bundled.
2. The people in the film are asked first. A holder of parental responsibility who isn't in it is asked only after every
   adult shown has answered and the guider has recorded that asking is safe.
3. Whoever must not be contacted is never asked; a manager can waive their notice instead.
4. Nobody is asked again who has answered, unless what they answered has expired or lapsed.
5. A child's standing dissent to this clip goes with it into every new question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from consent.audiences import FAMILY_PURPOSES, check_audience, check_question
from consent.collect import facts_of
from consent.facts import Facts, Rendition
from consent.models import AskRow, SafeToAskRow
from consent.notices import current_notice
from consent.recording import Answer, write_answer
from consent.rows import columns
from consent.says import dissents_anywhere, state_of
from consent.terms import Audience, Decision, GrantState, How, Purpose, Scope
from consent.who import Voice, authority_holders, holders, is_child, restricted, voice
from core import outbox
from core.db import Database
from core.errors import Conflict
from core.ids import AskId, PersonId, new_id
from identity import Actor, Effect, PersonKind, Role, lock_case, raise_version, require_in_case, require_member

QUESTION_MESSAGE = "message.question"
"""Outbox kind: somebody has a question to answer; its payload is ids only, and the message names nobody."""


class Waiting(StrEnum):
    """Why someone who has a say isn't asked yet."""

    NOT_IN_FILM_YET = "adults_shown_answer_first"
    SAFE_TO_ASK = "safe_to_ask_missing"
    NOT_CONTACTED = "must_not_be_contacted"
    NO_SAY = "has_no_say"
    UNKNOWN = "unknown_person"


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking did.

    Attributes:
        questions: the new questions.
        waiting: who has a say and isn't asked yet, for which person shown, and why.
    """

    questions: tuple[AskId, ...]
    waiting: tuple[tuple[PersonId, PersonId, Waiting], ...]


def ask(db: Database, *, actor: Actor, rendition: Rendition, purpose: Purpose, audience: Audience) -> Asked:
    """Ask everyone who has a say about showing a clip to one audience, as far as they may be asked now.

    Ask again (the same call) once the adults shown have answered, or when something has lapsed.

    Raises:
        NotFound: a foreign case, or an audience that isn't there.
        Refused: not the case's guider.
        Invalid: ``not_asked_about``, ``not_a_clip``, ``nobody_listed``, ``audience_unfit``.
        Conflict: ``case_closed``, ``clip_not_live``.
    """
    at = db.clock.now()
    check_question(rendition, purpose, audience)
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, case_id=rendition.case_id, at=at)
        case = lock_case(session, rendition.case_id)
        if case.closed_at is not None and purpose not in FAMILY_PURPOSES:
            raise Conflict("case_closed", "This case is closed.")
        current_notice(session, purpose)
        facts = facts_of(session, rendition)
        scope = Scope(rendition.content_hash, purpose, audience)
        check_audience(facts, scope, at=at)
        asking = _Asking(session, actor, facts, scope, at)
        questions = asking.ask_all()
        asking.carry_dissent()
    return Asked(tuple(questions), tuple(asking.waiting))


def safe_to_ask(db: Database, *, actor: Actor, rendition: Rendition, person: PersonId) -> None:
    """Record that the guider found it safe to ask a holder who isn't in the film about this clip.

    Raises:
        NotFound: a foreign case or person.
        Refused: not the case's guider.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, case_id=rendition.case_id, at=at)
        lock_case(session, rendition.case_id)
        require_member(session, person, case_id=rendition.case_id)
        row = SafeToAskRow(
            id=new_id(),
            case_id=rendition.case_id,
            person_id=person,
            rendition_hash=rendition.content_hash,
            recorded_by=actor.person,
            recorded_at=at,
        )
        session.add(row)
        audit.record(
            session,
            audit.Event.SAFE_TO_ASK_RECORDED,
            actor=actor.person,
            case_id=rendition.case_id,
            object_id=rendition.id,
            details={"person": person},
        )


def write_ask(
    session: Session, actor: Actor, *, facts: Facts, scope: Scope, grantor: PersonId, person: PersonId, at: datetime
) -> AskId:
    """Write one question and its entry; raises the case's version, since the decision reads who was asked when."""
    rendition = facts.rendition
    version = raise_version(session, rendition.case_id)
    is_about_film = scope.purpose is not Purpose.FILMING
    row = AskRow(
        id=new_id(),
        asked_by=actor.person,
        asked_at=at,
        **columns(
            scope,
            case_id=rendition.case_id,
            rendition_id=rendition.id if is_about_film else None,
            grantor=grantor,
            on_behalf_of=person,
            version=version,
        ),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        audit.Event.CONSENT_ASKED,
        actor=actor.person,
        case_id=rendition.case_id,
        object_id=row.id,
        purpose=scope.purpose.value,
        details={
            "rendition": row.rendition_id,
            "grantor": grantor,
            "on_behalf_of": person,
            "audience": scope.audience.person or scope.audience.conference,
            "version": version,
        },
    )
    return AskId(row.id)


class _Asking:
    """One ``ask`` at work: its transaction, and what it knows."""

    def __init__(self, session: Session, actor: Actor, facts: Facts, scope: Scope, at: datetime) -> None:
        self._session = session
        self._actor = actor
        self._facts = facts
        self._scope = scope
        self._at = at
        self.waiting: list[tuple[PersonId, PersonId, Waiting]] = []

    def ask_all(self) -> list[AskId]:
        shown = sorted(self._facts.rendition.persons_shown)
        pairs = [pair for person in shown for pair in self._whom(person)]
        if not shown:
            pairs = [(self._actor.person, self._actor.person)]  # nobody to ask, but the audience has to be named
        questions, told = [], set()
        for grantor, person in pairs:
            if self._has_answered(grantor, person):
                continue
            why = self._why_wait(grantor, person)
            if why is not None:
                self.waiting.append((grantor, person, why))
                continue
            questions.append(
                write_ask(
                    self._session,
                    self._actor,
                    facts=self._facts,
                    scope=self._scope,
                    grantor=grantor,
                    person=person,
                    at=self._at,
                )
            )
            told.add(grantor)
        for grantor in sorted(told):
            self._tell(grantor)
        return questions

    def carry_dissent(self) -> None:
        """Take a child's dissent to this clip along."""
        guider = self._actor.person
        for child in sorted(self._facts.rendition.persons_shown):
            if dissents_anywhere(self._facts, child, at=self._at) - {self._scope}:
                write_answer(
                    self._session,
                    Answer(
                        case_id=self._facts.rendition.case_id,
                        rendition_id=self._facts.rendition.id,
                        scope=self._scope,
                        grantor=child,
                        on_behalf_of=child,
                        decision=Decision.REFUSE,
                        how=How.OBSERVED,
                        recorded_by=guider,
                        assurance="carried_over",
                    ),
                    at=self._at,
                )

    def _whom(self, person: PersonId) -> Iterator[tuple[PersonId, PersonId]]:
        purpose = self._scope.purpose
        viewer = self._scope.audience.person if purpose in FAMILY_PURPOSES else None
        speaks = voice(self._facts, person, purpose=purpose, at=self._at)
        if speaks is Voice.UNKNOWN:
            self.waiting.append((person, person, Waiting.UNKNOWN))
        own = {Voice.OWN, Voice.UNSETTLED, Voice.BEST_INTERESTS, Voice.TOLD}
        if speaks in own and person != viewer:
            yield person, person
        if speaks in {Voice.PARENTS, Voice.UNSETTLED} and purpose is not Purpose.FAMILY_REVIEW:
            for holder in sorted(holders(self._facts, person, at=self._at)):
                yield holder, person

    def _has_answered(self, grantor: PersonId, person: PersonId) -> bool:
        asked = [
            one
            for one in self._facts.asks
            if (one.grantor, one.on_behalf_of, one.scope) == (grantor, person, self._scope)
        ]
        if not asked:
            return False
        known = self._facts.roster.persons.get(grantor)
        if grantor == person and known is not None and known.kind is PersonKind.STAFF:
            return True
        state = state_of(self._facts, grantor, person, scope=self._scope, at=self._at)
        return state not in {GrantState.EXPIRED, GrantState.LAPSED}

    def _why_wait(self, grantor: PersonId, person: PersonId) -> Waiting | None:
        if restricted(self._facts, grantor, Effect.NO_SAY, at=self._at):
            return Waiting.NO_SAY
        if restricted(self._facts, grantor, Effect.NOT_ASKED, at=self._at):
            return Waiting.NOT_CONTACTED
        decides = grantor in authority_holders(self._facts, person, at=self._at)
        if grantor == person or grantor in self._facts.rendition.persons_shown or decides:
            return None
        if not all(self._answered(adult) for adult in self._adults_shown()):
            return Waiting.NOT_IN_FILM_YET
        found = self._session.scalars(
            select(SafeToAskRow.id).where(
                SafeToAskRow.case_id == self._facts.rendition.case_id,
                SafeToAskRow.person_id == grantor,
                SafeToAskRow.rendition_hash == self._scope.rendition_hash,
            )
        ).first()
        return None if found is not None else Waiting.SAFE_TO_ASK

    def _adults_shown(self) -> Iterator[PersonId]:
        for person in self._facts.rendition.persons_shown:
            known = self._facts.roster.persons.get(person)
            is_family = known is not None and known.kind is not PersonKind.STAFF
            if is_family and not is_child(self._facts, person, at=self._at):
                yield person

    def _answered(self, person: PersonId) -> bool:
        return any(
            event.grantor == event.on_behalf_of == person and event.scope == self._scope for event in self._facts.events
        )

    def _tell(self, grantor: PersonId) -> None:
        known = self._facts.roster.persons.get(grantor)
        if known is not None and known.kind is PersonKind.FAMILY:
            case_id = self._facts.rendition.case_id
            outbox.post(
                self._session, QUESTION_MESSAGE, at=self._at, payload={"person_id": grantor, "case_id": case_id}
            )
