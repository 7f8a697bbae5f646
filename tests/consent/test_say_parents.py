"""Who says yes for a child who cannot yet: one table, whose rows are sentences."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent.terms import How, PrMode, Reason
from identity.facts import Effect, RelationshipKind, Role, Span
from tests.consent.cast import (
    DAY,
    FATHER,
    GRANDMOTHER,
    GUIDER,
    HOUR,
    LONG_AGO,
    MANAGER,
    MOTHER,
    NOON,
    STEPFATHER,
    SUPERVISOR,
    TODDLER,
    assignment,
    tie,
)
from tests.consent.scene import Scene, agreed, scope

Case = tuple[str, Scene, Reason | None]

JUST_TODDLER = Scene().showing(TODDLER)
ASKED_FATHER = JUST_TODDLER.grants(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER)
CARE = JUST_TODDLER.ties(
    tie(MOTHER, TODDLER, RelationshipKind.MOTHER), tie(MANAGER, TODDLER, RelationshipKind.LOCAL_AUTHORITY)
)
DISSENT = agreed().refuses(TODDLER, how=How.OBSERVED, recorded_by=GUIDER)
_MINUTE = timedelta(minutes=1)


PARENTS: list[Case] = [
    ("a parent alone, while the other was never asked", JUST_TODDLER.grants(MOTHER, child=TODDLER), Reason.NOT_ASKED),
    (
        "a parent alone, while the other was asked yesterday",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER, ago=DAY),
        Reason.NOTICE_RUNNING,
    ),
    ("a parent alone, while the other was asked in time", ASKED_FATHER, None),
    (
        "both parents were asked and neither answered",
        JUST_TODDLER.asked(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER),
        Reason.NOT_ANSWERED,
    ),
    (
        "a shorter notice is the authority's setting",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER, ago=2 * DAY).policy(pr_notice=2 * DAY),
        None,
    ),
    (
        "an ask about another clip is no ask about this",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER, about=scope(content_hash="b2" * 32)),
        Reason.NOT_ASKED,
    ),
    ("where all must say yes, silence is not enough", ASKED_FATHER.policy(pr_mode=PrMode.ALL), Reason.NOT_ANSWERED),
    ("where all must say yes, and all do", ASKED_FATHER.grants(FATHER, child=TODDLER).policy(pr_mode=PrMode.ALL), None),
    ("a manager waived the other's notice", JUST_TODDLER.grants(MOTHER, child=TODDLER).waived(FATHER, TODDLER), None),
    (
        "a manager shortened the notice to tomorrow",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).waived(FATHER, TODDLER, ends=NOON + DAY),
        Reason.NOTICE_RUNNING,
    ),
    (
        "a refusal wins over a waived notice",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).waived(FATHER, TODDLER).refuses(FATHER, child=TODDLER),
        Reason.REFUSED,
    ),
    ("a waiver is no yes", JUST_TODDLER.waived(FATHER, TODDLER).asked(MOTHER, child=TODDLER), Reason.NOT_ASKED),
    ("nobody holds responsibility", JUST_TODDLER.grants(MOTHER, child=TODDLER).ties(), Reason.NO_HOLDER),
    (
        "nobody who holds responsibility has a say",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).restricted(MOTHER, Effect.NO_SAY).restricted(FATHER, Effect.NO_SAY),
        Reason.NO_HOLDER,
    ),
    (
        "a restricted father's refusal is ignored",
        agreed().refuses(FATHER, child=TODDLER).restricted(FATHER, Effect.NO_SAY),
        None,
    ),
    (
        "a restricted father's yes is ignored",
        JUST_TODDLER.grants(FATHER, child=TODDLER).restricted(FATHER, Effect.NO_SAY),
        Reason.NOT_ASKED,
    ),
    (
        "a father who must not be contacted keeps his say, so his notice needs a manager",
        JUST_TODDLER.grants(MOTHER, child=TODDLER).restricted(FATHER, Effect.NOT_ASKED),
        Reason.NOT_ASKED,
    ),
    (
        "a father who may not watch keeps his say",
        agreed().refuses(FATHER, child=TODDLER).restricted(FATHER, Effect.NO_VIEW),
        Reason.REFUSED,
    ),
    (
        "an order on the father's say ends what was granted before it",
        agreed().restricted(FATHER, Effect.NO_SAY, span=Span(NOON - _MINUTE)),
        Reason.LAPSED,
    ),
    (
        "responsibility gained since ends what was granted before",
        agreed().adding(relationships=tie(STEPFATHER, TODDLER, RelationshipKind.COURT_ORDER, Span(NOON - _MINUTE))),
        Reason.LAPSED,
    ),
    (
        "a new holder who was there before the yes must be asked too",
        agreed().adding(relationships=tie(STEPFATHER, TODDLER, RelationshipKind.STEP_PARENT, Span(NOON - DAY))),
        Reason.NOT_ASKED,
    ),
    (
        "a mother whose responsibility ended no longer opens",
        agreed().ties(
            tie(MOTHER, TODDLER, RelationshipKind.MOTHER, Span(LONG_AGO, NOON - _MINUTE)),
            tie(FATHER, TODDLER, RelationshipKind.FATHER),
        ),
        Reason.NOT_ANSWERED,
    ),
    (
        "an expired parent's yes",
        ASKED_FATHER.grants(MOTHER, child=TODDLER, expires_at=NOON),
        Reason.EXPIRED,
    ),
    ("the child's dissent is a no whatever the parents say", DISSENT, Reason.DISSENT),
    ("the parents' later yes does not lift the child's dissent", DISSENT.grants(MOTHER, child=TODDLER), Reason.DISSENT),
    (
        "the child's own later sign, noted by one person only",
        DISSENT.grants(TODDLER, how=How.OBSERVED, recorded_by=GUIDER),
        Reason.DISSENT,
    ),
    (
        "the same person twice is not a second person",
        DISSENT.grants(TODDLER, how=How.OBSERVED, recorded_by=GUIDER, witness=GUIDER),
        Reason.DISSENT,
    ),
    (
        "the child's own later sign, noted by a second person",
        DISSENT.grants(TODDLER, how=How.OBSERVED, recorded_by=GUIDER, witness=SUPERVISOR),
        None,
    ),
    (
        "dissent after the lifting sign",
        DISSENT.grants(TODDLER, how=How.OBSERVED, recorded_by=GUIDER, witness=SUPERVISOR).refuses(
            TODDLER, how=How.OBSERVED
        ),
        Reason.DISSENT,
    ),
    ("a child who isn't competent says no on a device", agreed().refuses(TODDLER), Reason.DISSENT),
    ("a child of unknown age is unsettled", agreed().person(TODDLER, None), Reason.NOT_ASKED),
    ("the authority's manager hasn't decided", CARE.grants(MOTHER, child=TODDLER), Reason.NOT_ASKED),
    (
        "the authority's manager decides yes, and the mother was asked",
        CARE.grants(MANAGER, child=TODDLER).asked(MOTHER, child=TODDLER),
        None,
    ),
    (
        "the authority's manager decides yes, and the mother refuses",
        CARE.grants(MANAGER, child=TODDLER).refuses(MOTHER, child=TODDLER),
        Reason.REFUSED,
    ),
    (
        "the authority's manager refuses",
        CARE.grants(MOTHER, child=TODDLER).refuses(MANAGER, child=TODDLER),
        Reason.REFUSED,
    ),
    (
        "the authority's manager is in the requesting team",
        CARE.grants(MANAGER, child=TODDLER).adding(assignments=assignment(MANAGER, Role.MANAGER)),
        Reason.NOT_ASKED,
    ),
    (
        "section 20 gives the authority nothing",
        JUST_TODDLER.grants(MANAGER, child=TODDLER).asked(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER),
        Reason.NOT_ANSWERED,
    ),
    (
        "a grandmother without responsibility opens nothing",
        JUST_TODDLER.grants(GRANDMOTHER, child=TODDLER),
        Reason.NOT_ASKED,
    ),
]


@pytest.mark.parametrize(("scene", "expected"), [case[1:] for case in PARENTS], ids=[case[0] for case in PARENTS])
def test_say(scene: Scene, expected: Reason | None) -> None:
    assert scene.says() == expected


def test_silence_counts_from_the_moment_the_notice_has_run() -> None:
    scene = JUST_TODDLER.grants(MOTHER, child=TODDLER).asked(FATHER, child=TODDLER, ago=7 * DAY - HOUR)
    assert scene.says() is Reason.NOTICE_RUNNING
    assert scene.later(HOUR).says() is None
