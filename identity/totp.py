"""Time-based codes (RFC 6238) that can't be replayed.

Other services' audits found codes accepted with white space or full-width digits in them, and codes played A, B, A
where only the last one was remembered. So one rule, for every code of this service: six ASCII digits, with nothing
before, between or after them (``check_form``; pages hand over what was typed, untrimmed); the *time step* of the last
accepted code is stored; a greater one is required, by one conditional update that two racing sign-ins can't both pass.
"""

from __future__ import annotations

import re
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.ids import PersonId
from core.secret import Secret
from identity.access_models import TotpRow

ISSUER = "VIG Vault"
DRIFT_STEPS = 1
"""How many 30-second steps a phone's clock may be off, either way."""

_CODE = re.compile(r"[0-9]{6}")


def check_form(code: str) -> None:
    """Refuse what can't be a code, whoever's. It isn't counted as a try: it could never have been right.

    Raises:
        Invalid: ``code_form``.
    """
    if not _CODE.fullmatch(code):
        raise Invalid("code_form", "Type the 6 numbers of the code, with no spaces or other signs.", field="code")


def new_secret() -> Secret[str]:
    """A fresh secret: 160 random bits in base32 (RFC 4226, section 4, R6)."""
    return Secret(pyotp.random_base32())


def address(secret: Secret[str], *, account: str) -> Secret[str]:
    """The ``otpauth://`` address that the QR code holds."""
    return Secret(pyotp.TOTP(secret.reveal()).provisioning_uri(name=account, issuer_name=ISSUER))


def step_of(code: str, *, secret: Secret[str], at: datetime) -> int | None:
    """The time step that a code belongs to; nothing where it isn't a code of about now."""
    if not _CODE.fullmatch(code):
        return None
    try:
        return pyotp.TOTP(secret.reveal()).verify_and_get_timecode(code, for_time=at, valid_window=DRIFT_STEPS)
    except OTPVerificationError:
        return None


def spend(session: Session, person: PersonId, *, step: int) -> bool:
    """Use up a step and all before it, atomically.

    Returns:
        Whether it was still unused.
    """
    spent = session.scalars(
        update(TotpRow)
        .where(TotpRow.person_id == person, TotpRow.last_step < step)
        .values(last_step=step)
        .returning(TotpRow.person_id),
        execution_options={"synchronize_session": False},
    )
    return spent.first() is not None
