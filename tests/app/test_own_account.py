"""One's own account over HTTP: where one is signed in, another password or passcode; and ending a colleague's."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp

import identity
from app import cookies
from app.service import Service
from core.secret import Secret
from identity import Role
from tests.app.browser import Browser, main_of
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.fakes import HandClock
from tests.families import Family, again

EMAIL, PASSWORD, NEXT = "new@example.gov.uk", "tyre swing under the oak", "kettle on a red bicycle"


def twice(name: str, value: str, current: str) -> dict[str, str]:
    return {"current": current, name: value, f"{name}_again": value}


def enrolled(browser: Browser, link: str, clock: HandClock, *, password: str = PASSWORD) -> pyotp.TOTP:
    page = browser.post(link, {"password": password, "password_again": password}).text
    found = re.search(r'vault-code">([A-Z2-7 ]{16,})<', page)
    assert found
    totp = pyotp.TOTP(found.group(1).replace(" ", ""))
    assert browser.post(link, {"code": totp.at(clock.now())}).headers["location"] == "/"
    clock.move(timedelta(seconds=30))
    return totp


def sign_in(browser: Browser, totp: pyotp.TOTP, clock: HandClock, *, password: str = PASSWORD) -> int:
    begun = browser.post("/sign-in", {"email": EMAIL, "password": password})
    if begun.status_code != 303:
        return begun.status_code
    status = browser.post("/sign-in/code", {"code": totp.at(clock.now())}).status_code
    clock.move(timedelta(seconds=30))
    return status


def link_in(page: str) -> str:
    found = re.search(r"/enrol/[\w-]+", page)
    assert found
    return found.group()


@ON_SQLITE
def test_somebody_sees_where_they_are_signed_in_and_ends_it(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    here, tablet, third = (
        family.staff.guider,
        again(service.db, family.staff.guider),
        again(service.db, family.staff.guider),
    )
    desk = client_for(here.token)
    page = main_of(desk.get("/your-account").text)
    assert page.count("This one") == 1
    assert page.count(">End<span") == 2
    assert f"/your-sessions/{here.actor.session}/end" not in page
    ended = desk.post(f"/your-sessions/{tablet.actor.session}/end")
    assert ended.headers["location"] == "/your-account?saved=ended"
    assert client_for(tablet.token).code("/families") == (401, "not_signed_in")
    assert desk.code(f"/your-sessions/{tablet.actor.session}/end", {}) == (404, "not_found")
    assert desk.post("/your-sessions/end").headers["location"] == "/your-account?saved=elsewhere"
    assert client_for(third.token).code("/families") == (401, "not_signed_in")
    assert "End all others" not in main_of(desk.get("/your-account").text)
    assert desk.post(f"/your-sessions/{here.actor.session}/end").headers["location"] == "/sign-in"
    assert cookies.SESSION not in desk.cookies
    assert client_for(here.token).code("/families") == (401, "not_signed_in")


@ON_SQLITE
def test_an_account_from_its_link_to_another_password_roles_renewal_leaving_and_coming_back(
    family: Family, client_for: ClientFor, clock: HandClock
) -> None:
    keeper, mine, tablet = client_for(family.staff.administrator.token), client_for(), client_for()
    made = keeper.post("/accounts/new", {"name": "New One", "email": EMAIL, "roles": ["guider"]}).text
    found = re.search(r'href="(/accounts/[0-9a-f]{32})">New One<', made)
    assert found
    account = found.group(1)
    totp = enrolled(mine, link_in(made), clock)
    assert sign_in(tablet, totp, clock) == 303
    before = mine.cookies[cookies.SESSION]

    assert mine.code("/your-account/password", twice("password", NEXT, "a guess")) == (403, "wrong_password")
    wrong = mine.post("/your-account/password", twice("password", NEXT, "a guess"))
    assert "isn&#39;t your present password" in main_of(wrong.text)
    assert NEXT not in wrong.text
    differing = twice("password", NEXT, PASSWORD) | {"password_again": f"{NEXT} "}
    assert mine.code("/your-account/password", differing) == (422, "passwords_differ")
    done = mine.post("/your-account/password", twice("password", NEXT, PASSWORD))
    assert done.headers["location"] == "/your-account?saved=password"
    assert mine.cookies[cookies.SESSION] != before
    assert mine.get("/families").status_code == 200
    assert client_for(Secret(before)).code("/families")[0] == 401
    assert tablet.code("/families")[0] == 401
    assert sign_in(tablet, totp, clock) == 403
    assert sign_in(tablet, totp, clock, password=NEXT) == 303

    page = main_of(keeper.get(account).text)
    assert page.count(">End<span") == 2
    assert "192.0.2.7" not in page
    assert keeper.code(f"{account}/roles", {}) == (422, "roles_empty")
    assert keeper.post(f"{account}/roles", {"roles": ["supervisor"]}).status_code == 303
    assert [one.code("/families")[0] for one in (mine, tablet)] == [401, 401]
    assert sign_in(mine, totp, clock, password=NEXT) == 303
    assert mine.code("/families/new")[0] == 404

    renewed = link_in(keeper.post(f"{account}/renew").text)
    assert mine.code("/families")[0] == 401
    assert sign_in(mine, totp, clock, password=NEXT) == 403
    newer = enrolled(mine, renewed, clock)
    assert keeper.post(f"{account}/suspend").headers["location"] == f"{account}?saved=account_ended"
    assert mine.code("/families")[0] == 401
    assert sign_in(mine, newer, clock) == 403
    assert keeper.code(f"{account}/renew", {})[0] == 404
    back = link_in(keeper.post(f"{account}/reinstate").text)
    enrolled(mine, back, clock)
    assert mine.get("/families").status_code == 200


@ON_SQLITE
def test_a_manager_ends_a_colleagues_sign_ins_and_keeps_no_account(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    tablet = again(service.db, family.staff.guider)
    manager, account = client_for(family.staff.manager.token), f"/accounts/{family.staff.guider.id}"
    everyone = main_of(manager.get("/accounts").text)
    assert "Gwen Guide" in everyone
    assert "example.gov.uk" not in everyone
    page = main_of(manager.get(account).text)
    assert "End all sign-ins" in page
    for hidden in ("Make a new link", "They have left", "Save roles", "example.gov.uk"):
        assert hidden not in page
    for act in ("renew", "suspend", "reinstate", "roles"):
        assert manager.code(f"{account}/{act}", {"roles": "guider"}) == (404, "not_found")
    assert manager.code(f"{account}/sessions/{family.staff.chair.actor.session}/end", {}) == (404, "not_found")
    assert manager.post(f"{account}/sessions/{tablet.actor.session}/end").status_code == 303
    assert client_for(tablet.token).code("/families")[0] == 401
    assert client_for(family.staff.guider.token).get("/families").status_code == 200
    assert manager.post(f"{account}/sessions/end").status_code == 303
    assert client_for(family.staff.guider.token).code("/families")[0] == 401
    assert manager.code(f"/accounts/{family.mother.id}") == (404, "not_found")
    assert manager.code(f"/accounts/{family.mother.id}/sessions/end", {}) == (404, "not_found")


@ON_SQLITE
def test_a_family_member_changes_the_passcode_and_makes_the_phone_forget_them(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    made = identity.invite(service.db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    code = identity.issue_code(service.db, keystore=service.keystore, invitation_id=made.id)[1].reveal()
    phone = client_for()
    fields = {"code": code, "passcode": "271828", "passcode_again": "271828"}
    phone.post(f"/invitation/{made.token.reveal()}/activate", fields)
    guider, at = client_for(family.staff.guider.token), f"/families/{family.case_id}/people/{family.mother.id}/phone"
    assert "Lost phone?" in guider.get(f"/families/{family.case_id}").text
    assert "End this phone" in main_of(guider.get(at).text)

    assert phone.code("/your-phone/passcode", twice("passcode", "314159", "112358")) == (403, "wrong_passcode")
    done = phone.post("/your-phone/passcode", twice("passcode", "314159", "271828"))
    assert done.headers["location"] == "/your-phone?saved=passcode"
    assert "Your passcode was changed." in phone.get(done.headers["location"]).text
    assert client_for(family.mother.token).code("/your-clips")[0] == 401
    assert phone.post("/your-phone/forget").headers["location"] == "/family/sign-in"
    assert not {cookies.SESSION, cookies.DEVICE} & set(phone.cookies)
    assert "set up for you" in phone.get("/family/sign-in").text
    assert "has no phone set up" in main_of(guider.get(at).text)
    assert family.staff.guider.actor.roles == {Role.GUIDER}
