"""Tables of signing in: what people prove themselves with, and the sessions that come of it. Tokens only as hashes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from identity.facts import PersonKind
from identity.models import words


class SessionStep(StrEnum):
    """How far a sign-in has come."""

    SECOND_FACTOR = "second_factor"
    """The password was right; nothing may be done but give the code."""
    FULL = "full"


class SecondThing(StrEnum):
    """How the code that an invitation needs reaches the family member."""

    MESSAGE = "message"
    """To their safe contact."""
    LETTER = "letter"
    """In a sealed letter by a second member of staff."""


class PasswordRow(Base):
    """A member of staff's password (Argon2id, in PHC form)."""

    __tablename__ = "identity_password"

    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    hash: Mapped[str]
    set_at: Mapped[datetime]


class TotpRow(Base):
    """A member of staff's time-based codes (RFC 6238).

    Attributes:
        secret: sealed base32.
        last_step: the time step of the last code that was accepted; only a greater one ever is again.
        confirmed_at: when a first code showed that the authenticator works.
    """

    __tablename__ = "identity_totp"

    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None]


class EnrolmentRow(Base):
    """A link with which a member of staff sets password and second factor, once."""

    __tablename__ = "identity_enrolment"
    __table_args__ = (Index("ix_identity_enrolment_person", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[str | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeviceRow(Base):
    """A family member's own device, bound by an activated invitation and opened with a passcode.

    Attributes:
        browser: what it is, in a few words of ours.
        failures: wrong passcodes since the last right one.
        locked_until: no try counts before then.
    """

    __tablename__ = "identity_device"
    __table_args__ = (Index("ix_identity_device_person", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    passcode_hash: Mapped[str]
    browser: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    bound_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SessionRow(Base):
    """One sign-in.

    Attributes:
        token_hash: SHA-256 of the 256 random bits that the browser holds.
        factors: words of ``facts.Factor``, separated by a space.
        browser: where it began, in a few words of ours ("Firefox on Windows").
        address: the network address where it began, sealed; staff only. A family's address is where they live, so it
            is kept nowhere.
        idle_seconds: how long it may lie unused; ``idle_until`` moves with use.
        expires_at: the absolute end.
    """

    __tablename__ = "identity_session"
    __table_args__ = (Index("ix_identity_session_person", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    kind: Mapped[PersonKind] = mapped_column(words(PersonKind))
    device_id: Mapped[str | None] = mapped_column(ForeignKey("identity_device.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    step: Mapped[SessionStep] = mapped_column(words(SessionStep))
    factors: Mapped[str]
    browser: Mapped[str | None]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    idle_seconds: Mapped[int]
    idle_until: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class InvitationRow(Base):
    """A family member's way in: a link and, apart from it, a code. Looking at it consumes nothing.

    Attributes:
        code_hash: HMAC of the code under a key that the database never sees (a six-digit code has too few values for
            a plain hash).
        attempts: wrong codes so far.
    """

    __tablename__ = "identity_invitation"
    __table_args__ = (
        Index("ix_identity_invitation_case", "case_id"),
        Index(
            "uq_identity_invitation_one_open",
            "person_id",
            unique=True,
            sqlite_where=text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=text("used_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    invited_by: Mapped[str]
    second_thing: Mapped[SecondThing] = mapped_column(words(SecondThing))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_seen_by: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class TriesRow(Base):
    """How often something was tried in the present window, per account or per address (only an HMAC of which).

    Attributes:
        bucket: hex HMAC of what is counted.
    """

    __tablename__ = "identity_tries"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
