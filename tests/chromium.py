"""Chromium as Debian packages it.

A fixture that holds it must end with its module or package: Playwright keeps an event loop alive that would be in the
way of later tests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

_QUIETLY = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """Start it, and end it after the block; without it the test is skipped, which says what to install."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_QUIETLY)
        yield browser
        browser.close()
