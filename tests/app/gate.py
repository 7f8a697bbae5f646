"""Asks the application for any route as anybody, with whatever any route wants, and tells what came of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from app import cookies
from app.tus import OFFSET_TYPE, VERSION
from core.ids import new_id
from tests.app.browser import ORIGIN
from tests.app.ids import Ids
from tests.app.walk import Walked, routes_of
from tests.families import Family, Someone

Form = dict[str, str]

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


def whole_form(family: Family) -> Form:
    """One form that has whatever any route asks for, so that none can say that something is missing."""
    staff = family.staff
    return {
        "staff": staff.chair.id,
        "role": "chair",
        "guider": staff.colleague.id,
        "assignment": new_id(),
        "family_copy": "no",
        "look_again": "no",
        "case": family.case_id,
        "scope": f"case:{family.case_id}",
        "sweep": new_id(),
        "record": new_id(),
        "roles": "guider",
        "name": "Somebody",
        "email": "somebody@example.gov.uk",
        "current": "tyre swing under the oak",
        "password": "kettle on a red bicycle",
        "password_again": "kettle on a red bicycle",
        "passcode": "271828",
        "passcode_again": "271828",
        "person": family.mother.id,
        "persons": family.child,
        "present": family.child,
        "checker": staff.colleague.id,
        "audience": f"social_worker:{staff.social_worker.id}",
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


def with_ids(app: FastAPI) -> list[Walked]:
    """The routes that aren't open to everyone and have an id in their path."""
    return [one for one in routes_of(app) if one.policies[0].kinds and one.parameters]


def at_the_gate(app: FastAPI, form: Form, try_all: Callable[[Gate], Awaitable[None]]) -> None:
    async def run() -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            await try_all(Gate(client, form))

    asyncio.run(run())
