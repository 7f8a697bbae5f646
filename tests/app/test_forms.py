from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import app.pages
from app.forms import Form
from core.errors import Invalid


def test_a_date_is_taken_from_three_fields_or_from_one() -> None:
    assert Form({"born-day": ["7"], "born-month": ["3"], "born-year": ["2024"]}).day("born", called="a date") == date(
        2024, 3, 7
    )
    assert Form({"born": ["2024-03-07"]}).day("born", called="a date") == date(2024, 3, 7)


@pytest.mark.parametrize("day", ["31", "0", "x", "", "-1", "٣"])
def test_a_date_that_is_none_is_refused_in_words(day: str) -> None:
    form = Form({"born-day": [day], "born-month": ["2"], "born-year": ["2024"]})
    with pytest.raises(Invalid, match="not_a_date") as refusal:
        form.day("born", called="the date of birth")
    assert refusal.value.field == "born"


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "a\u2066b", "a\x1bb", "a\ud800b"])
def test_characters_that_hide_or_turn_text_round_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="bad_characters"):
        Form({"name": [text]}).text("name", called="a name")


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "٣", "99999999999999", "", "0x10", "0" * 12 + "9" * 9])
def test_a_number_that_is_none_or_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Form({"n": [text]}).number("n", called="a frame", most=1000)


def test_a_field_that_says_two_things_is_refused_and_one_that_repeats_itself_is_not() -> None:
    with pytest.raises(Invalid, match="said_twice"):
        Form({"role": ["guider", "administrator"]}).text("role", called="a role")
    assert Form({"role": ["guider", "guider"]}).text("role", called="a role") == "guider"
    assert Form({"role": ["guider", "chair"]}).texts("role") == ["guider", "chair"]


def test_what_is_shown_again_never_holds_a_secret() -> None:
    form = Form(
        {"email": ["a@example.org"], "password": ["x"], "code": ["1"], "passcode": ["2"], "present": ["a", "b"]}
    )
    assert form.shown() == {"email": "a@example.org", "present": ["a", "b"]}


def test_no_field_that_a_page_hides_while_it_is_typed_is_ever_shown_again() -> None:
    pages = Path(app.pages.__file__).parent / "templates"
    hidden = re.compile(r'govukPasswordInput\(\{.*?"name": "(\w+)"')
    names = {name for page in pages.glob("*.html") for name in hidden.findall(page.read_text(encoding="utf-8"))}
    assert {"password", "passcode", "current"} <= names
    assert Form({name: ["x"] for name in names | {"code"}}).shown() == {}
