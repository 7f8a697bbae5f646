"""Staff sign in: password, then a time-based code. Every answer to a wrong pair is the same, and takes as long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.db import Database
from core.errors import Invalid, Refused
from core.ids import PersonId
from core.secret import Secret
from identity import passwords, totp
from identity.access_models import PasswordRow, SessionStep, TotpRow
from identity.facts import Factor, PersonKind
from identity.models import PersonRow
from identity.sealing import clean_email, email_index, open_person
from identity.sessions import SECOND_FACTOR_WITHIN, STAFF_TIMEOUTS, SignedIn, Timeouts, begin, find
from identity.tries import PER_ACCOUNT, PER_ADDRESS, PER_CODE, forget, spend
from keys import KeyStore


def sign_in_password(db: Database, *, keys: KeyStore, email: str, password: Secret[str], address: str) -> SignedIn:
    """Take the first factor.

    Args:
        db: the main database.
        keys: the key store.
        email: as typed.
        password: as typed.
        address: the network address that asks, for counting.

    Returns:
        A session at the step ``SECOND_FACTOR``, good for ``sign_in_totp`` and nothing else, for five minutes.

    Raises:
        Refused: ``sign_in_failed``, whichever part was wrong.
        RateLimited: ``too_many_tries``.
    """
    at = db.clock.now()
    try:
        found_by = email_index(keys, clean_email(email))
    except Invalid:
        found_by = email_index(keys, "nobody")
    with db.begin() as session:
        limited = spend(session, keys, PER_ADDRESS, what=address, at=at) or spend(
            session, keys, PER_ACCOUNT, what=found_by.hex(), at=at
        )
        person = _person(session, found_by)
        kept = session.get(PasswordRow, person) if person else None
        if limited:
            _refused(session, person, reason="too_many_tries")
    if limited:
        raise limited
    right = passwords.matches(password, kept.hash if kept else None)  # slow, so outside a transaction
    with db.begin() as session:
        if right and person is not None and _is_ready(session, person):
            forget(session, keys, PER_ACCOUNT, what=found_by.hex())
            timeouts = Timeouts(idle=SECOND_FACTOR_WITHIN, absolute=SECOND_FACTOR_WITHIN)
            return begin(
                session,
                person=person,
                kind=PersonKind.STAFF,
                factors=[Factor.PASSWORD],
                step=SessionStep.SECOND_FACTOR,
                timeouts=timeouts,
                at=at,
            )
        _refused(session, person, reason="wrong_password")
    raise Refused("sign_in_failed", "That email address and password don't go together. Please try again.")


def sign_in_totp(
    db: Database, *, keys: KeyStore, token: Secret[str], code: str, timeouts: Timeouts = STAFF_TIMEOUTS
) -> SignedIn:
    """Take the second factor. The session gets a new token; the one that the password gave is worth nothing then.

    Args:
        db: the main database.
        keys: the key store.
        token: of the session at its second step.
        code: six digits.
        timeouts: how long the session lasts.

    Returns:
        The full session.

    Raises:
        NotSignedIn: the first step was too long ago.
        Refused: ``wrong_code``: wrong, or used before.
        RateLimited: ``too_many_tries``.
    """
    at = db.clock.now()
    with db.begin() as session:
        pending = find(session, token, at=at)
        person = PersonId(pending.person_id)
        limited = spend(session, keys, PER_CODE, what=person, at=at)
        if limited:
            _refused(session, person, reason="too_many_tries")
        elif pending.step is SessionStep.SECOND_FACTOR and spend_code(session, keys, person=person, code=code, at=at):
            pending.ended_at = at
            forget(session, keys, PER_CODE, what=person)
            return full_session(session, person, timeouts=timeouts, at=at)
        else:
            _refused(session, person, reason="wrong_code")
    raise limited or wrong_code()


def spend_code(session: Session, keys: KeyStore, *, person: PersonId, code: str, at: datetime) -> bool:
    """Whether this is a code of about now that wasn't used yet; it is used then."""
    row = session.get(TotpRow, person)
    if row is None:
        return False
    secret = Secret(open_person(keys, person, table="totp", column="secret", sealed=row.secret))
    step = totp.step_of(code, secret=secret, at=at)
    return step is not None and totp.spend(session, person, step=step)


def full_session(session: Session, person: PersonId, *, timeouts: Timeouts, at: datetime) -> SignedIn:
    """Begin a session of a member of staff who has proved both factors, with its entry."""
    signed_in = begin(
        session,
        person=person,
        kind=PersonKind.STAFF,
        factors=[Factor.PASSWORD, Factor.TOTP],
        step=SessionStep.FULL,
        timeouts=timeouts,
        at=at,
    )
    audit.record(session, audit.Event.SIGNED_IN, actor=person, object_id=signed_in.session)
    return signed_in


def wrong_code() -> Refused:
    """The one answer to a code that doesn't count."""
    return Refused("wrong_code", "That code isn't right, or was used before. Wait for the next one.")


def _person(session: Session, found_by: bytes) -> PersonId | None:
    found = session.scalars(select(PersonRow.id).where(PersonRow.email_index == found_by)).first()
    return None if found is None else PersonId(found)


def _is_ready(session: Session, person: PersonId) -> bool:
    row, second = session.get(PersonRow, person), session.get(TotpRow, person)
    return row is not None and row.suspended_at is None and second is not None and second.confirmed_at is not None


def _refused(session: Session, person: PersonId | None, *, reason: str) -> None:
    audit.record(session, audit.Event.SIGN_IN_REFUSED, actor=person, outcome=audit.Outcome.REFUSED, reason=reason)
