"""Who says yes for an adult shown, and for a young person presumed capable: rows are sentences."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from consent.terms import How, Purpose, Reason
from identity.facts import Capacity, Effect, PersonKind
from tests.consent.cast import DAY, GUIDER, MEETING, MOTHER, NEIGHBOUR, NOON, STRANGER, TODDLER, WORKER, YOUNG
from tests.consent.scene import Scene, agreed, scope

Case = tuple[str, Scene, Reason | None]

JUST_MOTHER = Scene().showing(MOTHER)
YOUNG_ALONE = Scene().showing(YOUNG).asked(YOUNG)
_MINUTE = timedelta(minutes=1)


ADULTS: list[Case] = [
    ("an adult who was asked and hasn't answered", JUST_MOTHER.asked(MOTHER), Reason.NOT_ANSWERED),
    ("an adult's yes by paper", JUST_MOTHER.grants(MOTHER, how=How.PAPER, recorded_by=GUIDER), None),
    ("an adult's later yes supersedes their refusal", JUST_MOTHER.refuses(MOTHER).grants(MOTHER), None),
    ("an adult's later refusal supersedes their yes", JUST_MOTHER.grants(MOTHER).refuses(MOTHER), Reason.REFUSED),
    (
        "an expired yes is as if never given, so the refusal before it counts again",
        JUST_MOTHER.refuses(MOTHER).grants(MOTHER, expires_at=NOON),
        Reason.REFUSED,
    ),
    ("a yes told to staff is none", JUST_MOTHER.grants(MOTHER, how=How.TOLD_TO_STAFF), Reason.NOT_ASKED),
    (
        "a no told to staff counts at once",
        JUST_MOTHER.grants(MOTHER).withdraws(MOTHER, how=How.TOLD_TO_STAFF, recorded_by=WORKER),
        Reason.WITHDRAWN,
    ),
    (
        "a tap on the guider's tablet needs its witness",
        JUST_MOTHER.grants(MOTHER, how=How.WITNESSED_TABLET),
        Reason.NOT_ASKED,
    ),
    (
        "a witnessed tap on the guider's tablet",
        JUST_MOTHER.grants(MOTHER, how=How.WITNESSED_TABLET, witness=GUIDER),
        None,
    ),
    ("a yes on words that have changed since", JUST_MOTHER.grants(MOTHER).retired("notice"), Reason.LAPSED),
    (
        "an adult without capacity",
        JUST_MOTHER.grants(MOTHER).capacity(MOTHER, Capacity.LACKS),
        Reason.NO_CAPACITY,
    ),
    (
        "an adult without capacity, and a best-interests decision says yes",
        JUST_MOTHER.asked(MOTHER).capacity(MOTHER, Capacity.LACKS_BEST_INTERESTS_YES),
        None,
    ),
    (
        "a best-interests yes does not override the adult's own no",
        JUST_MOTHER.refuses(MOTHER, how=How.OBSERVED).capacity(MOTHER, Capacity.LACKS_BEST_INTERESTS_YES),
        Reason.REFUSED,
    ),
    (
        "a yes given while capacity was lacking does not count once it is back",
        JUST_MOTHER.grants(MOTHER, when=NOON - 20 * DAY)
        .capacity(MOTHER, Capacity.LACKS, ago=30 * DAY)
        .capacity(MOTHER, Capacity.HAS, ago=10 * DAY),
        Reason.NOT_ASKED,
    ),
    (
        "a capacity decision about another purpose is about that purpose",
        JUST_MOTHER.grants(MOTHER).capacity(MOTHER, Capacity.LACKS, purpose="training"),
        None,
    ),
    (
        "a later doubt about capacity as such weighs more than an earlier yes about this purpose",
        JUST_MOTHER.grants(MOTHER)
        .capacity(MOTHER, Capacity.HAS, ago=30 * DAY, purpose="social_worker")
        .capacity(MOTHER, Capacity.LACKS, ago=20 * DAY),
        Reason.NO_CAPACITY,
    ),
    (
        "an adult whose events are ignored says no yes",
        JUST_MOTHER.grants(MOTHER).restricted(MOTHER, Effect.NO_SAY),
        Reason.RESTRICTED,
    ),
    ("a person nobody knows", agreed().showing(MOTHER, TODDLER, STRANGER), Reason.UNKNOWN_PERSON),
    ("a bystander of unknown age", agreed().showing(MOTHER, TODDLER, NEIGHBOUR), Reason.UNKNOWN_PERSON),
    (
        "a bystander who is known and says yes",
        agreed()
        .person(NEIGHBOUR, date(1970, 1, 1), PersonKind.OTHER)
        .showing(MOTHER, TODDLER, NEIGHBOUR)
        .grants(NEIGHBOUR),
        None,
    ),
    ("staff in frame who weren't told", agreed().showing(MOTHER, TODDLER, GUIDER), Reason.NOT_ASKED),
    (
        "staff in frame are told and not asked",
        agreed().showing(MOTHER, TODDLER, GUIDER).asked(GUIDER, ago=_MINUTE),
        None,
    ),
    ("a 17-year-old is presumed capable", YOUNG_ALONE.grants(YOUNG), None),
    ("a 17-year-old's parents don't speak for them", YOUNG_ALONE.grants(MOTHER, child=YOUNG), Reason.NOT_ANSWERED),
    ("a 17-year-old refuses", YOUNG_ALONE.grants(MOTHER, child=YOUNG).refuses(YOUNG), Reason.REFUSED),
    (
        "a 17-year-old without capacity, whose parents say yes",
        YOUNG_ALONE.grants(MOTHER, child=YOUNG).capacity(YOUNG, Capacity.LACKS),
        Reason.NO_CAPACITY,
    ),
]


@pytest.mark.parametrize(("scene", "expected"), [case[1:] for case in ADULTS], ids=[case[0] for case in ADULTS])
def test_say(scene: Scene, expected: Reason | None) -> None:
    assert scene.says() == expected


def test_an_answer_counts_for_exactly_its_purpose_and_audience() -> None:
    scene = (
        agreed()
        .refuses(MOTHER, about=scope(WORKER, Purpose.TRAINING))
        .refuses(MOTHER, about=scope(MEETING, Purpose.CASE_CONFERENCE))
    )
    assert scene.says() is None
