"""Preparing, checking, reviewing together: tables whose rows are sentences."""

from __future__ import annotations

import pytest

from consent.purposes import RULES
from consent.terms import ACTIONS, NO_FILM_YET, Action, How, Purpose, Reason
from consent.who import FITTING
from identity.facts import Competence, Effect, Role, Span
from tests.consent.cast import (
    CHECKER,
    FATHER,
    GRANDMOTHER,
    GUIDER,
    HOUR,
    MANAGER,
    MOTHER,
    NOON,
    SUCCESSOR,
    SUPERVISOR,
    TEEN,
    TODDLER,
    WORKER,
    assignment,
)
from tests.consent.scene import Scene, scope

Case = tuple[str, Reason | None, Reason | None]

FILMED = Scene().filmed(MOTHER, TODDLER)
FOOTAGE = FILMED.clip(is_footage=True, persons_shown=frozenset(), filmed=frozenset({MOTHER, TODDLER}), attested_by=None)
FILMING = scope(GUIDER, Purpose.FILMING, NO_FILM_YET)


PREPARE: list[Case] = [
    ("the guider plays the footage of those who agreed to be filmed", FOOTAGE.says(GUIDER, Purpose.PREPARE), None),
    ("the guider plays a clip", FILMED.says(GUIDER, Purpose.PREPARE), None),
    ("nobody agreed to be filmed", Scene().says(GUIDER, Purpose.PREPARE), Reason.NOT_ASKED),
    (
        "one of those filmed did not agree",
        FOOTAGE.clip(filmed=frozenset({MOTHER, TODDLER, FATHER})).says(GUIDER, Purpose.PREPARE),
        Reason.NOT_ASKED,
    ),
    (
        "the father, who holds responsibility, refuses the child's filming",
        FOOTAGE.refuses(FATHER, child=TODDLER, about=FILMING).says(GUIDER, Purpose.PREPARE),
        Reason.REFUSED,
    ),
    (
        "the filming agreement was withdrawn",
        FOOTAGE.withdraws(MOTHER, about=FILMING).says(GUIDER, Purpose.PREPARE),
        Reason.WITHDRAWN,
    ),
    (
        "the child turned away from the camera",
        FOOTAGE.refuses(TODDLER, about=FILMING, how=How.OBSERVED).says(GUIDER, Purpose.PREPARE),
        Reason.DISSENT,
    ),
    (
        "the child's assent was not noted",
        Scene().filmed(MOTHER).grants(MOTHER, child=TODDLER, about=FILMING).says(GUIDER, Purpose.PREPARE),
        Reason.NO_FILMING_AGREEMENT,
    ),
    (
        "a competent 14-year-old agreed to be filmed",
        Scene()
        .showing(TEEN)
        .assessed(TEEN, Competence.COMPETENT)
        .grants(TEEN, about=FILMING)
        .says(GUIDER, Purpose.PREPARE),
        None,
    ),
    (
        "a competent 14-year-old did not, whatever the mother says",
        Scene()
        .showing(TEEN)
        .assessed(TEEN, Competence.COMPETENT)
        .grants(MOTHER, child=TEEN, about=FILMING)
        .says(GUIDER, Purpose.PREPARE),
        Reason.NOT_ASKED,
    ),
    (
        "nobody is recorded as filmed",
        FOOTAGE.clip(filmed=frozenset()).says(GUIDER, Purpose.PREPARE),
        Reason.NOBODY_LISTED,
    ),
    (
        "another guider was not the one whom the family let film",
        FOOTAGE.places(assignment(SUCCESSOR, Role.GUIDER)).says(SUCCESSOR, Purpose.PREPARE),
        Reason.NOT_ASKED,
    ),
    ("the social worker does not prepare", FOOTAGE.says(WORKER, Purpose.PREPARE), Reason.NO_ASSIGNMENT),
    ("a manager without an assignment", FOOTAGE.says(MANAGER, Purpose.PREPARE), Reason.NO_ASSIGNMENT),
    ("a parent does not prepare", FOOTAGE.says(MOTHER, Purpose.PREPARE), Reason.NO_ASSIGNMENT),
    ("the case is closed", FOOTAGE.roster(is_open=False).says(GUIDER, Purpose.PREPARE), Reason.CASE_CLOSED),
    (
        "the family is on the guider's caseload",
        FOOTAGE.caseload(GUIDER, MOTHER).says(GUIDER, Purpose.PREPARE),
        Reason.CONFLICT_OF_INTEREST,
    ),
    (
        "an assignment that has not begun",
        FOOTAGE.places(assignment(GUIDER, Role.GUIDER, Span(NOON + HOUR))).says(GUIDER, Purpose.PREPARE),
        Reason.NO_ASSIGNMENT,
    ),
    ("without a second factor", FOOTAGE.says(GUIDER, Purpose.PREPARE, two_factors=False), Reason.NO_SECOND_FACTOR),
    (
        "after the session's end",
        FOOTAGE.says(GUIDER, Purpose.PREPARE, session_ends_at=NOON),
        Reason.SESSION_ENDED,
    ),
    ("export is no way to prepare", FOOTAGE.says(GUIDER, Purpose.PREPARE, action=Action.EXPORT), Reason.WRONG_ACTION),
    ("filming lets nobody watch", FILMED.says(GUIDER, Purpose.FILMING), Reason.WRONG_ACTION),
]


CHECK: list[Case] = [
    ("the named colleague checks", FILMED.says(CHECKER, Purpose.CHECK), None),
    ("an unchecked rendition is what a check is for", FILMED.clip(attested_by=None).says(CHECKER, Purpose.CHECK), None),
    ("a colleague who wasn't named", FILMED.says(SUPERVISOR, Purpose.CHECK), Reason.NO_ASSIGNMENT),
    (
        "a checker of every rendition is not named for this one",
        FILMED.places(assignment(CHECKER, Role.CHECKER)).says(CHECKER, Purpose.CHECK),
        Reason.NO_ASSIGNMENT,
    ),
    (
        "a checker who also works on the case",
        FILMED.adding(assignments=assignment(CHECKER, Role.CHAIR)).says(CHECKER, Purpose.CHECK),
        Reason.CONFLICT_OF_INTEREST,
    ),
    (
        "a checker with the family on their caseload",
        FILMED.caseload(CHECKER, MOTHER).says(CHECKER, Purpose.CHECK),
        Reason.CONFLICT_OF_INTEREST,
    ),
    ("footage is not checked", FOOTAGE.says(CHECKER, Purpose.CHECK), Reason.NOT_A_CLIP),
    ("what nobody agreed to film stays sealed", Scene().says(CHECKER, Purpose.CHECK), Reason.NOT_ASKED),
]


REVIEW: list[Case] = [
    (
        "the guider plays to the mother, who is in the film",
        FILMED.says(GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER})),
        None,
    ),
    ("the guider plays to nobody in particular", FILMED.says(GUIDER, Purpose.REVIEW_TOGETHER), Reason.NOBODY_LISTED),
    (
        "the guider plays to someone who isn't in it",
        FILMED.says(GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER, GRANDMOTHER})),
        Reason.NOT_IN_AUDIENCE,
    ),
    (
        "the guider plays to someone whom an order stops",
        FILMED.restricted(MOTHER, Effect.NO_VIEW).says(GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER})),
        Reason.RESTRICTED,
    ),
    (
        "no check is needed for a shared review",
        FILMED.clip(attested_by=None).says(GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER})),
        None,
    ),
    (
        "the child showed that it didn't want to see this one",
        FILMED.refuses(TODDLER, about=scope(GUIDER, Purpose.REVIEW_TOGETHER), how=How.OBSERVED).says(
            GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER})
        ),
        Reason.DISSENT,
    ),
    (
        "footage isn't shown in a shared review",
        FOOTAGE.says(GUIDER, Purpose.REVIEW_TOGETHER, playing_to=frozenset({MOTHER})),
        Reason.NOT_A_CLIP,
    ),
]

ALL = PREPARE + CHECK + REVIEW


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in ALL], ids=[case[0] for case in ALL])
def test_purpose(said: Reason | None, expected: Reason | None) -> None:
    assert said == expected


def test_every_purpose_has_a_rule_an_action_and_a_place() -> None:
    assert set(RULES) == set(ACTIONS) == set(FITTING) == set(Purpose)
