"""The gate before every byte, on both databases: order, freshness, and what happens in between."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import consent
import identity
from consent import Audience, Permit, Purpose, Reason, Refusal, Watch
from consent.answers import _mine, _own_question
from consent.recording import write_answer
from consent.terms import Decision
from consent.words import NOTICES
from core.clock import SteadyClock
from core.db import Database, connect
from core.errors import NotFound, Unavailable
from core.ids import CaseId, new_id
from identity import Effect, Role
from tests.consent.story import CLIP_OBJECT, Story
from tests.fakes import HandClock


def test_the_story_of_one_clip(story_on_both: Story) -> None:
    story = story_on_both
    story.film()
    assert isinstance(story.watch(story.family.staff.guider, Purpose.PREPARE), Permit)
    assert story.why_not() is Reason.NOT_IN_AUDIENCE
    story.everyone_agrees()
    permit = story.permit()
    assert permit.allows(case_id=story.family.case_id, object_id=CLIP_OBJECT)
    assert story.still(permit) is None
    story.stops(story.family.father)
    assert story.still(permit) is Reason.WITHDRAWN
    story.says_yes(story.family.father)
    assert story.why_not() is None


def test_an_answer_can_never_be_changed_or_removed_in_the_database(story_on_both: Story) -> None:
    story_on_both.everyone_agrees()
    for table in ("consent_event", "consent_ask", "consent_notice"):
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="insert-only"), story_on_both.db.engine.begin() as connection:
                connection.execute(text(statement))


def test_a_withdrawal_that_came_first_wins_over_a_viewing_that_waited_for_it(story_on_both: Story) -> None:
    """The withdrawing transaction holds the case; the viewing waits, and then sees what was written."""
    story = story_on_both
    story.everyone_agrees()
    holds, may_commit = threading.Event(), threading.Event()
    answers: list[Permit | Refusal] = []

    def withdraw() -> None:
        father = story.family.father.actor
        question = story.questions(story.family.father)[0].id
        with story.db.begin() as session:
            identity.lock_case(session, story.family.case_id)
            ask = _own_question(session, father, question)
            write_answer(session, _mine(father, ask, Decision.WITHDRAW), at=story.db.clock.now())
            holds.set()
            may_commit.wait(timeout=30)

    def view() -> None:
        holds.wait(timeout=30)
        waiting.set()
        answers.append(story.watch())

    waiting = threading.Event()
    threads = [threading.Thread(target=one) for one in (withdraw, view)]
    for thread in threads:
        thread.start()
    waiting.wait(timeout=30)
    may_commit.set()
    for thread in threads:
        thread.join(timeout=60)
    assert [one.reason for one in answers if isinstance(one, Refusal)] == [Reason.WITHDRAWN]


def test_a_database_that_is_gone_refuses(story: Story, clock: HandClock) -> None:
    story.everyone_agrees()
    permit = story.permit()
    gone: Database = connect("sqlite:////nowhere/at/all.db", clock=clock)
    answer = consent.still_permitted(gone, permit, facts=lambda _: story.clip)
    assert answer == Refusal(Reason.ERROR)
    watch = Watch(gone)
    watch.watch(permit.case_id, session=permit.inquiry.session)
    watch.look()
    assert not watch.fresh(permit, at=clock.now())


def test_other_bytes_than_those_that_were_permitted_refuse(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    for other in (replace(story.clip, content_hash="b2" * 32), replace(story.clip, id=new_id())):  # type: ignore[arg-type]
        answer = consent.still_permitted(story.db, permit, facts=lambda _, found=other: found)
        assert answer == Refusal(Reason.HASH_CHANGED)


def test_one_more_person_shown_stops_a_viewing(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    story.shows(*story.clip.persons_shown, story.family.sibling)
    assert story.still(permit) is Reason.NOT_ASKED


def test_an_order_that_keeps_someone_from_watching_stops_a_viewing(story: Story) -> None:
    permit = story.permit(story.family.mother, Purpose.FAMILY_REVIEW) if _mother_may(story) else None
    assert permit is not None
    identity.place_restriction(
        story.db,
        keystore=story.keystore,
        actor=story.family.staff.manager.actor,
        case_id=story.family.case_id,
        person=story.family.mother.id,
        effects=frozenset({Effect.NO_VIEW}),
        reason="court order",
    )
    assert story.still(permit) is Reason.RESTRICTED


def _mother_may(story: Story) -> bool:
    story.ask(Purpose.FAMILY_REVIEW, Audience(person=story.family.mother.id))
    story.says_yes(story.family.father, Purpose.FAMILY_REVIEW)
    return True


def test_the_end_of_an_assignment_stops_a_viewing_and_the_yes_does_not_come_back(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    worker = story.family.staff.social_worker
    view = identity.case_view(
        story.db, keystore=story.keystore, actor=story.family.staff.manager.actor, case_id=story.family.case_id
    )
    place = next(one.assignment for one in view.staff if one.person == worker.id)
    story.db.clock.move(timedelta(minutes=1))  # type: ignore[attr-defined]
    identity.end_assignment(
        story.db, keystore=story.keystore, actor=story.family.staff.manager.actor, assignment=place, reason="moved team"
    )
    assert story.still(permit) is Reason.NO_ASSIGNMENT
    identity.assign(
        story.db,
        actor=story.family.staff.manager.actor,
        case_id=story.family.case_id,
        staff=worker.id,
        role=Role.SOCIAL_WORKER,
    )
    assert story.why_not() is Reason.LAPSED


def test_words_that_change_end_what_was_granted_on_them(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    reworded = {key: f"{body} Anew." for key, body in NOTICES.items() if key[0] is Purpose.SOCIAL_WORKER}
    assert consent.publish_notices(story.db, words=reworded) == 2
    assert consent.publish_notices(story.db, words=reworded) == 0
    assert story.still(permit) is Reason.LAPSED
    story.ask()
    story.says_yes(story.family.mother)
    story.says_yes(story.family.father)
    assert story.why_not() is None


def test_a_clock_that_steps_back_revives_no_expired_grant(story: Story, clock: HandClock) -> None:
    """The gate's time is the database's clock; the service's is a SteadyClock, which never goes back."""
    story.ask()
    story.says_yes(story.family.father)
    story.says_yes(story.family.mother, expires_at=clock.now() + timedelta(hours=1))
    steady = SteadyClock(clock)
    db = replace(story.db, clock=steady, info=story.db.info | {"clock": steady})
    clock.move(timedelta(hours=2))
    story.db = db
    assert story.why_not() in {Reason.EXPIRED, Reason.NOTICE_RUNNING}
    clock.move(-timedelta(hours=2))
    assert story.why_not() in {Reason.EXPIRED, Reason.NOTICE_RUNNING}


def test_a_viewing_whose_entry_cannot_be_written_does_not_happen(story: Story) -> None:
    story.everyone_agrees()
    story.db.info.pop("audit_writer")
    with pytest.raises(Unavailable, match="audit_unavailable"):
        story.watch()


def test_a_stranger_case_is_not_found(story: Story) -> None:
    story.clip = replace(story.clip, case_id=CaseId(new_id()))
    with pytest.raises(NotFound):
        story.watch()


def test_considering_records_nothing_and_opens_nothing(story: Story) -> None:
    story.everyone_agrees()
    worker = story.family.staff.social_worker
    inquiry = consent.inquiry_of(
        worker.actor, purpose=Purpose.SOCIAL_WORKER, action=consent.Action.STREAM, at=story.db.clock.now()
    )
    with story.db.read() as session:
        permit = consent.consider(session, inquiry=inquiry, rendition=story.clip)
    assert isinstance(permit, Permit)
    assert not permit.allows(case_id=story.family.case_id, object_id=CLIP_OBJECT)
