"""Answers that staff enter, and whose questions may be answered at all."""

from __future__ import annotations

import pytest
from sqlalchemy import select

import consent
from consent import Audience, Decision, How, Purpose, Reason
from consent.models import EventRow
from core.errors import Invalid, NotFound, Refused
from core.outbox import OutboxRow
from tests.consent.story import Story


def test_anybody_on_the_case_records_a_no_that_they_were_told(story: Story) -> None:
    story.everyone_agrees()
    written = consent.record_told_refusal(
        story.db,
        actor=story.family.staff.social_worker.actor,
        case_id=story.family.case_id,
        person=story.family.mother.id,
    )
    assert len(written) == 2
    assert story.why_not() is Reason.WITHDRAWN
    with pytest.raises(NotFound):
        consent.record_told_refusal(
            story.db,
            actor=story.family.staff.colleague.actor,
            case_id=story.family.case_id,
            person=story.family.mother.id,
        )


def test_a_tap_on_the_guiders_tablet_is_witnessed_and_undone_in_private(story: Story) -> None:
    story.ask()
    for question in story.questions(story.family.mother):
        consent.record_answer(
            story.db,
            keystore=story.keystore,
            actor=story.family.staff.guider.actor,
            question=question.id,
            decision=Decision.GRANT,
            how=How.WITNESSED_TABLET,
            notice=question.notice.id,
        )
    story.says_yes(story.family.father)
    assert story.why_not() is None
    with story.db.read() as session:
        kinds = session.scalars(select(OutboxRow.kind)).all()
    assert consent.ANSWER_MESSAGE in kinds
    story.stops(story.family.mother)
    assert story.why_not() is Reason.WITHDRAWN


def test_paper_needs_a_reference_and_its_words_are_sealed(story: Story) -> None:
    story.ask()
    question = story.questions(story.family.mother)[0]
    fields = {"keystore": story.keystore, "actor": story.family.staff.guider.actor, "question": question.id}
    with pytest.raises(Invalid, match="how_unfit"):
        consent.record_answer(
            story.db,
            **fields,
            decision=Decision.GRANT,
            how=How.PAPER,
            notice=question.notice.id,  # type: ignore[arg-type]
        )
    event = consent.record_answer(
        story.db,
        **fields,  # type: ignore[arg-type]
        decision=Decision.GRANT,
        how=How.PAPER,
        notice=question.notice.id,
        scan_reference="red folder, page 4",
    )
    with story.db.read() as session:
        row = session.get_one(EventRow, event)
        assert row.scan_reference is not None
        assert b"folder" not in row.scan_reference


def test_only_the_cases_guider_asks(story: Story) -> None:
    for someone, error in (
        (story.family.staff.social_worker, Refused),
        (story.family.staff.colleague, NotFound),
        (story.family.mother, NotFound),
    ):
        with pytest.raises(error):
            consent.ask(
                story.db,
                actor=someone.actor,
                rendition=story.clip,
                purpose=Purpose.SOCIAL_WORKER,
                audience=Audience(person=story.family.staff.social_worker.id),
            )


def test_a_question_is_for_someone_with_a_place_in_the_case(story: Story) -> None:
    with pytest.raises(NotFound):
        story.ask(audience=Audience(person=story.family.staff.colleague.id))
    with pytest.raises(Invalid, match="audience_unfit"):
        story.ask(Purpose.SUPERVISION)
    with pytest.raises(Invalid, match="not_asked_about"):
        story.ask(Purpose.PREPARE)


def test_the_message_names_nobody(story: Story) -> None:
    story.ask()
    with story.db.read() as session:
        messages = session.scalars(select(OutboxRow).where(OutboxRow.kind == consent.QUESTION_MESSAGE)).all()
    assert {frozenset(one.payload) for one in messages} == {frozenset({"person_id", "case_id"})}
    assert {one.payload["person_id"] for one in messages} == {story.family.mother.id, story.family.father.id}
