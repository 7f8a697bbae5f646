"""Every door that may be tried only so often says so in the same way: 429, when to come back, and in words."""

from __future__ import annotations

import re

import pyotp

import identity
from app import cookies
from app.service import Service
from core.secret import Secret
from identity import Role, Whence
from identity.tries import LINKS_PER_ADDRESS, PER_ADDRESS, PER_CODE, Limit, spend
from tests.app.browser import Browser, main_of
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family

ADDRESS = "192.0.2.7"
PASSWORD = "tyre swing under the oak"
PASSCODE = {"passcode": "735102", "passcode_again": "735102"}


def use_up(service: Service, limit: Limit, *, what: str = ADDRESS) -> None:
    with service.db.begin() as session:
        for _ in range(limit.most):
            spend(session, service.keystore, limit, what=what, at=service.db.clock.now())


def assert_told(browser: Browser, path: str, fields: dict[str, str] | None, *, minutes: int) -> None:
    """As a page with the sentence and as a program's code, each with when to come back."""
    answer = browser.get(path) if fields is None else browser.post(path, fields)
    assert answer.status_code == 429
    assert f"{minutes} minutes" in main_of(answer.text)
    assert 0 < int(answer.headers["retry-after"]) <= minutes * 60
    assert browser.code(path, fields)[0] == 429


@ON_SQLITE
def test_every_door_that_was_tried_too_often_says_when_to_come_back(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    made = identity.add_staff(
        service.db,
        keystore=service.keystore,
        actor=family.staff.administrator.actor,
        name="New One",
        email="new@example.gov.uk",
        roles=[Role.GUIDER],
    )
    link, here = f"/enrol/{made.token.reveal()}", Whence(ADDRESS)
    new = client_for()
    secret = re.search(
        r'vault-code">([A-Z2-7 ]{16,})<', new.post(link, {"password": PASSWORD, "password_again": PASSWORD}).text
    )
    assert secret
    use_up(service, PER_CODE, what=f"{made.person} ")
    code = pyotp.TOTP(secret.group(1).replace(" ", "")).at(service.db.clock.now())
    assert_told(new, link, {"code": code}, minutes=5)

    use_up(service, PER_ADDRESS)
    for email in ("new@example.gov.uk", "nobody@example.gov.uk"):
        assert_told(client_for(), "/sign-in", {"email": email, "password": PASSWORD}, minutes=15)

    use_up(service, LINKS_PER_ADDRESS)
    for path in ("/enrol/no-such-link", "/invitation/no-such-link", "/invitation/no-such-link/activate"):
        assert_told(client_for(), path, None, minutes=15)
    assert_told(client_for(), "/invitation/no-such-link/activate", {"code": "123456", **PASSCODE}, minutes=15)
    stranger = client_for()
    stranger.cookies.set(cookies.DEVICE, "of-no-device", domain="vault.test", path="/")
    assert_told(stranger, "/family/sign-in", {"passcode": "735102"}, minutes=15)

    invited = identity.invite(
        service.db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id
    )
    _, sent = identity.issue_code(service.db, keystore=service.keystore, invitation_id=invited.id)
    phone = identity.activate(
        service.db,
        keystore=service.keystore,
        token=invited.token,
        code=sent.reveal(),
        passcode=Secret(PASSCODE["passcode"]),
        whence=here,
    )
    mother = client_for()
    mother.cookies.set(cookies.DEVICE, phone.device.reveal(), domain="vault.test", path="/")
    for _ in range(5):
        assert mother.code("/family/sign-in", {"passcode": "314159"}) == (403, "wrong_passcode")
    assert mother.code("/family/sign-in", {"passcode": "3141 59"}) == (422, "passcode_form")
    assert_told(mother, "/family/sign-in", {"passcode": "735102"}, minutes=15)
