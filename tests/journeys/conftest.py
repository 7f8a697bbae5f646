"""One server, one Chromium, and how far the story has been told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from app.demo.clock import DemoClock
from app.demo.serving import Served
from app.demo.story import Story
from app.pages import STATIC
from hatch_build import make_assets
from tests.chromium import started_chromium
from tests.journeys.film import make_calm_film
from tests.journeys.visitors import DESKTOP, Visitor

ONE_CODE = timedelta(seconds=30)


@dataclass(slots=True)
class House:
    """The service, everyone in the story, and their browsers.

    Attributes:
        told: chapters that have been told to their end.
        visitors: who has a browser open, by name.
    """

    story: Story
    chromium: Browser
    told: set[str] = field(default_factory=set)
    visitors: dict[str, Visitor] = field(default_factory=dict)

    @contextmanager
    def chapter(self, name: str, *, after: str = "") -> Iterator[None]:
        """Tell one chapter; each needs the one before, so they are run together and in their order."""
        if after and after not in self.told:
            pytest.skip(f"needs the chapter “{after}”: run the whole journey")
        yield
        self.told.add(name)

    def visitor(self, name: str, *, device: dict[str, Any]) -> Visitor:
        """Somebody opens a browser of their own."""
        self.visitors[name] = Visitor(self.chromium, origin=self.story.served.origin, device=device)
        return self.visitors[name]

    def colleague(self, role: str) -> Visitor:
        """A member of staff signs in at a desk. The clock goes on by one code, so that nobody waits for theirs."""
        if role not in self.visitors:
            DemoClock(self.story.served.clock).move(ONE_CODE)
            self.visitor(role, device=DESKTOP).signs_in(self.story.staff[role])
        return self.visitors[role]

    def leaves(self, name: str) -> None:
        """Somebody closes their browser."""
        self.visitors.pop(name).context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def phone_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the guider filmed; a journey that needs somebody in it has a fixture of its own."""
    film: Path = tmp_path_factory.mktemp("phone") / "phone.mp4"
    make_calm_film(film)
    return film


@pytest.fixture(scope="module")
def house(chromium: Browser, phone_film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A family whose case is open and who agreed to be filmed, on the real server and a throwaway store."""
    make_assets(STATIC.parent.parent)
    served = Served(tmp_path_factory.mktemp("journey") / "service")
    story = Story(served, phone_film)
    try:
        story.make_store()
        story.open_case()
        story.agree_to_filming()
        yield House(story, chromium)
    finally:
        for member in story.staff.values():
            member.browser.close()
        served.stop()
