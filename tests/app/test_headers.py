"""The armour around every route, on a tiny application of the test's own."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from app.headers import FIXED, HSTS, Armour
from app.transport import protocol_for

ORIGIN = "https://vault.example.org"


async def touched(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("touched")


@pytest.fixture
def client() -> httpx.AsyncClient:
    routes = [Route("/x", touched, methods=["GET", "POST"]), Route("/static/words.js", touched)]
    app = Starlette(routes=routes)
    armoured = Armour(app, origin=ORIGIN)
    return httpx.AsyncClient(transport=httpx.ASGITransport(armoured), base_url=ORIGIN)


async def ask(client: httpx.AsyncClient, method: str, **headers: str) -> httpx.Response:
    return await client.request(
        method, "/x", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://vault.example.org"},
        {"Sec_Fetch_Site": "cross-site", "Origin": ORIGIN},
    ],
)
def test_a_post_from_another_site_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = asyncio.run(ask(client, "POST", **headers))
    assert response.status_code == 403
    assert "cross_origin" in response.text


@pytest.mark.parametrize("headers", [{}, {"Sec_Fetch_Site": "same-origin"}, {"Origin": ORIGIN}])
def test_a_post_from_here_and_one_from_a_program_pass(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert asyncio.run(ask(client, "POST", **headers)).text == "touched"


def test_another_host_name_is_refused(client: httpx.AsyncClient) -> None:
    assert asyncio.run(ask(client, "GET", Host="evil.example")).status_code == 403


def test_every_answer_carries_the_headers_a_refusal_too(client: httpx.AsyncClient) -> None:
    for response in (asyncio.run(ask(client, "GET")), asyncio.run(ask(client, "POST", Origin="https://evil.example"))):
        assert {name: response.headers[name] for name in FIXED} == FIXED
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no", "nginx keeps film in clear on its disk"
        assert "max-age" in response.headers["Strict-Transport-Security"]


def test_a_script_is_kept_but_asked_for_again_so_that_an_upgrade_never_mixes_old_and_new(
    client: httpx.AsyncClient,
) -> None:
    response = asyncio.run(client.get("/static/words.js"))
    assert response.headers["Cache-Control"] == "no-cache"


def test_what_no_application_sees_is_told_to_come_over_tls_too() -> None:
    async def refused(origin: str) -> str:
        config = uvicorn.Config(touched, http=protocol_for(origin), log_config=None, lifespan="off")
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: protocol_for(origin)(config, state, {}), host="127.0.0.1", port=0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        server.close()
        return head.decode()

    for origin, is_secure in ((ORIGIN, True), ("http://127.0.0.1:8443", False)):
        head = asyncio.run(refused(origin))
        assert head.startswith("HTTP/1.1 400 ")
        assert (f"Strict-Transport-Security: {HSTS}" in head) is is_secure
