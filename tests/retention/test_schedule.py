from __future__ import annotations

import pytest

from core.errors import Invalid
from retention import schedule
from retention.terms import Act, Period, RecordClass, ReviewBy, Trigger

ENGLAND = schedule.load()


def test_the_schedule_that_comes_with_the_product_covers_every_record_class_for_every_authority() -> None:
    for profile in schedule.profiles():
        assert set(schedule.load(profile=profile.name).rules) == set(RecordClass)


def test_every_rule_says_in_words_what_it_does_and_where_it_comes_from() -> None:
    for rule in ENGLAND.rules.values():
        assert rule.words.endswith(".")
        assert rule.source


@pytest.mark.parametrize(
    ("record_class", "trigger", "period", "act", "review"),
    [
        (RecordClass.UPLOAD, Trigger.LAST_BYTE, Period(hours=24), Act.ERASE, ReviewBy.NOBODY),
        (RecordClass.FOOTAGE, Trigger.VISIT, Period(days=28), Act.CRYPTOGRAPHIC_ERASURE, ReviewBy.NOBODY),
        (RecordClass.CLIP, Trigger.CLOSURE, Period(months=2), Act.CRYPTOGRAPHIC_ERASURE, ReviewBy.NOTICE),
        (RecordClass.CLIP_LOOK_AGAIN, Trigger.CLOSURE, Period(months=7), Act.CRYPTOGRAPHIC_ERASURE, ReviewBy.NOBODY),
        (RecordClass.FAMILY_COPY, Trigger.ISSUE, Period(days=14), Act.ERASE_OURS, ReviewBy.NOBODY),
        (RecordClass.REDACTED_RENDITION, Trigger.CLIP_DISPOSAL, Period(), Act.CRYPTOGRAPHIC_ERASURE, ReviewBy.NOBODY),
        (
            RecordClass.SUPERVISION_CLIP,
            Trigger.DECISION,
            Period(months=12),
            Act.CRYPTOGRAPHIC_ERASURE,
            ReviewBy.OFFICER,
        ),
        (RecordClass.CHILD_PROTECTION_CLIP, Trigger.CLOSURE, Period(months=420), Act.TRANSFER_OUT, ReviewBy.OFFICER),
        (RecordClass.LOOKED_AFTER_CLIP, Trigger.BIRTH, Period(months=900), Act.TRANSFER_OUT, ReviewBy.OFFICER),
        (RecordClass.CONSENT_RECORD, Trigger.LAST_RELIANCE, Period(months=72), Act.DISPOSE, ReviewBy.OFFICER),
        (RecordClass.ACCESS_AUDIT, Trigger.LAST_EVENT, Period(months=72), Act.DISPOSE, ReviewBy.OFFICER),
        (RecordClass.BACKUP, Trigger.WRITTEN, Period(days=35), Act.EXPIRE, ReviewBy.RESTORE_TEST),
    ],
)
def test_the_english_schedule_says_what_the_design_says(
    record_class: RecordClass, trigger: Trigger, period: Period, act: Act, review: ReviewBy
) -> None:
    rule = ENGLAND.rules[record_class]
    assert (rule.latest_of[0].trigger, rule.latest_of[0].period) == (trigger, period)
    assert (rule.act, rule.review) == (act, review)


def test_an_nhs_service_differs_from_a_council_in_its_clips_alone() -> None:
    nhs = schedule.load(profile="nhs-hosted")
    differing = {kind for kind in RecordClass if nhs.rules[kind] != ENGLAND.rules[kind]}
    assert differing == {RecordClass.CLIP, RecordClass.CLIP_LOOK_AGAIN}
    assert nhs.rules[RecordClass.CLIP].latest_of[0].period == Period(months=300)
    assert nhs.version != ENGLAND.version


def test_a_changed_period_is_another_schedule_and_a_comment_is_not() -> None:
    text = schedule.built_in()
    assert schedule.load(text + "\n# looked at\n").version == ENGLAND.version
    assert schedule.load(text.replace('"P28D"', '"P29D"')).version != ENGLAND.version


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"P28D"', '"28 days"', "isn't a period"),
        ('"P28D"', '"P"', "isn't a period"),
        ('trigger = "visit"', 'trigger = "full moon"', "full moon"),
        ('class = "footage"', 'class = "film"', "film"),
        ('class = "footage"', 'class = "clip"', "two rules"),
        ('notice = "P14D"\n', "", "notice"),
        ('review = "notice"', 'reveiw = "notice"', "reveiw"),
        ("share = 0.20", "share = 2.0", "brake"),
        ("share = 0.20", "", "brake"),
        ('extends = "england-local-authority"', 'extends = "nhs-hosted"', "itself"),
        ('extends = "england-local-authority"', "", "no rule for"),
        ('act = "keep"', 'act = "erase"', "must say when"),
        ("[brake]", "[brake", "TOML"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    text = schedule.built_in()
    assert old in text
    with pytest.raises(Invalid, match=said) as refusal:
        schedule.load(text.replace(old, new), profile="nhs-hosted")
    assert refusal.value.code == "schedule_invalid"


def test_an_unknown_kind_of_authority_is_refused() -> None:
    with pytest.raises(Invalid, match="atlantis"):
        schedule.load(profile="atlantis")
