"""Long lists: searched and cut into pages on the server, by addresses; nobody is sent to a page that isn't there."""

from __future__ import annotations

import re
from html import unescape

import pytest
from starlette.requests import Request

import identity
from app.demo.client import words_of
from app.listing import Choice, cut, finder
from app.service import Service
from identity import Role
from tests.app.browser import Browser
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family

SHOW = Choice("show", "Show", {"open": "Open", "closed": "Closed"})
THINGS = ("thing", "things")


def asked(query: str) -> Request:
    return Request({"type": "http", "path": "/things", "query_string": query.encode(), "headers": []})


@pytest.mark.parametrize(
    ("query", "first", "says", "earlier", "later"),
    [
        ("", 0, "Showing 1 to 25 of 80 things", None, "/things?page=2"),
        ("page=2", 25, "Showing 26 to 50 of 80 things", "/things?page=1", "/things?page=3"),
        ("page=4&find=a+b&saved=x", 75, "Showing 76 to 80 of 80 things", "/things?find=a+b&page=3", None),
        ("page=0", 0, "Showing 1 to 25 of 80 things", None, "/things?page=2"),
        ("page=x", 0, "Showing 1 to 25 of 80 things", None, "/things?page=2"),
        ("page=99999999999999999999", 0, "Showing 1 to 25 of 80 things", None, "/things?page=2"),
        ("page=%D9%A3", 0, "Showing 1 to 25 of 80 things", None, "/things?page=2"),
    ],
)
def test_a_page_of_a_list_says_where_it_is_and_keeps_what_narrows_it(
    query: str, first: int, says: str, earlier: str | None, later: str | None
) -> None:
    shown = cut(asked(query), "/things", range(80), of=THINGS)
    assert (shown.lines[0], shown.pages.says) == (first, says)
    assert (shown.pages.earlier, shown.pages.later, shown.pages.gone) == (earlier, later, "")


def test_beyond_the_last_page_is_the_last_page_and_a_sentence() -> None:
    shown = cut(asked("page=9"), "/things", range(80), of=THINGS)
    assert list(shown.lines) == [75, 76, 77, 78, 79]
    assert shown.pages.gone == "There is no page 9. This is the last one."
    assert cut(asked("page=2"), "/things", [], of=THINGS).pages.says == "0 things"
    assert cut(asked(""), "/things", [1], of=THINGS).pages.says == "1 thing"


def test_several_lists_of_one_page_keep_each_others_place() -> None:
    shown = cut(asked("visits=2&clips=1"), "/things", range(80), of=THINGS, name="clips")
    assert shown.pages.later == "/things?visits=2&clips=2#clips"


def test_a_search_wants_every_word_somewhere_and_every_choice() -> None:
    wanted = finder(asked("find=+KIT+ex&show=open"), "/things", of=80, label="Name", choices=[SHOW])
    assert wanted.fits("Kit Example", show="open")
    assert wanted.fits("Bo Example", "kit", show="open")
    assert not wanted.fits("Kit", show="open")
    assert not wanted.fits("Kit Example", show="closed")
    nonsense = finder(asked("find=&show=elsewhere"), "/things", of=3, label="Name", choices=[SHOW])
    assert not nonsense.is_narrowed
    assert not nonsense.is_worth_it
    assert nonsense.fits("anything", show="closed")
    assert finder(asked("find=" + "a" * 5000), "/things", of=3, label="Name").words == "a" * 100


@ON_SQLITE
def test_accounts_are_searched_and_cut_and_the_search_is_kept_from_page_to_page(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    for number in range(30):
        identity.add_staff(
            service.db,
            keystore=service.keystore,
            actor=family.staff.administrator.actor,
            name=f"Robin <b>{number:02}</b>",
            email=f"robin{number}@example.gov.uk",
            roles=[Role.GUIDER],
        )
    browser = client_for(family.staff.administrator.token)
    assert "Showing 1 to 25 of 39 accounts" in words_of(browser.get("/accounts").text)
    page = browser.get("/accounts?find=robin&role=guider").text
    assert "Showing 1 to 25 of 30 accounts" in words_of(page)
    assert "<b>" not in page
    following = _link(page, "page=2")
    assert following == "/accounts?find=robin&role=guider&page=2"
    last = browser.get(following).text
    assert "Showing 26 to 30 of 30 accounts" in words_of(last)
    assert 'value="robin"' in last
    added = browser.post("/accounts/new", {"name": "Ada", "email": "ada2@example.gov.uk", "roles": "guider"}).text
    assert _link(added, "page=2") == "/accounts?page=2"
    assert "There is no page 7." in words_of(browser.get("/accounts?find=robin&page=7").text)
    assert "No account fits that." in words_of(browser.get("/accounts?find=nobody").text)
    assert "Show all" in browser.get("/accounts?find=nobody").text


@ON_SQLITE
def test_every_list_answers_kindly_whatever_its_address_says(family: Family, client_for: ClientFor) -> None:
    lists = [
        (family.staff.manager, ("/families", "/caseload")),
        (family.staff.administrator, ("/accounts",)),
        (family.staff.social_worker, ("/shared",)),
        (family.staff.colleague, ("/checks", "/families")),
        (family.staff.officer, ("/retention", "/holds", "/certificates")),
        (family.mother, ("/your-clips", "/who-watched")),
    ]
    for someone, paths in lists:
        browser = client_for(someone.token)
        for path in paths:
            for query in ("page=7", "page=-1", "find=%00%FF", "find=" + "x" * 300, "show=x&kind=x&standing=x&role=x"):
                assert browser.get(f"{path}?{query}").status_code == 200, (path, query)


@ON_SQLITE
def test_families_are_found_by_a_childs_or_their_guiders_name_and_by_whether_they_are_closed(
    family: Family, client_for: ClientFor
) -> None:
    browser = client_for(family.staff.manager.token)
    for query, found in (("find=kit", True), ("find=gwen", True), ("find=else", False), ("show=closed", False)):
        assert (_title(browser, query)) is found, query
    assert "No family fits that." in browser.get("/families?find=else").text


def _title(browser: Browser, query: str) -> bool:
    return "Kit Example" in words_of(browser.get(f"/families?{query}").text)


def _link(page: str, holding: str) -> str:
    found = re.search(rf'href="([^"]*{re.escape(holding)}[^"]*)"', page)
    assert found
    return unescape(found.group(1))
