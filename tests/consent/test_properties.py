"""What must hold for every family, not only for those in the tables."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consent.facts import ConsentEvent
from consent.rules import Permit, decide
from consent.terms import NO_FILM_YET, Decision, How, PrMode, Purpose, Reason, Refusal
from consent.who import Voice, holders, voice
from core.ids import NoticeId, OverrideId, PersonId
from identity.facts import Capacity, Competence, Effect, RelationshipKind, Role, Span
from tests.consent.cast import (
    CHECKER,
    DAY,
    FATHER,
    GUIDER,
    HOUR,
    LONG_AGO,
    MANAGER,
    MEETING,
    MOTHER,
    NOON,
    SIBLING,
    STEPFATHER,
    STRANGER,
    SUPERVISOR,
    TEEN,
    TODDLER,
    WORKER,
    YOUNG,
    assignment,
    tie,
)
from tests.consent.scene import Scene, agreed, scope

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ADULTS = [MOTHER, FATHER, STEPFATHER]
CHILDREN = [TODDLER, SIBLING, TEEN, YOUNG]
FAMILY = ADULTS + CHILDREN

QUESTIONS = {
    "worker": (WORKER, Purpose.SOCIAL_WORKER, scope()),
    "supervisor": (SUPERVISOR, Purpose.SUPERVISION, scope(SUPERVISOR, Purpose.SUPERVISION)),
    "meeting": (GUIDER, Purpose.CASE_CONFERENCE, scope(MEETING, Purpose.CASE_CONFERENCE)),
    "guider": (GUIDER, Purpose.PREPARE, scope(GUIDER, Purpose.FILMING, NO_FILM_YET)),
    "checker": (CHECKER, Purpose.CHECK, scope(GUIDER, Purpose.FILMING, NO_FILM_YET)),
    "father": (FATHER, Purpose.FAMILY_REVIEW, scope(FATHER, Purpose.FAMILY_REVIEW)),
    "copy": (FATHER, Purpose.FAMILY_COPY, scope(FATHER, Purpose.FAMILY_COPY)),
}
FAMILY_PURPOSES = {Purpose.FAMILY_REVIEW, Purpose.FAMILY_COPY}

hours = st.integers(-400, 400).map(lambda n: NOON + n * HOUR)
spans = st.one_of(
    st.just(Span(LONG_AGO)),
    st.tuples(hours, st.integers(1, 300)).map(lambda pair: Span(pair[0], pair[0] + pair[1] * HOUR)),
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Scene, PersonId, Purpose]:
    """A family near a yes: what was agreed, and then a few things happen to it."""
    viewer, purpose, about = QUESTIONS[draw(st.sampled_from(sorted(QUESTIONS)))]
    scene = agreed(about).meeting()
    if draw(st.booleans()):
        scene = scene.filmed(MOTHER, TODDLER)
    for _ in range(draw(st.integers(0, 6))):
        scene = draw(st.sampled_from(CHANGES))(draw, scene, about)
    return scene, viewer, purpose


def _answer(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    who = draw(st.sampled_from([*FAMILY, MANAGER]))
    return scene.answers(
        who,
        draw(st.sampled_from([Decision.GRANT, Decision.GRANT, Decision.REFUSE, Decision.WITHDRAW])),
        child=draw(st.sampled_from([who, *CHILDREN])),
        about=draw(st.sampled_from([about, about, scope(content_hash="b2" * 32)])),
        when=draw(hours),
        how=draw(st.sampled_from([How.OWN_DEVICE, How.OWN_DEVICE, How.OBSERVED, How.TOLD_TO_STAFF])),
        witness=draw(st.sampled_from([None, SUPERVISOR])),
        expires_at=draw(st.one_of(st.none(), hours)),
        version=draw(st.integers(0, 40)),
        notice=NoticeId(draw(st.sampled_from(["notice", "old"]))),
    )


def _ask(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    who = draw(st.sampled_from([*ADULTS, TEEN, YOUNG, GUIDER]))
    return scene.asked(
        who, child=draw(st.sampled_from([who, *CHILDREN])), ago=draw(st.integers(0, 20)) * DAY, about=about
    )


def _waive(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    return scene.waived(draw(st.sampled_from(ADULTS)), draw(st.sampled_from(CHILDREN)), ends=draw(hours), about=about)


def _restrict(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    return scene.restricted(
        draw(st.sampled_from([*ADULTS, WORKER])), draw(st.sampled_from(list(Effect))), span=draw(spans)
    )


def _tie(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    kind = draw(st.sampled_from([RelationshipKind.COURT_ORDER, RelationshipKind.LOCAL_AUTHORITY]))
    holder = MANAGER if kind is RelationshipKind.LOCAL_AUTHORITY else draw(st.sampled_from(ADULTS))
    return scene.adding(relationships=tie(holder, draw(st.sampled_from(CHILDREN)), kind, draw(spans)))


def _assess(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    return scene.assessed(
        draw(st.sampled_from([TEEN, SIBLING])),
        draw(st.sampled_from(list(Competence))),
        ago=draw(st.integers(-10, 60)) * DAY,
        review=date(2026, 3, 2) + timedelta(days=draw(st.integers(-20, 20))),
        purpose=draw(st.sampled_from([None, about.purpose.value])),
    )


def _capacity(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    return scene.capacity(
        draw(st.sampled_from([MOTHER, YOUNG])),
        draw(st.sampled_from(list(Capacity))),
        ago=draw(st.integers(-10, 60)) * DAY,
        purpose=draw(st.sampled_from([None, about.purpose.value])),
    )


def _show(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    people = draw(st.sets(st.sampled_from([*FAMILY, GUIDER, STRANGER]), max_size=3))
    return scene.showing(*people).clip(nobody_recognisable=draw(st.booleans()))


def _birthday(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    age = draw(st.sampled_from([16, 18]))
    born = date(2026 - age, 3, 2) + timedelta(days=draw(st.integers(-10, 10)))
    return scene.person(draw(st.sampled_from(CHILDREN)), draw(st.sampled_from([born, None])))


def _place(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    person, role = draw(st.sampled_from([(WORKER, Role.SOCIAL_WORKER), (GUIDER, Role.GUIDER), (MANAGER, Role.MANAGER)]))
    others = tuple(one for one in scene.facts.roster.assignments if one.person != person)
    return scene.places(*others, assignment(person, role, draw(spans)))


def _caseload(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    return scene.caseload(draw(st.sampled_from([GUIDER, WORKER, SUPERVISOR])), MOTHER, draw(spans))


def _override(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    starts = draw(hours)
    return scene.override(
        id=OverrideId(f"o{draw(st.integers(0, 9))}"),
        starts_at=starts,
        ends_at=starts + draw(st.integers(1, 80)) * HOUR,
        approver=draw(st.sampled_from([None, MANAGER, GUIDER])),
    )


def _settings(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    changed = scene.policy(pr_mode=draw(st.sampled_from(list(PrMode))), pr_notice=draw(st.integers(0, 20)) * DAY)
    return changed.retired(*draw(st.sets(st.sampled_from(["old", "other"]))))


def _move(draw: st.DrawFn, scene: Scene, about: Any) -> Scene:
    del about
    return scene.later(draw(st.integers(-50, 50)) * HOUR)


CHANGES = [
    _answer, _answer, _answer, _ask, _ask, _waive, _restrict, _tie, _assess, _capacity,
    _show, _birthday, _place, _caseload, _override, _settings, _move,
]  # fmt: skip


@given(scenes(), st.sampled_from([*FAMILY, MANAGER]), st.data())
@QUICK
def test_a_refusal_or_withdrawal_never_opens_anything(
    given_scene: tuple[Scene, PersonId, Purpose], who: PersonId, data: st.DataObject
) -> None:
    scene, viewer, purpose = given_scene
    before = scene.decide(viewer, purpose)
    after = scene.answers(
        who,
        data.draw(st.sampled_from([Decision.REFUSE, Decision.WITHDRAW])),
        child=data.draw(st.sampled_from([who, *CHILDREN])),
        about=data.draw(st.sampled_from([about for _, _, about in QUESTIONS.values()])),
        how=data.draw(st.sampled_from(list(How))),
        when=data.draw(hours),
        version=data.draw(st.integers(0, 99)),
    ).decide(viewer, purpose)
    if isinstance(before, Refusal):
        # What nobody asked about has no audience yet; an answer about it, were it a no, must not open it either.
        assert isinstance(after, Refusal)
    elif isinstance(after, Permit) and (before.override is None) == (after.override is None):
        assert after.valid_until <= before.valid_until


@given(scenes(), st.sampled_from([*FAMILY, STRANGER, GUIDER]))
@QUICK
def test_one_more_person_shown_never_opens_anything(
    given_scene: tuple[Scene, PersonId, Purpose], person: PersonId
) -> None:
    scene, viewer, purpose = given_scene
    if purpose in FAMILY_PURPOSES:
        # There, being shown or speaking for a child shown is what makes someone the one to watch.
        speaks = viewer in holders(scene.facts, person, at=scene.at)
        assume(person != viewer and not speaks)
    # An empty list is not yet a list of people: it refuses of itself, unless it was attested to be empty.
    shown = scene.facts.rendition.persons_shown
    attested_empty = scene.facts.rendition.nobody_recognisable and purpose not in {Purpose.PREPARE, Purpose.CHECK}
    assume(shown or attested_empty)
    before = scene.decide(viewer, purpose)
    after = scene.showing(*scene.facts.rendition.persons_shown, person).decide(viewer, purpose)
    if isinstance(before, Refusal):
        assert isinstance(after, Refusal)


@given(scenes(), st.integers(0, 2**32))
@QUICK
def test_any_order_of_the_same_facts_gives_the_same_answer(
    given_scene: tuple[Scene, PersonId, Purpose], seed: int
) -> None:
    scene, viewer, purpose = given_scene
    shuffle = random.Random(seed)  # noqa: S311 - a shuffle, not a secret

    def mixed(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(shuffle.sample(rows, len(rows)))

    facts, roster = scene.facts, scene.facts.roster
    other = replace(
        facts,
        events=mixed(facts.events),
        asks=mixed(facts.asks),
        waivers=mixed(facts.waivers),
        overrides=mixed(facts.overrides),
        roster=replace(
            roster,
            relationships=mixed(roster.relationships),
            restrictions=mixed(roster.restrictions),
            competence=mixed(roster.competence),
            capacity=mixed(roster.capacity),
            assignments=mixed(roster.assignments),
            caseload=mixed(roster.caseload),
        ),
    )
    answers = [replace(scene, facts=one).decide(viewer, purpose) for one in (facts, other)]
    assert answers[0] == answers[1]


@given(scenes(), st.floats(0, 1, exclude_max=True))
@QUICK
def test_a_permit_holds_until_its_end_and_not_a_moment_longer(
    given_scene: tuple[Scene, PersonId, Purpose], part: float
) -> None:
    scene, viewer, purpose = given_scene
    permit = scene.decide(viewer, purpose)
    assume(isinstance(permit, Permit))
    assert isinstance(permit, Permit)
    inquiry = permit.inquiry
    assert scene.at < permit.valid_until <= inquiry.session_ends_at
    last = permit.valid_until - timedelta(microseconds=1)
    for moment in (min(last, scene.at + (permit.valid_until - scene.at) * part), last):
        again = decide(replace(inquiry, at=moment), facts=scene.facts)
        assert isinstance(again, Permit)
        assert again.valid_until == permit.valid_until
    at_the_end = decide(replace(inquiry, at=permit.valid_until), facts=scene.facts)
    assert isinstance(at_the_end, Refusal) or at_the_end.override != permit.override


@given(scenes(), st.sampled_from(["at", "version", "audience", "on_behalf_of", "expires_at", "purpose"]))
@QUICK
def test_nothing_but_an_answer_comes_out(given_scene: tuple[Scene, PersonId, Purpose], field: str) -> None:
    scene, viewer, purpose = given_scene
    broken: list[ConsentEvent] = [replace(event, **{field: object()}) for event in scene.facts.events]  # type: ignore[arg-type]
    facts = replace(scene.facts, events=tuple(broken))
    assert isinstance(decide(scene.inquiry(viewer, purpose), facts=facts), Permit | Refusal)


def test_an_error_is_a_refusal() -> None:
    inquiry = Scene().inquiry()
    assert decide(inquiry, facts=None) == Refusal(Reason.ERROR)  # type: ignore[arg-type]
    assert decide(None, facts=Scene().facts) == Refusal(Reason.ERROR)  # type: ignore[arg-type]
    naive = replace(inquiry, at=inquiry.at.replace(tzinfo=None))
    assert decide(naive, facts=Scene().facts) == Refusal(Reason.ERROR)


def test_the_scenes_reach_permits_and_every_voice() -> None:
    assert isinstance(agreed().decide(), Permit)
    found = {voice(agreed().facts, one, purpose=Purpose.SOCIAL_WORKER, at=NOON) for one in [*FAMILY, GUIDER, STRANGER]}
    assert found >= {Voice.OWN, Voice.PARENTS, Voice.TOLD, Voice.UNKNOWN}
