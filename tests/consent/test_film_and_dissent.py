"""Filming agreements, and a child's own no."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import consent
from consent import Action, Audience, Decision, FilmingAnswer, GrantState, How, Lifting, Purpose, Reason, no_film
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import PersonId
from tests.consent.story import Story
from tests.families import Someone


def _missing(story: Story, *people: PersonId) -> dict[PersonId, Reason]:
    with story.db.read() as session:
        found = consent.filming_state(
            session, case_id=story.family.case_id, people=people, guider=story.family.staff.guider.id
        )
    return {person: no.reason for person, no in found.items()}


def _record(story: Story, answer: FilmingAnswer, who: Someone | None = None) -> None:
    consent.record_filming(
        story.db,
        keystore=story.keystore,
        actor=(who or story.family.staff.guider).actor,
        case_id=story.family.case_id,
        answers=[answer],
    )


def _paper(person: PersonId, said_by: PersonId, decision: Decision = Decision.GRANT) -> FilmingAnswer:
    return FilmingAnswer(person, said_by, decision, How.PAPER, "drawer 3")


def _footage(story: Story, *filmed: PersonId) -> Story:
    story.clip = replace(
        story.clip, is_footage=True, persons_shown=frozenset(), attested_by=None, filmed=frozenset(filmed)
    )
    return story


def test_without_agreement_a_film_stays_sealed_for_the_guider_too(story: Story) -> None:
    family = story.family
    _footage(story, family.mother.id, family.child)
    assert story.why_not(family.staff.guider, Purpose.PREPARE) is Reason.NOT_ASKED
    assert set(_missing(story, family.mother.id, family.child)) == {family.mother.id, family.child}


def test_everyone_who_was_filmed_agreed(story: Story) -> None:
    family = story.family
    story.film()
    assert _missing(story, family.mother.id, family.father.id, family.child) == {}
    _footage(story, family.mother.id, family.father.id, family.child)
    assert story.why_not(family.staff.guider, Purpose.PREPARE) is None


def test_nobody_filmed_is_no_agreement(story: Story) -> None:
    story.film()
    assert _missing(story) == {story.family.staff.guider.id: Reason.NOBODY_LISTED}


def test_one_who_was_not_asked_is_named(story: Story) -> None:
    story.film()
    assert _missing(story, story.family.mother.id, story.family.sibling) == {story.family.sibling: Reason.NOT_ASKED}


def test_the_childs_assent_has_to_be_noted(story: Story) -> None:
    family = story.family
    _record(story, _paper(family.child, family.mother.id))
    assert _missing(story, family.child) == {family.child: Reason.NO_FILMING_AGREEMENT}
    _record(story, FilmingAnswer(family.child, family.child, Decision.GRANT, How.OBSERVED))
    assert _missing(story, family.child) == {}


def test_a_father_stops_filming_on_his_own_page_and_sees_only_his_own_answer(story: Story) -> None:
    family = story.family
    story.film()
    mine = story.questions(family.father, Purpose.FILMING)
    assert [(one.on_behalf_of, one.state) for one in mine] == [(family.father.id, GrantState.GRANTED)]
    story.stops(family.father, Purpose.FILMING)
    assert _missing(story, family.father.id) == {family.father.id: Reason.WITHDRAWN}


def test_a_child_who_turned_away_is_not_filmed_until_two_people_saw_it_come_round(story: Story) -> None:
    family = story.family
    story.film()
    _record(story, FilmingAnswer(family.child, family.child, Decision.REFUSE, How.OBSERVED))
    assert _missing(story, family.child) == {family.child: Reason.DISSENT}
    _record(story, FilmingAnswer(family.child, family.child, Decision.GRANT, How.OBSERVED))
    assert _missing(story, family.child) == {family.child: Reason.DISSENT}
    film = no_film(family.case_id)
    first = consent.lift_dissent(story.db, actor=family.staff.guider.actor, rendition=film, child=family.child)
    second = consent.lift_dissent(story.db, actor=family.staff.social_worker.actor, rendition=film, child=family.child)
    assert (first, second) == (Lifting.NOTED, Lifting.LIFTED)
    assert _missing(story, family.child) == {}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"how": How.PAPER, "scan_reference": None}, "how_unfit"),
        ({"how": How.OWN_DEVICE, "scan_reference": None}, "how_unfit"),
        ({"how": How.TOLD_TO_STAFF, "scan_reference": None}, "how_unfit"),
        ({"how": How.OBSERVED, "scan_reference": None}, "how_unfit"),
        ({"how": How.PAPER, "scan_reference": "  "}, "reference_form"),
    ],
    ids=["paper without its place", "on a device", "a yes that was told", "an adult who was seen", "an empty place"],
)
def test_filming_answers_that_cannot_be(story: Story, answer: dict[str, Any], code: str) -> None:
    mother = story.family.mother.id
    with pytest.raises(Invalid) as caught:
        _record(story, FilmingAnswer(mother, mother, Decision.GRANT, **answer))
    assert caught.value.code == code


def test_nobody_agrees_for_an_adult_or_a_strangers_child(story: Story) -> None:
    family = story.family
    with pytest.raises(Invalid, match="not_theirs_to_say"):
        _record(story, _paper(family.mother.id, family.father.id))
    with pytest.raises(Refused):
        _record(story, _paper(family.mother.id, family.mother.id), family.staff.social_worker)
    with pytest.raises(NotFound):
        _record(story, _paper(family.mother.id, family.mother.id), family.staff.colleague)


def test_dissent_counts_at_once_in_every_question_and_in_the_shared_review(story: Story) -> None:
    family = story.family
    story.film()
    story.everyone_agrees()
    permit = story.permit()
    consent.record_dissent(story.db, actor=family.staff.social_worker.actor, rendition=story.clip, child=family.child)
    assert story.still(permit) is Reason.DISSENT
    room = frozenset({family.mother.id})
    assert story.why_not(family.staff.guider, Purpose.REVIEW_TOGETHER, playing_to=room) is Reason.DISSENT


def test_dissent_goes_along_into_questions_that_are_asked_later(story: Story) -> None:
    family = story.family
    consent.record_dissent(story.db, actor=family.staff.guider.actor, rendition=story.clip, child=family.child)
    story.everyone_agrees()
    assert story.why_not() is Reason.DISSENT


def test_parents_pages_never_show_a_childs_dissent(story: Story) -> None:
    family = story.family
    story.everyone_agrees()
    before = [
        (consent.questions_for(story.db, actor=one.actor), consent.history(story.db, actor=one.actor))
        for one in (family.mother, family.father)
    ]
    consent.record_dissent(story.db, actor=family.staff.guider.actor, rendition=story.clip, child=family.child)
    after = [
        (consent.questions_for(story.db, actor=one.actor), consent.history(story.db, actor=one.actor))
        for one in (family.mother, family.father)
    ]
    assert after == before


def test_only_a_second_person_lifts_a_dissent(story: Story) -> None:
    family = story.family
    story.everyone_agrees()
    about = {"rendition": story.clip, "child": family.child}
    with pytest.raises(Conflict, match="no_dissent"):
        consent.lift_dissent(story.db, actor=family.staff.guider.actor, **about)  # type: ignore[arg-type]
    consent.record_dissent(story.db, actor=family.staff.guider.actor, **about)  # type: ignore[arg-type]
    assert consent.lift_dissent(story.db, actor=family.staff.guider.actor, **about) is Lifting.NOTED  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="second_person_needed"):
        consent.lift_dissent(story.db, actor=family.staff.guider.actor, **about)  # type: ignore[arg-type]
    assert story.why_not() is Reason.DISSENT
    assert consent.lift_dissent(story.db, actor=family.staff.social_worker.actor, **about) is Lifting.LIFTED  # type: ignore[arg-type]
    assert story.why_not() is None


def test_a_sign_noted_before_a_newer_dissent_lifts_nothing(story: Story) -> None:
    family = story.family
    story.everyone_agrees()
    guider, worker = family.staff.guider.actor, family.staff.social_worker.actor
    consent.record_dissent(story.db, actor=guider, rendition=story.clip, child=family.child)
    consent.lift_dissent(story.db, actor=guider, rendition=story.clip, child=family.child)
    consent.record_dissent(story.db, actor=guider, rendition=story.clip, child=family.child)
    again = consent.lift_dissent(story.db, actor=worker, rendition=story.clip, child=family.child)
    assert again is Lifting.NOTED
    assert story.why_not() is Reason.DISSENT


def test_an_adult_does_not_dissent_by_being_watched(story: Story) -> None:
    with pytest.raises(Invalid, match="not_a_child"):
        consent.record_dissent(
            story.db, actor=story.family.staff.guider.actor, rendition=story.clip, child=story.family.mother.id
        )


def test_a_family_copy_needs_its_own_yes(story: Story) -> None:
    family = story.family
    story.everyone_agrees()
    mother = Audience(person=family.mother.id)
    story.ask(Purpose.FAMILY_COPY, mother)
    copy = {"action": Action.EXPORT}
    assert story.why_not(family.mother, Purpose.FAMILY_COPY, **copy) is not None
    story.says_yes(family.father, Purpose.FAMILY_COPY)
    story.says_yes(family.mother, Purpose.FAMILY_COPY)
    assert story.why_not(family.mother, Purpose.FAMILY_COPY, **copy) is None
