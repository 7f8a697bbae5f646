"""Asking and answering, for tests of families' pages."""

from __future__ import annotations

import consent
from app.service import Service
from consent import Audience, Purpose
from core.ids import PersonId
from tests.app.browser import Browser, hidden
from tests.families import Family, Someone
from tests.vault.scene import Clip
from vault import facts_for


def ask(service: Service, family: Family, clip: Clip, *wanted: tuple[Purpose, Someone]) -> None:
    """The guider asks everyone who has a say."""
    for purpose, viewer in wanted:
        with service.db.read() as session:
            facts = facts_for(session, clip.rendition_id)
        audience = Audience(person=PersonId(viewer.id))
        consent.ask(service.db, actor=family.staff.guider.actor, rendition=facts, purpose=purpose, audience=audience)


def answer_all(browser: Browser, rendition: str, says: str = "yes") -> str:
    """Answer every open question; ends on the page that shows the answers. Gives its version."""
    address = browser.get(f"/your-clips/{rendition}/questions").headers["location"]
    while "/questions/" in address:
        page = browser.get(address).text
        assert " checked" not in page
        fields = {"answer": says, "version": hidden(page, "version"), "question": hidden(page, "question")}
        address = browser.post(address, fields).headers["location"]
    return hidden(browser.get(address).text, "version")


def save_all(browser: Browser, rendition: str, says: str = "yes") -> str:
    """Answer every open question and save; gives the page that says so."""
    response = browser.post(f"/your-clips/{rendition}/check", {"version": answer_all(browser, rendition, says)})
    assert response.headers["location"] == f"/your-clips/{rendition}/saved"
    return browser.get(response.headers["location"]).text
