"""Every page that the router knows, on the real server, by everyone who has to be able to use it.

The walk comes from the router: a new page is in it by itself, or a test fails that names it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.pages.test_browser import LEVEL
from tests.vault.agreeing import agree_to_filming
from tests.walk import looking
from tests.walk.blurring import Studio, shots
from tests.walk.conftest import context_of, keep
from tests.walk.house import House
from tests.walk.pictures import pictured, pictured_state, wanted
from tests.walk.places import Found, Place

pytestmark = pytest.mark.browser
FEWEST = 40


def test_every_page_works_for_everyone(house: House, found: Found, contexts: Callable[[str], BrowserContext]) -> None:
    """One test, since all of it shares one server and one browser; what is wrong is listed page by page."""
    assert found.faults == ()
    assert len(found.places) >= FEWEST
    faults: list[str] = []
    titles: dict[str, set[str]] = {}
    for place in found.places:
        page = contexts(place.who).new_page()
        heard = _listening(page)
        prepare(page, house, place)
        answer = page.goto(place.address)
        if answer is None or answer.status != 200:
            faults.append(f"{place.address} as {place.who}: {answer and answer.status}")
            continue
        titles.setdefault(page.title(), set()).add(place.path)
        faults += [f"{place.path} ({place.who}): {one}" for one in [*_wrong(page), *heard]]
        pictured(page, place)
        page.close()
    faults += [f"two pages are called {title}: {sorted(paths)}" for title, paths in titles.items() if len(paths) > 1]
    faults += [f"{title} says nothing" for title in titles if not re.fullmatch(r"[A-Z\d].{3,} \u2013 VIG Vault", title)]
    assert faults == [], "\n".join(f"{count} times: {one}" for one, count in Counter(faults).items())


@pytest.fixture
def studio(house: House) -> Studio:
    """With a family of its own: what the house's family is asked stays as it is."""
    stage = replace(house.stage, staff=house.family.staff)
    family = stage.family()
    agree_to_filming(stage.service.db, stage.service.keystore, family)
    return Studio(stage, family, stage.visit(family), house.film, house.pictures)


def test_blurring_works_in_every_state(house: House, studio: Studio, chromium: Browser) -> None:
    """All of them where pictures are taken; else those that differ most in what is on the page."""
    faults: list[str] = []
    staff, mother = studio.family.staff, studio.family.mother
    theirs = replace(house, people={"guider": staff.guider, "colleague": staff.colleague, "mother": mother})
    contexts = {who: context_of(chromium, theirs, who) for who in theirs.people}
    for shot in wanted(shots(studio)):
        page = contexts[shot.who].new_page()
        heard = _listening(page)
        page.goto(shot.address)
        if shot.opened:
            page.get_by_text(shot.opened).first.click()
        wrong = looking.narrow(page, widths=(390, 820))
        found = Axe().run(page, options=LEVEL)
        wrong += [found.generate_report()] if found.violations_count else []
        faults += [f"{shot.name}: {one}" for one in [*wrong, *heard]]
        pictured_state(page, shot.name)
        page.close()
    for context in contexts.values():
        context.close()
    assert faults == [], "\n".join(faults)


def _wrong(page: Page) -> list[str]:
    faults = list(looking.look(page, "frame"))
    faults += looking.narrow(page, widths=(320, 390, 1280))
    found = Axe().run(page, options=LEVEL)
    faults += [found.generate_report()] if found.violations_count else []
    faults += looking.enlarged(page)
    faults += looking.in_other_colours(page)
    faults += looking.by_keyboard(page)
    return faults


def prepare(page: Page, house: House, place: Place) -> None:
    """Do what has to come before a page shows anything."""
    if place.path == "/sign-in/code":
        keep(page.context, house, "half-signed-in")
    elif place.path.endswith("/check") and place.who == "mother":
        page.goto(f"/your-clips/{house.asked.rendition_id}/questions")
        while "/questions/" in page.url:
            page.get_by_label(re.compile("Yes,")).check()
            with page.expect_navigation():
                page.get_by_role("button", name="Continue").click()


def _listening(page: Page) -> list[str]:
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
