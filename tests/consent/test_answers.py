"""Asking and answering."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

import consent
import identity
from audit.models import AuditEntryRow
from consent import Audience, GrantState, Purpose, Reason
from core.errors import Conflict, Invalid, NotFound, NotSignedIn
from core.ids import AskId, ConsentEventId, NoticeId, new_id
from core.outbox import OutboxRow
from tests.consent.story import AUTHORITY, Story
from tests.fakes import HandClock
from tests.families import make_family


def _count(story: Story, event: str) -> int:
    with story.db.read() as session:
        return session.scalar(select(func.count()).where(AuditEntryRow.event == event)) or 0


def test_nothing_is_shown_before_anybody_was_asked(story: Story) -> None:
    assert story.why_not() is Reason.NOT_IN_AUDIENCE


def test_everyone_who_has_a_say_agrees_and_the_social_worker_may_watch(story: Story) -> None:
    story.ask()
    assert story.why_not() is Reason.NOT_ANSWERED
    story.says_yes(story.family.mother)
    assert story.why_not() in {Reason.NOT_ANSWERED, Reason.NOTICE_RUNNING}
    story.says_yes(story.family.father)
    permit = story.permit()
    assert permit.valid_until <= story.family.staff.social_worker.actor.expires_at  # type: ignore[operator]
    assert (_count(story, "consent.granted"), _count(story, "viewing.refused"), _count(story, "viewing.begun")) == (
        4,
        2,
        1,
    )


def test_a_withdrawal_is_one_step_and_counts_at_once(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    story.stops(story.family.father)
    assert story.still(permit) is Reason.WITHDRAWN
    assert story.why_not() is Reason.WITHDRAWN


def test_each_answer_raises_the_version_by_one_and_is_written_to_the_log(story: Story) -> None:
    story.ask()
    with story.db.read() as session:
        before = identity.versions(session, [story.family.case_id])[story.family.case_id]
    story.says_no(story.family.mother)
    with story.db.read() as session:
        after = identity.versions(session, [story.family.case_id])[story.family.case_id]
    assert after == before + 2
    assert _count(story, "consent.refused") == 2


def test_refusals_and_withdrawals_go_to_the_witness_in_the_same_transaction(story: Story) -> None:
    story.everyone_agrees()
    with story.db.read() as session:
        before = session.scalar(select(func.count()).where(OutboxRow.kind == "witness"))
    story.stops(story.family.mother)
    with story.db.read() as session:
        after = session.scalar(select(func.count()).where(OutboxRow.kind == "witness"))
    assert after == (before or 0) + 2


def test_people_see_only_their_own_questions_and_answers(story: Story) -> None:
    story.everyone_agrees()
    story.stops(story.family.father)
    mine = consent.questions_for(story.db, actor=story.family.mother.actor)
    assert {one.state for one in mine} == {GrantState.GRANTED}
    told = repr(mine) + repr(consent.history(story.db, actor=story.family.mother.actor))
    assert story.family.father.id not in told


def test_a_mothers_pages_are_the_same_to_the_letter_whatever_the_father_did(story: Story) -> None:
    """Not even a number moves that would tell her that he has answered."""
    mother = story.family.mother.actor
    story.ask()
    ids = story.says_yes(story.family.mother)

    def pages() -> str:
        receipts = [
            consent.receipt(story.db, keystore=story.keystore, actor=mother, event=one, controller=AUTHORITY)
            for one in ids
        ]
        return repr((consent.questions_for(story.db, actor=mother), consent.history(story.db, actor=mother), receipts))

    before = pages()
    story.says_no(story.family.father)
    story.says_yes(story.family.father)
    consent.stop_all(story.db, actor=story.family.father.actor)
    assert pages() == before


def test_a_yes_conflicts_when_ones_own_answers_have_moved_since_the_page_was_made(story: Story) -> None:
    story.ask()
    page = story.questions(story.family.mother)
    story.says_no(story.family.mother)
    with pytest.raises(Conflict) as caught:
        story.says_yes(story.family.mother, page_version=page[0].page_version)
    assert caught.value.code == "answers_moved"
    assert story.why_not() is Reason.NOT_ANSWERED or story.why_not() is Reason.REFUSED


def test_a_yes_does_not_conflict_with_what_somebody_else_answered(story: Story) -> None:
    story.ask()
    page = story.questions(story.family.mother)
    story.says_no(story.family.father)
    assert story.says_yes(story.family.mother, page_version=page[0].page_version)


def test_a_stop_never_conflicts_and_can_be_said_again(story: Story) -> None:
    story.everyone_agrees()
    assert story.stops(story.family.mother)
    assert story.stops(story.family.mother)
    assert story.why_not() is Reason.WITHDRAWN


def test_stopping_works_after_the_case_has_closed(story: Story) -> None:
    story.everyone_agrees()
    identity.close_case(
        story.db,
        keystore=story.keystore,
        actor=story.family.staff.manager.actor,
        case_id=story.family.case_id,
        reason="the work is done",
        family_copy=identity.Keeping.NO,
        look_again=identity.Keeping.NO,
    )
    assert story.stops(story.family.father)
    with pytest.raises(Conflict, match="case_closed"):
        story.says_yes(story.family.father)


def test_stop_all_withdraws_each_yes_and_leaves_refusals_and_filming_alone(story: Story) -> None:
    story.film()
    story.everyone_agrees()
    story.ask(Purpose.FAMILY_REVIEW, Audience(person=story.family.father.id))
    story.says_yes(story.family.mother, Purpose.FAMILY_REVIEW)
    stopped = consent.stop_all(story.db, actor=story.family.mother.actor)
    assert len(stopped) == 3
    assert consent.stop_all(story.db, actor=story.family.mother.actor) == ()
    assert story.why_not() is Reason.WITHDRAWN
    filming = [
        one
        for one in consent.questions_for(story.db, actor=story.family.mother.actor)
        if one.purpose is Purpose.FILMING
    ]
    assert {one.state for one in filming} == {GrantState.GRANTED}


def test_somebody_elses_question_is_not_there(story: Story) -> None:
    story.ask()
    fathers = story.questions(story.family.father)[0]
    for question in (fathers.id, AskId(new_id()), AskId("'; --")):
        with pytest.raises(NotFound):
            consent.withdraw(story.db, actor=story.family.mother.actor, questions=[question])
        with pytest.raises(NotFound):
            consent.grant(
                story.db,
                actor=story.family.mother.actor,
                questions=[question],
                page_version=1,
                notice=fathers.notice.id,
            )


def test_an_answer_needs_two_factors(story: Story) -> None:
    story.ask()
    weak = replace(story.family.mother.actor, factors=frozenset())
    with pytest.raises(NotSignedIn):
        consent.withdraw(story.db, actor=weak, questions=[story.questions(story.family.mother)[0].id])
    with pytest.raises(NotSignedIn):
        consent.questions_for(story.db, actor=weak)


@pytest.mark.parametrize(
    ("more", "code"),
    [({"questions": []}, "no_question"), ({"expires_at": "before"}, "end_before_start")],
    ids=["an answer to nothing", "a consent that ends before it starts"],
)
def test_bad_answers_get_a_clear_sentence(story: Story, clock: HandClock, more: dict[str, object], code: str) -> None:
    story.ask()
    if more.get("expires_at") == "before":
        more = {"expires_at": clock.now() - timedelta(days=1)}
    with pytest.raises(Invalid) as caught:
        story.says_yes(story.family.mother, **more)
    assert caught.value.code == code


def test_a_yes_on_other_words_than_todays_is_refused(story: Story) -> None:
    story.ask()
    with pytest.raises(Conflict, match="notice_changed"):
        story.says_yes(story.family.mother, notice=NoticeId(new_id()))


def test_another_familys_answers_open_nothing_here(story: Story) -> None:
    story.everyone_agrees()
    other = make_family(story.db, story.keystore, staff=story.family.staff)
    twin = Story(story.db, story.keystore, other)
    assert twin.clip.content_hash == story.clip.content_hash
    assert twin.why_not() is Reason.NOT_IN_AUDIENCE


def test_asking_twice_asks_once_and_asks_again_what_has_run_out(story: Story, clock: HandClock) -> None:
    assert len(story.ask().questions) == 4
    assert story.ask().questions == ()
    story.says_yes(story.family.father)
    story.says_yes(story.family.mother, expires_at=clock.now() + timedelta(minutes=5))
    clock.move(timedelta(minutes=6))
    assert story.why_not() in {Reason.EXPIRED, Reason.NOTICE_RUNNING}
    assert len(story.ask().questions) == 2
    assert {one.state for one in story.questions(story.family.mother)} == {GrantState.REQUESTED}


def test_answers_are_ordered_by_version_even_where_the_clock_stands_still(story: Story) -> None:
    story.everyone_agrees()
    story.stops(story.family.mother)
    story.says_yes(story.family.mother)
    assert story.why_not() is None
    lines = consent.history(story.db, actor=story.family.mother.actor)
    assert [line.state for line in lines].count(GrantState.SUPERSEDED) == 4
    assert isinstance(lines[0].id, str)
    assert lines[0].id == ConsentEventId(lines[0].id)
