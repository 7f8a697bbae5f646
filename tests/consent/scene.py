"""A family in a case, as values: what the tables and properties of the decision are told about.

``Scene`` is changed by methods that each give a new scene, so that a case reads as what happened, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from consent.facts import (
    Ask,
    Conference,
    ConsentEvent,
    Facts,
    Inquiry,
    Override,
    Policy,
    Presenting,
    Waiver,
)
from consent.rules import Permit, decide
from consent.terms import (
    NO_FILM_YET,
    Action,
    Audience,
    Decision,
    How,
    Purpose,
    Reason,
    Refusal,
    Scope,
)
from core.ids import (
    ConferenceId,
    ConsentEventId,
    NoticeId,
    ObjectId,
    OverrideId,
    PersonId,
    SessionId,
)
from identity.facts import (
    Assignment,
    Capacity,
    CapacityDecision,
    CaseloadEntry,
    Competence,
    CompetenceAssessment,
    Effect,
    Person,
    PersonKind,
    Relationship,
    Restriction,
    Span,
)
from tests.consent.cast import (
    BIRTHS,
    CASE,
    CHAIR,
    DAY,
    FATHER,
    GUIDER,
    HASH,
    HOUR,
    MANAGER,
    MEETING,
    MOTHER,
    NOON,
    OFFICER,
    OPEN,
    SIBLING,
    TEEN,
    TODDLER,
    WORKER,
    clip,
    roster,
)


def scope(
    to: PersonId | ConferenceId = WORKER, purpose: Purpose = Purpose.SOCIAL_WORKER, content_hash: str = HASH
) -> Scope:
    who = Audience(conference=MEETING) if to == MEETING else Audience(person=PersonId(to))
    return Scope(content_hash, purpose, who)


THE_WORKER = scope()


@dataclass(frozen=True)
class Scene:
    """A mother and her toddler in a clip; both parents hold parental responsibility; a social worker wants to see."""

    facts: Facts = Facts(clip(), roster())  # noqa: RUF009 - frozen all the way down
    at: datetime = NOON
    versions: int = 0

    # what happens
    def answers(self, who: PersonId, decision: Decision, **more: Any) -> Scene:
        about: Scope = more.pop("about", THE_WORKER)
        fields: dict[str, Any] = {
            "id": ConsentEventId(f"e{self.versions:03}"),
            "case_id": CASE,
            "version": self.versions,
            "grantor": who,
            "on_behalf_of": more.pop("child", who),
            "rendition_hash": about.rendition_hash,
            "purpose": about.purpose,
            "audience": about.audience,
            "decision": decision,
            "at": more.pop("when", self.at - HOUR),
            "how": How.OWN_DEVICE,
            "recorded_by": who,
            "notice": NoticeId("notice"),
        }
        event = ConsentEvent(**(fields | more))
        return replace(self, versions=self.versions + 1, facts=replace(self.facts, events=(*self.facts.events, event)))

    def grants(self, who: PersonId, **more: Any) -> Scene:
        return self.answers(who, Decision.GRANT, **more)

    def refuses(self, who: PersonId, **more: Any) -> Scene:
        return self.answers(who, Decision.REFUSE, **more)

    def withdraws(self, who: PersonId, **more: Any) -> Scene:
        return self.answers(who, Decision.WITHDRAW, **more)

    def asked(
        self, who: PersonId, *, child: PersonId | None = None, ago: timedelta = 8 * DAY, about: Scope = THE_WORKER
    ) -> Scene:
        ask = Ask(who, child or who, about, self.at - ago)
        return replace(self, facts=replace(self.facts, asks=(*self.facts.asks, ask)))

    def waived(
        self, who: PersonId, child: PersonId, *, ends: datetime | None = None, about: Scope = THE_WORKER
    ) -> Scene:
        waiver = Waiver(who, child, about, ends or self.at - HOUR)
        return replace(self, facts=replace(self.facts, waivers=(*self.facts.waivers, waiver)))

    def filmed(self, *people: PersonId, guider: PersonId = GUIDER) -> Scene:
        """A filming agreement: each adult's own yes, the mother's for a child, with the child's assent noted."""
        scene, about = self, scope(guider, Purpose.FILMING, NO_FILM_YET)
        for person in people:
            if person in {TODDLER, SIBLING, TEEN}:
                scene = scene.grants(MOTHER, child=person, about=about, how=How.PAPER, recorded_by=GUIDER)
                scene = scene.grants(person, about=about, how=How.OBSERVED, recorded_by=GUIDER)
            else:
                scene = scene.grants(person, about=about, how=How.PAPER, recorded_by=GUIDER)
        return scene

    # what is true
    def showing(self, *people: PersonId) -> Scene:
        return self.clip(persons_shown=frozenset(people))

    def clip(self, **more: Any) -> Scene:
        return replace(self, facts=replace(self.facts, rendition=replace(self.facts.rendition, **more)))

    def roster(self, **more: Any) -> Scene:
        return replace(self, facts=replace(self.facts, roster=replace(self.facts.roster, **more)))

    def policy(self, **more: Any) -> Scene:
        return replace(self, facts=replace(self.facts, policy=Policy(**more)))

    def adding(self, **more: Any) -> Scene:
        """More rows of the roster, as in ``adding(restrictions=…)``."""
        return self.roster(**{name: (*getattr(self.facts.roster, name), row) for name, row in more.items()})

    def person(self, person: PersonId, born: date | None, kind: PersonKind = PersonKind.FAMILY) -> Scene:
        return self.roster(persons={**self.facts.roster.persons, person: Person(person, kind, born)})

    def restricted(self, person: PersonId, *effects: Effect, span: Span = OPEN) -> Scene:
        return self.adding(restrictions=Restriction(person, frozenset(effects), span))

    def assessed(
        self,
        child: PersonId,
        outcome: Competence,
        *,
        ago: timedelta = 50 * DAY,
        review: date = date(2027, 1, 1),
        purpose: str | None = None,
    ) -> Scene:
        return self.adding(competence=CompetenceAssessment(child, outcome, self.at - ago, review, purpose))

    def capacity(
        self, person: PersonId, outcome: Capacity, *, ago: timedelta = 50 * DAY, purpose: str | None = None
    ) -> Scene:
        return self.adding(capacity=CapacityDecision(person, outcome, self.at - ago, purpose))

    def places(self, *assignments: Assignment) -> Scene:
        return self.roster(assignments=assignments)

    def ties(self, *ties: Relationship) -> Scene:
        return self.roster(relationships=ties)

    def caseload(self, staff: PersonId, person: PersonId, span: Span = OPEN) -> Scene:
        return self.adding(caseload=CaseloadEntry(staff, person, span))

    def meeting(self, **more: Any) -> Scene:
        fields: dict[str, Any] = {
            "starts_at": self.at - HOUR,
            "ends_at": self.at + HOUR,
            "chair": CHAIR,
            "attendees": frozenset({GUIDER, CHAIR, MOTHER}),
        }
        meeting = Conference(MEETING, CASE, **(fields | more))
        return replace(self, facts=replace(self.facts, conferences=(meeting,)))

    def override(self, **more: Any) -> Scene:
        fields: dict[str, Any] = {
            "id": OverrideId("override"),
            "case_id": CASE,
            "rendition_hash": HASH,
            "recipient": WORKER,
            "starts_at": self.at - HOUR,
            "ends_at": self.at + DAY,
            "proposer": MANAGER,
            "approver": OFFICER,
        }
        lawful = Override(**(fields | more))
        return replace(self, facts=replace(self.facts, overrides=(*self.facts.overrides, lawful)))

    def retired(self, *notices: str) -> Scene:
        return replace(self, facts=replace(self.facts, retired=frozenset(NoticeId(one) for one in notices)))

    def later(self, by: timedelta) -> Scene:
        return replace(self, at=self.at + by)

    # what is asked
    def inquiry(self, viewer: PersonId = WORKER, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any) -> Inquiry:
        fields: dict[str, Any] = {
            "viewer": viewer,
            "viewer_is_family": viewer in BIRTHS,
            "two_factors": True,
            "session": SessionId("session"),
            "session_ends_at": self.at + 30 * DAY,
            "purpose": purpose,
            "action": {Purpose.CASE_CONFERENCE: Action.PRESENT, Purpose.FAMILY_COPY: Action.EXPORT}.get(
                purpose, Action.STREAM
            ),
            "at": self.at,
        }
        if purpose is Purpose.CASE_CONFERENCE:
            fields["presenting"] = Presenting(MEETING, viewer, self.at + HOUR / 2)
        return Inquiry(**(fields | more))

    def decide(
        self, viewer: PersonId = WORKER, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any
    ) -> Permit | Refusal:
        return decide(self.inquiry(viewer, purpose, **more), facts=self.facts, objects=frozenset({ObjectId("object")}))

    def says(self, viewer: PersonId = WORKER, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any) -> Reason | None:
        """The reason for a no; nothing for a permit."""
        answer = self.decide(viewer, purpose, **more)
        return answer.reason if isinstance(answer, Refusal) else None


def agreed(about: Scope = THE_WORKER) -> Scene:
    """Mother says yes for herself and for the toddler; father was asked eight days ago and said nothing."""
    return (
        Scene()
        .asked(MOTHER, about=about)
        .asked(MOTHER, child=TODDLER, about=about)
        .asked(FATHER, child=TODDLER, about=about)
        .grants(MOTHER, about=about)
        .grants(MOTHER, child=TODDLER, about=about)
    )
