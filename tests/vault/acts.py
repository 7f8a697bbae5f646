"""Everything that anybody does around one clip, and that the decision on it reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

import consent
import identity
import retention
import vault
from consent import Audience, Decision, FilmingAnswer, How, LawfulBasis, Purpose, Rendition, WaiverReason
from consent.collect import facts_of
from consent.facts import Facts
from consent.words import NOTICES
from core.db import Base
from core.ids import AssignmentId, OverrideId, RenditionId
from identity import Capacity, Competence, Effect, Keeping, NewAdult, RelationshipKind, Role
from identity.models import AssignmentRow, RelationshipRow, RestrictionRow
from tests.families import Someone
from tests.vault.cinema import Cinema
from vault import quarantine, renditions
from vault.models import ObjectRow


class Acts:
    """Everybody around one clip, and what they can do that a decision reads."""

    def __init__(self, cinema: Cinema) -> None:
        self.cinema, self.db, self.keystore = cinema, cinema.db, cinema.keystore
        self.family, self.staff = cinema.family, cinema.family.staff
        self.case: dict[str, Any] = {"case_id": self.family.case_id}
        self.sealing: dict[str, Any] = {"keystore": self.keystore} | self.case
        self.audience = Audience(person=self.staff.social_worker.id)
        self.erasure = ""

    def rendition(self) -> Rendition:
        with self.db.read() as session:
            return vault.facts_for(session, self.cinema.clip.rendition_id)

    def facts(self) -> Facts:
        with self.db.read() as session:
            return facts_of(session, renditions.facts_for(session, self.cinema.clip.rendition_id))

    def last(self, table: type[Base], **which: Any) -> Any:
        with self.db.read() as session:
            return session.scalars(select(table).filter_by(**which)).all()[-1]

    def attest(self) -> None:
        shown, clip = self.rendition().persons_shown, self.cinema.clip.rendition_id
        with self.db.begin() as session:
            vault.attest(session, clip, persons=shown, by=self.staff.colleague.id, at=self.db.clock.now())

    def void(self) -> None:
        with self.db.begin() as session:
            vault.void(session, RenditionId(self.cinema.clip.rendition_id))

    def show(self) -> None:
        guider, clip = self.staff.guider.actor, self.cinema.clip.rendition_id
        fewer = self.rendition().persons_shown - {self.family.father.id}
        vault.set_persons_shown(self.db, actor=guider, rendition_id=clip, persons=fewer)

    def ask(self) -> None:
        guider = self.staff.guider.actor
        consent.ask(
            self.db,
            actor=guider,
            rendition=self.rendition(),
            purpose=Purpose.SOCIAL_WORKER,
            audience=self.audience,
        )

    def answer(self, who: Someone, decision: Decision) -> None:
        asked = [one for one in consent.questions_for(self.db, actor=who.actor) if one.purpose is Purpose.SOCIAL_WORKER]
        ids = [one.id for one in asked]
        if decision is not Decision.GRANT:
            no = consent.refuse if decision is Decision.REFUSE else consent.withdraw
            no(self.db, actor=who.actor, questions=ids)
            return
        version, notice = max(one.page_version for one in asked), asked[0].notice.id
        consent.grant(self.db, actor=who.actor, questions=ids, page_version=version, notice=notice)

    def waive(self) -> None:
        consent.waive_notice(
            self.db,
            keystore=self.keystore,
            actor=self.staff.other_manager.actor,
            rendition=self.rendition(),
            purpose=Purpose.SOCIAL_WORKER,
            audience=self.audience,
            holder=self.family.father.id,
            child=self.family.child,
            reason=WaiverReason.URGENT,
            explanation="The hearing is tomorrow.",
        )

    def says_no_to_filming(self) -> None:
        father = self.family.father.id
        answers = [FilmingAnswer(father, father, Decision.REFUSE, How.TOLD_TO_STAFF)]
        consent.record_filming(self.db, actor=self.staff.guider.actor, answers=answers, **self.sealing)

    def meet(self) -> None:
        at = self.db.clock.now()
        consent.record_conference(
            self.db,
            actor=self.staff.guider.actor,
            title="Review",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            chair=self.staff.chair.id,
            attendees=frozenset({self.staff.social_worker.id}),
            **self.sealing,
        )

    def propose(self) -> None:
        at = self.db.clock.now()
        self.override: OverrideId = consent.propose_override(
            self.db,
            keystore=self.keystore,
            actor=self.staff.manager.actor,
            rendition=self.rendition(),
            recipient=self.staff.social_worker.id,
            basis=LawfulBasis.SECTION_47,
            necessity="A child may be in danger at home.",
            proportionality="Only this one clip, and only for a day.",
            starts_at=at,
            ends_at=at + timedelta(days=1),
            tell_family_on=at + timedelta(days=2),
        )

    def reword(self) -> None:
        words = {key: f"{body} Anew." for key, body in NOTICES.items() if key[0] is Purpose.SOCIAL_WORKER}
        consent.publish_notices(self.db, words=words)

    def restrict(self) -> None:
        manager, father = self.staff.manager.actor, self.family.father.id
        effects = frozenset({Effect.NO_VIEW})
        identity.place_restriction(
            self.db, actor=manager, person=father, effects=effects, reason="A court order.", **self.sealing
        )

    def lift_restriction(self) -> None:
        found = self.last(RestrictionRow).id
        identity.lift_restriction(self.db, actor=self.staff.other_manager.actor, restriction=found, **self.case)

    def assess_child(self) -> None:
        day = self.db.clock.now().date() + timedelta(days=30)
        identity.record_competence(
            self.db,
            actor=self.staff.guider.actor,
            child=self.family.child,
            outcome=Competence.COMPETENT,
            review_on=day,
            **self.case,
        )

    def assess_mother(self) -> None:
        worker, mother = self.staff.social_worker.actor, self.family.mother.id
        identity.record_capacity(self.db, actor=worker, person=mother, outcome=Capacity.LACKS, **self.case)

    def add_uncle(self) -> None:
        newcomer = NewAdult(name="Uncle Example")
        self.uncle = identity.add_person(self.db, actor=self.staff.guider.actor, person=newcomer, **self.sealing)

    def make_guardian(self) -> None:
        identity.add_relationship(
            self.db,
            actor=self.staff.manager.actor,
            holder=self.uncle,
            child=self.family.child,
            kind=RelationshipKind.GUARDIAN,
            **self.sealing,
        )

    def end_guardian(self) -> None:
        found = self.last(RelationshipRow, holder_id=self.uncle).id
        identity.end_relationship(self.db, actor=self.staff.manager.actor, relationship=found, **self.case)

    def correct_birthday(self) -> None:
        child, born = self.family.child, date(2021, 9, 1)
        identity.correct_birth_date(self.db, actor=self.staff.manager.actor, person=child, born_on=born, **self.sealing)

    def carry(self) -> None:
        identity.record_caseload(self.db, actor=self.staff.manager.actor, staff=self.staff.chair.id, **self.case)

    def end_caseload(self) -> None:
        identity.end_caseload(self.db, actor=self.staff.manager.actor, staff=self.staff.chair.id, **self.case)

    def assign_checker(self) -> None:
        clip = self.cinema.clip.rendition_id
        identity.assign(
            self.db,
            actor=self.staff.guider.actor,
            staff=self.staff.colleague.id,
            role=Role.CHECKER,
            rendition=clip,
            **self.case,
        )

    def end_check(self) -> None:
        clip, at = self.cinema.clip.rendition_id, self.db.clock.now()
        with self.db.begin() as session:
            identity.end_checks(session, by=self.staff.guider.id, rendition=clip, at=at, **self.case)

    def end_worker(self) -> None:
        place = AssignmentId(self.last(AssignmentRow, person_id=self.staff.social_worker.id).id)
        manager = self.staff.manager.actor
        identity.end_assignment(
            self.db, keystore=self.keystore, actor=manager, assignment=place, reason="They moved to another team."
        )

    def assign_worker(self) -> None:
        manager, worker = self.staff.manager.actor, self.staff.social_worker.id
        identity.assign(self.db, actor=manager, staff=worker, role=Role.SOCIAL_WORKER, **self.case)

    def change_role(self) -> None:
        administrator, worker = self.staff.administrator.actor, self.staff.social_worker.id
        identity.set_roles(self.db, actor=administrator, person=worker, roles=[Role.REFERRER])

    def change_guider(self) -> None:
        manager, other = self.staff.manager.actor, self.staff.colleague.id
        identity.change_guider(self.db, actor=manager, staff=other, reason="A long illness.", **self.sealing)

    def suspend_guider(self) -> None:
        identity.suspend_staff(self.db, actor=self.staff.administrator.actor, person=self.staff.colleague.id)

    def quarantine(self) -> None:
        with self.db.begin() as session:
            quarantine.quarantine(session, self.cinema.clip.object_id)

    def lift_quarantine(self) -> None:
        with self.db.begin() as session:
            quarantine.lift(session, session.get_one(ObjectRow, self.cinema.clip.object_id))

    def erase(self) -> None:
        mother, schedule = self.family.mother.actor, retention.load()
        self.erasure = retention.erase(self.db, actor=mother, schedule=schedule, **self.case)

    def cancel_erasure(self) -> None:
        retention.cancel_erasure(self.db, actor=self.family.mother.actor, erasure_id=self.erasure)

    def close(self) -> None:
        identity.close_case(
            self.db,
            actor=self.staff.manager.actor,
            reason="The work is done.",
            family_copy=Keeping.NO,
            look_again=Keeping.NO,
            **self.sealing,
        )

    def destroy(self) -> None:
        with self.db.begin() as session:
            vault.begin_destroying(session, self.cinema.clip.clip_id, at=self.db.clock.now())

    def all(self) -> dict[str, Callable[[], object]]:
        """Each act, in an order in which each is possible."""
        mother, guider = self.family.mother, self.staff.guider.actor
        child = self.family.child
        return {
            "attests": self.attest,
            "asks": self.ask,
            "says yes": lambda: self.answer(mother, Decision.GRANT),
            "withdraws": lambda: self.answer(mother, Decision.WITHDRAW),
            "refuses": lambda: self.answer(self.family.father, Decision.REFUSE),
            "says yes again": lambda: self.answer(mother, Decision.GRANT),
            "waives the notice": self.waive,
            "changes the words": self.reword,
            "says yes to them": lambda: self.answer(mother, Decision.GRANT),
            "stops everything": lambda: consent.stop_all(self.db, actor=mother.actor),
            "sees the child turn away": lambda: consent.record_dissent(
                self.db, actor=guider, rendition=self.rendition(), child=child
            ),
            "is told no to filming": self.says_no_to_filming,
            "records a conference": self.meet,
            "proposes an override": self.propose,
            "approves it": lambda: consent.approve_override(
                self.db, actor=self.staff.officer.actor, override=self.override
            ),
            "ends it": lambda: consent.end_override(self.db, actor=self.staff.officer.actor, override=self.override),
            "restricts": self.restrict,
            "lifts that": self.lift_restriction,
            "assesses the child": self.assess_child,
            "assesses the mother": self.assess_mother,
            "adds an uncle": self.add_uncle,
            "makes him guardian": self.make_guardian,
            "ends that": self.end_guardian,
            "corrects a birthday": self.correct_birthday,
            "has the family on their caseload": self.carry,
            "has them no longer": self.end_caseload,
            "assigns a checker": self.assign_checker,
            "ends the check": self.end_check,
            "voids the attestation": self.void,
            "says who is shown": self.show,
            "takes the social worker off": self.end_worker,
            "brings them back": self.assign_worker,
            "gives them another role": self.change_role,
            "quarantines": self.quarantine,
            "lifts the quarantine": self.lift_quarantine,
            "asks for erasure": self.erase,
            "takes that back": self.cancel_erasure,
            "changes the guider": self.change_guider,
            "suspends them": self.suspend_guider,
            "closes the case": self.close,
            "destroys": self.destroy,
        }
