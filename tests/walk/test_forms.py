"""Every form of every page, sent with nothing filled in: shown again, with a summary that leads to what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import pytest

from tests.app.stage import cookie_of
from tests.walk.house import House
from tests.walk.places import Found

pytestmark = pytest.mark.browser
MAY_BE_EMPTY = {
    "/families/{case_id}/visits/{visit_id}/upload": "a film comes by another way; tests/app/test_uploads_http.py",
    "/clips/{clip_id}": "nobody in it is an answer too",
}
"""Pages with a form that means something with nothing filled in, or is tried elsewhere."""
TYPED = {"input", "select", "textarea"}
NOT_TYPED = {"hidden", "submit", "button"}


@dataclass(slots=True)
class Sent:
    """A form of a page."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    is_typed: bool = False


class _Forms(HTMLParser):
    """Collects the posted forms of a page, and its ids."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Sent] = []
        self.ids: set[str] = set()
        self._open: Sent | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "form":
            self._open = Sent(given.get("action") or "") if given.get("method") == "post" else None
            self.forms += [self._open] if self._open else []
        elif self._open and tag == "button" and given.get("name") not in {None, "more"}:
            self._open.hidden.setdefault(given["name"] or "", given.get("value") or "")  # as a press of it would
        elif self._open and tag in TYPED:
            if given.get("type") == "hidden":
                self._open.hidden[given.get("name") or ""] = given.get("value") or ""
            elif given.get("type", "text") not in NOT_TYPED:
                self._open.is_typed = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def test_an_empty_form_is_shown_again_and_says_where_what_is_missing_goes(house: House, found: Found) -> None:
    faults = []
    for place in found.places:
        if place.path in MAY_BE_EMPTY:
            continue
        headers = {"Accept": "text/html", "Origin": house.origin, **cookie_of(house.people[place.who])}
        with httpx.Client(base_url=house.origin, headers=headers, timeout=30) as browser:
            for form in _read(browser.get(place.address).text).forms:
                if not form.is_typed:
                    continue
                address = form.action or place.address
                answer = browser.post(address, data=form.hidden)
                fault = _wrong(answer)
                faults += [f"{place.path}, sent to {address}: {answer.status_code} {fault}"] if fault else []
    assert faults == [], "\n".join(faults)


def _wrong(answer: httpx.Response) -> str:
    if answer.is_success or answer.is_redirect:
        return "was taken"
    if "govuk-error-summary" not in answer.text:
        return "is an error page instead of the form"
    if not re.search(r"<title>Error: ", answer.text):
        return "has a title that doesn't say so"
    links = re.findall(r"govuk-error-summary__list.*?</ul>", answer.text, re.DOTALL)
    ids = _read(answer.text).ids
    lost = [one for part in links for one in re.findall(r'href="#([^"]*)"', part) if one not in ids]
    return f"leads nowhere: {lost}" if lost else ""


def _read(page: str) -> _Forms:
    made = _Forms()
    made.feed(page)
    return made
