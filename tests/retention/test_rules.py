from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import CaseId, HoldId, PersonId
from retention import rules, schedule
from retention.terms import (
    Brake,
    Destroy,
    Held,
    Hold,
    HoldScope,
    Keep,
    Needs,
    Period,
    RecordClass,
    RecordFacts,
    Review,
    Trigger,
)

ENGLAND = schedule.load()
NHS = schedule.load(profile="nhs-hosted")
CASE, OTHER_CASE = CaseId("c" * 32), CaseId("d" * 32)
CHILD = PersonId("1" * 32)


def record(kind: RecordClass, **triggers: date | datetime) -> RecordFacts:
    return RecordFacts(
        record="a" * 32,
        record_class=kind,
        case_id=CASE,
        triggers={Trigger(name): value for name, value in triggers.items()},
        persons=frozenset({CHILD}),
    )


def day(text: str) -> date:
    return date.fromisoformat(text)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("visit", "deposit", "closure", "due", "because"),
    [
        ("2026-03-02", "2026-03-02T18:00", None, "2026-03-30", "28 days after the visit"),
        ("2026-03-02", "2026-03-25T18:00", None, "2026-04-08", "14 days after its deposit"),
        ("2026-03-02", "2026-03-16T18:00", None, "2026-03-30", "28 days after the visit"),
        ("2026-03-02", "2026-03-02T18:00", "2026-03-03T10:00", "2026-03-30", "28 days after the visit"),
        ("2026-03-02", "2026-05-01T09:00", "2026-03-03T10:00", "2026-05-03", "2 months after the work ended"),
        ("2026-03-02", "2026-05-01T09:00", "2025-12-31T10:00", "2026-02-28", "2 months after the work ended"),
        ("2024-01-30", "2024-01-30T09:00", "2023-12-31T10:00", "2024-02-27", "28 days after the visit"),
        ("2024-02-10", "2024-02-20T09:00", "2023-12-31T10:00", "2024-02-29", "2 months after the work ended"),
    ],
    ids=[
        "the visit decides where the film was deposited the same day",
        "a late deposit leaves two weeks to cut it",
        "the two fall on one day",
        "an early closure does not shorten what ends before its two months",
        "nothing outlives two months after closure",
        "two months after the last of December is the last of February",
        "29 February is passed over where the visit's own days end before it",
        "two months after the last of December is 29 February in a leap year",
    ],
)
def test_when_raw_film_is_due(visit: str, deposit: str, closure: str | None, due: str, because: str) -> None:
    facts = record(RecordClass.FOOTAGE, visit=day(visit), deposit=moment(deposit))
    if closure:
        facts = record(RecordClass.FOOTAGE, visit=day(visit), deposit=moment(deposit), closure=moment(closure))
    found = rules.due_on(facts, ENGLAND)
    assert (found.on, found.because) == (day(due), because)


@pytest.mark.parametrize(
    ("kind", "triggers", "due"),
    [
        (RecordClass.CLIP, {"closure": day("2026-01-31")}, "2026-03-31"),
        (RecordClass.CLIP, {"closure": day("2026-12-29")}, "2027-02-28"),
        (RecordClass.CLIP, {"closure": day("2027-12-29")}, "2028-02-29"),
        (RecordClass.CLIP, {"closure": day("2026-06-30")}, "2026-08-30"),
        (RecordClass.CLIP, {"closure": moment("2026-06-30T23:30")}, "2026-09-01"),
        (RecordClass.CLIP, {"closure": day("2026-03-01"), "erasure_asked": day("2026-03-05")}, "2026-03-19"),
        (RecordClass.CLIP, {"closure": day("2026-03-01"), "erasure_asked": day("2026-04-30")}, "2026-05-01"),
        (RecordClass.CLIP, {"erasure_asked": day("2026-03-05")}, "2026-03-19"),
        (RecordClass.CLIP_LOOK_AGAIN, {"closure": day("2026-07-31")}, "2027-02-28"),
        (RecordClass.CLIP_LOOK_AGAIN, {"closure": day("2026-07-31"), "erasure_asked": day("2026-08-01")}, "2026-08-15"),
        (RecordClass.UPLOAD, {"last_byte": moment("2026-03-02T09:30")}, "2026-03-04"),
        (RecordClass.UPLOAD, {"last_byte": moment("2026-03-02T00:00")}, "2026-03-03"),
        (RecordClass.UPLOAD, {"last_byte": day("2026-03-02")}, "2026-03-04"),
        (RecordClass.FAMILY_COPY, {"issue": day("2026-02-20")}, "2026-03-06"),
        (RecordClass.REDACTED_RENDITION, {"clip_disposal": day("2026-03-06")}, "2026-03-06"),
        (RecordClass.REDACTED_RENDITION, {"replaced": moment("2026-03-06T09:30")}, "2026-03-20"),
        (RecordClass.SUPERVISION_CLIP, {"decision": day("2024-02-29")}, "2025-02-28"),
        (RecordClass.CHILD_PROTECTION_CLIP, {"closure": day("2026-03-02")}, "2061-03-02"),
        (RecordClass.LOOKED_AFTER_CLIP, {"birth": day("2020-05-10")}, "2095-05-31"),
        (RecordClass.LOOKED_AFTER_CLIP, {"birth": day("2020-05-10"), "death": day("2030-01-15")}, "2045-01-31"),
        (RecordClass.LOOKED_AFTER_CLIP, {"birth": day("2020-05-10"), "death": day("2038-05-10")}, "2095-05-31"),
        (RecordClass.CONSENT_RECORD, {"last_reliance": day("2026-03-02"), "birth": day("2020-02-29")}, "2045-03-31"),
        (RecordClass.CONSENT_RECORD, {"last_reliance": day("2042-01-01"), "birth": day("2020-02-28")}, "2048-01-01"),
        (RecordClass.BACKUP, {"written": day("2026-02-01")}, "2026-03-08"),
    ],
    ids=[
        "a clip goes two months after the work ended",
        "two months from 29 December end on 28 February",
        "two months from 29 December end on 29 February in a leap year",
        "the last of June leads to 30 August, not to the last of August",
        "half past eleven at night in UTC is the next day in an English summer",
        "the family may ask for it sooner",
        "asking late never makes it later",
        "the family may ask while the work goes on",
        "seven months where the family wants to look again",
        "asking beats wanting to look again",
        "24 hours end on the first whole day after them",
        "24 hours from midnight end at midnight",
        "a day without its hour counts to that day's end",
        "our package of the family's copy goes in two weeks",
        "a redacted rendition goes on the day its clip goes",
        "and two weeks after a later one took its place",
        "a year from 29 February ends on 28 February",
        "35 years after the work ended",
        "75 years after the birth, rounded up to the month's end",
        "15 years after a death in childhood",
        "a death on the 18th birthday is not one in childhood",
        "someone born on 29 February is 25 on 1 March",
        "six years after it was last relied on, where that is later",
        "a backup expires in 35 days",
    ],
)
def test_when_a_record_is_due(kind: RecordClass, triggers: dict[str, date | datetime], due: str) -> None:
    assert rules.due_on(record(kind, **triggers), ENGLAND).on == day(due)


def test_a_young_person_of_17_at_the_end_has_their_health_record_a_year_longer() -> None:
    born = day("2008-06-15")
    young = record(RecordClass.CLIP, birth=born, closure=day("2026-06-14"))
    grown = record(RecordClass.CLIP, birth=born, closure=day("2026-06-15"))
    assert rules.due_on(young, NHS).on == day("2034-06-30")
    assert rules.due_on(grown, NHS).on == day("2033-06-30")


@pytest.mark.parametrize(
    ("kind", "triggers", "reason"),
    [
        (RecordClass.CLIP, {}, "Kept: the work has not ended."),
        (RecordClass.FOOTAGE, {"deposit": day("2020-01-01")}, "Kept: the date of the visit isn't known."),
        (RecordClass.CONSENT_RECORD, {"last_reliance": day("2000-01-01")}, "Kept: no child's date of birth is known."),
        (RecordClass.CERTIFICATE, {}, "Kept: it is kept for good."),
    ],
    ids=["an open case", "a film of no known visit", "a consent of no known child", "a certificate"],
)
def test_what_is_not_known_never_destroys(kind: RecordClass, triggers: dict[str, date | datetime], reason: str) -> None:
    found = rules.disposition(record(kind, **triggers), ENGLAND, day("2099-01-01"))
    assert isinstance(found, Keep)
    assert found.reason == reason


def test_raw_film_of_an_unknown_visit_still_goes_two_months_after_closure() -> None:
    facts = record(RecordClass.FOOTAGE, deposit=day("2026-03-01"), closure=day("2026-03-02"))
    assert isinstance(rules.disposition(facts, ENGLAND, day("2026-05-02")), Destroy)


FILM = record(RecordClass.FOOTAGE, visit=day("2026-03-02"), deposit=day("2026-03-02"))
HOLDS = {
    "on the case": Hold(HoldId("e" * 32), HoldScope.CASE, CASE),
    "on a person in it": Hold(HoldId("e" * 32), HoldScope.PERSON, CHILD),
    "on the clip": Hold(HoldId("e" * 32), HoldScope.CLIP, FILM.record),
}


def test_raw_film_goes_on_its_day_and_not_the_day_before() -> None:
    before = rules.disposition(FILM, ENGLAND, day("2026-03-29"))
    on_the_day = rules.disposition(FILM, ENGLAND, day("2026-03-30"))
    assert isinstance(before, Keep)
    assert before.reason == "Kept until 30 March 2026: 28 days after the visit."
    assert isinstance(on_the_day, Destroy)
    assert on_the_day.reason == "Due since 30 March 2026: 28 days after the visit."
    assert on_the_day.due.rule.name == "raw-film"


@pytest.mark.parametrize("which", HOLDS)
def test_a_hold_keeps_what_is_due(which: str) -> None:
    found = rules.disposition(FILM, ENGLAND, day("2026-04-01"), holds=[HOLDS[which]])
    assert isinstance(found, Held)
    assert found.holds == (HOLDS[which].id,)


@pytest.mark.parametrize("scope", HoldScope)
def test_a_hold_on_something_else_keeps_nothing(scope: HoldScope) -> None:
    elsewhere = Hold(HoldId("e" * 32), scope, OTHER_CASE)
    assert isinstance(rules.disposition(FILM, ENGLAND, day("2026-04-01"), holds=[elsewhere]), Destroy)


def test_a_hold_beats_a_family_that_asks_for_erasure() -> None:
    asked = record(RecordClass.CLIP, erasure_asked=day("2026-03-02"))
    assert isinstance(rules.disposition(asked, ENGLAND, day("2026-03-16")), Destroy)
    assert isinstance(rules.disposition(asked, ENGLAND, day("2026-03-16"), holds=[HOLDS["on the case"]]), Held)


def told(facts: RecordFacts, on: str) -> RecordFacts:
    return RecordFacts(facts.record, facts.record_class, facts.case_id, facts.triggers, notice_on=day(on))


def test_a_clip_is_announced_two_weeks_before_it_goes() -> None:
    clip = record(RecordClass.CLIP, closure=day("2026-03-01"))
    assert isinstance(rules.disposition(clip, ENGLAND, day("2026-04-16")), Keep)
    to_tell = rules.disposition(clip, ENGLAND, day("2026-04-17"))
    assert isinstance(to_tell, Review)
    assert to_tell.needs is Needs.NOTICE
    assert isinstance(rules.disposition(told(clip, "2026-04-17"), ENGLAND, day("2026-04-30")), Keep)
    assert isinstance(rules.disposition(told(clip, "2026-04-17"), ENGLAND, day("2026-05-01")), Destroy)


def test_a_clip_whose_notice_was_forgotten_is_announced_late_rather_than_destroyed_unannounced() -> None:
    clip = record(RecordClass.CLIP, closure=day("2026-03-01"))
    late = rules.disposition(clip, ENGLAND, day("2026-06-01"))
    assert isinstance(late, Review)
    assert late.needs is Needs.NOTICE
    running = rules.disposition(told(clip, "2026-06-01"), ENGLAND, day("2026-06-14"))
    assert isinstance(running, Keep)
    assert running.reason == "Kept until 15 June 2026, when the notice has run."
    assert isinstance(rules.disposition(told(clip, "2026-06-01"), ENGLAND, day("2026-06-15")), Destroy)


def test_a_family_that_asked_is_not_made_to_wait_for_a_notice_to_itself() -> None:
    asked = record(RecordClass.CLIP, erasure_asked=day("2026-03-02"), closure=day("2026-03-01"))
    assert isinstance(rules.disposition(asked, ENGLAND, day("2026-03-15")), Keep)
    assert isinstance(rules.disposition(asked, ENGLAND, day("2026-03-16")), Destroy)


def test_a_supervision_clip_waits_for_an_officer_and_a_child_protection_clip_for_its_transfer() -> None:
    kept = record(RecordClass.SUPERVISION_CLIP, decision=day("2025-03-01"))
    waiting = rules.disposition(kept, ENGLAND, day("2026-03-01"))
    assert isinstance(waiting, Review)
    assert waiting.needs is Needs.APPROVAL
    agreed = RecordFacts(kept.record, kept.record_class, CASE, kept.triggers, approved_on=day("2026-03-01"))
    assert isinstance(rules.disposition(agreed, ENGLAND, day("2026-03-01")), Destroy)
    protected = record(RecordClass.CHILD_PROTECTION_CLIP, closure=day("1990-03-01"))
    transfer = rules.disposition(protected, ENGLAND, day("2026-03-01"))
    assert isinstance(transfer, Review)
    assert transfer.needs is Needs.TRANSFER


BRAKE = Brake(share=0.20, floor_records=1)


@pytest.mark.parametrize(
    ("records", "all_records", "size", "all_bytes", "halts"),
    [
        (0, 10, 0, 1000, False),
        (1, 1, 1000, 1000, False),
        (2, 10, 200, 1000, False),
        (3, 10, 200, 1000, True),
        (2, 10, 201, 1000, True),
        (2, 2, 0, 0, True),
        (2, 0, 0, 0, True),
    ],
    ids=[
        "nothing",
        "a single record never halts",
        "exactly the share",
        "more than the share of the records",
        "more than the share of the bytes",
        "everything there is",
        "more than there is",
    ],
)
def test_what_the_brake_lets_pass(*, records: int, all_records: int, size: int, all_bytes: int, halts: bool) -> None:
    found = rules.too_much(BRAKE, records=records, all_records=all_records, size_bytes=size, all_bytes=all_bytes)
    assert found is halts


@given(
    st.dates(date(1950, 1, 1), date(2100, 12, 31)),
    st.integers(0, 1200),
    st.integers(0, 400),
)
def test_a_period_never_goes_back_and_its_months_never_skip_one(start: date, months: int, days: int) -> None:
    ended = rules.after(start, Period(months=months))
    assert (ended.year * 12 + ended.month) - (start.year * 12 + start.month) == months
    assert ended.day <= start.day
    assert rules.after(start, Period(months=months, days=days)) - ended == timedelta(days=days)


@given(
    st.sampled_from([RecordClass.FOOTAGE, RecordClass.CLIP, RecordClass.CLIP_LOOK_AGAIN]),
    st.dictionaries(
        st.sampled_from([Trigger.VISIT, Trigger.DEPOSIT, Trigger.CLOSURE, Trigger.ERASURE_ASKED]),
        st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    ),
    st.dates(date(2020, 1, 1), date(2031, 1, 1)),
)
def test_a_hold_always_stops_destruction_and_film_never_outlives_closure_by_more_than_two_months(
    kind: RecordClass, triggers: dict[Trigger, date], on: date
) -> None:
    facts = RecordFacts("a" * 32, kind, CASE, triggers)
    assert not isinstance(rules.disposition(facts, ENGLAND, on, holds=[HOLDS["on the case"]]), Destroy)
    due = rules.due_on(facts, ENGLAND).on
    if kind is RecordClass.FOOTAGE and Trigger.CLOSURE in triggers:
        assert due is not None
        assert due <= rules.after(triggers[Trigger.CLOSURE], Period(months=2))


@given(
    st.sampled_from([RecordClass.FOOTAGE, RecordClass.CLIP, RecordClass.CLIP_LOOK_AGAIN, RecordClass.SUPERVISION_CLIP]),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
)
def test_looking_for_what_is_due_overlooks_nothing(kind: RecordClass, begun: date, on: date) -> None:
    rule = ENGLAND.rules[kind]
    for term in (*rule.latest_of, *rule.never_past):
        last = rules.begun_by(rule, term.trigger, on=on)
        assert last is not None
        assert rules.after(begun, term.period) > on or begun <= last
