"""What people read when something didn't work: their own words, what to do next, and never anything of the inside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

import identity
from app import cookies
from app.main import create_app
from app.service import Service
from core import errors
from core.db import Database
from core.errors import Invalid
from core.ids import new_id
from identity.access_models import SessionRow
from tests.app.browser import PROGRAM, Browser
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family

pytestmark = ON_SQLITE
SECRET = "Kit Example, in the bath"
RAISED: dict[str, Exception] = {
    "invalid": Invalid("bad", "Choose a day."),
    "refused": errors.Refused("no", SECRET),
    "conflict": errors.Conflict("moved", "Somebody was faster."),
    "too-large": errors.TooLarge("big", SECRET),
    "too-often": errors.RateLimited("slow_down", SECRET, retry_after=timedelta(minutes=14, seconds=2)),
    "sealed": errors.Unavailable("sealed", SECRET, retry_after=timedelta(minutes=2)),
    "damaged": errors.Damaged("damaged", SECRET),
    "full": errors.OutOfRoom("full", SECRET),
    "fault": RuntimeError(SECRET),
    "database": OperationalError(SECRET, {}, Exception(SECRET)),
}
STATUS = {
    "invalid": 422,
    "refused": 403,
    "conflict": 409,
    "too-large": 413,
    "too-often": 429,
    "sealed": 503,
    "damaged": 500,
    "full": 507,
    "fault": 500,
    "database": 500,
}


@pytest.fixture
def app(service: Service) -> FastAPI:
    """The application, with pages beside its own that only fail."""
    made = create_app(service)

    def fail(name: str) -> None:
        raise RAISED[name]

    for place in ("/fails/{name}", "/your-clips/fails/{name}"):
        made.add_api_route(place, fail, methods=["GET", "POST"], response_model=None)
    return made


@pytest.mark.parametrize("name", RAISED)
def test_a_family_reads_gentle_words_and_nothing_of_what_happened_inside(
    app: FastAPI, family: Family, name: str
) -> None:
    answer = Browser(app, family.mother.token).get(f"/your-clips/fails/{name}")
    assert answer.status_code == STATUS[name]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert 'href="/your-clips"' in answer.text
    assert "Exit this page" in answer.text


@pytest.mark.parametrize("name", RAISED)
def test_staff_read_what_happened_and_what_to_do_and_no_fault_of_ours_in_detail(
    app: FastAPI, family: Family, name: str
) -> None:
    answer = Browser(app, family.staff.guider.token).get(f"/fails/{name}")
    assert answer.status_code == STATUS[name]
    assert "Traceback" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Exit this page" not in answer.text
    assert (SECRET in answer.text) == (name in {"refused", "too-large", "too-often", "full"})


@pytest.mark.parametrize("name", RAISED)
def test_a_program_gets_code_and_sentence_instead_of_a_page(app: FastAPI, name: str) -> None:
    answer = Browser(app).get(f"/fails/{name}", headers=PROGRAM)
    assert answer.status_code == STATUS[name]
    assert set(answer.json()) == {"code", "sentence"}
    if name in {"fault", "database"}:
        assert answer.json()["code"] == "failed"


def test_whoever_must_wait_is_told_how_long(app: FastAPI, family: Family) -> None:
    slow = Browser(app, family.mother.token).get("/your-clips/fails/too-often")
    assert slow.headers["retry-after"] == "842"
    assert "Try again in 15 minutes." in slow.text
    locked = Browser(app, family.staff.guider.token).get("/fails/sealed")
    assert locked.headers["retry-after"] == "120"
    assert "The service is locked just now" in locked.text


def test_a_page_that_is_not_there_and_a_wrong_method_have_pages_of_their_own(
    client_for: ClientFor, family: Family
) -> None:
    for someone in (family.staff.guider, family.mother):
        browser = client_for(someone.token)
        gone = browser.get(f"/families/{new_id()}")
        assert gone.status_code == 404
        assert "Page not found" in gone.text
        assert ("Exit this page" in gone.text) == (someone is family.mother)
        assert browser.get("/nowhere").text.count("Page not found") == gone.text.count("Page not found")
        assert browser.post("/help").status_code == 405
        assert browser.get("/your-clips/stop-all/x").status_code == 404


def test_an_error_is_a_page_even_when_the_database_is_gone(service: Service, family: Family) -> None:
    browser = Browser(create_app(service), family.staff.guider.token)
    with service.db.begin() as session:
        session.connection().exec_driver_sql(f"ALTER TABLE {SessionRow.__tablename__} RENAME TO elsewhere")
    answer = browser.get("/families")
    assert answer.status_code in {500, 503}
    assert "<h1" in answer.text
    assert "elsewhere" not in answer.text


def test_leaving_signs_out_and_leads_to_the_set_address(
    client_for: ClientFor, family: Family, service: Service
) -> None:
    phone = client_for(family.mother.token)
    assert 'data-away="https://www.bbc.co.uk/weather"' in phone.get("/your-clips").text
    left = phone.get("/leave")
    assert (left.status_code, left.headers["location"]) == (303, "https://www.bbc.co.uk/weather")
    assert phone.get("/your-clips").headers["location"] == "/sign-in"
    assert _is_signed_out(service.db, family)
    again = client_for()
    assert again.get("/leave").status_code == 303
    assert again.post("/leave").status_code == 204


def test_leaving_in_the_background_signs_out_too(client_for: ClientFor, family: Family, service: Service) -> None:
    assert client_for(family.mother.token).post("/leave").status_code == 204
    assert _is_signed_out(service.db, family)


def _is_signed_out(db: Database, family: Family) -> bool:
    try:
        identity.actor_for(db, family.mother.token)
    except errors.NotSignedIn:
        return True
    return False


@pytest.mark.parametrize(("method", "way"), [("GET", "/leave"), ("POST", "/leave"), ("POST", "/sign-out")])
def test_answers_that_were_not_saved_do_not_stay_in_the_browser_of_whoever_leaves(
    client_for: ClientFor, family: Family, method: str, way: str
) -> None:
    phone = client_for(family.mother.token)
    phone.cookies.set(cookies.DRAFT, "what she meant to say", domain="vault.test", path="/")
    _ = phone.get(way) if method == "GET" else phone.post(way)
    assert cookies.DRAFT not in phone.cookies
    assert cookies.SESSION not in phone.cookies
