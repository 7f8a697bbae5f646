"""The officer's pages over HTTP: the overview, the log, what is due, holds, certificates; and nobody else's."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text

import audit
import identity
import retention
from app.service import Service
from audit import Event, Filters
from core import jobs, mark, outbox
from core.db import Database
from core.ids import CaseId, new_id
from core.jobs import JobRow, JobState
from keys import KeyStore
from tests.app.browser import Browser, hidden
from tests.app.conftest import ClientFor
from tests.fakes import HandClock
from tests.families import Family, Someone, again
from tests.retention.conftest import Shelf
from vault import DiskStore
from vault.models import ObjectRow, ObjectState

PAGES = ("/records", "/audit", "/audit/export", "/retention", "/holds", "/certificates")
POSTS = (
    "/audit/verify",
    "/retention/plan",
    "/retention/approve",
    "/retention/agree",
    "/retention/accept-clock",
    "/holds",
)
WITH_AN_ID = ("/certificates/{}", "/certificates/{}.json")
POSTS_WITH_AN_ID = ("/holds/{}/release", "/holds/{}/review")


@pytest.fixture
def db(db: Database, keystore: KeyStore) -> Database:
    """Its log is written with the key that the pages verify it with."""
    audit.attach(db, writer_key=keystore.audit_mac_key())
    return db


@pytest.fixture
def shelf(service: Service, family: Family) -> Shelf:
    assert isinstance(service.store, DiskStore)
    return Shelf(service.db, service.keystore, service.store, family)


def main_of(page: str) -> str:
    """The main part of a page, as it is."""
    return page[page.index("<main") : page.index("</main>")]


def move(service: Service, by: timedelta) -> None:
    clock = service.db.clock
    assert isinstance(clock, HandClock)
    clock.move(by)


def signed_in(service: Service, client_for: ClientFor, someone: Someone) -> Browser:
    return client_for(again(service.db, someone).token)


def begin(service: Service) -> None:
    """The first look at the clock, as ``init`` takes it."""
    mark.observe(service.db)


def work(service: Service) -> int:
    """Do the waiting jobs of sweeps, as the worker does.

    Returns:
        How many there were.
    """
    with service.db.begin() as session:
        waiting = session.scalars(
            select(JobRow).where(JobRow.kind == retention.CARRY_OUT, JobRow.state == JobState.WAITING)
        ).all()
        leases = [jobs.take(session, jobs.JobId(row.id), at=service.db.clock.now()) for row in waiting]
    for lease in leases:
        assert lease is not None
        retention.work_on(
            service.db, keystore=service.keystore, store=service.store, schedule=service.schedule, lease=lease
        )
    return len(leases)


def events(service: Service, event: Event) -> list[audit.Found]:
    with service.db.read() as session:
        return list(audit.search(session, Filters(events=frozenset({event}))).entries)


def view(service: Service, family: Family, *, times: int, event: Event = Event.VIEWING_BEGUN) -> None:
    """Entries as beginning to watch leaves them."""
    for _ in range(times):
        with service.db.begin() as session:
            audit.record(
                session, event, actor=family.staff.social_worker.id, case_id=family.case_id, object_id=new_id()
            )


def test_sixty_days_later_an_officer_accepts_the_time_and_approves_and_certificates_say_what_is_gone(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    begin(service)
    films = [shelf.film() for _ in range(12)]
    clip = shelf.clip(films[0])
    move(service, timedelta(days=60))
    officer = signed_in(service, client_for, family.staff.officer)

    page = main_of(officer.get("/retention").text)
    assert "Time has leapt ahead by 60 days: the clock says 1 May 2026." in page
    assert "Raw film is kept for 28 days from the visit" in page
    assert "Due since 30 March 2026: 28 days after the visit." in page
    assert "Kit Example and Bo Example" in page
    assert f"Film {films[0][:8]}" in page
    assert clip[:8] not in page, "the work goes on, so the clip stays"
    assert "Time has leapt ahead." in main_of(officer.get("/records").text)

    officer.post("/retention/plan")
    page = main_of(officer.get("/retention").text)
    assert "A sweep has stopped and asks you" in page
    early = officer.post("/retention/approve", {"sweep": hidden(page, "sweep"), "reason": "The work is done."})
    assert early.status_code == 403
    assert "Check the time and accept it first." in early.text
    assert "The work is done." in early.text

    assert officer.post("/retention/accept-clock").headers["location"] == "/retention?saved=clock"
    assert "Time has leapt" not in officer.get("/retention").text
    planned = officer.post("/retention/plan")
    assert planned.headers["location"] == "/retention?saved=halted"
    page = main_of(officer.get("/retention").text)
    assert "It would destroy more of what is kept than may go without being asked." in page
    assert "12 records" in page
    assert "% of what is kept" in page
    sweep = hidden(page, "sweep")

    nothing = officer.post("/retention/approve", {"sweep": sweep, "reason": " "})
    assert nothing.status_code == 422
    assert "Give a reason in words" in nothing.text
    assert work(service) == 0
    approved = officer.post("/retention/approve", {"sweep": sweep, "reason": "All of it was reviewed."})
    assert approved.headers["location"] == "/retention?saved=approved"
    assert work(service) == 1

    assert all(shelf.is_gone(film) for film in films)
    assert not shelf.is_gone(clip)
    assert "Nothing is due." in officer.get("/retention").text
    listed = main_of(officer.get("/certificates").text)
    assert listed.count('href="/certificates/') == 12
    first = listed.split('href="/certificates/')[1][:32]
    shown = main_of(officer.get(f"/certificates/{first}").text)
    for words in ("Destroyed at", "Irrecoverable since", "Assurance", "Old keys replaced at", "1 May 2026 at"):
        assert words in shown
    assert "By an information governance officer" in shown
    assert "On the phone that made it" in shown
    assert "Example" not in shown, "it names no person"

    audit.seal(service.db, signer=service.signer)
    file = officer.get(f"/certificates/{first}.json")
    document = json.loads(file.text)
    assert json.loads(document["body"])["certificate"] == first
    assert document["audit"]["proof"]
    assert file.headers["content-disposition"].startswith("attachment")


def test_a_sweep_of_one_record_runs_without_asking(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    film = shelf.film()
    shelf.pass_days(29)
    officer = signed_in(service, client_for, family.staff.officer)
    assert "Goes with the next sweep" in officer.get("/retention").text
    assert officer.post("/retention/plan").headers["location"] == "/retention?saved=planned"
    officer.post("/retention/plan")
    assert work(service) == 2
    assert shelf.is_gone(film)
    assert not retention.health(service.db).overdue
    shown = main_of(officer.get("/certificates").text)
    first = shown.split('href="/certificates/')[1][:32]
    assert "By the schedule" in officer.get(f"/certificates/{first}").text


def test_an_officer_agrees_to_nothing_that_does_not_wait_for_that(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    film = shelf.film()
    officer = signed_in(service, client_for, family.staff.officer)
    assert officer.code("/retention/agree", {"record": film, "reason": "Done."}) == (404, "not_found")
    assert officer.post("/retention/agree", {"record": film}).status_code == 422


def test_everyone_else_gets_the_same_answer_as_for_a_page_that_is_not_there(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    staff = family.staff
    for someone in (staff.guider, staff.social_worker, staff.manager, staff.administrator, family.mother):
        browser = client_for(someone.token)
        for path in (*PAGES, *(address.format(new_id()) for address in WITH_AN_ID)):
            assert browser.code(path) == (404, "not_found"), path
        for path in (*POSTS, *(address.format(new_id()) for address in POSTS_WITH_AN_ID)):
            assert browser.code(path, {"reason": "x"}) == (404, "not_found"), path
    nobody = client_for()
    assert all(nobody.code(path)[0] == 401 for path in PAGES)
    assert all(nobody.code(path, {})[0] == 401 for path in POSTS)
    assert events(service, Event.AUDIT_SEARCHED) == []


def test_a_foreign_id_is_not_found(service: Service, family: Family, client_for: ClientFor) -> None:
    officer = client_for(family.staff.officer.token)
    for unknown in (new_id(), "x", "%00", "0" * 400):
        for path in WITH_AN_ID:
            assert officer.code(path.format(unknown)) == (404, "not_found"), unknown
        for path in POSTS_WITH_AN_ID:
            assert officer.code(path.format(unknown), {"reason": "x"}) == (404, "not_found"), unknown
    for scope in ("case", "person", "clip"):
        assert officer.code("/holds", {"scope": f"{scope}:{new_id()}", "reason": "x"}) == (404, "not_found")
    for sweep in (new_id(), "", "x"):
        assert officer.code("/retention/approve", {"sweep": sweep, "reason": "x"}) == (404, "not_found")
    assert officer.code("/retention/agree", {"record": new_id(), "reason": "x"}) == (404, "not_found")


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
    rest = main_of(officer.get(f"/audit{link}").text)
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


def test_a_hold_is_placed_reviewed_and_released_by_another_officer(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    clip = shelf.clip(shelf.film())
    officer = client_for(family.staff.officer.token)
    page = officer.get("/holds").text
    assert f'value="case:{family.case_id}"' in page
    assert f'value="person:{family.mother.id}"' in page
    assert f'value="clip:{clip}"' in page
    for scope in (f"case:{family.case_id}", f"person:{family.mother.id}", f"clip:{clip}"):
        placed = officer.post("/holds", {"scope": scope, "reason": "Proceedings in the family court"})
        assert placed.headers["location"] == "/holds?saved=hold"
    page = main_of(officer.get("/holds").text)
    for words in (
        "The whole case of Kit Example and Bo Example",
        "Everything that shows Mother Example",
        f"Clip {clip[:8]} of Kit Example and Bo Example",
        "Proceedings in the family court",
        "Ivy Record",
        "Another officer has to release it.",
    ):
        assert words in page
    hold = page.split('action="/holds/')[1][:32]
    assert officer.post(f"/holds/{hold}/review").headers["location"] == "/holds?saved=reviewed"
    own = officer.post(f"/holds/{hold}/release", {"reason": "It is over."})
    assert own.status_code == 403
    assert "another officer must lift it" in own.text

    other = client_for(family.staff.other_officer.token)
    assert other.post(f"/holds/{hold}/release", {}).status_code == 422
    assert (
        other.post(f"/holds/{hold}/release", {"reason": "It is over."}).headers["location"] == "/holds?saved=released"
    )
    twice = other.post(f"/holds/{hold}/release", {"reason": "It is over."})
    assert twice.status_code == 409
    assert "This hold was lifted already." in twice.text
    assert "Released on 2 March 2026." in other.get("/holds").text


def test_a_hold_on_nothing_is_shown_again_with_what_was_typed(family: Family, client_for: ClientFor) -> None:
    officer = client_for(family.staff.officer.token)
    for scope in ("", "case", "case:x", f"family:{'0' * 32}"):
        answer = officer.post("/holds", {"scope": scope, "reason": "Proceedings"})
        assert answer.status_code == 422
        assert "Proceedings" in answer.text
    no_reason = officer.post("/holds", {"scope": f"case:{family.case_id}", "reason": ""})
    assert no_reason.status_code == 422
    assert f'value="case:{family.case_id}" selected' in no_reason.text


def test_the_overview_counts_the_days_and_says_that_all_is_well_when_it_is(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    begin(service)
    view(service, family, times=3)
    move(service, timedelta(days=1))
    begin(service)
    view(service, family, times=2)
    view(service, family, times=1, event=Event.VIEWING_REFUSED)
    audit.seal(service.db, signer=service.signer)
    officer = signed_in(service, client_for, family.staff.officer)
    officer.post("/retention/plan")
    work(service)
    page = main_of(officer.get("/records").text)
    assert "No alarms." in page
    numbers = " ".join(page.split())
    assert '2 March 2026</th><td class="govuk-table__cell govuk-table__cell--numeric">3</td>' in numbers
    assert (
        '3 March 2026</th><td class="govuk-table__cell govuk-table__cell--numeric">2</td>'
        '<td class="govuk-table__cell govuk-table__cell--numeric">1</td>'
    ) in numbers
    assert '<p class="vault-number">5</p>' in page
    assert "None is set up" in page


def test_the_overview_names_everything_that_needs_a_look(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    begin(service)
    shelf.clip(shelf.film())
    at = service.db.clock.now()
    officer = family.staff.officer
    retention.place_hold(
        service.db,
        keystore=service.keystore,
        actor=officer.actor,
        scope=retention.HoldScope.CASE,
        subject=family.case_id,
        reason="Proceedings",
    )
    with service.db.begin() as session:
        session.scalars(select(ObjectRow)).first().state = ObjectState.QUARANTINED  # type: ignore[union-attr] # there are some
        job = jobs.enqueue(session, "deposit.finish", subject=new_id(), case_id=None, at=at)
        jobs.park(session, job, at=at, code="not_a_film", sentence="This is not a film.")
        outbox.post(session, "message.invitation_code", at=at, payload={})
        for row in session.scalars(select(outbox.OutboxRow)):
            row.parked = True
    move(service, timedelta(days=100))
    page = main_of(signed_in(service, client_for, officer).get("/records").text)
    for words in (
        "1 stored object failed a check",
        "Time has leapt ahead.",
        "No sweep has run for a day.",
        "1 job failed too often and stopped.",
        "could not be sent.",
        "1 hold should have been reviewed by now.",
        "1 film may still be on the phone that made it.",
    ):
        assert words in page
    assert "No alarms." not in page


def test_a_case_is_called_by_its_children_the_index_child_first(service: Service, family: Family) -> None:
    with service.db.read() as session:
        assert identity.every_case(session) == (family.case_id,)
        found = identity.households(session, keys=service.keystore, cases=[family.case_id, CaseId(new_id())])
    assert found.keys() == {family.case_id}
    assert found[family.case_id].children == ("Kit Example", "Bo Example")
    assert dict(found[family.case_id].members)[family.mother.id] == "Mother Example"
