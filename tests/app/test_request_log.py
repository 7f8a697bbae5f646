"""What the real server writes about real requests: route and outcome, one number for all, nothing of theirs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.main import create_app
from audit.models import AuditEntryRow
from tests.app.stage import PATIENCE_SECONDS, Stage, staged
from tests.app.walk import routes_of

pytestmark = pytest.mark.journey

CANARY = "Bluebell-Zebra-7341"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), "--no-worker") as made:
        yield made


def lines(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stage.served.log.read_text(encoding="utf-8").splitlines()]


def line_of(stage: Stage, response: httpx.Response) -> dict[str, Any]:
    """The line about a request, which is written once its answer has left."""
    number, end = response.headers["x-request-id"], time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = [line for line in lines(stage) if line.get("request_id") == number and line["event"] == "request"]
        if found:
            return found[0]
        time.sleep(0.02)
    pytest.fail("no line was written")


def test_nothing_that_a_request_brings_along_is_written(stage: Stage) -> None:
    everywhere = {
        "User-Agent": CANARY,
        "Referer": f"https://{CANARY}/",
        "X-Forwarded-For": CANARY,
        "X-Request-Id": CANARY,
        "Upload-Metadata": f"filename {CANARY}",
        "Range": f"bytes={CANARY}",
        "Accept-Language": CANARY,
    }
    with stage.client(stage.staff.administrator) as client:
        for path in (f"/{CANARY}", f"/families/{CANARY}?q={CANARY}", f"/static/{CANARY}", f"/enrol/{CANARY}?{CANARY}"):
            client.get(path, headers=everywhere)
            client.request(CANARY, path, headers=everywhere)
            client.post(path, data={CANARY: CANARY}, headers=everywhere)
        client.post("/sign-in", data={"email": f"{CANARY}@example.org", "password": CANARY})
        client.get("/families", headers={"Cookie": f"{CANARY}={CANARY}; __Host-session={CANARY}"})
        last = client.post("/accounts/new", data={"name": CANARY, "email": CANARY, "roles": CANARY}, headers=everywhere)
    line_of(stage, last)
    assert CANARY.lower() not in stage.served.log.read_text(encoding="utf-8").lower()
    assert "127.0.0.1" not in stage.served.log.read_text(encoding="utf-8")


def test_a_line_has_the_route_and_how_it_ended(stage: Stage) -> None:
    with stage.client(stage.staff.administrator) as client:
        found = line_of(stage, client.get("/families/" + "0" * 32))
        static = line_of(stage, client.get("/static/vault.css"))
        astray = line_of(stage, client.get("/nowhere/" + "0" * 32))
        late = line_of(stage, client.delete("/families/" + "0" * 32))
    assert (found["route"], found["method"], found["status"]) == ("/families/{case_id}", "GET", 404)
    assert found["ms"] >= 0
    assert found["bytes"] > 0
    assert (static["route"], astray["route"], late["status"]) == ("static", "unknown", 405)
    known = {one.path for one in routes_of(create_app(stage.service))} | {"static", "unknown"}
    assert {line["route"] for line in lines(stage) if "route" in line} <= known
    assert not [line for line in lines(stage) if "withheld" in line]


def test_the_page_the_answer_the_log_and_the_audit_entry_have_one_number(stage: Stage) -> None:
    with stage.client(stage.staff.administrator) as client:
        page = client.get("/families/" + "0" * 32, headers={"Accept": "text/html"})
        fields = {"name": "One More", "email": "more@example.gov.uk", "roles": "guider"}
        made = client.post("/accounts/new", data=fields)
    shown = re.search(r'<span class="vault-code">not_found ([0-9a-f]{16})</span>', page.text)
    assert shown
    assert shown[1] == page.headers["x-request-id"] == line_of(stage, page)["request_id"]
    with stage.service.db.read() as session:
        number = made.headers["x-request-id"]
        events = session.scalars(select(AuditEntryRow.event).where(AuditEntryRow.request_id == number)).all()
    assert events
    assert line_of(stage, made)["status"] in {200, 303}


def test_health_is_not_written_down_while_it_is_good(stage: Stage) -> None:
    with stage.client(None) as client:
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    assert not [line for line in lines(stage) if line.get("route") in {"/healthz", "/readyz"}]


def test_every_line_is_ours(stage: Stage) -> None:
    """Last in this file."""
    assert {line["process"] for line in lines(stage)} == {"serve"}
    assert {line["logger"] for line in lines(stage)} <= {"vault.app", "vault.requests", "unknown", "uvicorn.error"}
    assert lines(stage)[0]["event"] == "serving"
