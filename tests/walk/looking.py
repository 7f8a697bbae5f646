"""What is wrong with a page, as the browser itself can tell. Each look answers with sentences; none is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.pages.test_browser import SIDEWAYS

_LOOKS = Path(__file__).with_name("looking.js").read_text(encoding="utf-8").partition("\n")[2].strip()
_COLOURS = "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
MOST_STOPS = 160


def look(page: Page, name: str) -> Any:
    """One look of ``looking.js``."""
    return page.evaluate(f"{_LOOKS}.{name}()")


def narrow(page: Page, *, widths: tuple[int, ...]) -> list[str]:
    """Whether all of the page is there at each width."""
    faults = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if over := page.evaluate(SIDEWAYS):
            faults.append(f"{width} px: scrolls {over} px sideways")
        faults += [f"{width} px: {one}" for one in look(page, "cut")]
    return faults


def enlarged(page: Page) -> list[str]:
    """Whether the page keeps together with text of twice the size."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    faults = [f"twice the text: {one}" for one in look(page, "cut")]
    if page.evaluate(SIDEWAYS):
        faults.append("twice the text: scrolls sideways")
    page.evaluate("document.documentElement.style.fontSize = ''")
    return faults


def in_other_colours(page: Page) -> list[str]:
    """Whether the page can be used with the reader's own colours, in the dark, and with nothing moving."""
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    faults = [f"forced colours: {one}" for one in look(page, "edges")] + look(page, "moving")
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    light = page.evaluate(_COLOURS)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(_COLOURS)
    page.emulate_media(color_scheme="light")
    return faults if light == dark else [*faults, f"in the dark {light} becomes {dark}"]


def by_keyboard(page: Page) -> list[str]:
    """Tab through the page: every control is reached, seen and uncovered, and there is a way out."""
    page.set_viewport_size({"width": 1000, "height": 700})
    page.evaluate("(document.activeElement || document.body).blur(), scrollTo(0, 0)")
    faults, first, last = [], True, ""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = look(page, "stop")
        if stop is None:
            return faults + look(page, "missed")
        if first and "Skip to main" not in stop["name"]:
            faults.append(f"the first stop is “{stop['name']}”")
        first = False
        if stop["key"] == last:
            continue
        last = stop["key"]
        if not stop["seen"]:
            faults.append(f"focus is on “{stop['name']}”, which can't be seen")
        elif not stop["free"]:
            faults.append(f"focus is on “{stop['name']}”, which is covered")
        elif not stop["marked"] and stop["tag"] != "VIDEO":
            faults.append(f"focus on “{stop['name']}” doesn't show")
    return [*faults, f"after {MOST_STOPS} presses of Tab there is no end"]
