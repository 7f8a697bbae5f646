"""The cases that the specification says a test must name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from consent.facts import Presenting
from consent.rules import Permit
from consent.terms import Purpose, Reason
from identity.facts import Competence, RelationshipKind, Role, Span
from tests.consent.cast import (
    CHECKER,
    DAY,
    FATHER,
    GUIDER,
    HASH,
    HOUR,
    LONG_AGO,
    MANAGER,
    MEETING,
    MOTHER,
    NOON,
    SIBLING,
    STEPFATHER,
    SUCCESSOR,
    SUPERVISOR,
    TEEN,
    TODDLER,
    WORKER,
    assignment,
    tie,
)
from tests.consent.scene import Scene, agreed, scope

Case = tuple[str, Scene, Reason | None]
OTHER_HASH = "b2" * 32
RECUT = scope(content_hash=OTHER_HASH)


def _one_frame_less() -> Scene:
    return agreed().clip(content_hash=OTHER_HASH)


def _same_name_relatives() -> Scene:
    """Father and stepfather share a name; names aren't even among the facts. Only one of them holds a say."""
    return agreed().refuses(STEPFATHER, child=TODDLER)


def _father_without_responsibility() -> Scene:
    return agreed().ties(tie(MOTHER, TODDLER, RelationshipKind.MOTHER)).showing(MOTHER, TODDLER, FATHER)


def _teen_alone() -> Scene:
    return (
        Scene()
        .showing(TEEN)
        .grants(MOTHER, child=TEEN)
        .grants(FATHER, child=TEEN)
        .asked(TEEN)
        .assessed(TEEN, Competence.COMPETENT)
    )


def _guider_prepares() -> Scene:
    return Scene().filmed(MOTHER, TODDLER)


def _conference() -> Scene:
    return agreed(scope(MEETING, Purpose.CASE_CONFERENCE)).meeting()


CASES: list[Case] = [
    ("everyone who has a say agrees", agreed(), None),
    (
        "the second parent withdraws while the social worker watches",
        agreed().grants(FATHER, child=TODDLER).withdraws(FATHER, child=TODDLER),
        Reason.WITHDRAWN,
    ),
    ("one parent grants and the other refuses", agreed().refuses(FATHER, child=TODDLER), Reason.REFUSED),
    (
        "a parent's refusal counts whichever of the two answered first",
        Scene().refuses(FATHER, child=TODDLER).grants(MOTHER).grants(MOTHER, child=TODDLER),
        Reason.REFUSED,
    ),
    ("of two relatives with the same name only the holder's answer counts", _same_name_relatives(), None),
    (
        "a father without responsibility is asked about his own image",
        _father_without_responsibility(),
        Reason.NOT_ASKED,
    ),
    (
        "a father without responsibility says yes to his own image",
        _father_without_responsibility().grants(FATHER),
        None,
    ),
    (
        "a father without responsibility refuses his own image",
        _father_without_responsibility().refuses(FATHER),
        Reason.REFUSED,
    ),
    (
        "a father without responsibility does not decide for the child",
        _father_without_responsibility().grants(FATHER).refuses(FATHER, child=TODDLER),
        None,
    ),
    (
        "a competent 14-year-old refuses what the parents grant",
        _teen_alone().refuses(TEEN),
        Reason.REFUSED,
    ),
    ("a competent 14-year-old is not spoken for", _teen_alone(), Reason.NOT_ANSWERED),
    ("a competent 14-year-old says yes for themself", _teen_alone().grants(TEEN), None),
    (
        "a failed assessment leaves the parents' grants standing",
        Scene()
        .showing(TEEN)
        .grants(MOTHER, child=TEEN, when=NOON - 60 * DAY)
        .grants(FATHER, child=TEEN, when=NOON - 60 * DAY)
        .assessed(TEEN, Competence.NOT_COMPETENT),
        None,
    ),
    (
        "a sibling in the background is undecided",
        agreed().showing(MOTHER, TODDLER, SIBLING),
        Reason.NOT_ASKED,
    ),
    (
        "the sibling is blurred, but nobody has checked",
        agreed(RECUT).clip(content_hash=OTHER_HASH, attested_by=None),
        Reason.NOT_ATTESTED,
    ),
    (
        "the sibling is blurred, checked by the one who blurred",
        agreed(RECUT).clip(content_hash=OTHER_HASH, attested_by=GUIDER),
        Reason.SELF_ATTESTED,
    ),
    (
        "the sibling is blurred and a second person has checked",
        agreed(RECUT).clip(content_hash=OTHER_HASH),
        None,
    ),
    (
        "the social worker changes team",
        agreed().places(assignment(WORKER, Role.SOCIAL_WORKER, Span(LONG_AGO, NOON - HOUR / 2))),
        Reason.NO_ASSIGNMENT,
    ),
    (
        "the social worker leaves, comes back, and the old yes does not come back with them",
        agreed().places(
            assignment(WORKER, Role.SOCIAL_WORKER, Span(LONG_AGO, NOON - HOUR / 2)),
            assignment(WORKER, Role.SOCIAL_WORKER, Span(NOON - HOUR / 3)),
        ),
        Reason.LAPSED,
    ),
    ("the clip is re-cut by one frame", _one_frame_less(), Reason.NOT_IN_AUDIENCE),
    (
        "the clip is re-cut by one frame and asked about, not yet answered",
        _one_frame_less()
        .asked(MOTHER, about=RECUT)
        .asked(MOTHER, child=TODDLER, about=RECUT)
        .asked(FATHER, child=TODDLER, about=RECUT),
        Reason.NOT_ANSWERED,
    ),
    (
        "refusing one clip leaves the others alone",
        agreed().refuses(MOTHER, about=RECUT).refuses(FATHER, child=TODDLER, about=RECUT),
        None,
    ),
    (
        "a self-approved override opens nothing",
        Scene().override(approver=MANAGER, proposer=MANAGER),
        Reason.NOT_IN_AUDIENCE,
    ),
    ("an override that two people stand behind replaces the yes", Scene().override(), None),
]


@pytest.mark.parametrize(("scene", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_social_worker_presses_play(scene: Scene, expected: Reason | None) -> None:
    assert scene.says() == expected


def test_a_successor_sees_nothing_of_what_was_granted_to_the_one_before() -> None:
    scene = agreed().places(assignment(SUCCESSOR, Role.SOCIAL_WORKER))
    assert scene.says(SUCCESSOR) is Reason.NOT_IN_AUDIENCE


def test_a_guider_who_holds_the_familys_case_is_refused_from_the_moment_it_is_theirs() -> None:
    later = _guider_prepares().caseload(GUIDER, MOTHER, Span(NOON + HOUR))
    permit = later.decide(GUIDER, Purpose.PREPARE)
    assert isinstance(permit, Permit)
    assert permit.valid_until == NOON + HOUR
    assert later.later(HOUR).says(GUIDER, Purpose.PREPARE) is Reason.CONFLICT_OF_INTEREST


def test_a_social_worker_may_of_course_have_the_family_on_their_caseload() -> None:
    assert agreed().caseload(WORKER, MOTHER).says() is None


def test_an_18th_birthday_overnight_ends_what_was_granted_before_it() -> None:
    evening = datetime(2026, 6, 30, 22, 0, tzinfo=ZoneInfo("Europe/London"))
    scene = replace(Scene(), at=evening).person(TEEN, date(2008, 7, 1)).showing(TEEN).grants(TEEN)
    permit = scene.decide()
    assert isinstance(permit, Permit)
    assert permit.valid_until == datetime(2026, 7, 1, 0, 0, tzinfo=ZoneInfo("Europe/London"))
    assert scene.later(2 * HOUR).says() is Reason.LAPSED
    assert scene.later(2 * HOUR).grants(TEEN, when=evening + 2 * HOUR).says() is None


def test_a_16th_birthday_overnight_ends_what_the_parents_granted() -> None:
    scene = Scene().showing(TEEN).person(TEEN, date(2010, 3, 3))
    scene = scene.grants(MOTHER, child=TEEN).grants(FATHER, child=TEEN).asked(TEEN)
    permit = scene.decide()
    assert isinstance(permit, Permit)
    assert permit.valid_until == datetime(2026, 3, 3, 0, 0, tzinfo=ZoneInfo("Europe/London"))
    assert scene.later(DAY).says() is Reason.NOT_ANSWERED


def test_a_grant_that_expires_mid_play_bounds_the_permit_and_then_refuses() -> None:
    scene = agreed().grants(MOTHER, expires_at=NOON + HOUR / 4)
    permit = scene.decide()
    assert isinstance(permit, Permit)
    assert permit.valid_until == NOON + HOUR / 4
    assert scene.later(HOUR / 4).says() is Reason.EXPIRED


def test_a_clock_that_steps_back_an_hour_revives_no_withdrawn_grant() -> None:
    withdrawn = agreed().withdraws(MOTHER, when=NOON)
    assert withdrawn.later(-HOUR).says() is Reason.WITHDRAWN
    assert agreed().refuses(FATHER, child=TODDLER, when=NOON).later(-3 * HOUR).says() is Reason.REFUSED


def test_a_conference_is_shown_until_the_presenter_session_ends() -> None:
    scene = _conference()
    permit = scene.decide(GUIDER, Purpose.CASE_CONFERENCE)
    assert isinstance(permit, Permit)
    assert permit.valid_until == NOON + HOUR / 2
    ended = Presenting(MEETING, GUIDER, NOON)
    assert scene.says(GUIDER, Purpose.CASE_CONFERENCE, presenting=ended) is Reason.OUTSIDE_WINDOW


def test_a_yes_to_the_social_worker_opens_nothing_for_a_conference_or_a_supervisor() -> None:
    scene = agreed().meeting()
    assert scene.says(GUIDER, Purpose.CASE_CONFERENCE) is Reason.NOT_IN_AUDIENCE
    assert scene.says(SUPERVISOR, Purpose.SUPERVISION) is Reason.NOT_IN_AUDIENCE


def test_the_checker_who_made_the_rendition_may_not_check_it() -> None:
    scene = Scene().filmed(MOTHER, TODDLER, guider=CHECKER).clip(author=CHECKER)
    assert scene.says(CHECKER, Purpose.CHECK) is Reason.SELF_ATTESTED


def test_the_permit_says_what_for_whom_and_on_which_version() -> None:
    permit = agreed().decide()
    assert isinstance(permit, Permit)
    assert (permit.inquiry.viewer, permit.content_hash, permit.version) == (WORKER, HASH, 1000)
    assert permit.override is None
    assert permit.valid_until == NOON + 30 * DAY
