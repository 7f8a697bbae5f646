"""Holders who aren't in the film, waivers, conferences, overrides, and what staff see of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import consent
import identity
from consent import (
    Audience,
    AudienceState,
    GrantState,
    LawfulBasis,
    Purpose,
    Reason,
    Waiting,
    WaiverReason,
)
from consent.models import OverrideRow
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import ConferenceId, OverrideId, new_id
from identity import Effect
from tests.consent.story import Story
from tests.fakes import HandClock
from tests.families import Someone, again

WHY = "The child may be at risk of significant harm, and this clip shows why."


def _waiting(asked: consent.Asked) -> list[Waiting]:
    return [why for _, _, why in asked.waiting]


def _state(story: Story) -> AudienceState:
    with story.db.read() as session:
        (found,) = consent.state_for_staff(session, actor=story.family.staff.guider.actor, rendition=story.clip)
    return found


def _without_father(story: Story) -> None:
    story.shows(story.family.mother.id, story.family.child)


def test_a_holder_who_is_not_in_the_film_is_asked_last_and_only_when_it_is_safe(story: Story) -> None:
    family = story.family
    _without_father(story)
    assert _waiting(story.ask()) == [Waiting.NOT_IN_FILM_YET]
    assert story.questions(family.father) == []
    story.says_yes(family.mother)
    assert _waiting(story.ask()) == [Waiting.SAFE_TO_ASK]
    consent.safe_to_ask(story.db, actor=family.staff.guider.actor, rendition=story.clip, person=family.father.id)
    assert _waiting(story.ask()) == []
    assert [one.on_behalf_of for one in story.questions(family.father)] == [family.child]


def test_silence_of_the_other_holder_counts_after_the_notice(story: Story, clock: HandClock) -> None:
    family = story.family
    _without_father(story)
    story.ask()
    story.says_yes(family.mother)
    consent.safe_to_ask(story.db, actor=family.staff.guider.actor, rendition=story.clip, person=family.father.id)
    story.ask()
    assert story.why_not() is Reason.NOTICE_RUNNING
    state = _state(story)
    assert state.may_show_from == clock.now() + timedelta(days=7)
    clock.move(timedelta(days=7))
    assert story.why_not(again(story.db, family.staff.social_worker)) is None


def test_a_holder_who_must_not_be_contacted_gets_no_question(story: Story) -> None:
    family = story.family
    identity.place_restriction(
        story.db,
        keystore=story.keystore,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        person=family.father.id,
        effects=frozenset({Effect.NOT_ASKED}),
        reason="non-molestation order",
    )
    assert _waiting(story.ask()) == [Waiting.NOT_CONTACTED, Waiting.NOT_CONTACTED]
    assert consent.questions_for(story.db, actor=family.father.actor) == []


def test_a_manager_outside_the_team_waives_a_notice_and_a_refusal_still_wins(story: Story) -> None:
    family = story.family
    _without_father(story)
    story.ask()
    story.says_yes(family.mother)
    about: dict[str, Any] = {
        "keystore": story.keystore,
        "rendition": story.clip,
        "purpose": Purpose.SOCIAL_WORKER,
        "audience": Audience(person=family.staff.social_worker.id),
        "holder": family.father.id,
        "child": family.child,
        "reason": WaiverReason.CANT_BE_FOUND,
        "explanation": "No address since 2024.",
    }
    with pytest.raises(Refused):
        consent.waive_notice(story.db, actor=family.staff.guider.actor, **about)
    with pytest.raises(NotFound):
        consent.waive_notice(story.db, actor=family.staff.manager.actor, **(about | {"holder": family.child}))
    with pytest.raises(Invalid, match="words_form"):
        consent.waive_notice(story.db, actor=family.staff.manager.actor, **(about | {"explanation": " "}))
    consent.waive_notice(story.db, actor=family.staff.manager.actor, **about)
    permit = story.permit()
    consent.safe_to_ask(story.db, actor=family.staff.guider.actor, rendition=story.clip, person=family.father.id)
    story.ask()
    story.says_no(family.father)
    assert story.still(permit) is Reason.REFUSED


def test_staff_see_who_said_what_and_what_is_missing(story: Story) -> None:
    family = story.family
    story.ask()
    story.says_yes(family.mother)
    story.says_no(family.father)
    state = _state(story)
    states = {(line.grantor, line.on_behalf_of): line.state for line in state.lines}
    assert states[family.mother.id, family.child] is GrantState.GRANTED
    assert states[family.father.id, family.father.id] is GrantState.REFUSED
    assert {no.reason for no in state.missing} == {Reason.REFUSED}
    assert state.may_show_from is None
    with story.db.read() as session, pytest.raises(Refused):
        consent.state_for_staff(session, actor=family.staff.social_worker.actor, rendition=story.clip)


# conferences


def _meet(story: Story, clock: HandClock, **more: Any) -> ConferenceId:
    staff = story.family.staff
    fields: dict[str, Any] = {
        "keystore": story.keystore,
        "actor": staff.guider.actor,
        "case_id": story.family.case_id,
        "title": "Review conference",
        "starts_at": clock.now(),
        "ends_at": clock.now() + timedelta(hours=2),
        "chair": staff.chair.id,
        "attendees": frozenset({staff.guider.id, staff.chair.id, story.family.mother.id}),
    }
    return consent.record_conference(story.db, **(fields | more))


def _ask_for(story: Story, meeting: ConferenceId) -> None:
    story.ask(Purpose.CASE_CONFERENCE, Audience(conference=meeting))
    story.says_yes(story.family.mother, Purpose.CASE_CONFERENCE)
    story.says_yes(story.family.father, Purpose.CASE_CONFERENCE)


def test_a_clip_is_presented_in_a_timed_session_of_its_own_conference(story: Story, clock: HandClock) -> None:
    guider = story.family.staff.guider
    meeting = _meet(story, clock)
    _ask_for(story, meeting)
    presenting = consent.begin_presenting(
        story.db, actor=guider.actor, conference=meeting, until=clock.now() + timedelta(minutes=30)
    )
    show: dict[str, Any] = {"presenting": presenting, "action": consent.Action.PRESENT}
    permit = story.permit(guider, Purpose.CASE_CONFERENCE, **show)
    assert permit.valid_until <= presenting.ends_at
    assert story.why_not() is Reason.NOT_IN_AUDIENCE
    consent.end_presenting(story.db, actor=guider.actor, conference=meeting)
    assert story.still(permit) is Reason.OUTSIDE_WINDOW


def test_a_presenter_session_that_nobody_began_shows_nothing(story: Story, clock: HandClock) -> None:
    guider = story.family.staff.guider
    meeting = _meet(story, clock)
    _ask_for(story, meeting)
    made_up = consent.Presenting(meeting, guider.id, clock.now() + timedelta(hours=1))
    show: dict[str, Any] = {"presenting": made_up, "action": consent.Action.PRESENT}
    assert story.why_not(guider, Purpose.CASE_CONFERENCE, **show) is Reason.OUTSIDE_WINDOW


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"title": "  "}, "title_form"),
        ({"ends_at": -1}, "end_before_start"),
        ({"ends_at": 13}, "too_long"),
        ({"attendees": frozenset()}, "nobody_listed"),
    ],
    ids=["no name", "end before start", "longer than half a day", "nobody attends"],
)
def test_conferences_that_cannot_be(story: Story, clock: HandClock, more: dict[str, Any], code: str) -> None:
    if "ends_at" in more:
        more = {"ends_at": clock.now() + timedelta(hours=more["ends_at"])}
    with pytest.raises(Invalid) as caught:
        _meet(story, clock, **more)
    assert caught.value.code == code


def test_a_conference_is_presented_only_while_it_is_on(story: Story, clock: HandClock) -> None:
    meeting = _meet(story, clock, starts_at=clock.now() + timedelta(hours=1))
    guider, soon = story.family.staff.guider.actor, clock.now() + timedelta(minutes=10)
    with pytest.raises(Conflict, match="not_now"):
        consent.begin_presenting(story.db, actor=guider, conference=meeting, until=soon)
    with pytest.raises(NotFound):
        consent.begin_presenting(story.db, actor=story.family.staff.colleague.actor, conference=meeting, until=soon)
    (line,) = consent.conferences_of(story.db, keystore=story.keystore, actor=guider, case_id=story.family.case_id)
    assert line.title == "Review conference"


# overrides


def _propose(story: Story, clock: HandClock, who: Someone | None = None, **more: Any) -> OverrideId:
    staff = story.family.staff
    fields: dict[str, Any] = {
        "keystore": story.keystore,
        "rendition": story.clip,
        "recipient": staff.social_worker.id,
        "basis": LawfulBasis.SECTION_47,
        "necessity": WHY,
        "proportionality": "One clip of forty seconds, to one person, for a day.",
        "starts_at": clock.now(),
        "ends_at": clock.now() + timedelta(hours=24),
        "tell_family_on": clock.now() + timedelta(hours=12),
    }
    return consent.propose_override(story.db, actor=(who or staff.manager).actor, **(fields | more))


def test_an_override_opens_one_clip_to_one_recipient_after_a_second_person_approved(
    story: Story, clock: HandClock
) -> None:
    staff = story.family.staff
    story.ask()
    story.says_no(story.family.mother)
    override = _propose(story, clock)
    assert story.why_not() is Reason.REFUSED
    with pytest.raises(Refused, match="second_person_needed"):
        consent.approve_override(story.db, actor=staff.manager.actor, override=override)
    assert story.why_not() is Reason.REFUSED
    (waiting,) = consent.overrides_waiting(story.db, keystore=story.keystore, actor=staff.officer.actor)
    assert waiting.necessity == WHY
    consent.approve_override(story.db, actor=staff.officer.actor, override=override)
    permit = story.permit()
    assert permit.override == override
    with pytest.raises(Conflict, match="override_settled"):
        consent.approve_override(story.db, actor=staff.other_officer.actor, override=override)
    consent.end_override(story.db, actor=staff.officer.actor, override=override)
    assert story.still(permit) is Reason.REFUSED


def test_a_social_worker_can_propose_but_never_approve(story: Story, clock: HandClock) -> None:
    worker = story.family.staff.social_worker
    override = _propose(story, clock, worker)
    with pytest.raises(Refused):
        consent.approve_override(story.db, actor=worker.actor, override=override)
    with pytest.raises(NotFound):
        consent.approve_override(story.db, actor=story.family.staff.officer.actor, override=OverrideId(new_id()))


def test_the_family_is_told_when_it_was_said_and_in_words_of_its_own(story: Story, clock: HandClock) -> None:
    override = _propose(story, clock)
    consent.approve_override(story.db, actor=story.family.staff.officer.actor, override=override)
    mother = story.family.mother
    assert consent.shown_by_law(story.db, actor=mother.actor) == []
    clock.move(timedelta(hours=12))
    (told,) = consent.shown_by_law(story.db, actor=again(story.db, mother).actor)
    assert (told.recipient, told.basis) == (story.family.staff.social_worker.id, LawfulBasis.SECTION_47)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ends_at": 73}, "too_long"),
        ({"ends_at": -1}, "end_before_start"),
        ({"necessity": "needed"}, "words_form"),
        ({"tell_family_on": None}, "family_told_or_why"),
        ({"not_told_because": WHY}, "family_told_or_why"),
    ],
    ids=["longer than 72 hours", "end before start", "a word is no reason", "nobody is told", "told and not told"],
)
def test_overrides_that_cannot_be(story: Story, clock: HandClock, more: dict[str, Any], code: str) -> None:
    if "ends_at" in more:
        more = {"ends_at": clock.now() + timedelta(hours=more["ends_at"])}
    with pytest.raises(Invalid) as caught:
        _propose(story, clock, **more)
    assert caught.value.code == code


def test_the_reasons_of_an_override_are_sealed_in_the_database(story: Story, clock: HandClock) -> None:
    override = _propose(story, clock, tell_family_on=None, not_told_because=WHY)
    with story.db.read() as session:
        row = session.get_one(OverrideRow, override)
        for sealed in (row.necessity, row.proportionality, row.not_told_because):
            assert sealed is not None
            assert b"clip" not in sealed
