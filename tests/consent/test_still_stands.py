"""A permit of a moment ago is given again only where deciding anew could give nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

import consent
import identity
from consent import Action, Permit, Presenting, Purpose
from consent.words import NOTICES
from core.ids import ConferenceId, ObjectId, PersonId, RenditionId, SessionId, new_id
from tests.consent.story import Story
from tests.fakes import HandClock


def stands(story: Story, permit: Permit, **changed: Any) -> bool:
    asked = {
        "inquiry": permit.inquiry,
        "rendition_id": permit.rendition_id,
        "content_hash": permit.content_hash,
        "object_ids": permit.objects,
    }
    with story.db.read() as session:
        return consent.still_stands(session, permit, **(asked | changed))


def test_it_stands_for_the_very_same_question_only(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    inquiry, other = permit.inquiry, PersonId(new_id())
    assert stands(story, permit)
    assert stands(story, permit, inquiry=replace(inquiry, at=inquiry.at + timedelta(hours=5)))  # nobody may choose it
    for name, value in (
        ("viewer", other),
        ("viewer_is_family", True),
        ("two_factors", False),
        ("session", SessionId(new_id())),
        ("session_ends_at", inquiry.session_ends_at + timedelta(seconds=1)),
        ("purpose", Purpose.SUPERVISION),
        ("action", next(one for one in Action if one is not inquiry.action)),
        ("presenting", Presenting(ConferenceId(new_id()), inquiry.viewer, permit.valid_until)),
        ("playing_to", frozenset({other})),
    ):
        assert not stands(story, permit, inquiry=replace(inquiry, **{name: value})), name
    assert not stands(story, permit, rendition_id=RenditionId(new_id()))
    assert not stands(story, permit, content_hash="b2" * 32)
    assert not stands(story, permit, object_ids=permit.objects | {ObjectId(new_id())})
    assert not stands(story, permit, object_ids=frozenset())


def test_it_falls_with_any_change_of_the_case(story_on_both: Story) -> None:
    story = story_on_both
    story.everyone_agrees()
    permit = story.permit()
    assert stands(story, permit)
    story.stops(story.family.father)
    assert not stands(story, permit)


def test_it_falls_with_the_session(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    identity.revoke_all_of(
        story.db, actor=story.family.staff.administrator.actor, person=story.family.staff.social_worker.id
    )
    assert not stands(story, permit)


@pytest.mark.parametrize("later", [timedelta(microseconds=-1), timedelta(minutes=5), timedelta(days=1)])
def test_it_falls_at_its_turning_point_and_where_the_clock_went_back(
    story: Story, clock: HandClock, later: timedelta
) -> None:
    story.ask()
    story.says_yes(story.family.mother)
    story.says_yes(story.family.father, expires_at=clock.now() + timedelta(minutes=5))
    permit = story.permit()
    assert permit.valid_until == clock.now() + timedelta(minutes=5)
    clock.move(min(later, timedelta(minutes=4)) if later > timedelta(0) else timedelta(0))
    assert stands(story, permit)
    clock.move(later - timedelta(minutes=4) if later > timedelta(0) else later)
    assert not stands(story, permit)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time anyway
def test_nobody_says_yes_to_words_that_are_just_changing(story_on_both: Story) -> None:
    story, held = story_on_both, []

    def try_to_hold(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO consent_notice") and not held:
            with story.db.engine.connect() as other:  # as whoever gives a yes does first
                query = text("SELECT id FROM identity_case FOR UPDATE SKIP LOCKED")
                held.append(other.execute(query).all())

    event.listen(story.db.engine, "before_cursor_execute", try_to_hold)
    words = {key: f"{body} Anew." for key, body in NOTICES.items() if key[0] is Purpose.SOCIAL_WORKER}
    consent.publish_notices(story.db, words=words)
    event.remove(story.db.engine, "before_cursor_execute", try_to_hold)
    assert held == [[]]
