"""Signing in for each role of the demonstration: enrolment, codes, invitations; what a person would do by hand."""

from __future__ import annotations

import email
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.policy import default as email_policy
from pathlib import Path

import pyotp

from app.demo.client import Browser, Unexpected, find

PASSCODE = "735102"
"""Of the demonstration's families; each real person chooses their own."""
_MESSAGE_WITHIN_SECONDS = 30


@dataclass(slots=True)
class StaffMember:
    """Someone of the staff, with their own browser and authenticator.

    Attributes:
        now: the service's clock, which the demonstration moves on.
    """

    name: str
    address: str
    browser: Browser
    now: Callable[[], datetime]
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    key: str = field(default="", repr=False)
    _last_step: int = 0

    def enrol(self, link: str) -> None:
        """Set password and second factor by the administrator's link."""
        path = "/enrol/" + link.rsplit("/", 1)[1]
        self.browser.page(path)
        page = self.browser.submit(path, {"password": self.password, "password_again": self.password}, status=200)
        self.key = find(r'vault-code">([A-Z2-7 ]{16,})<', page).replace(" ", "")
        self.browser.submit(path, {"code": self.code()})

    def sign_in(self) -> None:
        """Sign in with password and code."""
        self.browser.submit("/sign-in", {"email": self.address, "password": self.password})
        self.browser.submit("/sign-in/code", {"code": self.code()})

    def shown_code(self) -> str:
        """What the authenticator shows just now."""
        return pyotp.TOTP(self.key).at(self.now())

    def code(self) -> str:
        """The authenticator's code; waits for the next one where this one was used."""
        totp = pyotp.TOTP(self.key)
        while totp.timecode(self.now()) <= self._last_step:
            time.sleep(0.2)
        at = self.now()
        self._last_step = totp.timecode(at)
        return totp.at(at)


def activate(browser: Browser, *, link: str, code: str, passcode: str = PASSCODE) -> None:
    """A family member opens their link, types the code that came to their own phone, and chooses a passcode."""
    path = "/invitation/" + link.rsplit("/", 1)[1]
    browser.page(path)
    browser.submit(f"{path}/activate", {"code": code, "passcode": passcode, "passcode_again": passcode})


def code_from(messages: Path, *, to: str) -> str:
    """The code in the newest message to a safe contact; waits until it is delivered.

    Raises:
        Unexpected: none came.
    """
    end = time.monotonic() + _MESSAGE_WITHIN_SECONDS
    while time.monotonic() < end:
        for path in sorted(messages.glob("*.eml"), key=lambda one: one.stat().st_mtime, reverse=True):
            mail = email.message_from_bytes(path.read_bytes(), policy=email_policy)
            text = mail.get_content() if str(mail["To"]) == to else ""
            found = re.search(r"code is (\d{6})", text)
            if found:
                path.unlink()
                return found.group(1)
        time.sleep(0.1)
    message = "no code was delivered"
    raise Unexpected(message)
