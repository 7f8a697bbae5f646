"""What a family member may watch and keep: a table whose rows are sentences."""

from __future__ import annotations

import pytest

from consent.terms import NO_FILM_YET, Action, How, Purpose, Reason
from identity.facts import Competence, Effect
from tests.consent.cast import (
    FATHER,
    GRANDMOTHER,
    GUIDER,
    MOTHER,
    STRANGER,
    TEEN,
    TODDLER,
)
from tests.consent.scene import Scene, agreed, scope

Case = tuple[str, Reason | None, Reason | None]

FILMED = Scene().filmed(MOTHER, TODDLER)
FOOTAGE = FILMED.clip(is_footage=True, persons_shown=frozenset(), filmed=frozenset({MOTHER, TODDLER}), attested_by=None)
FILMING = scope(GUIDER, Purpose.FILMING, NO_FILM_YET)
TO_FATHER = scope(FATHER, Purpose.FAMILY_REVIEW)
COPY = scope(FATHER, Purpose.FAMILY_COPY)


FAMILY: list[Case] = [
    ("a mother watches herself with her child", Scene().says(MOTHER, Purpose.FAMILY_REVIEW), None),
    (
        "a father who isn't in it, before the mother said yes to him",
        Scene().says(FATHER, Purpose.FAMILY_REVIEW),
        Reason.NOT_ASKED,
    ),
    (
        "a father who isn't in it, after the mother said yes to him",
        Scene().grants(MOTHER, about=TO_FATHER).says(FATHER, Purpose.FAMILY_REVIEW),
        None,
    ),
    (
        "the mother's yes to the social worker is no yes to the father",
        agreed().says(FATHER, Purpose.FAMILY_REVIEW),
        Reason.NOT_ASKED,
    ),
    (
        "a father who isn't in it and speaks for nobody in it",
        Scene().showing(MOTHER).grants(MOTHER, about=TO_FATHER).says(FATHER, Purpose.FAMILY_REVIEW),
        Reason.NOT_IN_AUDIENCE,
    ),
    (
        "a father without a say",
        Scene().showing(TODDLER).restricted(FATHER, Effect.NO_SAY).says(FATHER, Purpose.FAMILY_REVIEW),
        Reason.NOT_IN_AUDIENCE,
    ),
    (
        "a father whom an order stops from watching",
        Scene().showing(FATHER).restricted(FATHER, Effect.NO_VIEW).says(FATHER, Purpose.FAMILY_REVIEW),
        Reason.RESTRICTED,
    ),
    ("a grandmother who isn't in it", Scene().says(GRANDMOTHER, Purpose.FAMILY_REVIEW), Reason.NOT_IN_AUDIENCE),
    (
        "a mother, with a competent 14-year-old who wasn't asked",
        Scene().showing(MOTHER, TEEN).assessed(TEEN, Competence.COMPETENT).says(MOTHER, Purpose.FAMILY_REVIEW),
        Reason.NOT_ASKED,
    ),
    (
        "a mother, with a competent 14-year-old who said yes to her",
        Scene()
        .showing(MOTHER, TEEN)
        .assessed(TEEN, Competence.COMPETENT)
        .grants(TEEN, about=scope(MOTHER, Purpose.FAMILY_REVIEW))
        .says(MOTHER, Purpose.FAMILY_REVIEW),
        None,
    ),
    (
        "a mother, with a child who showed that they didn't want her to see",
        Scene()
        .refuses(TODDLER, about=scope(MOTHER, Purpose.FAMILY_REVIEW), how=How.OBSERVED)
        .says(MOTHER, Purpose.FAMILY_REVIEW),
        Reason.DISSENT,
    ),
    ("with a bystander", Scene().showing(MOTHER, STRANGER).says(MOTHER, Purpose.FAMILY_REVIEW), Reason.UNKNOWN_PERSON),
    (
        "after the case has closed",
        Scene().roster(is_open=False).says(MOTHER, Purpose.FAMILY_REVIEW),
        None,
    ),
    ("nobody is listed", Scene().showing().says(MOTHER, Purpose.FAMILY_REVIEW), Reason.NOT_IN_AUDIENCE),
    ("without a passcode", Scene().says(MOTHER, Purpose.FAMILY_REVIEW, two_factors=False), Reason.NO_SECOND_FACTOR),
    ("the guider on a family page", Scene().says(GUIDER, Purpose.FAMILY_REVIEW), Reason.NOT_IN_AUDIENCE),
    ("footage on a family page", FOOTAGE.says(MOTHER, Purpose.FAMILY_REVIEW), Reason.NOT_A_CLIP),
    ("a father's copy before anyone said yes", Scene().says(FATHER, Purpose.FAMILY_COPY), Reason.NOT_ASKED),
    (
        "a father's copy when mother says yes for herself and he says yes for the child",
        Scene()
        .grants(MOTHER, about=COPY)
        .grants(FATHER, child=TODDLER, about=COPY)
        .asked(MOTHER, child=TODDLER, about=COPY)
        .says(FATHER, Purpose.FAMILY_COPY),
        None,
    ),
    (
        "a father's copy when mother refuses it for the child",
        Scene()
        .grants(MOTHER, about=COPY)
        .grants(FATHER, child=TODDLER, about=COPY)
        .refuses(MOTHER, child=TODDLER, about=COPY)
        .says(FATHER, Purpose.FAMILY_COPY),
        Reason.REFUSED,
    ),
    ("a father's copy of himself alone", Scene().showing(FATHER).says(FATHER, Purpose.FAMILY_COPY), None),
    (
        "a father's copy that he himself declined",
        Scene().showing(FATHER).refuses(FATHER, about=COPY).says(FATHER, Purpose.FAMILY_COPY),
        Reason.REFUSED,
    ),
    (
        "a copy that nobody has checked",
        Scene().showing(FATHER).clip(attested_by=None).says(FATHER, Purpose.FAMILY_COPY),
        Reason.NOT_ATTESTED,
    ),
    (
        "a copy isn't streamed",
        Scene().showing(FATHER).says(FATHER, Purpose.FAMILY_COPY, action=Action.STREAM),
        Reason.WRONG_ACTION,
    ),
]


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in FAMILY], ids=[case[0] for case in FAMILY])
def test_purpose(said: Reason | None, expected: Reason | None) -> None:
    assert said == expected
