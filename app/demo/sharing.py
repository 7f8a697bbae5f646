"""The second chapter: the check, the shared review, the questions, the watching, and the stop."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta

import httpx

from app.demo.blurring import Blurring
from app.demo.client import Browser, Unexpected, find, words_of
from app.demo.clock import DemoClock
from app.demo.people import activate, code_from
from app.demo.scene import (
    DARK_WITHIN_SECONDS,
    STAFF,
    expect,
    option,
)


class Sharing(Blurring):
    """From a clip to a dark page."""

    __slots__ = ()

    def check(self) -> str:
        """The author can't check; a colleague who has nothing else to do with the case can, and only this one."""
        guider, colleague = self.staff["guider"].browser, self.staff["colleague"].browser
        page = guider.page(f"/clips/{self.clip}")
        self_check = guider.refused(f"/clips/{self.clip}/check", {"checker": self._own_id(page)})
        guider.submit(f"/clips/{self.clip}/check", {"checker": option(page, STAFF["colleague"][0])})
        page = colleague.page("/checks")
        self.rendition = find(r"/checks/([0-9a-f]{32})", page)
        page = colleague.page(f"/checks/{self.rendition}")
        everyone = [self.people[name] for name in self.cast.shown]
        passed: dict[str, str | list[str]] = {"persons": everyone, "remark": "", "decision": "pass"}
        not_watched = colleague.refused(f"/checks/{self.rendition}", passed)[1]
        colleague.http.get(find(r'data-film="([^"]+)"', page)).raise_for_status()
        DemoClock(self.served.clock).move(_length(page))  # it counts only once it can have been watched
        colleague.submit(f"/checks/{self.rendition}", passed)
        return f"the author's own check answers {self_check[1]}, one without watching {not_watched}"

    def watch_together(self) -> str:
        """Shared review, before anybody is asked about anybody else."""
        guider = self.staff["guider"].browser
        served = self.read_some(guider, guider.page(f"/clips/{self.clip}/review"))
        return f"{served} bytes played"

    def nothing_before_consent(self) -> str:
        """Not in the list, and its address is a 404 like any other."""
        worker = self.staff["social_worker"].browser
        page = worker.page("/shared")
        if self.cast.title in page or self.rendition in page:
            message = "the title is shown"
            raise Unexpected(message)
        status, code = worker.refused(f"/watch/{self.rendition}")
        foreign, _ = worker.refused(f"/watch/{'0' * 32}")
        if status != foreign:
            message = f"a clip that isn't shared answers {status}, one that doesn't exist {foreign}"
            raise Unexpected(message)
        return f"{status} {code}, the same as for a clip that doesn't exist"

    def ask(self) -> str:
        """Invitations with two things, and the questions."""
        guider = self.staff["guider"].browser
        page = guider.page(f"/clips/{self.clip}")
        for value in re.findall(r'name="audience"[^>]*value="([^"]+)"', page):
            guider.submit(f"/clips/{self.clip}/ask", {"audience": value})
        used = ""
        for name in (self.cast.mother, self.cast.father):
            page = guider.submit(f"/families/{self.case}/invitations", {"person": self.people[name]}, status=200)
            link = find(r"(http[^\s<\"]+/invitation/[^\s<\"]+)", page)
            code = code_from(self.served.messages, to=self.cast.contacts[name])
            browser = self.browser()
            wrong = browser.refused(f"/invitation/{link.rsplit('/', 1)[1]}/activate", _activation("000000", code))
            activate(browser, link=link, code=code, passcode=self.cast.passcode)
            self.family[name] = browser
            used = self.browser().refused(f"/invitation/{link.rsplit('/', 1)[1]}")[1]
        return f"a wrong code answers {wrong[1]}, a used link {used}"

    def answer(self) -> str:
        """Each parent answers each question; nothing is preselected."""
        receipts = 0
        for name in (self.cast.mother, self.cast.father):
            self._answer_all(self.family[name])
        for name in (self.cast.mother, self.cast.father):
            page = self.family[name].page(f"/your-clips/{self.rendition}")
            expect(self.family[name].page("/your-clips"), "Some people in it are blurred")
            self.require_covered(self.family[name], page)
            page = self.family[name].page(f"/your-clips/{self.rendition}/saved")
            for receipt in set(re.findall(r"/receipts/([0-9a-f]{32})", page)):
                response = self.family[name].http.get(f"/receipts/{receipt}.json")
                receipts += len(response.json()["services"]) > 0
        return f"{receipts} receipts, and each parent watches the blurred version at home"

    def watch(self) -> str:
        """In the list, playing, seeking; a range past the end; nothing for a conference."""
        worker = self.staff["social_worker"].browser
        page = worker.page("/shared")
        expect(page, self.cast.title)
        page = worker.page(f"/watch/{self.rendition}")
        film = find(r'data-film="([^"]+)"', page)
        whole = int(worker.http.head(film).headers["content-length"])
        middle = worker.http.get(film, headers={"Range": f"bytes={whole // 2}-{whole // 2 + 99_999}"})
        beyond = worker.http.get(film, headers={"Range": f"bytes={whole}-"})
        if (middle.status_code, beyond.status_code) != (206, 416):
            message = f"ranges answered {middle.status_code} and {beyond.status_code}"
            raise Unexpected(message)
        manager, chair = self.staff["manager"].browser, self.staff["chair"].browser
        places = f"/families/{self.case}/staff"
        person = option(manager.page(places), STAFF["chair"][0])
        manager.submit(places, {"staff": person, "role": "chair"})
        status, _ = chair.refused(f"/watch/{self.rendition}")
        if self.cast.title in chair.page("/shared"):
            message = "the chair sees the title"
            raise Unexpected(message)
        return f"{whole} bytes, seeking by range; for the conference's chair {status}"

    def withdraw(self) -> str:
        """One tap; the stream breaks off, the page is told, the mother's page says nothing."""
        worker, father, mother = (
            self.staff["social_worker"].browser,
            self.family[self.cast.father],
            self.family[self.cast.mother],
        )
        before = words_of(mother.page("/your-clips"))
        page = worker.page(f"/watch/{self.rendition}")
        events = find(r'data-events="([^"]+)"', page)
        listening = _Listener(worker, events)
        listening.wait_for("beat")
        own = father.page("/your-clips")
        stop = re.search(
            r'name="purpose" value="(social_worker)">\s*<input type="hidden" name="audience" value="([^"]+)"', own
        )
        if stop is None:
            raise Unexpected(words_of(own))
        begun = time.monotonic()
        father.submit(f"/your-clips/{self.rendition}/stop", {"purpose": stop.group(1), "audience": stop.group(2)})
        dark = listening.wait_for("dark") - begun
        film = find(r'data-film="([^"]+)"', page)
        status = worker.http.get(film, headers={"Accept": "application/json"}).status_code
        after = words_of(mother.page("/your-clips"))
        if status == httpx.codes.OK or after != before:
            message = "the film is still served, or the mother's page changed"
            raise Unexpected(message)
        worker.refused(f"/watch/{self.rendition}")
        if dark > DARK_WITHIN_SECONDS:
            message = f"dark only after {dark:.2f} s"
            raise Unexpected(message)
        return f"dark after {dark * 1000:.0f} ms; the mother's page shows no difference"

    def _own_id(self, _page: str) -> str:
        page = self.staff["manager"].browser.page("/families/new")
        return option(page, STAFF["guider"][0])

    def _answer_all(self, browser: Browser) -> None:
        address = f"/your-clips/{self.rendition}/questions/1"
        while "/questions/" in address:
            page = browser.page(address)
            if " checked" in page:
                message = "an answer is preselected"
                raise Unexpected(message)
            version = find(r'name="version" value="(\d+)"', page)
            address = browser.submit(address, {"answer": "yes", "version": version})
        page = browser.page(address)
        browser.submit(address, {"version": find(r'name="version" value="(\d+)"', page)})


def _length(page: str) -> timedelta:
    """Of the film on a page with a timeline, and a little more."""
    frames, num, den = (int(find(rf'data-{name}="(\d+)"', page)) for name in ("frames", "rate-num", "rate-den"))
    return timedelta(seconds=frames * den / num + 1)


class _Listener:
    """Listens to a page's events in a thread, and knows when each kind came first."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._heard: dict[str, float] = {}
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen, args=(browser, address), daemon=True)
        self._thread.start()

    def wait_for(self, kind: str, *, seconds: float = 10) -> float:
        with self._news:
            if not self._news.wait_for(lambda: kind in self._heard, timeout=seconds):
                message = f"no event {kind}"
                raise Unexpected(message)
            return self._heard[kind]

    def _listen(self, browser: Browser, address: str) -> None:
        with browser.http.stream("GET", address, headers={"Accept": "text/event-stream"}) as response:
            for line in response.iter_lines():
                if line.startswith("event:"):
                    with self._news:
                        self._heard.setdefault(line.removeprefix("event:").strip(), time.monotonic())
                        self._news.notify_all()


def _activation(code: str, right: str) -> dict[str, str | list[str]]:
    wrong = code if code != right else "000001"
    return {"code": wrong, "passcode": "735102", "passcode_again": "735102"}
