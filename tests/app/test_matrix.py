"""Every role on every route with somebody else's ids: always a no, and the same no as for an id that isn't there.

The table comes from the router, so a new route is in it by itself. What a route's path or form wants that this file
doesn't know makes a test fail by name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import httpx
import pytest
from fastapi import FastAPI

import identity
from app import cookies
from app.main import create_app
from app.service import Service
from app.tus import OFFSET_TYPE, VERSION
from core.ids import VisitId, new_id
from identity import PersonKind, Role
from tests.app.browser import ORIGIN, PAGE, PROGRAM
from tests.app.ids import NOT_IDS, Ids, ids_of
from tests.app.walk import ON_SQLITE, Walked, routes_of
from tests.families import Family, Someone, make_family, sign_in
from tests.vault.scene import Clip

Form = dict[str, str]

WHOLE_ORGANISATION = {
    ("manager", "/families/{case_id}"): "managers see every family, not its films",
    ("manager", "/families/{case_id}/invitations"): "managers may invite where a guider is away",
    ("manager", "/families/{case_id}/staff"): "managers assign in every case",
    ("manager", "/families/{case_id}/staff/end"): "managers assign in every case",
    ("manager", "/families/{case_id}/staff/guider"): "managers assign in every case",
    ("manager", "/families/{case_id}/close"): "managers may close where a guider is away",
    ("manager", "/families/{case_id}/told"): "a no that was told counts, whoever writes it down",
    ("officer", "/holds/{hold_id}/release"): "holds are the officers' own",
    ("officer", "/holds/{hold_id}/review"): "holds are the officers' own",
    ("officer", "/certificates/{certificate_id}"): "certificates name no person",
    ("officer", "/certificates/{certificate_id}.json"): "certificates name no person",
    ("administrator", "/accounts/{person_id}/suspend"): "accounts of staff are the administrator's own",
    ("administrator", "/accounts/{person_id}/renew"): "accounts of staff are the administrator's own",
    ("manager", "/families/{case_id}/people/{person_id}/phone"): "managers end a lost phone in every case",
}
"""Where an id isn't of a case of somebody else's, and why."""

UNTRIED = {
    "/accounts/{person_id}": "the ids are of a family: see who_may.py",
    "/accounts/{person_id}/reinstate": "likewise",
    "/accounts/{person_id}/roles": "likewise",
    "/accounts/{person_id}/sessions/end": "likewise",
    "/accounts/{person_id}/sessions/{session_id}/end": "likewise",
    "/accounts/{person_id}/suspend": "would end everybody's session",
    "/your-sessions/{session_id}/end": "likewise",
    "/families/{case_id}/close": "would end the work with the family",
    "/accounts/{person_id}/renew": "likewise",
    "/certificates/{certificate_id}": "nothing is destroyed yet",
    "/certificates/{certificate_id}.json": "nothing is destroyed yet",
    "/events/{viewing_id}": "never ends: tried on the real server",
    "/holds/{hold_id}/release": "nothing is held",
    "/holds/{hold_id}/review": "nothing is held",
    "/watch/{rendition_id}": "not shared yet: tried on the real server",
}
"""Where even the family's own people wouldn't get in."""

PAGES_FOR = {"nobody", "guider", "supervisor", "mother"}
"""Who also asks as a browser does; the others only as a program."""

HEAD_OF_A_FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
FILM = (
    b'--edge\r\nContent-Disposition: form-data; name="film"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    + HEAD_OF_A_FILM
    + b"\r\n--edge--\r\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be told apart from outside."""

    status: int
    code: str
    body: bytes
    headers: tuple[tuple[str, str], ...]

    @property
    def is_no(self) -> bool:
        signed_out = self.status == 303 and ("location", "/sign-in") in self.headers
        return self.status in {401, 403, 404} or signed_out


@pytest.fixture
def strangers(service: Service, family: Family) -> dict[str, Someone | None]:
    """One of each who has nothing to do with the family; most have a family of their own."""
    db, keys, staff = service.db, service.keystore, family.staff

    def one(name: str, *roles: Role) -> Someone:
        made = identity.add_staff(
            db, keys=keys, actor=staff.administrator.actor, name=name, email=f"{name[:3]}@x.gov.uk", roles=roles
        )
        return sign_in(db, made.person, kind=PersonKind.STAFF)

    guider, worker = one("Other Guide", Role.GUIDER), one("Another Worker", Role.SOCIAL_WORKER)
    other = make_family(db, keys, staff=replace(staff, guider=guider, social_worker=worker))
    return {
        "nobody": None,
        "administrator": staff.administrator,
        "manager": staff.other_manager,
        "guider": guider,
        "social_worker": worker,
        "supervisor": staff.colleague,
        "chair": staff.chair,
        "officer": staff.officer,
        "mother": other.mother,
    }


@pytest.fixture
def theirs(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    return ids_of(service, family, visit, clip)


@pytest.fixture
def form(family: Family) -> Form:
    """One form that has whatever any route asks for, so that none can say that something is missing."""
    return {
        "person": family.mother.id,
        "persons": family.child,
        "present": family.child,
        "checker": family.staff.colleague.id,
        "audience": f"social_worker:{family.staff.social_worker.id}",
        "purpose": "social_worker",
        "decision": "pass",
        "answer": "yes",
        "version": "1",
        "question": new_id(),
        "how": "paper",
        "kind": "filming",
        "on": "2026-03-01",
        "first_frame": "0",
        "last_frame": "5",
        "title": "A title",
        "reason": "Because of a test.",
    }


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks the application for a route as somebody."""

    client: httpx.AsyncClient
    form: Form

    async def __call__(self, one: Walked, ids: Ids, *, someone: Someone | None, accept: dict[str, str]) -> Answer:
        headers = {**accept, "Tus-Resumable": VERSION, "Upload-Length": "24", "Upload-Offset": "0"}
        headers["X-HTTP-Method-Override"] = "HEAD"
        if someone is not None:
            headers["Cookie"] = f"{cookies.SESSION}={someone.token.reveal()}"
        content: bytes | None = None
        data: dict[str, str] | None = None
        if one.method == "PATCH":
            headers["Content-Type"], content = OFFSET_TYPE, HEAD_OF_A_FILM
        elif one.path.endswith("/film"):
            headers["Content-Type"], content = "multipart/form-data; boundary=edge", FILM
        elif one.path.endswith("/stop"):
            data = self.form | {"audience": self.form["audience"].partition(":")[2]}
        elif one.method == "POST":
            data = self.form
        response = await self.client.request(one.method, one.address(ids), headers=headers, content=content, data=data)
        number = response.headers["x-request-id"].encode()
        body = response.content.replace(number, b"")  # each answer has another one, in the page too
        code = re.search(rb'"code":"(\w+)"', body)
        told = tuple(sorted((name, value) for name, value in response.headers.items() if name != "x-request-id"))
        return Answer(response.status_code, code.group(1).decode() if code else "", body, told)


@ON_SQLITE
def test_every_stranger_gets_the_same_no_for_a_family_that_exists_and_for_one_that_does_not(
    service: Service, strangers: dict[str, Someone | None], theirs: Ids, form: Form
) -> None:
    app = create_app(service)
    nowhere = {name: NOT_IDS.get(name) or new_id() for name in theirs}
    faults: list[str] = []

    async def try_all(ask_for: Gate) -> None:
        for one in with_ids(app):
            for who, someone in strangers.items():
                if (who, one.path) in WHOLE_ORGANISATION:
                    continue
                for accept in (PROGRAM, PAGE) if who in PAGES_FOR else (PROGRAM,):
                    there = await ask_for(one, theirs, someone=someone, accept=accept)
                    none = await ask_for(one, nowhere, someone=someone, accept=accept)
                    told = f"{who}, {one.name}: {there.status} {there.code}"
                    if not there.is_no:
                        faults.append(f"{told} is no no")
                    if there != none:
                        faults.append(f"{told} differs from nowhere: {none.status} {none.code}")

    at_the_gate(app, form, try_all)
    assert faults == [], "\n".join(faults)


@ON_SQLITE
def test_the_same_requests_by_the_people_of_that_family_get_in(
    service: Service, family: Family, theirs: Ids, form: Form
) -> None:
    """Otherwise the test above would prove nothing."""
    app = create_app(service)
    own = (family.staff.guider, family.staff.colleague, family.mother, family.staff.manager)
    faults: list[str] = []

    async def try_all(ask_for: Gate) -> None:
        for one in with_ids(app):
            if one.path in UNTRIED:
                continue
            answers = [await ask_for(one, theirs, someone=someone, accept=PROGRAM) for someone in own]
            if all(answer.is_no and answer.code != "not_available" for answer in answers):
                faults.append(f"{one.name}: {[(answer.status, answer.code) for answer in answers]}")

    at_the_gate(app, form, try_all)
    assert faults == []


def with_ids(app: FastAPI) -> list[Walked]:
    """The routes that aren't open to everyone and have an id in their path."""
    return [one for one in routes_of(app) if one.policies[0].kinds and one.parameters]


def at_the_gate(app: FastAPI, form: Form, try_all: Callable[[Gate], Awaitable[None]]) -> None:
    async def run() -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            await try_all(Gate(client, form))

    asyncio.run(run())
