"""One served store and one Chromium for every test of this package."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from app import cookies
from app.pages import STATIC
from hatch_build import make_assets
from tests.chromium import started_chromium
from tests.walk.house import AWAY, House, furnished
from tests.walk.places import Found, find_places

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    make_assets(STATIC.parent.parent)
    with furnished(tmp_path_factory.mktemp("walk")) as made:
        yield made


@pytest.fixture(scope="package")
def found(house: House) -> Found:
    return find_places(house)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


def context_of(chromium: Browser, house: House, who: str, **options: object) -> BrowserContext:
    """Somebody's browser, signed in; the world outside is one quiet page."""
    context = chromium.new_context(base_url=house.origin, **options)  # type: ignore[arg-type]  # as Playwright names them
    someone = house.people[who]
    if someone is not None:
        keep(context, house, someone.token.reveal())
    context.route(f"{AWAY}**", lambda route: route.fulfill(body="<title>Quiet</title>", content_type="text/html"))
    return context


def keep(context: BrowserContext, house: House, token: str) -> None:
    """Put a session's cookie in."""
    context.add_cookies(
        [
            {
                "name": cookies.SESSION,
                "value": token,
                "url": house.origin.replace("http://", "https://"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


@pytest.fixture(scope="package")
def contexts(chromium: Browser, house: House) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser for each person, opened when they are first needed."""
    opened: dict[str, BrowserContext] = {}

    def get(who: str) -> BrowserContext:
        if who not in opened:
            opened[who] = context_of(chromium, house, who)
        return opened[who]

    yield get
    for context in opened.values():
        context.close()
