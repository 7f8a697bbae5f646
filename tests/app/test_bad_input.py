"""What no browser sends, to every route: an answer in words with a stable code, never a fault of ours."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from app import cookies
from app.main import create_app
from app.service import Service
from core.ids import VisitId
from identity import Role
from tests.app.browser import ORIGIN, PROGRAM
from tests.app.ids import Ids, ids_of
from tests.app.walk import ON_SQLITE, Walked, names_in, routes_of
from tests.families import Family, Someone
from tests.vault.scene import Clip

LISTS = ("/families", "/families/{case_id}", "/accounts", "/holds", "/retention", "/certificates", "/your-clips")
NASTY = {
    "NUL": "a\0b",
    "right to left": "\u202egnp.exe",
    "many digits": "9" * 480,
    "more digits than a number may have": "9" * 5000,
    "more than a database counts": "99999999999999999999",
    "minus": "-1",
    "digits of another script": "\u0661\u0662\u0663",
    "full width": "\uff11\uff12\uff13\uff14\uff15\uff16",
    "superscript": "\u00b2",
    "too long": "x" * 4096,
    "deep": "[" * 450,
    "path": "../../../etc/passwd",
    "formula": "=cmd|' /C calc'!A0",
    "markup": "<script>alert(1)</script>{{7*7}}",
    "line ends": "a\r\nSet-Cookie: b=c",
    "no character": "\ufdd0\U0001f600",
    "nothing": "",
}
IN_FORMS = NASTY.keys() - {"path", "formula", "markup", "minus", "superscript", "line ends", "nothing"}
LONGEST_ADDRESS = 60_000
"""What the client of these tests is ready to send."""
CODE = re.compile(r"[a-z][a-z0-9_]{2,40}")
ENDLESS = "/events/{viewing_id}"


@pytest.fixture
def ids(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    return ids_of(service, family, visit, clip)


def names_of_fields(family: Family) -> list[str]:
    """Every field of any form."""
    found = names_in(r'form\.\w+\(\s*f?"([^"]+)"')
    assert len(found) > 40
    return sorted(re.sub(r"{[^}]*id}", family.child, name).replace("{at}", "0") for name in found)


class Prober:
    """Sends whatever it is told to, as somebody, and notes what was wrong with the answers."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.faults: list[str] = []

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        told: str,
        someone: Someone | None,
        fields: dict[str, str] | None = None,
        accept: dict[str, str] = PROGRAM,
    ) -> None:
        headers = {**accept, "Tus-Resumable": "1.0.0"}
        if someone is not None:
            headers["Cookie"] = f"{cookies.SESSION}={someone.token.reveal()}"
        try:
            response = await self._client.request(method, path, headers=headers, data=fields)
        except Exception as error:  # noqa: BLE001 - any at all is what is looked for
            self.faults.append(f"{told}: {error!r}")
            return
        if not self._is_clear(response):
            self.faults.append(f"{told}: {response.status_code} {response.text[:200]}")

    @staticmethod
    def _is_clear(response: httpx.Response) -> bool:
        if response.status_code >= 500 or "Traceback" in response.text:
            return False
        if response.status_code < 400 or response.request.method == "HEAD":
            return True
        if "json" not in response.headers["content-type"]:
            return "</html>" in response.text
        return CODE.fullmatch(response.json()["code"]) is not None and len(response.json()["sentence"]) > 10


def probe(service: Service, requests: Iterator[dict[str, object]]) -> list[str]:
    async def run() -> list[str]:
        transport = httpx.ASGITransport(app=create_app(service), client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            prober = Prober(client)
            for one in requests:
                await prober(**one)  # type: ignore[arg-type]  # a table of requests
            return prober.faults

    return asyncio.run(run())


def meant(one: Walked, family: Family) -> list[Someone | None]:
    """For whom a route is, of the people of this family."""
    staff, policy = family.staff, one.policies[0]
    if not policy.kinds:
        return [None]
    by_role = {
        Role.GUIDER: staff.guider,
        Role.ADMINISTRATOR: staff.administrator,
        Role.MANAGER: staff.manager,
        Role.IG_OFFICER: staff.officer,
    }
    found: list[Someone | None] = [someone for role, someone in by_role.items() if role in policy.roles]
    if not policy.roles and family.staff.guider.actor.kind in policy.kinds:
        found.append(staff.guider)
    if family.mother.actor.kind in policy.kinds:
        found.append(family.mother)
    return found


@ON_SQLITE
def test_no_form_with_nonsense_in_every_field_breaks_a_route(service: Service, family: Family, ids: Ids) -> None:
    names = names_of_fields(family)

    def requests() -> Iterator[dict[str, object]]:
        for one in routes_of(create_app(service)):
            if one.method == "POST" and one.path != "/sign-out":
                for someone in meant(one, family):
                    for what in IN_FORMS:
                        yield {
                            "method": "POST",
                            "path": one.address(ids | {"token": "none"}),
                            "told": f"{one.name} {what}",
                            "someone": someone,
                            "fields": dict.fromkeys(names, NASTY[what]),
                        }

    assert probe(service, requests()) == []


@ON_SQLITE
def test_no_nonsense_in_an_address_breaks_a_route(service: Service, family: Family, ids: Ids) -> None:
    escaped = {name: quote(nasty, safe="") for name, nasty in NASTY.items() if nasty}
    escaped |= {"bytes that are no text": "%FF%FE", "lone surrogate": "%ED%A0%80", "half an escape": "%zz%"}
    asked = names_in(r'(?:query_params\.get\(|asked\.\w+\(|asked,)\s*"([^"]+)"')
    listed = names_in(r'Choice\("([^"]+)"') | names_in(r'size=\w+, name="([^"]+)"') | {"page", "find"}
    assert {"saved", "actor", "event"} <= asked
    assert {"show", "kind", "clips"} <= listed

    def requests() -> Iterator[dict[str, object]]:
        for one in routes_of(create_app(service)):
            if one.method != "GET" or one.path in {ENDLESS, "/readyz"}:  # not ready here: nothing watches in this test
                continue
            someone = meant(one, family)[0]
            for what, nasty in escaped.items():
                address = one.address(ids | {"token": "none"})
                names = sorted(asked | listed if one.path in LISTS else asked)
                at_once = max(1, LONGEST_ADDRESS // (len(nasty) + 40))
                each = [names[start : start + at_once] for start in range(0, len(names), at_once)]
                paths = [f"{address}?" + "&".join(f"{name}={nasty}" for name in some) for some in each]
                if one.parameters:
                    paths.append(one.address(dict.fromkeys(one.parameters, nasty)))
                for path in paths:
                    yield {"method": "GET", "path": path, "told": f"GET {path[:80]} ({what})", "someone": someone}

    assert probe(service, requests()) == []
