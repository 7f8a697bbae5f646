"""What tests do over and over with the real use cases: film, ask, answer, decide."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import consent
from consent import (
    Action,
    Audience,
    Controller,
    Decision,
    FilmingAnswer,
    Format,
    How,
    Permit,
    Purpose,
    Question,
    Reason,
    Refusal,
    Rendition,
    RenditionState,
)
from core.db import Database
from core.ids import ConsentEventId, ObjectId, PersonId, RenditionId, new_id
from keys import KeyStore
from tests.families import Family, Someone

CLIP_OBJECT = ObjectId("0b" * 16)
AUTHORITY = Controller(
    name="Example Council",
    contact="Data protection officer",
    email="dpo@example.gov.uk",
    phone="01632 960000",
    street_address="1 High Street",
    locality="Exampleton",
    postcode="EX1 1EX",
    policy_url="https://example.gov.uk/privacy",
    how_to_withdraw="One tap on your own page, or call 01632 960000",
)


@dataclass
class Story:
    """One family's clip and those around it."""

    db: Database
    keystore: KeyStore
    family: Family
    clip: Rendition = field(init=False)

    def __post_init__(self) -> None:
        family = self.family
        self.clip = Rendition(
            id=RenditionId(new_id()),
            case_id=family.case_id,
            clip_id=None,
            content_hash="a1" * 32,
            state=RenditionState.LIVE,
            persons_shown=frozenset({family.mother.id, family.father.id, family.child}),
            author=family.staff.guider.id,
            attested_by=family.staff.colleague.id,
        )

    # filming
    def film(self) -> None:
        """Mother and father agree for themselves, both for the child, who is content."""
        family = self.family
        paper = {"how": How.PAPER, "scan_reference": "drawer 3", "decision": Decision.GRANT}
        answers = [
            FilmingAnswer(person=family.mother.id, said_by=family.mother.id, **paper),  # type: ignore[arg-type]
            FilmingAnswer(person=family.father.id, said_by=family.father.id, **paper),  # type: ignore[arg-type]
            FilmingAnswer(person=family.child, said_by=family.mother.id, **paper),  # type: ignore[arg-type]
            FilmingAnswer(person=family.child, said_by=family.child, decision=Decision.GRANT, how=How.OBSERVED),
        ]
        consent.record_filming(
            self.db, keystore=self.keystore, actor=family.staff.guider.actor, case_id=family.case_id, answers=answers
        )

    # asking and answering
    def ask(self, purpose: Purpose = Purpose.SOCIAL_WORKER, audience: Audience | None = None) -> consent.Asked:
        return consent.ask(
            self.db,
            actor=self.family.staff.guider.actor,
            rendition=self.clip,
            purpose=purpose,
            audience=audience or Audience(person=self.family.staff.social_worker.id),
        )

    def questions(self, who: Someone, purpose: Purpose = Purpose.SOCIAL_WORKER) -> list[Question]:
        return [one for one in consent.questions_for(self.db, actor=who.actor) if one.purpose is purpose]

    def says_yes(
        self, who: Someone, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any
    ) -> tuple[ConsentEventId, ...]:
        found = self.questions(who, purpose)
        fields: dict[str, Any] = {
            "questions": [one.id for one in found],
            "page_version": found[0].page_version,
            "notice": found[0].notice.id,
            "form": Format.STANDARD,
        }
        return consent.grant(self.db, actor=who.actor, **(fields | more))

    def says_no(self, who: Someone, purpose: Purpose = Purpose.SOCIAL_WORKER) -> tuple[ConsentEventId, ...]:
        return consent.refuse(self.db, actor=who.actor, questions=[one.id for one in self.questions(who, purpose)])

    def stops(self, who: Someone, purpose: Purpose = Purpose.SOCIAL_WORKER) -> tuple[ConsentEventId, ...]:
        return consent.withdraw(self.db, actor=who.actor, questions=[one.id for one in self.questions(who, purpose)])

    def everyone_agrees(self) -> None:
        self.ask()
        self.says_yes(self.family.mother)
        self.says_yes(self.family.father)

    # watching
    def watch(
        self, who: Someone | None = None, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any
    ) -> Permit | Refusal:
        viewer = who or self.family.staff.social_worker
        at = self.db.clock.now()
        inquiry = consent.inquiry_of(
            viewer.actor, purpose=purpose, action=more.pop("action", Action.STREAM), at=at, **more
        )
        with self.db.begin() as session:
            return consent.authorise(session, inquiry=inquiry, rendition=self.clip, object_ids=frozenset({CLIP_OBJECT}))

    def permit(self, who: Someone | None = None, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any) -> Permit:
        answer = self.watch(who, purpose, **more)
        assert isinstance(answer, Permit), answer
        return answer

    def why_not(
        self, who: Someone | None = None, purpose: Purpose = Purpose.SOCIAL_WORKER, **more: Any
    ) -> Reason | None:
        answer = self.watch(who, purpose, **more)
        return answer.reason if isinstance(answer, Refusal) else None

    def still(self, permit: Permit) -> Reason | None:
        answer = consent.still_permitted(self.db, permit, facts=lambda _: self.clip)
        return answer.reason if isinstance(answer, Refusal) else None

    def shows(self, *people: PersonId) -> None:
        self.clip = replace(self.clip, persons_shown=frozenset(people))
