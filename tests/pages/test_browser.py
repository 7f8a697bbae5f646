from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.pages.sample import Sample
from tests.pages.samples import samples

pytestmark = pytest.mark.browser

WIDTHS = (1280, 320)
LEVEL = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"region": {"enabled": False}},  # GOV.UK puts the second skip link outside landmarks, on purpose
}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": WIDTHS[-1], "height": 700})


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_page_works_on_a_phone_and_a_desktop(page: Page, address: str, sample: Sample) -> None:
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", heard)
    page.goto(f"{address}/pages/{sample.name}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate(SIDEWAYS) == 0, f"scrolls sideways at {width}"
    found = Axe().run(page, options=LEVEL)  # at a phone's width: tests/walk looks at the real pages on a desktop
    assert found.violations_count == 0, found.generate_report()
    page.remove_listener("console", heard)
    assert complaints == []
