"""The audit log over HTTP: searched, checked, taken away, and every look at it an entry of it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

import audit
from app.main import create_app
from app.service import Service
from audit import Event
from core.ids import new_id
from tests.app.browser import Browser
from tests.app.conftest import ClientFor
from tests.app.officer import deliver, events, main_of, view
from tests.families import Family


def test_the_log_is_searched_by_event_person_family_outcome_and_day_and_every_search_is_in_it(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    view(service, family, times=2)
    view(service, family, times=1, event=Event.VIEWING_REFUSED)
    officer = client_for(family.staff.officer.token)
    page = main_of(officer.get("/audit").text)
    for words in ("Sam Okafor", "Viewing begun", "Viewing refused", "Kit Example and Bo Example", "Audit searched"):
        assert words in page
    worker = family.staff.social_worker.id

    def rows(query: str) -> int:
        return main_of(officer.get(f"/audit?{query}").text).count("<tr") - 1

    assert rows("event=viewing.begun") == 2
    assert (
        rows(
            f"event=viewing.begun&actor={worker}&case={family.case_id}&outcome=done&since-day=2&since-month=3"
            "&since-year=2026&until-day=2&until-month=3&until-year=2026"
        )
        == 2
    )
    assert rows("event=viewing.begun&until-day=1&until-month=3&until-year=2026") == -1
    assert rows(f"event=viewing.begun&case={new_id()}") == -1
    searches = events(service, Event.AUDIT_SEARCHED)
    assert len(searches) == 5
    assert {entry.actor for entry in searches} == {family.staff.officer.id}
    (narrow,) = (entry for entry in searches if entry.details.get("actor") == worker)
    assert narrow.details["event"] == "viewing.begun"
    assert narrow.case_id == family.case_id


def test_a_long_answer_goes_on_where_the_page_ended_and_keeps_what_was_asked(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    view(service, family, times=60)
    officer = client_for(family.staff.officer.token)
    page = main_of(officer.get("/audit?event=viewing.begun").text)
    assert page.count("<tr") == 51
    link = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["event"] == ["viewing.begun"]
    rest = main_of(officer.get(link).text)
    assert rest.count("<tr") == 11


NOT_UNDERSTOOD = {
    "event=nonsense": "Choose one from the list.",
    "outcome=nonsense": "Choose one from the list.",
    "actor=Sam": "Choose a person from the list.",
    "case=x": "Choose a family from the list.",
    "object=x": "That is not the id of anything.",
    "since-day=99&since-month=3&since-year=2026": "Enter the first day as a date",
    "until=9999-12-31": "Enter the last day as a date",
    "since=2026-03-03&until=2026-03-01": "The end must be after the start.",
    "after=nonsense": "That page can&#39;t be found.",
    "event=%00": "characters we can&#39;t use",
}


def test_a_search_that_cannot_be_understood_is_shown_again_with_a_sentence(
    family: Family, client_for: ClientFor
) -> None:
    officer = client_for(family.staff.officer.token)
    for query, words in NOT_UNDERSTOOD.items():
        answer = officer.get(f"/audit?{query}")
        assert answer.status_code == 422, query
        assert words in answer.text, query


def test_checking_the_log_says_whether_it_is_whole_and_names_the_first_entry_that_is_not(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    officer = client_for(family.staff.officer.token)
    audit.seal(service.db, signer=service.signer)
    page = main_of(officer.post("/audit/verify").text)
    assert "Whole" in page
    assert "entries are as they were signed" in page
    with service.db.begin() as session:
        if service.db.is_sqlite:
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        session.execute(
            text(
                "UPDATE audit_entry SET outcome = 'refused' "
                "WHERE id = (SELECT entry_id FROM audit_leaf WHERE position = 3)"
            )
        )
    page = main_of(officer.post("/audit/verify").text)
    assert "Broken" in page
    assert "Entry 3 was edited" in page


def test_the_log_can_be_taken_away_and_verified_elsewhere(
    service: Service, family: Family, client_for: ClientFor, tmp_path: Path
) -> None:
    officer = client_for(family.staff.officer.token)
    assert officer.code("/audit/export") == (409, "audit_nothing_sealed")
    audit.seal(service.db, signer=service.signer)
    answer = officer.get("/audit/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        packed.extractall(tmp_path / "away")
    verdict = audit.verify_export(tmp_path / "away" / "log", verifier=service.signer.verifier)
    assert verdict.finding is None
    assert verdict.size > 0
    assert [entry.actor for entry in events(service, Event.AUDIT_EXPORTED)] == [family.staff.officer.id]


def test_checking_the_log_asks_the_witness_too(
    service: Service, family: Family, client_for: ClientFor, tmp_path: Path
) -> None:
    witness = audit.FileWitness(tmp_path / "witness")
    watched = create_app(replace(service, witness=witness))
    officer = Browser(watched, family.staff.officer.token)
    assert "It was told nothing yet" in officer.get("/records").text
    deliver(service, witness=witness)
    audit.seal(service.db, signer=service.signer)
    audit.tell_checkpoint(service.db, witness=witness)
    assert "It knows the first" in officer.get("/records").text
    page = main_of(officer.post("/audit/verify").text)
    assert "Whole" in page
    assert "The witness agrees." in page
    (tmp_path / "witness").write_text("")
    page = main_of(officer.post("/audit/verify").text)
    assert "Broken" in page
    assert "The witness does not agree: witness behind." in page
