from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from starlette.requests import Request

from app import error_words
from app.pages import render, words
from app.pages.rendering import environment
from tests.pages.sample import Sample
from tests.pages.samples import samples

HOSTILE = "\"'><script>alert(1)</script>{{ 7 * 7 }}"
TEMPLATES = Path(__file__).parents[2] / "app/pages/templates"
FRAMES = {"base.html", "parts.html", "blur_beside.html", "blur_choices.html", "blur_part.html"}


def shown(sample: Sample) -> str:
    """The page's HTML."""
    request = Request({"type": "http", "method": "GET", "path": sample.path, "headers": [], "query_string": b""})
    answer = render(
        request,
        sample.template,
        visitor=sample.visitor,
        problems=sample.problems,
        given=sample.given,
        **sample.context,
    )
    return bytes(answer.body).decode()


def poisoned(value: Any) -> Any:
    """The same value with every text that isn't an address or a word of ours made hostile."""
    if isinstance(value, str) and not isinstance(value, Markup):
        is_word = value.replace("_", "").replace("-", "").isalnum() and value.islower()
        return value if is_word or value.startswith("/") or not value else value + HOSTILE
    if isinstance(value, Mapping):
        return {name: poisoned(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [poisoned(each) for each in value]
    return value


class _Looker(HTMLParser):
    """Collects what a strict content policy would stop, and ids used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.wrongs: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or "style" in names or (tag == "script" and not names.get("src")):
            self.wrongs.append(f"inline {tag}")
        self.wrongs += [f"{tag} {name}" for name in names if name.startswith("on")]
        self.wrongs += [
            f"{tag} {value}"
            for name, value in attrs
            if name in {"src", "href", "action"} and (value or "").startswith(("javascript:", "data:", "//"))
        ]
        if identity := names.get("id"):
            self.ids.append(identity)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_page_has_nothing_inline_and_no_id_twice(sample: Sample) -> None:
    looker = _Looker()
    looker.feed(shown(sample))
    assert looker.wrongs == []
    assert sorted(set(looker.ids)) == sorted(looker.ids)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_what_people_typed_never_becomes_markup(sample: Sample) -> None:
    html = shown(replace(sample, context=poisoned(sample.context), given=poisoned(sample.given)))
    assert "<script>alert" not in html
    assert "49" not in html or "49" in shown(sample)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_familys_page_can_be_left_at_once_and_no_other_has_that_button(sample: Sample) -> None:
    is_familys = sample.visitor.is_family or sample.template in {
        "invitation.html",
        "activate.html",
        "family_sign_in.html",
    }
    assert ("govuk-exit-this-page__button" in shown(sample)) == is_familys


def test_every_template_has_a_sample() -> None:
    assert {sample.template for sample in samples()} | FRAMES == {path.name for path in TEMPLATES.iterdir()}


def test_every_template_says_what_it_wants() -> None:
    for path in TEMPLATES.iterdir():
        assert path.read_text().startswith("{# "), path.name


def test_a_value_that_was_not_given_is_an_error_rather_than_a_gap() -> None:
    with pytest.raises(UndefinedError, match="heading"):
        environment().get_template("error.html").render(visitor=samples()[0].visitor, problems=(), code="x", path="/")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 22, 15, 5, tzinfo=UTC), "22 November 2026 at 3:05pm"),
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "2 July 2026 at 12:30am"),
        (datetime(2026, 7, 1, 11, 0, tzinfo=UTC), "1 July 2026 at midday"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "1 January 2026 at midnight"),
        (datetime(2026, 1, 1, 12, 1, tzinfo=UTC), "1 January 2026 at 12:01pm"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "29 March 2026 at 12:59am"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "29 March 2026 at 2:00am"),
        (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), "25 October 2026 at 12:59am"),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "25 October 2026 at 1:00am (BST)"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 October 2026 at 1:30am (BST)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 October 2026 at 1:30am (GMT)"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "25 October 2026 at 2:00am"),
    ],
)
def test_times_are_said_as_in_london_and_the_hour_that_comes_twice_says_which(at: datetime, said: str) -> None:
    assert words.london(at) == said
    assert words.london_time(at) == f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{said}</time>'


def test_a_day_is_a_day_for_programs_and_a_moment_stays_a_moment() -> None:
    assert words.day_time(date(2026, 3, 9)) == '<time datetime="2026-03-09">9 March 2026</time>'
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert words.day_time(late) == '<time datetime="2026-06-30T23:30:00Z">1 July 2026</time>'


def test_lengths_sizes_and_numbers_are_said_in_words() -> None:
    assert words.day(date(2026, 3, 9)) == "9 March 2026"
    assert [words.seconds(length) for length in (1, 18.4, 60, timedelta(seconds=125))] == [
        "1 second",
        "18 seconds",
        "1 minute",
        "2 minutes 5 seconds",
    ]
    assert [words.megabytes(size) for size in (999, 34_000_000, 999_600_000, 2_147_000_000)] == [
        "999 bytes",
        "34 MB",
        "1.0 GB",
        "2.1 GB",
    ]
    assert [words.count(1, "clip"), words.count(1200, "clip"), words.count(2, "family", "families")] == [
        "1 clip",
        "1,200 clips",
        "2 families",
    ]


def test_waiting_times_are_rounded_up() -> None:
    said = [error_words.wait(timedelta(seconds=each)) for each in (0, 5, 61, 1800, 3600, 3601)]
    assert said == ["a minute", "a minute", "2 minutes", "30 minutes", "1 hour", "2 hours"]
