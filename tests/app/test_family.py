"""A family member's pages over HTTP: questions, answers, stopping, and that no page tells one parent of the other."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

import consent
from app.service import Service
from consent import Audience, GrantState, Purpose
from tests.app.asking import answer_all, ask, save_all
from tests.app.browser import hidden
from tests.app.conftest import ClientFor
from tests.families import Family, Someone, make_family
from tests.vault.scene import TITLE, Clip
from vault import facts_for

PAGES = ("/your-clips", "/your-clips/{0}/questions/1", "/your-clips/{0}/questions/2", "/who-watched")


@pytest.fixture
def asked(service: Service, family: Family, clip: Clip) -> str:
    """The rendition's id; both parents are asked about the social worker, and about each other at home."""
    ask(
        service,
        family,
        clip,
        (Purpose.SOCIAL_WORKER, family.staff.social_worker),
        (Purpose.FAMILY_REVIEW, family.father),
        (Purpose.FAMILY_REVIEW, family.mother),
    )
    return clip.rendition_id


def states(service: Service, who: Someone) -> set[GrantState]:
    return {one.state for one in consent.questions_for(service.db, actor=who.actor) if one.rendition_id}


def test_questions_are_answered_looked_at_and_only_then_saved(
    service: Service, family: Family, asked: str, client_for: ClientFor
) -> None:
    mother = client_for(family.mother.token)
    page = mother.get("/your-clips").text
    assert TITLE in page
    assert "Answer 2 questions" in page
    version = answer_all(mother, asked)
    assert states(service, family.mother) == {GrantState.REQUESTED}
    look = mother.get(f"/your-clips/{asked}/check").text
    assert look.count("Yes, they can watch") == 2
    change = re.search(r'href="([^"]+change=1)"', look)
    assert change
    assert " checked" in mother.get(change.group(1)).text
    mother.post(f"/your-clips/{asked}/check", {"version": version})
    assert states(service, family.mother) == {GrantState.GRANTED}
    saved = mother.get(f"/your-clips/{asked}/saved").text
    assert "You said yes for Sam Okafor. Other checks may still apply." in saved
    assert "Receipt for Sam Okafor, for Kit Example" in saved


def test_one_yes_answers_for_the_parent_and_the_child(
    service: Service, family: Family, asked: str, client_for: ClientFor
) -> None:
    save_all(client_for(family.mother.token), asked)
    about = {
        one.on_behalf_of
        for one in consent.history(service.db, actor=family.mother.actor)
        if one.purpose is Purpose.SOCIAL_WORKER
    }
    assert about == {family.mother.id, family.child}


def test_no_page_of_one_parent_changes_with_what_the_other_answers(
    family: Family, asked: str, client_for: ClientFor
) -> None:
    mother, father = client_for(family.mother.token), client_for(family.father.token)

    def pages() -> list[bytes]:
        return [mother.get(path.format(asked)).content for path in PAGES]

    before = pages()
    save_all(father, asked)
    assert pages() == before
    father.post("/your-clips/stop-all")
    assert pages() == before
    save_all(mother, asked)
    answered = [*pages(), mother.get(f"/your-clips/{asked}/saved").content]
    father.post(f"/your-clips/{asked}/stop", {"purpose": "social_worker", "audience": family.staff.social_worker.id})
    save_all(father, asked, "no")
    assert [*pages(), mother.get(f"/your-clips/{asked}/saved").content] == answered


def test_stopping_is_one_tap_in_any_state(service: Service, family: Family, asked: str, client_for: ClientFor) -> None:
    mother = client_for(family.mother.token)
    save_all(mother, asked)
    fields = {"purpose": "social_worker", "audience": family.staff.social_worker.id}
    for _ in range(2):
        response = mother.post(f"/your-clips/{asked}/stop", fields)
        assert response.headers["location"] == "/your-clips?saved=stopped"
    assert states(service, family.mother) == {GrantState.WITHDRAWN, GrantState.GRANTED}
    mother.post("/your-clips/stop-all")
    assert states(service, family.mother) == {GrantState.WITHDRAWN}


def test_a_yes_on_a_page_that_is_stale_is_asked_again_and_a_no_counts_all_the_same(
    service: Service, family: Family, asked: str, client_for: ClientFor
) -> None:
    phone, tablet = client_for(family.mother.token), client_for(family.mother.token)
    save_all(phone, asked)
    pages = {}
    for number, says in ((1, "yes"), (2, "no")):
        page = tablet.get(f"/your-clips/{asked}/questions/{number}").text
        pages[number] = hidden(page, "question")
        tablet.post(
            f"/your-clips/{asked}/questions/{number}",
            {"answer": says, "version": hidden(page, "version"), "question": pages[number]},
        )
    version = hidden(tablet.get(f"/your-clips/{asked}/check").text, "version")
    phone.post("/your-clips/stop-all")
    response = tablet.post(f"/your-clips/{asked}/check", {"version": version})
    assert response.status_code == 409
    assert "You have answered since this page was opened" in response.text
    assert states(service, family.mother) == {GrantState.WITHDRAWN, GrantState.REFUSED}


def test_neither_yes_nor_no_and_another_question_are_asked_again(
    family: Family, asked: str, client_for: ClientFor
) -> None:
    mother = client_for(family.mother.token)
    address = f"/your-clips/{asked}/questions/1"
    version = hidden(mother.get(address).text, "version")
    assert mother.post(address, {"version": version}).status_code == 422
    moved = mother.post(address, {"version": version, "answer": "yes", "question": "social_worker-another"})
    assert moved.status_code == 409
    assert mother.get(f"/your-clips/{asked}/check").headers["location"].endswith("/questions")


def test_a_draft_is_read_like_any_other_input(family: Family, asked: str, client_for: ClientFor) -> None:
    mother = client_for(family.mother.token)
    for text in ("", "bm9wZQ==", "e30=", "%%%", "W10="):
        mother.cookies.set("__Host-draft", text, domain="vault.test", path="/")
        assert mother.get(f"/your-clips/{asked}/questions/1").status_code == 200
        assert mother.get(f"/your-clips/{asked}/check").status_code == 303


def test_what_is_anothers_looks_as_if_it_were_not_there(
    service: Service, family: Family, asked: str, client_for: ClientFor
) -> None:
    save_all(client_for(family.mother.token), asked)
    event = consent.history(service.db, actor=family.mother.actor)[0].id
    stranger = client_for(make_family(service.db, service.keystore, staff=family.staff).mother.token)
    nothing = "0" * 32
    for browser in (stranger, client_for(family.father.token)):
        assert browser.code(f"/receipts/{event}") == browser.code(f"/receipts/{nothing}") == (404, "not_found")
        assert browser.code(f"/receipts/{event}.json") == (404, "not_found")
    for path in ("", "/questions", "/questions/1", "/check", "/saved"):
        there = stranger.code(f"/your-clips/{asked}{path}")
        assert there == stranger.code(f"/your-clips/{nothing}{path}") == (404, "not_found")
    fields = {"purpose": "social_worker", "audience": family.staff.social_worker.id}
    assert stranger.code(f"/your-clips/{asked}/stop", fields) == (404, "not_found")
    assert TITLE not in stranger.get("/your-clips").text
    guider = client_for(family.staff.guider.token)
    assert guider.code("/your-clips") == (404, "not_found")
    assert client_for().get("/your-clips").headers["location"] == "/sign-in"


def test_a_receipt_is_for_reading_and_for_checking(family: Family, asked: str, client_for: ClientFor) -> None:
    mother = client_for(family.mother.token)
    receipts = re.findall(r"/receipts/([0-9a-f]{32})", save_all(mother, asked))
    assert len(receipts) == 3
    page = mother.get(f"/receipts/{receipts[0]}").text
    assert TITLE in page
    assert "You said yes" in page
    made = mother.get(f"/receipts/{receipts[0]}.json").json()
    assert made["services"][0]["purposes"][0]["consentType"] == "EXPLICIT"


def test_a_meeting_is_asked_about_by_its_name_day_and_people(
    service: Service, family: Family, clip: Clip, client_for: ClientFor
) -> None:
    staff, at = family.staff, service.db.clock.now()
    meeting = consent.record_conference(
        service.db,
        keystore=service.keystore,
        actor=staff.manager.actor,
        case_id=family.case_id,
        title="Review meeting",
        starts_at=at + timedelta(days=9),
        ends_at=at + timedelta(days=9, hours=1),
        chair=staff.chair.id,
        attendees=frozenset({staff.chair.id, staff.social_worker.id}),
    )
    with service.db.read() as session:
        facts = facts_for(session, clip.rendition_id)
    audience = Audience(conference=meeting)
    consent.ask(
        service.db, actor=staff.guider.actor, rendition=facts, purpose=Purpose.CASE_CONFERENCE, audience=audience
    )
    mother = client_for(family.mother.token)
    page = mother.get(f"/your-clips/{clip.rendition_id}/questions/1").text
    assert "Review meeting, 11 March 2026: Chris Chair and Sam Okafor" in page
    save_all(mother, clip.rendition_id)
    fields = {"purpose": "case_conference", "audience": meeting}
    assert mother.post(f"/your-clips/{clip.rendition_id}/stop", fields).status_code == 303
    assert states(service, family.mother) == {GrantState.WITHDRAWN}
