"""People at real browsers: each with a context of their own, and every page looked at by axe, a console and a ruler."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import ffmpeg
from axe_playwright_python.sync_playwright import Axe
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from app.demo.people import StaffMember
from tests.pages.test_browser import LEVEL, SIDEWAYS

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
TABLET: dict[str, Any] = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
KEPT = frozenset(
    {
        "blur-side-by-side",
        "parent-question-phone",
        "social-worker-watching",
        "guider-cutting",
        "dark",
        "audit",
        "your-clips-phone",
        "family",
        "retention",
    }
)
"""The pictures that documents show; written anew by a run with ``VAULT_PICTURES=1``."""


class Visitor:
    """One person at one device.

    Args:
        browser: real Chromium.
        origin: of the service.
        device: ``DESKTOP`` or ``PHONE``, and what else a context takes.
    """

    def __init__(self, browser: Browser, *, origin: str, device: dict[str, Any]) -> None:
        self._scripts = device.get("java_script_enabled", True)
        self.context = browser.new_context(base_url=origin, **device)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def goes_to(self, path: str) -> None:
        """Open an address of the service."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}: {self.reads()}"

    def presses(self, name: str | re.Pattern[str]) -> None:
        """Press a button that leads to another page."""
        with self.page.expect_navigation():
            self.button(name).click()

    def taps(self, name: str | re.Pattern[str]) -> None:
        """Tap, with a finger, a button that leads to another page."""
        with self.page.expect_navigation():
            self.button(name).tap()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button, or a link that looks like one."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def follows(self, link: str | re.Pattern[str] | Locator) -> None:
        """Follow the first such link."""
        if not isinstance(link, Locator):
            link = self.page.get_by_role("link", name=link, exact=isinstance(link, str))
        with self.page.expect_navigation():
            link.first.click()

    def types(self, **texts: str) -> None:
        """Type into fields, each named by its label with ``_`` for a space."""
        for label, text in texts.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)

    def reads(self) -> str:
        """The words of the page's main part."""
        return " ".join(self.page.locator("main").inner_text().split())

    def where(self) -> str:
        """The path of the page."""
        return re.sub(r"^https?://[^/]+", "", self.page.url)

    def signs_in(self, member: StaffMember) -> None:
        """Sign in as staff do: password, then a code."""
        self.goes_to("/sign-in")
        self.types(Work_email_address=member.address, Password=member.password)
        self.presses("Continue")
        self.types(Code=member.code())
        self.presses("Sign in")

    def looks(self, name: str, *, height: int | None = None) -> None:
        """Find nothing wrong with the page: WCAG 2.2 AA, no sideways scrolling, a silent console.

        Args:
            name: of the picture, where pictures are taken.
            height: of the picture, in pixels from the page's top; without it, one screen.
        """
        if self._scripts:  # axe itself needs them
            found = Axe().run(self.page, options=LEVEL)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert self.page.evaluate(SIDEWAYS) == 0, f"{name} scrolls sideways"
        assert self.complaints == [], f"{name}: {self.complaints}"
        self._is_pictured(name, height=height)

    def forgives(self, expected: str) -> None:
        """Take back complaints about what was meant to fail."""
        self.complaints[:] = [each for each in self.complaints if expected not in each]

    def _is_pictured(self, name: str, *, height: int | None) -> None:
        """Take a picture, where they are wanted: ``VAULT_PICTURES`` is 1, or a folder for all of them."""
        wanted = os.environ.get("VAULT_PICTURES", "")
        if not wanted or (wanted == "1" and name not in KEPT):
            return
        folder = PICTURES if wanted == "1" else Path(wanted)
        folder.mkdir(parents=True, exist_ok=True)
        whole = self.page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        part: Any = {"x": 0, "y": 0, "width": whole[0], "height": min(height or 0, whole[1])} if height else None
        with tempfile.NamedTemporaryFile(suffix=".png") as taken:
            self.page.screenshot(path=taken.name, full_page=height is not None, clip=part, animations="disabled")
            _in_few_colours(Path(taken.name), to=folder / f"{name}.png")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.where()}: {message.text}")


def _in_few_colours(picture: Path, *, to: Path) -> None:
    """The same picture in 256 colours: a third of the size, in a repository that keeps every version."""
    twice = ffmpeg.input(str(picture)).split()
    palette = twice[0].filter("palettegen", max_colors=256, reserve_transparent=0)
    drawn = ffmpeg.filter([twice[1], palette], "paletteuse", dither="none")
    drawn.output(str(to), frames=1, pix_fmt="pal8").overwrite_output().run(cmd=get_ffmpeg_exe(), quiet=True)


class Film:
    """The film on somebody's page.

    Args:
        page: where it is.
        of: which ``<video>``, where there are several.
    """

    def __init__(self, page: Page, *, of: str = "video") -> None:
        self._page = page
        self.video = page.locator(of)

    def says(self, expression: str) -> Any:
        """What the ``video`` itself says."""
        return self.video.evaluate(f"video => {expression}")

    def is_once(self, expression: str) -> None:
        """Wait until something about it is true.

        Playwright's own waiting evaluates strings, which our pages' policy forbids.
        """
        for _ in range(600):
            if self.says(expression):
                return
            self._page.wait_for_timeout(25)
        said = self.says("[video.currentTime, video.readyState, video.paused, video.error && video.error.message]")
        message = f"{expression}; the film says {said}"
        raise AssertionError(message)

    def plays(self, *, past: float) -> None:
        """Play it by the keyboard until it has gone on by itself."""
        self.is_once("video.readyState >= 2")
        self.video.focus()
        self.video.press("Space")
        self.is_once(f"!video.paused && video.currentTime > {past}")
