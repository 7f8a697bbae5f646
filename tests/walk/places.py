"""Every page that the router knows, at an address that works, with somebody who may see it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import httpx

from app.main import create_app
from identity import PersonKind, Role
from tests.app.stage import cookie_of
from tests.app.walk import Walked, routes_of
from tests.walk.house import House

FIRST_PAGES = ("guider", "manager", "officer", "administrator", "social worker", "chair")
"""Whose first page is looked at: it differs by role."""
PREPARED = {"/sign-in/code": "nobody", "/your-clips/{rendition_id}/check": "mother"}
"""Pages that only show something after something else; ``test_every_page`` does that first."""
ELSEWHERE = {"/clips/{clip_id}/blur/statement.json"}
"""No pages, and nobody gets any here, where nothing was blurred: ``tests/journeys/test_blur.py`` does."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page and who looks at it."""

    path: str
    address: str
    who: str

    @property
    def name(self) -> str:
        """As a picture is called."""
        where = self.path.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "first"
        return f"{where}-{self.who.replace(' ', '-')}"


@dataclass(frozen=True, slots=True)
class Found:
    """What the walk found.

    Attributes:
        faults: addresses that answer nobody, each with what to do about it.
    """

    places: tuple[Place, ...]
    faults: tuple[str, ...]


def find_places(house: House) -> Found:
    """Ask for every GET route until it answers somebody."""
    app = create_app(house.stage.service)
    places, faults = [], []
    for route in routes_of(app):
        if route.method != "GET" or route.path in ELSEWHERE:
            continue
        if route.path in PREPARED:
            rendition = house.asked.rendition_id
            places.append(Place(route.path, route.path.format(rendition_id=rendition), PREPARED[route.path]))
            continue
        found, fault = _asked(house, route)
        places += found
        faults += [fault] if fault else []
    places += [Place("/", "/", who) for who in FIRST_PAGES]
    return Found(tuple(places), tuple(faults))


def _asked(house: House, route: Walked) -> tuple[list[Place], str]:
    """The pages of one route: for each id that it can have, with whoever gets in first."""
    unknown = [name for name in route.parameters if name not in house.ids]
    if unknown:
        return [], f"{route.path}: tests/walk/house.py has no id called {', '.join(unknown)}"
    found: dict[str, Place] = {}
    answers = set()
    for values in itertools.product(*(house.ids[name] for name in route.parameters)):
        address = route.path.format_map(dict(zip(route.parameters, values, strict=True)))
        for who in _candidates(house, route):
            kind = _kind(house, address, who)
            answers.add(kind)
            if kind == "page":
                found.setdefault(route.path, Place(route.path, address, who))
    if found or answers & {"something else", "elsewhere"} or not answers:
        return list(found.values()), ""
    return [], f"{route.path} answers nobody: {sorted(answers)}"


def _candidates(house: House, route: Walked) -> list[str]:
    policy = route.policies[0]
    if not policy.kinds:
        return ["nobody"]
    names = [name for name, one in house.people.items() if one and one.actor.kind in policy.kinds]
    fitting = [name for name in names if not policy.roles or _roles(house, name) & policy.roles]
    return sorted(fitting, key=lambda name: name != "social worker" or "shared" not in route.path)


def _roles(house: House, name: str) -> frozenset[Role]:
    someone = house.people[name]
    assert someone is not None
    return someone.actor.roles if someone.actor.kind is PersonKind.STAFF else frozenset()


def _kind(house: House, address: str, who: str) -> str:
    """A page, another kind of answer, a way elsewhere, or a no. Bodies aren't read: some never end."""
    headers = {"Accept": "text/html", **cookie_of(house.people[who])}
    with (
        httpx.Client(base_url=house.origin, headers=headers, timeout=30) as client,
        client.stream("GET", address) as answer,
    ):
        if answer.is_redirect:
            return "elsewhere"
        if answer.status_code != httpx.codes.OK:
            return str(answer.status_code)
        return "page" if answer.headers.get("content-type", "").startswith("text/html") else "something else"
