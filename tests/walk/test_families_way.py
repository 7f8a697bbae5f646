"""A family's own way through their pages: without JavaScript, and out of them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import identity
from identity import PersonKind
from tests.families import Someone, sign_in
from tests.walk.conftest import context_of, keep
from tests.walk.house import AWAY, House

pytestmark = pytest.mark.browser
PASSCODE = "735102"


@pytest.fixture
def mother(chromium: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """Opens a browser of the mother's with a session of its own."""
    opened: list[BrowserContext] = []

    def open_one(**options: object) -> Page:
        context = context_of(chromium, house, "nobody", **options)
        keep(context, house, _anew(house).token.reveal())
        opened.append(context)
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()


@pytest.mark.parametrize("way", ["button", "shift three times", "skip link"])
def test_leaving_is_at_once_and_the_way_back_shows_nothing(mother: Callable[..., Page], way: str) -> None:
    page = mother()
    page.goto("/who-watched")
    page.goto("/your-clips")
    if way == "button":
        page.get_by_role("button", name="Exit this page").click()
    elif way == "skip link":
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Exit this page")
        page.keyboard.press("Enter")
    else:
        for _ in range(3):
            page.keyboard.press("Shift")
    page.wait_for_url(AWAY)
    page.go_back()
    expect(page).to_have_title(re.compile("Sign in"))
    assert "/who-watched" not in page.url, "the page that was left is out of the history, and the one before is closed"
    page.goto("/your-clips")
    expect(page).to_have_title(re.compile("Sign in"))


def test_leaving_works_as_a_link_without_javascript(mother: Callable[..., Page]) -> None:
    page = mother(java_script_enabled=False)
    page.goto("/your-clips")
    page.get_by_role("button", name="Exit this page").click()
    page.wait_for_url(AWAY)
    page.go_back()
    expect(page).to_have_title(re.compile("Sign in"))


def test_every_page_of_a_family_has_the_way_out(mother: Callable[..., Page], house: House) -> None:
    page = mother(java_script_enabled=False)
    rendition = house.asked.rendition_id
    for address in (
        "/your-clips",
        f"/your-clips/{rendition}/questions",
        "/who-watched",
        "/help",
        "/nowhere",
        "/privacy",
    ):
        page.goto(address)
        expect(page.get_by_role("button", name="Exit this page")).to_be_visible()


def test_a_family_watches_answers_keeps_a_receipt_and_stops_without_javascript(
    mother: Callable[..., Page], house: House
) -> None:
    page = mother(java_script_enabled=False, viewport={"width": 390, "height": 844})
    rendition = house.asked.rendition_id
    page.goto("/your-clips")
    _press(page, re.compile("^Answer [0-9]+ question"))
    while "/questions/" in page.url:
        _press(page, "Continue")
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("Choose yes or no")
        assert page.title().startswith("Error: ")
        assert page.locator(summary.locator("a").get_attribute("href") or "").count() == 1
        page.get_by_label(re.compile("Yes,")).check()
        _press(page, "Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    _press(page, "Save my answers")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers are saved")
    page.get_by_role("link", name=re.compile("^Receipt for")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Receipt")
    page.goto(f"/your-clips/{rendition}")
    film = page.locator("video").get_attribute("src")
    assert film
    assert page.request.get(film, headers={"Range": "bytes=0-99"}).status == 206
    page.goto("/your-clips")
    card = page.locator(".vault-card").filter(has=page.locator(f"[action*='{rendition}']"))
    with page.expect_navigation():
        card.get_by_role("button", name=re.compile("^Stop sharing")).first.click()
    expect(page.get_by_role("alert")).to_contain_text("Sharing has stopped.")
    expect(page.locator(".vault-card").filter(has_text="You stopped it")).to_have_count(1)


def test_an_invitation_is_used_up_without_javascript(chromium: Browser, house: House) -> None:
    service = house.stage.service
    family = house.family
    made = identity.invite(service.db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.father.id)
    _, code = identity.issue_code(service.db, keystore=service.keystore, invitation_id=made.id)
    context = context_of(chromium, house, "nobody", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/invitation/{made.token.reveal()}")
    _press(page, "Start")
    _press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("Enter your code")
    page.get_by_label("Your code").fill(code.reveal())
    page.get_by_label("Choose a passcode").fill(PASSCODE)
    page.get_by_label("The same passcode again").fill(PASSCODE)
    _press(page, "Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your clips")
    _press(page, "Sign out")
    page.get_by_label("Your passcode").fill(PASSCODE)
    _press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your clips")
    context.close()


def test_what_is_wrong_with_a_form_gets_the_focus_and_leads_to_its_field(
    mother: Callable[..., Page], house: House
) -> None:
    page = mother()
    page.goto(f"/your-clips/{house.shared.rendition_id}/questions/1")
    _press(page, "Continue")
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").press("Enter")
    expect(page.get_by_label(re.compile("Yes,"))).to_be_focused()


def _press(page: Page, name: str | re.Pattern[str]) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=isinstance(name, str)).click()


def _anew(house: House) -> Someone:
    return sign_in(house.stage.service.db, house.family.mother.id, kind=PersonKind.FAMILY)
