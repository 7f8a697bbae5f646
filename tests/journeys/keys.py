"""Somebody who has no mouse and no touch screen: Tab, Enter, Space and arrows are all they use."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

MOST_STOPS = 250
_WHERE = """target => {
    const at = document.activeElement;
    if (at === target) return 0;
    return at.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING ? -1 : 1;
}"""


class Keys:
    """Their keyboard at one page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def reaches(self, target: Locator) -> None:
        """Press Tab, or Shift and Tab where it lies before, until something has the focus."""
        for _ in range(MOST_STOPS):
            where = target.evaluate(_WHERE)
            if where == 0:
                return
            self.types("Tab" if where > 0 else "Shift+Tab")
        message = f"{target} can't be reached with Tab"
        raise AssertionError(message)

    def presses(self, name: str | re.Pattern[str], *, key: str = "Enter") -> None:
        """Reach a button and press it."""
        self.reaches(self._page.get_by_role("button", name=name, exact=isinstance(name, str)))
        self.types(key)

    def types(self, *keys: str) -> None:
        """Press keys, each by its name."""
        for key in keys:
            self._page.keyboard.press(key)

    def writes(self, target: Locator, words: str) -> None:
        """Write words into a field."""
        self.reaches(target)
        self._page.keyboard.insert_text(words)
