"""Who says yes for a young person under 16: one table, whose rows are sentences."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from consent.terms import How, Reason
from identity.facts import Competence
from tests.consent.cast import DAY, FATHER, GUIDER, MOTHER, TEEN, TODDLER
from tests.consent.scene import Scene, agreed

Case = tuple[str, Scene, Reason | None]

UNSETTLED = (
    Scene()
    .showing(TEEN)
    .assessed(TEEN, Competence.COMPETENT, ago=90 * DAY, review=date(2026, 3, 1))
    .asked(FATHER, child=TEEN)
)
DISSENT = agreed().refuses(TODDLER, how=How.OBSERVED, recorded_by=GUIDER)
_MINUTE = timedelta(minutes=1)


TEENS: list[Case] = [
    (
        "parents speak for a 14-year-old whom nobody assessed",
        Scene().showing(TEEN).grants(MOTHER, child=TEEN).grants(FATHER, child=TEEN),
        None,
    ),
    (
        "being found competent ends what the parents granted",
        Scene().showing(TEEN).grants(MOTHER, child=TEEN).assessed(TEEN, Competence.COMPETENT, ago=_MINUTE),
        Reason.NOT_ASKED,
    ),
    (
        "a yes given before being found competent was not theirs to give",
        Scene().showing(TEEN).grants(TEEN).assessed(TEEN, Competence.COMPETENT, ago=_MINUTE),
        Reason.NOT_ASKED,
    ),
    (
        "competence found for another purpose",
        Scene()
        .showing(TEEN)
        .grants(MOTHER, child=TEEN)
        .grants(FATHER, child=TEEN)
        .assessed(TEEN, Competence.COMPETENT, purpose="training"),
        None,
    ),
    ("past the review date the child's own yes is not enough", UNSETTLED.grants(TEEN), Reason.NOT_ASKED),
    ("past the review date the parents' yes is not enough", UNSETTLED.grants(MOTHER, child=TEEN), Reason.NOT_ASKED),
    ("past the review date both together are", UNSETTLED.grants(TEEN).grants(MOTHER, child=TEEN), None),
    (
        "past the review date a parent's no is a no",
        UNSETTLED.grants(TEEN).grants(MOTHER, child=TEEN).refuses(FATHER, child=TEEN),
        Reason.REFUSED,
    ),
    (
        "two assessments of the same moment that disagree settle nothing",
        Scene()
        .showing(TEEN)
        .grants(MOTHER, child=TEEN)
        .grants(FATHER, child=TEEN)
        .assessed(TEEN, Competence.COMPETENT)
        .assessed(TEEN, Competence.NOT_COMPETENT),
        Reason.NOT_ASKED,
    ),
    (
        "a later general assessment unsettles an earlier one about this purpose",
        Scene()
        .showing(TEEN)
        .grants(TEEN)
        .assessed(TEEN, Competence.COMPETENT, ago=60 * DAY, purpose="social_worker")
        .assessed(TEEN, Competence.NOT_COMPETENT, ago=30 * DAY),
        Reason.NOT_ASKED,
    ),
    (
        "what others saw a competent child show against it stays until a second person notes another sign",
        Scene().showing(TEEN).assessed(TEEN, Competence.COMPETENT).refuses(TEEN, how=How.OBSERVED).grants(TEEN),
        Reason.DISSENT,
    ),
    (
        "a competent child takes back their own refusal",
        Scene().showing(TEEN).assessed(TEEN, Competence.COMPETENT).refuses(TEEN).grants(TEEN),
        None,
    ),
]


@pytest.mark.parametrize(("scene", "expected"), [case[1:] for case in TEENS], ids=[case[0] for case in TEENS])
def test_say(scene: Scene, expected: Reason | None) -> None:
    assert scene.says() == expected
