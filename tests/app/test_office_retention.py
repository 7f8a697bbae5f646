"""Retention over HTTP: what is due, sweeps that ask, certificates, holds."""

from __future__ import annotations

import json
from datetime import timedelta

import audit
import retention
from app.service import Service
from tests.app.browser import hidden
from tests.app.conftest import ClientFor
from tests.app.officer import begin, main_of, move, signed_in, work
from tests.families import Family
from tests.retention.conftest import Shelf


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
    assert "Nothing is due in the next four weeks." in officer.get("/retention").text
    listed = main_of(officer.get("/certificates").text)
    assert listed.count('href="/certificates/') == 12
    first = listed.split('href="/certificates/')[1][:32]
    shown = main_of(officer.get(f"/certificates/{first}").text)
    for words in ("Destroyed at", "Irrecoverable since", "Assurance", "Old keys replaced at", "1 May 2026 at"):
        assert words in shown
    assert "By an information governance officer" in shown
    assert "On the phone that made it" in shown
    assert "Example" not in shown, "it names no person"
    assert "Not yet" not in shown, "every registered place has forgotten the old keys"
    assert "Pending" not in listed

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
    assert '<time datetime="2026-03-02T09:00:00Z">2 March 2026</time>' in other.get("/holds").text


def test_a_hold_on_nothing_is_shown_again_with_what_was_typed(family: Family, client_for: ClientFor) -> None:
    officer = client_for(family.staff.officer.token)
    for scope in ("", "case", "case:x", f"family:{'0' * 32}"):
        answer = officer.post("/holds", {"scope": scope, "reason": "Proceedings"})
        assert answer.status_code == 422
        assert "Proceedings" in answer.text
    no_reason = officer.post("/holds", {"scope": f"case:{family.case_id}", "reason": ""})
    assert no_reason.status_code == 422
    assert f'value="case:{family.case_id}" selected' in no_reason.text
