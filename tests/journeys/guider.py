"""A guider who sends film: their browser, the page for it, and a line that a test makes as bad as it likes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Dialog, Locator, Page

from app import cookies
from tests.app.stage import Stage
from tests.app.uploads.depositor import Depositor
from tests.families import Someone
from tests.journeys.visitors import PHONE, Visitor

SLOW = 1_500_000
"""Bytes a second that go up, so that there is a middle to break off in."""
CRAWLING = 40_000
"""Likewise, while a page is looked at that moves."""
PATIENCE_MS = 120_000
COUNT_WAKE_LOCKS = """
    window.held = 0;
    const request = WakeLock.prototype.request;
    WakeLock.prototype.request = async function (...given) {
      const lock = await request.apply(this, given);
      window.held += 1;
      lock.addEventListener("release", () => { window.held -= 1; });
      return lock;
    };
"""


class Guider:
    """A guider's browser at the page on which film is added."""

    def __init__(self, chromium: Browser, stage: Stage, depositor: Depositor, **device: Any) -> None:
        self.stage, self.depositor = stage, depositor
        self.visitor = Visitor(chromium, origin=stage.served.origin, device=PHONE | device)
        self.page: Page = self.visitor.page
        self.dialogs: list[str] = []
        self.page.on("dialog", self._leaves)
        self.page.add_init_script(COUNT_WAKE_LOCKS)
        self.line: CDPSession = self.visitor.context.new_cdp_session(self.page)
        self.signs_in(depositor.family.staff.guider)

    def signs_in(self, someone: Someone) -> None:
        address = self.stage.served.origin.replace("http://", "https://")  # a cookie of this name must be secure
        token = someone.token.reveal()
        self.visitor.context.add_cookies([{"name": cookies.SESSION, "value": token, "url": address, "secure": True}])

    def opens(self) -> None:
        self.visitor.goes_to(self.depositor.page)

    def is_slow(self) -> None:
        self.line.send("Network.enable")
        self.limit(SLOW)

    def limit(self, upload: int) -> None:
        """Bytes a second that go up; -1 for as many as can."""
        self.line.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": upload},
        )

    def looks_while_it_moves(self, name: str) -> None:
        self.limit(CRAWLING)
        self.visitor.looks(name, height=1500)
        self.limit(SLOW)

    def _leaves(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.type)
        dialog.accept()

    def chooses(self, *films: Path) -> None:
        self.page.get_by_label("Film from the phone").set_input_files(list(films))
        self.page.get_by_role("button", name="Send film").click()

    @property
    def says(self) -> Locator:
        return self.page.locator("[data-says]").first

    def percent(self) -> int:
        return int(self.page.locator("[data-upload-panel] progress").first.evaluate("bar => bar.value"))

    def sends_past(self, percent: int) -> None:
        for _ in range(2400):
            if self.percent() > percent:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(self.says.inner_text())

    def closes(self) -> None:
        """Close the page, then the browser, with nothing listening to the line: once, closing had hung."""
        self.line.detach()
        self.page.close()
        self.visitor.context.close()

    def is_done(self) -> None:
        self.limit(-1)
        self.page.wait_for_url("**/upload?saved=film", timeout=PATIENCE_MS)
