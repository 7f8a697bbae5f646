"""The last chapter: what is due goes, with certificates, and every step is in the log."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

from app.demo.client import Unexpected, find, words_of
from app.demo.clock import DemoClock
from app.demo.scene import (
    FILMS,
    PREPARED_WITHIN_SECONDS,
    Scene,
    expect,
)


class Ending(Scene):
    """From sixty days later to the verdict on the log."""

    __slots__ = ()

    def retain(self) -> str:
        """Sixty days later: the leap is not believed by itself, and a mass disposal isn't either."""
        DemoClock(self.served.clock).move(timedelta(days=60))
        officer = self.staff["officer"]
        officer.sign_in()
        page = officer.browser.page("/retention")
        expect(page, "The time is right")
        why = find(r'data-label="Why">\s*([^<]+?)\s*<', page)
        status = self.served.command("clock", "show").returncode
        officer.browser.submit("/retention/accept-clock", {})
        officer.browser.submit("/retention/plan", {})
        expect(officer.browser.page("/retention"), "A sweep has stopped and asks you")
        if "/certificates/" in officer.browser.page("/certificates").partition("<main")[2]:
            message = "something was destroyed before anybody approved"
            raise Unexpected(message)
        return f"“{why}”; `clock show` ended with {status} until the leap was accepted"

    def destroy(self) -> str:
        """Approve with a reason, see it done, look at a certificate."""
        officer = self.staff["officer"].browser
        page = officer.page("/retention")
        sweep = {"sweep": find(r'name="sweep" value="([0-9a-f]{32})"', page)}
        empty = officer.refused("/retention/approve", sweep | {"reason": ""})[1]
        officer.submit("/retention/approve", sweep | {"reason": self.cast.reason})
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while True:
            found = set(re.findall(r"/certificates/([0-9a-f]{32})", officer.page("/certificates")))
            if len(found) == FILMS + 1:
                break
            if time.monotonic() > end:
                message = f"{len(found)} certificates"
                raise Unexpected(message)
            time.sleep(0.5)
        certificate = officer.http.get(f"/certificates/{found.pop()}.json").json()
        guider = self.staff["guider"]
        guider.sign_in()
        gone = guider.browser.refused(f"/footage/{self.footage}")[1]
        said = ", ".join(sorted(certificate))
        return f"without a reason {empty}; {FILMS + 1} certificates ({said}); the film's page answers {gone}"

    def audit(self) -> str:
        """The officer's search, the verifier, and a row edited by hand, which the verifier names."""
        officer = self.staff["officer"].browser
        for event in ("consent.granted", "consent.withdrawn", "viewing.begun", "key.destroyed"):
            page = officer.page(f"/audit?event={event}")
            if "No entries" in words_of(page):
                message = f"no {event} in the log"
                raise Unexpected(message)
        sound = self.served.command("audit", "verify", "--json")
        if sound.returncode:
            raise Unexpected(sound.stdout + sound.stderr)
        entries = json.loads(sound.stdout)["entries"]
        if not self.served.on_sqlite:
            return f"{entries} entries verified"
        copy = self.served.copy()
        edited = copy.edit_entry("consent.withdrawn")
        verdict = json.loads(copy.command("audit", "verify", "--json").stdout)
        if verdict["first_bad"] != edited:
            message = f"entry {edited} was edited, the verifier says {verdict['sentence']}"
            raise Unexpected(message)
        return f"{entries} entries verified; in a copy: {verdict['sentence']}"
