"""A family member's own device: bound by an invitation, opened with a passcode, and locked when that is guessed at."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

import audit
from core.db import Database, lock
from core.errors import Conflict, NotSignedIn, RateLimited, Refused
from core.ids import CaseId, PersonId, new_id
from core.secret import Secret
from identity import passwords, totp
from identity.access_models import DeviceRow, InvitationRow, SessionStep
from identity.bound_devices import unbind_all
from identity.facts import Factor, PersonKind
from identity.invitations import MOST_WRONG_CODES, by_token, code_matches, look, require_live
from identity.models import PersonRow
from identity.sessions import FAMILY_TIMEOUTS, TOKEN_BYTES, SignedIn, Timeouts, begin, end_device, token_hash
from identity.tries import count_guess, please_wait
from identity.whence import Whence
from keys import KeyStore

FAILURES_TO_LOCK = 5
LOCKED_FOR = timedelta(minutes=15)
FAILURES_TO_UNBIND = 10


@dataclass(frozen=True, slots=True)
class Activated:
    """A bound device, and the session that begins with it.

    Attributes:
        device: what the device keeps for good; it can't be had again.
    """

    device: Secret[str]
    signed_in: SignedIn


def activate(
    db: Database,
    *,
    keystore: KeyStore,
    token: Secret[str],
    code: str,
    passcode: Secret[str],
    whence: Whence,
    timeouts: Timeouts = FAMILY_TIMEOUTS,
) -> Activated:
    """Use an invitation up: bind this device to the person, with a passcode of their own. Older devices are unbound.

    Args:
        db: the main database.
        keystore: the key store.
        token: from the link.
        code: six digits, from the safe contact or the letter.
        passcode: 6 to 12 digits that they choose.
        whence: where it is typed.
        timeouts: how long the session lasts.

    Raises:
        NotFound: no such link.
        Conflict: ``invitation_used``, ``code_not_sent``.
        Refused: ``invitation_ended``, ``wrong_code``.
        Invalid: ``code_form``, ``passcode_form``, ``passcode_too_easy``; nothing is consumed.
        RateLimited: ``too_many_tries``: links from this address that were none. Five wrong codes end a real link.
    """
    at = db.clock.now()
    look(db, keystore=keystore, token=token, whence=whence)
    totp.check_form(code)
    passwords.check_passcode(passcode)
    kept = passwords.hashed(passcode)  # slow, so outside a transaction
    with db.begin() as session:
        found = by_token(session, token)
        lock(session, PersonRow, found.person_id)  # people before what belongs to them, as everywhere
        row = lock(session, InvitationRow, found.id)
        require_live(row, at=at)
        if row.code_hash is None:
            raise Conflict("code_not_sent", "Your code hasn't been sent yet. Please try again in a few minutes.")
        if code_matches(keystore, row, code=code):
            return _bind(session, row, passcode_hash=kept, whence=whence, timeouts=timeouts, at=at)
        _count_wrong_code(session, row, at=at)
    raise Refused("wrong_code", "That code isn't right. Look at the message or letter again.")


def sign_in_device(
    db: Database,
    *,
    keystore: KeyStore,
    device: Secret[str],
    passcode: Secret[str],
    whence: Whence,
    timeouts: Timeouts = FAMILY_TIMEOUTS,
) -> SignedIn:
    """Sign a family member in on their bound device.

    Five wrong passcodes lock the device for a quarter of an hour, ten unbind it: then it takes a new invitation. Only
    whoever holds the device can do that to its owner.

    Raises:
        NotSignedIn: ``device_unknown``: not bound, or not any more.
        Invalid: ``passcode_form``: no passcode at all, so not counted.
        Refused: ``wrong_passcode``.
        RateLimited: ``device_locked``; ``too_many_tries``: devices from this address that weren't bound.
    """
    at = db.clock.now()
    with db.read() as session:
        is_bound = session.scalars(_held(device)).first() is not None
    if not is_bound:
        count_guess(db, keystore=keystore, whence=whence)
    with db.begin() as session:
        row = _device(session, device)
        limited = spend_passcode_try(session, row.id, passcode=passcode, at=at)
    if limited is not None:
        raise limited
    kept = row.passcode_hash
    right = passwords.matches(passcode, kept)  # slow, so outside a transaction
    with db.begin() as session:
        row = _device(session, device)
        person = PersonId(row.person_id)
        if right and row.passcode_hash == kept:
            row.failures, row.locked_until, row.last_used_at = 0, None, at
            return _session(session, person, device_id=row.id, whence=whence, timeouts=timeouts, at=at)
        error = wrong_passcode(session, row, at=at)
    raise error


def spend_passcode_try(session: Session, device_id: str, *, passcode: Secret[str], at: datetime) -> RateLimited | None:
    """Count a try at a device's passcode before it is looked at; says why it doesn't count, if it doesn't.

    Raises:
        Invalid: ``passcode_form``: no passcode at all, so not counted.
    """
    passwords.check_passcode_form(passcode)
    row = lock(session, DeviceRow, device_id)
    limited = _locked(row, at=at)
    if limited is None:
        _count_first(row, at=at)  # so that tries at once all count
    return limited


def wrong_passcode(session: Session, row: DeviceRow, *, at: datetime) -> Refused:
    """Write a wrong passcode down; one too many unbinds the device. The caller commits, then raises what comes back."""
    person = PersonId(row.person_id)
    _refused(session, person, device_id=row.id, reason="wrong_passcode")
    if row.failures >= FAILURES_TO_UNBIND:
        end_device(session, row, by=person, at=at)
    return Refused("wrong_passcode", "That passcode isn't right. Please try again.", field="passcode")


def _bind(
    session: Session, row: InvitationRow, *, passcode_hash: str, whence: Whence, timeouts: Timeouts, at: datetime
) -> Activated:
    person = PersonId(row.person_id)
    row.used_at = at
    unbind_all(session, person, by=person, at=at)
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    device = DeviceRow(
        id=new_id(),
        browser=whence.browser,
        person_id=person,
        token_hash=token_hash(token),
        passcode_hash=passcode_hash,
        failures=0,
        bound_at=at,
        last_used_at=at,
    )
    session.add(device)
    session.flush()
    audit.record(
        session,
        audit.Event.INVITATION_ACTIVATED,
        actor=person,
        case_id=CaseId(row.case_id),
        object_id=row.id,
        details={"device": device.id},
    )
    return Activated(token, _session(session, person, device_id=device.id, whence=whence, timeouts=timeouts, at=at))


def _session(
    session: Session, person: PersonId, *, device_id: str, whence: Whence, timeouts: Timeouts, at: datetime
) -> SignedIn:
    signed_in = begin(
        session,
        person=person,
        kind=PersonKind.FAMILY,
        factors=[Factor.DEVICE, Factor.PASSCODE],
        step=SessionStep.FULL,
        timeouts=timeouts,
        at=at,
        device_id=device_id,
        browser=whence.browser,
    )
    audit.record(session, audit.Event.SIGNED_IN, actor=person, object_id=signed_in.session)
    return signed_in


def _device(session: Session, token: Secret[str]) -> DeviceRow:
    row = session.scalars(_held(token).with_for_update()).first()
    if row is None:
        raise NotSignedIn("device_unknown", "This device isn't set up any more. Ask your guider for a new link.")
    return row


def _held(token: Secret[str]) -> Select[DeviceRow]:
    return select(DeviceRow).where(DeviceRow.token_hash == token_hash(token), DeviceRow.revoked_at.is_(None))


def _locked(row: DeviceRow, *, at: datetime) -> RateLimited | None:
    if row.locked_until is None or row.locked_until <= at:
        return None
    wait = row.locked_until - at
    return RateLimited("device_locked", f"Too many wrong passcodes. {please_wait(wait)}", retry_after=wait)


def _count_first(row: DeviceRow, *, at: datetime) -> None:
    row.failures += 1
    if row.failures % FAILURES_TO_LOCK == 0:
        row.locked_until = at + LOCKED_FOR


def _count_wrong_code(session: Session, row: InvitationRow, *, at: datetime) -> None:
    row.attempts += 1
    person = PersonId(row.person_id)
    audit.record(
        session,
        audit.Event.INVITATION_REFUSED,
        actor=None,
        outcome=audit.Outcome.REFUSED,
        case_id=CaseId(row.case_id),
        object_id=row.id,
        reason="wrong_code",
        details={"person": person},
    )
    if row.attempts >= MOST_WRONG_CODES:
        row.revoked_at = at
        audit.record(
            session,
            audit.Event.INVITATION_REVOKED,
            actor=None,
            case_id=CaseId(row.case_id),
            object_id=row.id,
            reason="too_many_tries",
            details={"person": person},
        )


def _refused(session: Session, person: PersonId, *, device_id: str, reason: str) -> None:
    audit.record(
        session,
        audit.Event.SIGN_IN_REFUSED,
        actor=person,
        outcome=audit.Outcome.REFUSED,
        object_id=device_id,
        reason=reason,
    )
