"""Enrolling: with a link, a member of staff chooses a password and sets up an authenticator, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

import audit
from core.db import Database, lock, not_found
from core.errors import Conflict, Refused
from core.ids import PersonId, new_id, well_formed
from core.secret import Secret
from identity import passwords, totp
from identity.access_models import EnrolmentRow, PasswordRow, TotpRow
from identity.breached import check_breached
from identity.facts import PersonKind
from identity.models import PersonRow
from identity.sealing import open_person, seal_person
from identity.sessions import STAFF_TIMEOUTS, TOKEN_BYTES, SignedIn, Timeouts, token_hash
from identity.sign_in import full_session, spend_code, spend_try, wrong_code
from identity.tries import count_guess
from identity.whence import Whence
from keys import KeyStore

ENROLMENT_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new account and the link that its owner enrols with. The link can't be had again, only renewed."""

    person: PersonId
    token: Secret[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an authenticator is set up with.

    Attributes:
        address: the ``otpauth://`` address for a QR code.
        secret: the same, to be typed.
    """

    address: Secret[str]
    secret: Secret[str]


def enrol(db: Database, *, keystore: KeyStore, token: Secret[str], password: Secret[str], whence: Whence) -> TotpSetup:
    """Choose a password and get a fresh authenticator secret. Nothing counts until ``confirm_enrolment``.

    Raises:
        NotFound: no such link.
        Conflict: ``link_used``; Refused: ``link_ended``.
        Invalid: ``password_form``, ``password_too_short``, ``password_too_long``, ``password_too_common``,
            ``password_breached``.
        RateLimited: ``too_many_tries``: links from this address that were none.
    """
    at = db.clock.now()
    look_enrolment(db, keystore=keystore, token=token, whence=whence)
    with db.read() as session:
        person = PersonId(_live_link(session, token, at=at).person_id)
        row = session.get_one(PersonRow, person)
        email = open_person(keystore, person, column="email", sealed=row.email or b"")
        name = open_person(keystore, person, column="name", sealed=row.name)
    passwords.check_password(password, context=(name, email))
    check_breached(db, password)
    kept = passwords.hashed(password)  # slow, so outside a transaction
    secret = totp.new_secret()
    sealed = seal_person(keystore, person, table="totp", column="secret", value=secret.reveal())
    with db.begin() as session:
        lock_staff(session, person)
        _live_link(session, token, at=at)
        session.merge(PasswordRow(person_id=person, hash=kept, set_at=at))
        session.merge(TotpRow(person_id=person, secret=sealed, last_step=0, confirmed_at=None))
    return TotpSetup(totp.address(secret, account=email), secret)


def look_enrolment(db: Database, *, keystore: KeyStore, token: Secret[str], whence: Whence) -> None:
    """Whether a link may be enrolled with. Consumes nothing.

    Raises:
        NotFound: no such link.
        Conflict: ``link_used``; Refused: ``link_ended``.
        RateLimited: ``too_many_tries``: links from this address that were none.
    """
    at = db.clock.now()
    with db.read() as session:
        is_link = session.scalars(_linked(token)).first() is not None
    if not is_link:
        count_guess(db, keystore=keystore, whence=whence)
    with db.read() as session:
        _live_link(session, token, at=at)


def confirm_enrolment(
    db: Database,
    *,
    keystore: KeyStore,
    token: Secret[str],
    code: str,
    whence: Whence,
    timeouts: Timeouts = STAFF_TIMEOUTS,
) -> SignedIn:
    """Show with a first code that the authenticator works. The link is used up; its owner is signed in.

    Raises:
        NotFound: no such link.
        Conflict: ``link_used``, ``password_first``; Refused: ``link_ended``, ``wrong_code``.
        Invalid: ``code_form``.
        RateLimited: ``too_many_tries``.
    """
    look_enrolment(db, keystore=keystore, token=token, whence=whence)
    totp.check_form(code)
    at = db.clock.now()
    with db.begin() as session:
        link = _live_link(session, token, at=at)
        person = PersonId(link.person_id)
        lock_staff(session, person)
        session.refresh(link)
        _require_live(link, at=at)
        second = session.get(TotpRow, person)
        if second is None:
            raise Conflict("password_first", "Choose a password first.")
        limited = spend_try(session, keystore, person=person, whence=whence, at=at)
        if not limited and spend_code(session, keystore, person=person, code=code, at=at):
            session.refresh(second)
            second.confirmed_at, link.used_at = at, at
            audit.record(session, audit.Event.SECOND_FACTOR_ENROLLED, actor=person, object_id=person)
            return full_session(session, keystore, person=person, whence=whence, timeouts=timeouts, at=at)
    raise limited or wrong_code()


def new_link(session: Session, person: PersonId, *, by: PersonId | None, at: datetime) -> Enrolment:
    """Make a link in the caller's transaction; older ones end."""
    revoke_links(session, person, at=at)
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    expires_at = at + ENROLMENT_LASTS
    session.add(
        EnrolmentRow(id=new_id(), person_id=person, token_hash=token_hash(token), made_by=by, expires_at=expires_at)
    )
    session.flush()
    return Enrolment(person, token, expires_at)


def revoke_links(session: Session, person: PersonId, *, at: datetime) -> None:
    """End someone's open links."""
    live = select(EnrolmentRow).where(
        EnrolmentRow.person_id == person, EnrolmentRow.used_at.is_(None), EnrolmentRow.revoked_at.is_(None)
    )
    for row in session.scalars(live):
        row.revoked_at = at


def lock_staff(session: Session, person: PersonId) -> PersonRow:
    """Lock a member of staff's row.

    Raises:
        NotFound: no such member of staff.
    """
    if not well_formed(person):
        raise not_found()
    row = lock(session, PersonRow, person)
    if row.kind is not PersonKind.STAFF:
        raise not_found()
    return row


def _live_link(session: Session, token: Secret[str], *, at: datetime) -> EnrolmentRow:
    row = session.scalars(_linked(token)).first()
    if row is None:
        raise not_found()
    _require_live(row, at=at)
    return row


def _linked(token: Secret[str]) -> Select[EnrolmentRow]:
    return select(EnrolmentRow).where(EnrolmentRow.token_hash == token_hash(token))


def _require_live(row: EnrolmentRow, *, at: datetime) -> None:
    if row.used_at is not None:
        raise Conflict("link_used", "This link was used already. Sign in, or ask your administrator for a new one.")
    if row.revoked_at is not None or row.expires_at <= at:
        raise Refused("link_ended", "This link has ended. Ask your administrator for a new one.")
