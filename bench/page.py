"""One real page in Chromium, and when it went dark."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

_PATIENCE_SECONDS = 60
_LOOK_MS = 50
_NOTE_WHEN_DARK = "document.addEventListener('vault:dark', () => { window.darkAt = Date.now(); })"


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """A page on which a film plays."""

    page: Page

    def dark_at(self) -> float:
        """When it had taken the film away, in seconds of the machine's clock; waits for that."""
        return float(_when(self.page, "window.darkAt")) / 1000


@contextmanager
def watched_page(program: str, *, address: str, jar: Mapping[str, str]) -> Iterator[WatchedPage]:
    """Open a watch page in Chromium and wait until its film plays."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        host = urlsplit(address).hostname or ""
        context.add_cookies(
            [{"name": k, "value": v, "domain": host, "path": "/", "secure": True} for k, v in jar.items()]
        )
        page = context.new_page()
        page.add_init_script(_NOTE_WHEN_DARK)
        page.goto(address)
        _when(page, "document.querySelector('video')?.readyState > 2")
        yield WatchedPage(page)
        browser.close()


def _when(page: Page, expression: str) -> Any:
    """What an expression gives as soon as it gives something (the page's own rules forbid Playwright's way)."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (found := page.evaluate(expression)):
        if time.monotonic() > end:
            raise TimeoutError(expression)
        page.wait_for_timeout(_LOOK_MS)
    return found
