"""A family member's way in over HTTP: the invitation, its code, the bound device and the passcode."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import identity
from app import cookies
from app.service import Service
from tests.app.conftest import ClientFor
from tests.families import Family

PASSCODE = {"passcode": "735102", "passcode_again": "735102"}


@dataclass(frozen=True)
class Invitation:
    path: str
    code: str

    @property
    def wrong(self) -> str:
        return "000000" if self.code != "000000" else "000001"


@pytest.fixture
def invitation(service: Service, family: Family) -> Invitation:
    made = identity.invite(service.db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    _, code = identity.issue_code(service.db, keystore=service.keystore, invitation_id=made.id)
    return Invitation(f"/invitation/{made.token.reveal()}", code.reveal())


def test_an_invitation_binds_a_device_that_opens_with_the_passcode(
    invitation: Invitation, client_for: ClientFor
) -> None:
    phone = client_for()
    for _ in range(2):
        assert "You are invited" in phone.get(invitation.path).text
    assert "Make it yours" in phone.get(f"{invitation.path}/activate").text
    response = phone.post(f"{invitation.path}/activate", {"code": invitation.code, **PASSCODE})
    assert response.headers["location"] == "/your-clips"
    for kept in response.headers.get_list("set-cookie"):
        assert kept.startswith("__Host-")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(kept.split("; "))
    assert "No clips yet" in phone.get("/your-clips").text

    assert phone.post("/sign-out").headers["location"] == "/family/sign-in"
    assert phone.get("/your-clips").headers["location"] == "/family/sign-in"
    wrong = phone.post("/family/sign-in", {"passcode": "112358"})
    assert wrong.status_code == 403
    assert "That passcode isn&#39;t right" in wrong.text
    assert phone.post("/family/sign-in", {"passcode": "735102"}).headers["location"] == "/your-clips"
    assert phone.get("/your-clips").status_code == 200


def test_a_wrong_code_and_a_passcode_that_differs_are_asked_again_and_use_nothing_up(
    invitation: Invitation, client_for: ClientFor
) -> None:
    phone, address = client_for(), f"{invitation.path}/activate"
    response = phone.post(address, {"code": invitation.wrong, **PASSCODE})
    assert response.status_code == 403
    assert "That code isn&#39;t right" in response.text
    assert "735102" not in response.text
    assert phone.code(address, {"code": invitation.wrong, **PASSCODE}) == (403, "wrong_code")
    differing = phone.post(address, {"code": invitation.code, "passcode": "735102", "passcode_again": "735103"})
    assert differing.status_code == 422
    assert phone.post(address, {"code": invitation.code, **PASSCODE}).status_code == 303


def test_a_used_link_says_so_and_opens_nothing(invitation: Invitation, client_for: ClientFor) -> None:
    client_for().post(f"{invitation.path}/activate", {"code": invitation.code, **PASSCODE})
    other = client_for()
    assert other.code(invitation.path) == (409, "invitation_used")
    assert other.code(f"{invitation.path}/activate", {"code": invitation.code, **PASSCODE}) == (409, "invitation_used")
    assert cookies.SESSION not in other.cookies
    assert other.code("/invitation/no-such-link") == (404, "not_found")


def test_an_unknown_device_is_told_what_to_do(client_for: ClientFor) -> None:
    tablet = client_for()
    assert "set up for you" in tablet.get("/family/sign-in").text
    assert tablet.post("/family/sign-in", {"passcode": "735102"}).status_code == 401
    tablet.cookies.set(cookies.DEVICE, "of-no-device", domain="vault.test", path="/")
    response = tablet.post("/family/sign-in", {"passcode": "735102"})
    assert response.status_code == 401
    assert "set up for you" in response.text
    assert cookies.DEVICE not in tablet.cookies


def test_guessing_locks_the_device_for_a_while(invitation: Invitation, client_for: ClientFor) -> None:
    phone = client_for()
    phone.post(f"{invitation.path}/activate", {"code": invitation.code, **PASSCODE})
    answers = [phone.post("/family/sign-in", {"passcode": "112358"}) for _ in range(6)]
    assert [one.status_code for one in answers] == [403] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
