"""A new route is closed until it says who it is for, and says so before anything of a request is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import Message

from app import cookies
from app.forms import Posted
from app.main import create_app
from app.policy import PUBLIC, STAFF, Open, Policy, Signed
from app.service import Service
from identity import PersonKind, Role
from tests.app.browser import ORIGIN
from tests.app.walk import ON_SQLITE, Walked, mounts_of, routes_of
from tests.families import Family

OPEN_TO_EVERYONE = {
    "GET /",
    "GET /accessibility",
    "GET /enrol/{token}",
    "GET /family/sign-in",
    "GET /healthz",
    "GET /help",
    "GET /leave",
    "POST /leave",
    "GET /invitation/{token}",
    "GET /invitation/{token}/activate",
    "GET /privacy",
    "GET /readyz",
    "GET /sign-in",
    "GET /sign-in/code",
    "OPTIONS /uploads",
    "POST /enrol/{token}",
    "POST /family/sign-in",
    "POST /invitation/{token}/activate",
    "POST /sign-in",
    "POST /sign-in/code",
}
"""Whoever opens a route to everyone writes it down here."""


def faults(routes: list[Walked]) -> list[str]:
    """What is wrong with the policies of these routes, by name."""
    found = []
    for one in routes:
        if len(one.policies) != 1:
            found.append(f"{one.name} states {len(one.policies)} policies instead of one")
        elif one.calls[0] is not one.policies[0]:
            found.append(f"{one.name} calls {one.calls[0]} before its policy")
        if one.has_body_of_fastapi:
            found.append(f"{one.name} lets FastAPI read the body, which it does before any policy")
    return found


@ON_SQLITE
def test_every_route_states_exactly_one_policy_and_states_it_first(service: Service) -> None:
    routes = routes_of(create_app(service))
    assert len(routes) > 40
    assert faults(routes) == []


@ON_SQLITE
def test_only_static_files_stand_outside_the_walk(service: Service) -> None:
    assert mounts_of(create_app(service)) == ["/static"]


@ON_SQLITE
def test_only_the_routes_on_this_list_are_open_to_everyone(service: Service) -> None:
    assert {one.name for one in routes_of(create_app(service)) if not one.policies[0].kinds} == OPEN_TO_EVERYONE


def test_the_walk_finds_a_route_that_forgot_its_policy_or_states_it_late() -> None:
    router = APIRouter()

    def plain() -> None:
        """Without a policy."""

    def late(form: Posted, actor: object = Depends(STAFF)) -> None:
        """Reads a form first."""

    def twice(one: object = Depends(STAFF)) -> None:
        """Two policies."""

    def body(text: dict[str, str], one: object = Depends(STAFF)) -> None:
        """Has FastAPI parse JSON."""

    ends: list[tuple[str, Callable[..., None]]] = [("plain", plain), ("late", late), ("body", body)]
    for name, end in ends:
        router.add_api_route(f"/{name}", end, methods=["POST"], response_model=None)
    router.add_api_route("/twice", twice, methods=["GET"], dependencies=[Depends(PUBLIC)], response_model=None)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router, prefix="/deep")
    assert [fault.split(" ", 2)[1] for fault in faults(routes_of(app))] == [
        "/deep/plain",
        "/deep/late",
        "/deep/body",
        "/deep/twice",
    ]


@ON_SQLITE
def test_nobody_signed_in_gets_in_anywhere_and_no_byte_of_what_they_send_is_read(service: Service) -> None:
    app = create_app(service)
    for one in routes_of(app):
        if one.policies[0].kinds:
            status, was_read = ask_unread(app, one)
            assert (one.name, status, was_read) == (one.name, 401, False)


@ON_SQLITE
def test_someone_of_another_kind_gets_in_nowhere_and_no_byte_of_what_they_send_is_read(
    service: Service, family: Family
) -> None:
    app = create_app(service)
    for one in routes_of(app):
        policy = one.policies[0]
        strangers = {
            PersonKind.STAFF: [family.staff.administrator if policy.roles else family.staff.guider],
            PersonKind.FAMILY: [family.mother],
        }
        if Role.ADMINISTRATOR in policy.roles:
            strangers[PersonKind.STAFF] = [family.staff.guider]
        for kind, people in strangers.items():
            if not policy.kinds or (kind in policy.kinds and not policy.roles):
                continue
            for someone in people:
                status, was_read = ask_unread(app, one, cookie=f"{cookies.SESSION}={someone.token.reveal()}")
                assert (one.name, kind, status, was_read) == (one.name, kind, 404, False)


@ON_SQLITE
def test_a_wrong_method_is_refused_before_anything_is_read(service: Service) -> None:
    app = create_app(service)
    stated: dict[str, set[str]] = {}
    for one in routes_of(app):
        stated.setdefault(one.path, set()).add(one.method)
    for path, methods in stated.items():
        for method in {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            wrong = Walked(method, path, (), (), has_body_of_fastapi=False)
            status, was_read = ask_unread(app, wrong)
            assert status in {401, 404, 405}, wrong.name
            assert not was_read, wrong.name


def test_policies_are_values_that_differ_by_whom_they_let_in() -> None:
    assert Open() == PUBLIC != Policy()
    assert Signed(kinds=STAFF.kinds) == STAFF != PUBLIC


def ask_unread(app: FastAPI, one: Walked, *, cookie: str = "") -> tuple[int, bool]:
    """Send a request whose body tells whether anybody looked at it.

    Returns:
        The status, and whether the body was asked for.
    """
    reads: list[str] = []
    statuses: list[int] = []

    async def receive() -> Message:
        reads.append(one.name)
        return {"type": "http.request", "body": b"x=1", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    path = one.path.replace("{", "").replace("}", "")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": one.method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", ORIGIN.removeprefix("https://").encode()),
            (b"accept", b"application/json"),
            (b"origin", ORIGIN.encode()),
            (b"cookie", cookie.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"3"),
        ],
        "client": ("192.0.2.7", 4711),
        "server": ("vault.test", 443),
    }
    asyncio.run(app(scope, receive, send))
    return statuses[0], bool(reads)
