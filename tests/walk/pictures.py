"""Pictures of every page in every form, to be looked at: ``python -m tests.walk FOLDER``.

The folder lies outside the repository. A checker passes pages that people can't use, so somebody has to look.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

from tests.walk.blurring import Shot
from tests.walk.places import Place

VARIABLE = "VAULT_WALK_PICTURES"
IN_EVERY_RUN = {"looking-failed", "choosing-split", "choosing-crowd", "making-failed", "mending-sent-back", "at-home"}


def pictured(page: Page, place: Place) -> None:
    """Take them, where a folder is named."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    for form, width in (("desktop", 1280), ("phone", 390), ("narrow", 320)):
        page.set_viewport_size({"width": width, "height": 900})
        _take(page, Path(folder), f"{place.name}-{form}")
    page.set_viewport_size({"width": 390, "height": 900})
    page.emulate_media(forced_colors="active")
    _take(page, Path(folder), f"{place.name}-forced")
    page.emulate_media(forced_colors="none", color_scheme="dark")
    _take(page, Path(folder), f"{place.name}-dark")
    page.emulate_media(color_scheme="light")


def wanted(shots: Sequence[Shot]) -> Sequence[Shot]:
    """Those whose state is looked at now."""
    return shots if os.environ.get(VARIABLE) else [one for one in shots if one.name in IN_EVERY_RUN]


def pictured_state(page: Page, name: str) -> None:
    """Take them of one state of a page, on each kind of device, where a folder is named."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for form, width in (("desktop", 1280), ("tablet", 820), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            _take(page, Path(folder), f"state-{name}-{form}")


def _take(page: Page, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.evaluate("(document.activeElement || document.body).blur(), scrollTo(0, 0)")
    page.screenshot(path=folder / f"{name}.png", full_page=True, animations="disabled")
