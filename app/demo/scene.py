"""The scene of the story: who is in it, what they have made so far, and what every chapter needs."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from app.demo.client import Browser, Unexpected, find, words_of
from app.demo.clock import DemoClock
from app.demo.people import PASSCODE, StaffMember
from app.demo.serving import Served

STAFF = {
    "manager": ("Morgan Reed", ["manager"]),
    "guider": ("Robin Hale", ["guider"]),
    "colleague": ("Kim Lowe", ["guider", "supervisor"]),
    "social_worker": ("Sam Okafor", ["social_worker"]),
    "officer": ("Alex Byrne", ["ig_officer"]),
    "second_officer": ("Jo Marsh", ["ig_officer"]),
    "chair": ("Pat Quinn", ["chair"]),
}
MOTHER, FATHER, CHILD, SIBLING = "Dana", "Lee", "Ava", "Noah"
CONTACTS = {MOTHER: "dana.home@example.org", FATHER: "lee.home@example.org"}
TITLE = "Ava reaches for the spoon"
NEUTRAL = "This clip is not available."
PREPARED_WITHIN_SECONDS = 240
FILMS = 2
"""Whole films that are deposited; half of one comes on top, and is refused."""
DARK_WITHIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The family of the story, and the words that people write about them.

    Attributes:
        contacts: each parent's safe contact.
        title, goals: of the clip.
        reference: of the case, in the authority's other system.
        paper: where the signed filming agreement lies.
        reason: why the officer approves the disposal.
        passcode: of both parents' phones.
    """

    mother: str = MOTHER
    father: str = FATHER
    child: str = CHILD
    sibling: str = SIBLING
    contacts: Mapping[str, str] = field(default_factory=lambda: dict(CONTACTS))
    title: str = TITLE
    goals: tuple[str, ...] = ("Turn-taking",)
    reference: str = "CP-1024"
    paper: str = "binder 3, page 12"
    reason: str = "The visits' films have served their purpose."
    passcode: str = PASSCODE

    @property
    def shown(self) -> tuple[str, ...]:
        """Who is in the film: all but the sibling."""
        return (self.mother, self.father, self.child)


@dataclass(slots=True)
class Scene:
    """Everyone in the story and what they have made so far.

    Args:
        served: a fresh folder, nothing started yet.
        film: what the guider filmed.
        cast: whom it shows.
    """

    served: Served
    film: Path
    cast: Cast = field(default_factory=Cast)
    staff: dict[str, StaffMember] = field(default_factory=dict)
    family: dict[str, Browser] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    case: str = ""
    visit: str = ""
    footage: str = ""
    clip: str = ""
    rendition: str = ""
    _opened: list[Browser] = field(default_factory=list)

    def close(self) -> None:
        """Close every browser."""
        for browser in self._opened:
            browser.close()

    @property
    def uploads(self) -> str:
        """Where films of the visit are announced."""
        return f"/cases/{self.case}/visits/{self.visit}/uploads"

    def now(self) -> datetime:
        """The service's time."""
        return DemoClock(self.served.clock).now().astimezone(UTC)

    def browser(self) -> Browser:
        """A new browser, closed with the story."""
        self._opened.append(Browser(self.served.origin))
        return self._opened[-1]

    def member(self, name: str, address: str) -> StaffMember:
        """Someone of the staff, who hasn't enrolled yet."""
        return StaffMember(name, address, self.browser(), self.now)

    def again(self, browser: Browser) -> Browser:
        """The same person after their connection was lost: a new one with the same cookies."""
        fresh = self.browser()
        fresh.cookies.update(browser.cookies)
        return fresh

    def family_page_when(self, pattern: str) -> str:
        """The family's page as soon as it has something on it."""
        guider = self.staff["guider"].browser
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while time.monotonic() < end:
            page = guider.page(f"/families/{self.case}")
            if re.search(pattern, page):
                return page
            time.sleep(0.3)
        raise Unexpected(words_of(page))

    def read_some(self, browser: Browser, page: str) -> int:
        """Play the beginning of the film on a page.

        Returns:
            How many bytes came.
        """
        film = find(r'data-film="([^"]+)"', page)
        response = browser.http.get(film, headers={"Range": "bytes=0-65535"})
        if response.status_code != httpx.codes.PARTIAL_CONTENT or b"ftyp" not in response.content[:32]:
            message = f"{film} answered {response.status_code}"
            raise Unexpected(message)
        return len(response.content)


def expect(page: str, words: str) -> None:
    """Have these words on a page, in whatever case.

    Raises:
        Unexpected: they aren't there.
    """
    if words.lower() not in words_of(page).lower():
        message = f"“{words}” isn't on the page: {' '.join(words_of(page).split())[:300]}"
        raise Unexpected(message)


def option(page: str, name: str) -> str:
    """The value of a choice in a list, by its words."""
    return find(rf'<option value="([0-9a-f]{{32}})"[^>]*>\s*{re.escape(name)}', page)


def person_on(page: str, name: str) -> str:
    """The id of a person on the filming agreement's page."""
    return find(rf"filming-([0-9a-f]{{32}})(?:(?!filming-).)*?{re.escape(name)}", page.replace("\n", " "))
