"""Staff sign in: password, then a time-based code. Every answer to a wrong pair is the same, and takes as long."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.db import Database, lock
from core.errors import Invalid, RateLimited, Refused
from core.ids import PersonId
from core.secret import Secret
from identity import passwords, totp
from identity.access_models import PasswordRow, SessionStep, TotpRow
from identity.facts import Factor, PersonKind
from identity.models import PersonRow
from identity.sealing import clean_email, email_index, open_person
from identity.sessions import SECOND_FACTOR_WITHIN, STAFF_TIMEOUTS, SignedIn, Timeouts, begin, find
from identity.tries import (
    CODES_PER_ADDRESS,
    PER_ACCOUNT,
    PER_ADDRESS,
    PER_BROWSER,
    PER_CODE,
    PER_DAY_OF_CODES,
    Limit,
    forget,
    refund,
    spend,
)
from identity.whence import Whence, known_as, new_mark
from keys import KeyStore


def sign_in_password(
    db: Database, *, keystore: KeyStore, email: str, password: Secret[str], whence: Whence
) -> SignedIn:
    """Take the first factor.

    Args:
        db: the main database.
        keystore: the key store.
        email: as typed.
        password: as typed.
        whence: where it is typed.

    Returns:
        A session at the step ``SECOND_FACTOR``, good for ``sign_in_totp`` and nothing else, for five minutes.

    Raises:
        Refused: ``sign_in_failed``, whichever part was wrong.
        RateLimited: ``too_many_tries``.
    """
    at = db.clock.now()
    try:
        found_by = email_index(keystore, clean_email(email))
    except Invalid:
        found_by = email_index(keystore, "nobody")
    counted = _counted_as(keystore, whence, account=found_by)
    with db.begin() as session:
        limited = next(
            filter(None, (spend(session, keystore, limit, what=what, at=at) for limit, what in counted)), None
        )
        person, kept = _account(session, found_by)
        if limited:
            _refused(session, person, reason="too_many_tries")
    if limited:
        raise limited
    right = passwords.matches(password, kept)  # slow, so outside a transaction
    with db.begin() as session:
        if right and person is not None and _is_ready(session, person, kept=kept):
            for limit, what in counted:
                (refund if limit is PER_ADDRESS else forget)(session, keystore, limit, what=what)
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
    db: Database,
    *,
    keystore: KeyStore,
    token: Secret[str],
    code: str,
    whence: Whence,
    timeouts: Timeouts = STAFF_TIMEOUTS,
) -> SignedIn:
    """Take the second factor. The session gets a new token; the one that the password gave is worth nothing then.

    Args:
        db: the main database.
        keystore: the key store.
        token: of the session at its second step.
        code: six digits.
        whence: where it is typed.
        timeouts: how long the session lasts.

    Returns:
        The full session.

    Raises:
        NotSignedIn: the first step was too long ago.
        Invalid: ``code_form``: not six plain digits.
        Refused: ``wrong_code``: wrong, or used before.
        RateLimited: ``too_many_tries``.
    """
    at = db.clock.now()
    with db.begin() as session:
        pending = find(session, token, at=at)
        totp.check_form(code)
        person = PersonId(pending.person_id)
        limited = spend_try(session, keystore, person=person, whence=whence, at=at)
        if limited:
            _refused(session, person, reason="too_many_tries")
        elif pending.step is SessionStep.SECOND_FACTOR and spend_code(
            session, keystore, person=person, code=code, at=at
        ):
            pending.ended_at = at
            return full_session(session, keystore, person=person, whence=whence, timeouts=timeouts, at=at)
        else:
            _refused(session, person, reason="wrong_code")
    raise limited or wrong_code()


def spend_try(
    session: Session, keystore: KeyStore, *, person: PersonId, whence: Whence, at: datetime
) -> RateLimited | None:
    """Count a try at somebody's codes, before it is looked at; says why it doesn't count, if it doesn't."""
    counted = _codes_counted_as(session, keystore, person=person, whence=whence)
    return next(filter(None, (spend(session, keystore, limit, what=what, at=at) for limit, what in counted)), None)


def spend_code(session: Session, keystore: KeyStore, *, person: PersonId, code: str, at: datetime) -> bool:
    """Whether this is a code of about now that wasn't used yet; it is used then."""
    row = session.get(TotpRow, person)
    if row is None:
        return False
    secret = Secret(open_person(keystore, person, table="totp", column="secret", sealed=row.secret))
    step = totp.step_of(code, secret=secret, at=at)
    return step is not None and totp.spend(session, person, step=step)


def full_session(
    session: Session, keystore: KeyStore, *, person: PersonId, whence: Whence, timeouts: Timeouts, at: datetime
) -> SignedIn:
    """Begin a session of a member of staff who has proved both factors, with its entry; tries count from anew."""
    for limit, what in _codes_counted_as(session, keystore, person=person, whence=whence):
        (refund if limit is CODES_PER_ADDRESS else forget)(session, keystore, limit, what=what)
    signed_in = begin(
        session,
        person=person,
        kind=PersonKind.STAFF,
        factors=[Factor.PASSWORD, Factor.TOTP],
        step=SessionStep.FULL,
        timeouts=timeouts,
        at=at,
        browser=whence.browser,
        address=whence.address,
    )
    audit.record(session, audit.Event.SIGNED_IN, actor=person, object_id=signed_in.session)
    account = _index_of(session, person)
    known = known_as(keystore, whence, account=account)
    return replace(signed_in, mark=whence.mark if known else new_mark(keystore, account=account))


def wrong_code() -> Refused:
    """The one answer to a code that doesn't count."""
    return Refused("wrong_code", "That code isn't right, or was used before. Wait for the next one.")


def _account(session: Session, found_by: bytes) -> tuple[PersonId | None, str | None]:
    """Whose address it is and the password that is kept: one question, whether there is such an account or not."""
    query = (
        select(PersonRow.id, PasswordRow.hash)
        .outerjoin(PasswordRow, PasswordRow.person_id == PersonRow.id)
        .where(PersonRow.email_index == found_by)
    )
    found = session.execute(query).first()
    return (PersonId(found.id), found.hash) if found else (None, None)


def _counted_as(keystore: KeyStore, whence: Whence, *, account: bytes) -> tuple[tuple[Limit, str], ...]:
    known = known_as(keystore, whence, account=account)
    if known:
        return ((PER_BROWSER, f"{account.hex()} {known}"),)
    return (PER_ADDRESS, whence.network), (PER_ACCOUNT, account.hex())


def _codes_counted_as(
    session: Session, keystore: KeyStore, *, person: PersonId, whence: Whence
) -> tuple[tuple[Limit, str], ...]:
    known = known_as(keystore, whence, account=_index_of(session, person))
    what = f"{person} {known}"
    whose = ((PER_CODE, what), (PER_DAY_OF_CODES, what))
    return whose if known else ((CODES_PER_ADDRESS, whence.network), *whose)


def _index_of(session: Session, person: PersonId) -> bytes:
    return session.get_one(PersonRow, person).email_index or b""


def _is_ready(session: Session, person: PersonId, *, kept: str | None) -> bool:
    """Whether they may go on to the code: what ends sessions, and another password, may have come meanwhile."""
    row = lock(session, PersonRow, person)
    mine, second = session.get(PasswordRow, person), session.get(TotpRow, person)
    is_theirs = mine is not None and mine.hash == kept
    return is_theirs and row.suspended_at is None and second is not None and second.confirmed_at is not None


def _refused(session: Session, person: PersonId | None, *, reason: str) -> None:
    audit.record(session, audit.Event.SIGN_IN_REFUSED, actor=person, outcome=audit.Outcome.REFUSED, reason=reason)
