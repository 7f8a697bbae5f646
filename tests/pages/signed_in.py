"""Samples of the pages about accounts: who has one, where somebody is signed in, another password or passcode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from app.pages import Problem
from core.ids import SessionId
from identity import DeviceLine, SessionLine
from tests.pages.at_home import LINK, NOW, QR
from tests.pages.case_work import CASE
from tests.pages.sample import ADMINISTRATOR, FAMILY, GUIDER, MANAGER, WORKER, Sample

HERE = SessionLine(
    id=SessionId("s1"),
    browser="Firefox on Windows",
    address="2001:db8:4006:0812:1234:5678:9abc:def0",
    created_at=NOW - timedelta(hours=3),
    last_used_at=NOW,
    expires_at=NOW + timedelta(hours=9),
    is_this=True,
)
TABLET = replace(HERE, id=SessionId("s2"), browser="Samsung Internet on an Android phone or tablet", is_this=False)
SESSIONS = [HERE, TABLET, replace(TABLET, id=SessionId("s3"), browser="A browser", address="")]
ACCOUNT = {
    "id": "s1",
    "name": "Sam Okafor",
    "email": "sam.okafor-the-longest-address@childrens-services.council.example",
    "roles": "Social worker",
    "has_left": False,
    "text": "Active",
    "colour": "green",
}
FRESH = {"name": "Jo Marsh", "link": LINK, "qr": QR, "expires_at": NOW}
ROLES = [
    {"value": "guider", "text": "Guider", "hint": "Films, cuts and asks"},
    {"value": "ig_officer", "text": "Information governance officer", "hint": ""},
]


def account_samples() -> Iterator[Sample]:
    """The administrator's, the manager's, one's own, and the family's."""
    yield from _accounts()
    yield Sample("your-account", "your_account.html", WORKER, "/your-account", context={"sessions": SESSIONS})
    yield Sample("your-account-one", "your_account.html", WORKER, context={"sessions": SESSIONS[:1]})
    wrong = (Problem("That isn't your present password. Please try again.", "current"),)
    yield Sample("password", "password.html", WORKER, problems=wrong)
    yield from _phone()


def _accounts() -> Iterator[Sample]:
    listed = {"accounts": [ACCOUNT], "fresh": FRESH, "may_keep": True}
    yield Sample("accounts", "accounts.html", ADMINISTRATOR, "/accounts", context=listed)
    colleagues = {"accounts": [ACCOUNT], "fresh": None, "may_keep": False}
    yield Sample("staff", "accounts.html", MANAGER, "/accounts", context=colleagues)
    shown = {"account": ACCOUNT, "sessions": SESSIONS[1:], "fresh": None, "may_keep": True}
    shown |= {"roles": ROLES, "held": ["guider"]}
    yield Sample("account", "account.html", ADMINISTRATOR, "/accounts/s1", context=shown)
    left = {"account": ACCOUNT | {"has_left": True, "text": "Left", "colour": "grey"}, "sessions": [], "fresh": FRESH}
    yield Sample("account-left", "account.html", ADMINISTRATOR, "/accounts/s1", context=shown | left)
    yield Sample("account-managers", "account.html", MANAGER, "/accounts/s1", context=shown | {"may_keep": False})
    yield Sample(
        "account-new",
        "account_new.html",
        ADMINISTRATOR,
        "/accounts/new",
        problems=(Problem("Choose at least one.", "roles"),),
        given={"name": "Jo Marsh", "email": "jo@council.example"},
        context={"roles": ROLES},
    )


def _phone() -> Iterator[Sample]:
    device = DeviceLine("Safari on an iPhone", NOW)
    signed_in = {"device": device, "sessions": [replace(one, address="") for one in SESSIONS]}
    yield Sample("your-phone", "your_phone.html", FAMILY, "/your-phone", context=signed_in)
    none = {"device": None, "sessions": [replace(HERE, address="")]}
    yield Sample("your-phone-none", "your_phone.html", FAMILY, "/your-phone", context=none)
    wrong = (
        Problem("That passcode isn't right. Please try again.", "current"),
        Problem("That is too easy to guess. Use other numbers.", "passcode"),
    )
    yield Sample("passcode", "passcode.html", FAMILY, "/your-phone/passcode", problems=wrong)
    lost = {"case": CASE, "person": {"id": "p1", "name": "Mia Bell"}}
    yield Sample("lost-phone", "lost_phone.html", GUIDER, context=lost | {"device": device})
    yield Sample("lost-phone-none", "lost_phone.html", GUIDER, context=lost | {"device": None})
