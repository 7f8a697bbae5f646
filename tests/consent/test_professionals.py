"""What leaves the family, and what the law may open: tables whose rows are sentences."""

from __future__ import annotations

import pytest

from consent.facts import Presenting
from consent.rules import Permit
from consent.terms import NO_FILM_YET, Action, Purpose, Reason, RenditionState
from core.ids import OverrideId
from identity.facts import Effect, RelationshipKind, Role, Span
from tests.consent.cast import (
    CHAIR,
    DAY,
    FATHER,
    GUIDER,
    HOUR,
    LONG_AGO,
    MEETING,
    MOTHER,
    NOON,
    OFFICER,
    SIBLING,
    SUCCESSOR,
    SUPERVISOR,
    TODDLER,
    WORKER,
    assignment,
    tie,
)
from tests.consent.scene import Scene, agreed, scope

Case = tuple[str, Reason | None, Reason | None]

FILMING = scope(GUIDER, Purpose.FILMING, NO_FILM_YET)
MET = agreed(scope(MEETING, Purpose.CASE_CONFERENCE)).meeting()
LAW = Scene().override()


CONFERENCE: list[Case] = [
    ("the guider presents", MET.says(GUIDER, Purpose.CASE_CONFERENCE), None),
    ("the chair presents", MET.says(CHAIR, Purpose.CASE_CONFERENCE), None),
    ("a listed parent presents", MET.says(MOTHER, Purpose.CASE_CONFERENCE), None),
    ("a parent who isn't listed", MET.says(FATHER, Purpose.CASE_CONFERENCE), Reason.NOT_IN_AUDIENCE),
    ("another chair", MET.meeting(chair=OFFICER).says(CHAIR, Purpose.CASE_CONFERENCE), Reason.NOT_IN_AUDIENCE),
    ("the social worker presents", MET.says(WORKER, Purpose.CASE_CONFERENCE), Reason.NOT_IN_AUDIENCE),
    (
        "before the conference begins",
        MET.meeting(starts_at=NOON + HOUR / 4).says(GUIDER, Purpose.CASE_CONFERENCE),
        Reason.OUTSIDE_WINDOW,
    ),
    (
        "after the conference has ended",
        MET.meeting(ends_at=NOON).says(GUIDER, Purpose.CASE_CONFERENCE),
        Reason.OUTSIDE_WINDOW,
    ),
    (
        "without a presenter session",
        MET.says(GUIDER, Purpose.CASE_CONFERENCE, presenting=None),
        Reason.OUTSIDE_WINDOW,
    ),
    (
        "with someone else's presenter session",
        MET.says(GUIDER, Purpose.CASE_CONFERENCE, presenting=Presenting(MEETING, CHAIR, NOON + HOUR)),
        Reason.OUTSIDE_WINDOW,
    ),
    (
        "streaming it to one's own desk",
        MET.says(GUIDER, Purpose.CASE_CONFERENCE, action=Action.STREAM),
        Reason.WRONG_ACTION,
    ),
    (
        "an attendee whom an order stops from watching",
        MET.restricted(MOTHER, Effect.NO_VIEW).says(GUIDER, Purpose.CASE_CONFERENCE),
        Reason.RESTRICTED,
    ),
    (
        "a mother who said no to the conference",
        MET.refuses(MOTHER, about=scope(MEETING, Purpose.CASE_CONFERENCE)).says(GUIDER, Purpose.CASE_CONFERENCE),
        Reason.REFUSED,
    ),
    (
        "a parent presents after the case has closed",
        MET.roster(is_open=False).says(MOTHER, Purpose.CASE_CONFERENCE),
        Reason.CASE_CLOSED,
    ),
]


PROFESSIONALS: list[Case] = [
    ("an empty list of people", agreed().showing().says(), Reason.NOBODY_LISTED),
    (
        "nobody recognisable, and a second person said so",
        agreed().showing().clip(nobody_recognisable=True).says(),
        None,
    ),
    (
        "nobody recognisable, and nobody was asked to show it to this person",
        Scene().showing().clip(nobody_recognisable=True).says(),
        Reason.NOT_IN_AUDIENCE,
    ),
    (
        "nobody recognisable says the author",
        agreed().showing().clip(nobody_recognisable=True, attested_by=GUIDER).says(),
        Reason.SELF_ATTESTED,
    ),
    ("a quarantined rendition", agreed().clip(state=RenditionState.QUARANTINED).says(), Reason.NOT_LIVE),
    ("a destroyed rendition", agreed().clip(state=RenditionState.DESTROYED).says(), Reason.NOT_LIVE),
    ("a rendition withdrawn from use", agreed().clip(state=RenditionState.WITHDRAWN_FROM_USE).says(), Reason.NOT_LIVE),
    ("facts of another case", agreed().clip(case_id="d" * 32).says(), Reason.ERROR),
    (
        "an assignment in another role",
        agreed().places(assignment(WORKER, Role.SUPERVISOR)).says(),
        Reason.NO_ASSIGNMENT,
    ),
    (
        "an assignment to another rendition",
        agreed().places(assignment(WORKER, Role.SOCIAL_WORKER, Span(LONG_AGO), "other")).says(),  # type: ignore[arg-type]
        Reason.NO_ASSIGNMENT,
    ),
    ("someone who is restricted from watching", agreed().restricted(WORKER, Effect.NO_VIEW).says(), Reason.RESTRICTED),
    ("a sibling more", agreed().showing(MOTHER, TODDLER, SIBLING).says(), Reason.NOT_ASKED),
    ("the case is closed", agreed().roster(is_open=False).says(), Reason.CASE_CLOSED),
    ("an override in force", LAW.says(), None),
    ("an override for a closed case", LAW.roster(is_open=False).says(), None),
    ("a refusal never blocks a lawful disclosure", LAW.refuses(MOTHER).says(), None),
    ("an override for another recipient", LAW.says(SUPERVISOR, Purpose.SUPERVISION), Reason.NOT_IN_AUDIENCE),
    ("an override that nobody approved", Scene().override(approver=None).says(), Reason.NOT_IN_AUDIENCE),
    ("an override that its recipient approved", Scene().override(approver=WORKER).says(), Reason.NOT_IN_AUDIENCE),
    ("an override that has ended", Scene().override(ends_at=NOON).says(), Reason.NOT_IN_AUDIENCE),
    ("an override that has not begun", Scene().override(starts_at=NOON + HOUR).says(), Reason.NOT_IN_AUDIENCE),
    ("an override of more than 72 hours", Scene().override(ends_at=NOON + 4 * DAY).says(), Reason.NOT_IN_AUDIENCE),
    ("an override for another clip", Scene().override(rendition_hash="b2" * 32).says(), Reason.NOT_IN_AUDIENCE),
    ("an override and a restricted recipient", LAW.restricted(WORKER, Effect.NO_VIEW).says(), Reason.RESTRICTED),
    ("an override without an assignment", LAW.places().says(), Reason.NO_ASSIGNMENT),
    ("an override of an unchecked clip", LAW.clip(attested_by=None).says(), Reason.NOT_ATTESTED),
    ("an override never opens footage", LAW.clip(is_footage=True).says(), Reason.NOT_A_CLIP),
    (
        "an override doesn't open a conference",
        LAW.override(id=OverrideId("second"), recipient=GUIDER).meeting().says(GUIDER, Purpose.CASE_CONFERENCE),
        Reason.NOT_IN_AUDIENCE,
    ),
]

ALL = CONFERENCE + PROFESSIONALS


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in ALL], ids=[case[0] for case in ALL])
def test_purpose(said: Reason | None, expected: Reason | None) -> None:
    assert said == expected


@pytest.mark.parametrize(
    ("purpose", "role"),
    [
        (Purpose.SUPERVISION, Role.SUPERVISOR),
        (Purpose.ACCREDITATION, Role.TRAINER),
        (Purpose.REFERRER, Role.REFERRER),
        (Purpose.TRAINING, Role.TRAINER),
        (Purpose.RESEARCH, Role.RESEARCHER),
        (Purpose.COURT, Role.LEGAL),
    ],
)
def test_each_named_professional_needs_the_full_rule_for_their_own_purpose(purpose: Purpose, role: Role) -> None:
    scene = agreed(scope(SUCCESSOR, purpose)).places(assignment(SUCCESSOR, role))
    assert scene.says(SUCCESSOR, purpose) is None
    assert scene.refuses(MOTHER, about=scope(SUCCESSOR, purpose)).says(SUCCESSOR, purpose) is Reason.REFUSED
    assert agreed().places(assignment(SUCCESSOR, role)).says(SUCCESSOR, purpose) is Reason.NOT_IN_AUDIENCE


def test_a_permit_on_an_override_names_it_and_ends_with_it() -> None:
    permit = LAW.decide()
    assert isinstance(permit, Permit)
    assert permit.override == OverrideId("override")
    assert permit.valid_until == NOON + DAY


def test_a_permit_on_consent_ends_where_only_an_override_would_carry_on() -> None:
    scene = agreed().grants(MOTHER, expires_at=NOON + HOUR).override()
    permit = scene.decide()
    assert isinstance(permit, Permit)
    assert (permit.override, permit.valid_until) == (None, NOON + HOUR)


def test_a_parent_who_holds_no_responsibility_any_more_no_longer_presents() -> None:
    scene = MET.meeting(attendees=frozenset({FATHER, GUIDER})).ties(tie(MOTHER, TODDLER, RelationshipKind.MOTHER))
    assert scene.says(FATHER, Purpose.CASE_CONFERENCE) is Reason.NOT_IN_AUDIENCE
