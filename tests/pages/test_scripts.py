from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.server import Stage

pytestmark = pytest.mark.browser

NEUTRAL = "This clip is not available."


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    del stage
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    yield context.new_page()
    context.close()


def until(page: Page, state: str) -> None:
    """Wait for a state of the film. (Playwright's own waiting evaluates strings, which our pages' policy forbids.)"""
    for _ in range(400):
        if page.evaluate(f"document.querySelector('video').{state}"):
            return
        page.wait_for_timeout(25)
    raise AssertionError(state)


def test_a_professionals_film_is_asked_for_only_once_the_events_have_begun(
    page: Page, address: str, stage: Stage
) -> None:
    stage.beats = 0
    page.goto(f"{address}/pages/watch")
    expect(page.locator("[data-dark]")).to_have_text(NEUTRAL, timeout=15_000)
    assert stage.asked == []


def test_a_playing_film_goes_dark_when_the_server_says_so(page: Page, address: str, stage: Stage) -> None:
    stage.beats, stage.goes_dark = 3, True
    page.goto(f"{address}/pages/watch")
    expect(page.locator("video")).to_have_attribute("src", "/media/film.mp4")
    expect(page.locator("[data-mark]")).to_contain_text("Sam Okafor")
    page.evaluate("document.querySelector('video').play()")
    expect(page.locator("[data-dark]")).to_have_text(NEUTRAL)
    expect(page.locator("video")).to_have_count(0)
    expect(page.get_by_text("Ava looks up")).to_have_count(0)
    expect(page.locator("[data-dark]")).to_be_focused()


def test_a_film_goes_dark_by_itself_when_the_events_fall_silent(page: Page, address: str, stage: Stage) -> None:
    stage.beats = 2
    page.goto(f"{address}/pages/watch")
    expect(page.locator("video")).to_have_attribute("src", "/media/film.mp4")
    expect(page.locator("[data-dark]")).to_have_text(NEUTRAL, timeout=10_000)
    expect(page.locator("video")).to_have_count(0)


def test_a_clip_is_marked_frame_by_frame_and_with_the_keyboard_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/pages/footage")
    until(page, "readyState >= 2")
    says = page.locator("[data-says]")
    forward = page.get_by_role("button", name="1 frame on")
    for _ in range(3):
        forward.click()
    expect(says).to_have_text("0:00.12 · frame 3 of 50")
    page.get_by_role("button", name="Start here").press("Enter")
    expect(page.get_by_label("First frame")).to_have_value("3")
    page.get_by_label("Position in the film").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(",")
    expect(says).to_have_text("0:01.88 · frame 47 of 50")
    page.keyboard.press("]")
    expect(page.get_by_label("Ends before frame")).to_have_value("48")
    expect(page.locator("[data-length]")).to_contain_text("1.8 seconds long")
    until(page, "seeking === false")
    assert page.evaluate("Math.floor(document.querySelector('video').currentTime * 25)") == 47


def test_the_chosen_moment_plays_and_stops_at_its_end(page: Page, address: str) -> None:
    page.goto(f"{address}/pages/footage")
    until(page, "readyState >= 2")
    page.get_by_label("First frame").fill("10")
    page.get_by_label("Ends before frame").fill("20")
    page.get_by_label("Speed").select_option("0.5")
    page.get_by_role("button", name="Play the clip").click()
    until(page, "paused === false")
    until(page, "paused === true")
    assert page.evaluate("document.querySelector('video').playbackRate") == 0.5
    assert page.evaluate("Math.floor(document.querySelector('video').currentTime * 25)") < 25


def test_progress_is_told_and_the_page_shown_anew_when_the_job_has_ended(
    page: Page, address: str, stage: Stage
) -> None:
    stage.jobs = [
        {"state": "running", "percent": 90, "text": "Almost there"},
        {"state": "done", "percent": 100, "text": "Ready"},
        {"state": "running", "percent": 1, "text": "Another"},
    ]
    page.goto(f"{address}/pages/footage-preparing")
    expect(page.get_by_role("status")).to_have_text("Almost there")
    assert page.evaluate("document.querySelector('progress').value") == 90
    with page.expect_navigation():
        pass
    expect(page.get_by_role("status")).to_have_text("About 3 minutes left")


def test_everything_a_family_needs_works_without_javascript(browser: Browser, address: str, stage: Stage) -> None:
    del stage
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/pages/question")
    page.get_by_label("No, they can't watch").check()
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    page.goto(f"{address}/pages/your-clips")
    expect(page.get_by_role("button", name="Stop sharing with Sam Okafor")).to_be_visible()
    expect(page.get_by_role("link", name="Who watched")).to_be_visible()
    page.goto(f"{address}/pages/watch-family")
    expect(page.locator("video")).to_have_attribute("src", "/media/film.mp4")
    page.goto(f"{address}/pages/upload")
    expect(page.get_by_role("button", name="Send film")).to_be_visible()
    expect(page.get_by_role("heading", name="Sending")).to_be_hidden()
    page.goto(f"{address}/pages/watch")
    expect(page.get_by_text("only with JavaScript switched on")).to_be_visible()
    assert page.locator("video").get_attribute("src") is None
    context.close()
