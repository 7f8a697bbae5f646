"""Ranges, codes, drafts and forms that nobody's page sends: each is answered clearly and changes nothing."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pyotp
import pytest

import identity
import vault
from app import drafts
from app.headers import FIXED
from app.main import create_app
from app.service import Service
from consent import Purpose
from core.ids import VisitId
from identity import Role
from tests.app.browser import ORIGIN, PAGE, PROGRAM, Browser
from tests.app.conftest import ClientFor
from tests.app.ids import Ids, ids_of
from tests.app.walk import ON_SQLITE
from tests.fakes import HandClock
from tests.families import Family
from tests.vault.scene import Clip

CODE = re.compile(r"[a-z][a-z0-9_]{2,40}")


@pytest.fixture
def ids(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    return ids_of(service, family, visit, clip)


RANGES = {
    "bytes=0-0": (206, slice(0, 1)),
    "bytes=5-": (206, slice(5, None)),
    "bytes=-3": (206, slice(-3, None)),
    "bytes=0-999999999999999999": (206, slice(None)),
    "BYTES = 2 - 4": (200, slice(None)),
    "items=0-5": (200, slice(None)),
    "": (200, slice(None)),
    "bytes=-0": (416, None),
    "bytes=-": (200, slice(None)),
    "bytes=": (200, slice(None)),
    "bytes=5-2": (200, slice(None)),
    "bytes=24-": (416, None),
    "bytes=0-99999999999999999999": (206, slice(None)),
    "bytes=99999999999999999999-": (416, None),
    "bytes=--1": (200, slice(None)),
    "bytes=0x0-0x5": (200, slice(None)),
    "bytes=0-1,3-4": (416, None),
    "bytes=" + ",".join(["0-0"] * 10_000): (416, None),
}


@ON_SQLITE
def test_every_form_of_range_is_answered_whole_or_not_at_all(
    service: Service, family: Family, clip: Clip, client_for: ClientFor
) -> None:
    viewing = vault.begin_viewing(
        service.db, actor=family.staff.guider.actor, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE
    )
    browser = client_for(family.staff.guider.token)
    assert len(clip.content) == 24
    for asked, (status, wanted) in RANGES.items():
        response = browser.get(f"/media/{viewing.id}", headers=PROGRAM | {"Range": asked})
        assert (asked[:40], response.status_code) == (asked[:40], status)
        assert response.headers["cache-control"] == "no-store"
        if wanted is None:
            assert response.headers["content-range"] == "bytes */24"
            assert clip.content[:4] not in response.content
        else:
            assert response.content == clip.content[wanted]


def sign_in(browser: Browser, *, password: str, code: str) -> tuple[int, str]:
    """Status and code of the second step."""
    assert browser.post("/sign-in", {"email": "new@example.gov.uk", "password": password}).status_code == 303
    response = browser.post("/sign-in/code", {"code": code}, headers=PROGRAM)
    return response.status_code, response.headers.get("location", "")


DRESSED: list[Callable[[str], str]] = [
    lambda code: code.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
    lambda code: code.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)}),
    lambda code: f" {code}",
    lambda code: f"{code} ",
    lambda code: f"{code}\r\n",
    lambda code: f"{code[:3]} {code[3:]}",
    lambda code: f"{code}\0",
    lambda code: f"+{code}",
    lambda code: f"{code}0",
    lambda code: code[1:],
    lambda _: "",
]


@ON_SQLITE
def test_a_code_counts_once_however_it_is_dressed_up(
    service: Service, family: Family, client_for: ClientFor, clock: HandClock
) -> None:
    made = identity.add_staff(
        service.db,
        keystore=service.keystore,
        actor=family.staff.administrator.actor,
        name="New One",
        email="new@example.gov.uk",
        roles=[Role.GUIDER],
    )
    browser, link, password = client_for(), f"/enrol/{made.token.reveal()}", "a long enough password"
    page = browser.post(link, {"password": password, "password_again": password}).text
    found = re.search(r'vault-code">([A-Z2-7 ]{16,})<', page)
    assert found
    totp = pyotp.TOTP(found.group(1).replace(" ", ""))
    assert browser.post(link, {"code": totp.at(clock.now())}).headers["location"] == "/"
    clock.move(timedelta(seconds=60))
    for dress in DRESSED:
        status, where = sign_in(client_for(), password=password, code=dress(totp.at(clock.now())))
        assert (status, where) == (422, ""), "a wrong form is no try, so it needn't be waited for"
    code = totp.at(clock.now())
    assert sign_in(client_for(), password=password, code=code) == (303, "/")
    assert sign_in(client_for(), password=password, code=code)[0] == 403
    for replayed in (f" {code}", f"{code}\t", f"\u3000{code}"):
        assert sign_in(client_for(), password=password, code=replayed)[0] == 422


DRAFTS = [
    "",
    "null",
    "[]",
    '{"session": 1}',
    "{" * 2000,
    "[" * 2000,
    '{"a":' * 700,
    '{"session": "%s", "clip": "%s", "answers": {"a": ["yes", NaN, "x"]}}',
    '{"session": "%s", "clip": "%s", "answers": {"a": ["yes", 1e999, "x"]}}',
    '{"session": "%s", "clip": "%s", "answers": {"a": [["yes"], 1, "x"]}}',
    '{"session": "%s", "clip": "%s", "answers": {"a": ["yes", 1, "\\ud800"]}}',
    '{"session": "%s", "clip": "%s", "answers": {"\\ud800": ["yes", 1, "00000000000000000000000000000000"]}}',
    '{"session": "%s", "clip": "%s", "answers": {"a": ["yes"], "a": "no"}}',
    '{"session": "%s", "clip": "%s", "answers": [[[[]]]]}',
    '{"session": "%s", "clip": "%s", "answers": {"a": ["yes", ' + "9" * 2000 + ', "x"]}}',
]


@ON_SQLITE
def test_no_draft_that_somebody_made_up_breaks_a_page(ids: Ids, family: Family, client_for: ClientFor) -> None:
    browser = client_for(family.mother.token)
    session = family.mother.actor.session
    for text in DRAFTS:
        made_up = text % (session, ids["rendition_id"]) if "%s" in text else text
        cookie = base64.urlsafe_b64encode(made_up.encode()).decode()
        browser.cookies.set(drafts.COOKIE, cookie, domain="vault.test", path="/")
        for page in ("questions", "questions/1", "check", "saved"):
            response = browser.get(f"/your-clips/{ids['rendition_id']}/{page}")
            assert response.status_code in {200, 303}, (made_up[:80], page)
    browser.cookies.set(drafts.COOKIE, "!!! no base64", domain="vault.test", path="/")
    assert browser.get(f"/your-clips/{ids['rendition_id']}/check").status_code == 303


def part(disposition: str, body: str) -> bytes:
    return f"--b\r\nContent-Disposition: form-data{disposition}\r\n\r\n{body}\r\n--b--\r\n".encode()


PLAIN, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
ODD_FORMS = {
    "a file in a plain form": (PARTS, part('; name="email"; filename="x"', "x")),
    "no boundary": ("multipart/form-data", b"--b--"),
    "a wrong boundary": ("multipart/form-data; boundary=c", part('; name="email"', "x")),
    "a part without a name": (PARTS, part("", "x")),
    "lone surrogates by charset": (f"{PARTS}; charset=unicode_escape", part('; name="email"', "\\ud800")),
    "a charset that is none": (f"{PARTS}; charset=hex", part('; name="email"', "6162")),
    "json": ("application/json", b'{"email": {"$gt": ""}, "email": NaN}'),
    "deep json": ("application/json", b"[" * 100_000),
    "too many fields": (PLAIN, b"&".join(b"f%d=1" % number for number in range(500))),
    "a field said twice": (PLAIN, b"email=a&email=b&password=x"),
    "an unknown field only": (PLAIN, b"is_admin=true&role=administrator"),
    "bytes that are no text": (PLAIN, b"email=%FF%FE&password=\xff\xfe"),
    "half an escape": (PLAIN, b"email=%&password=%u0041"),
    "nothing": (PLAIN, b""),
    "no type": ("", b"email=a"),
    "too long": (PLAIN, b"email=" + b"a" * 300_000),
}


@ON_SQLITE
@pytest.mark.parametrize("odd", ODD_FORMS)
def test_no_odd_form_is_anything_but_refused(service: Service, odd: str) -> None:
    kind, body = ODD_FORMS[odd]

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=create_app(service), client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.post("/sign-in", content=body, headers=PROGRAM | {"Content-Type": kind})

    response = asyncio.run(post())
    assert response.status_code in {400, 403, 413, 422}, response.text
    assert "Traceback" not in response.text
    if "json" in response.headers["content-type"]:
        assert CODE.fullmatch(response.json()["code"])


@ON_SQLITE
@pytest.mark.parametrize("accept", [PAGE, PROGRAM], ids=["page", "program"])
def test_a_fault_of_ours_is_told_in_our_words_and_in_full_armour(service: Service, accept: dict[str, str]) -> None:
    app = create_app(service)

    def broken() -> None:
        message = "a secret that must not leave"
        raise RuntimeError(message)

    app.add_api_route("/broken", broken, response_model=None)

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get("/broken", headers=accept)

    response = asyncio.run(get())
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Something went wrong on our side" in response.text
    for name, value in FIXED.items():
        assert response.headers[name] == value
    assert response.headers["strict-transport-security"].startswith("max-age=")
    assert response.headers["cache-control"] == "no-store"
