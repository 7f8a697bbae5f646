"""Changing one's own password or passcode: with the present one, and every other session ends.

A lost one is another matter: an administrator's new link, or the guider's new invitation.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

import audit
from core.db import Database, lock
from core.errors import Conflict, RateLimited, Refused
from core.ids import PersonId
from core.secret import Secret
from identity import passwords
from identity.access_models import DeviceRow, PasswordRow, SessionRow
from identity.authority import require_role
from identity.bound_devices import require_family
from identity.breached import check_breached
from identity.devices import spend_passcode_try, wrong_passcode
from identity.facts import Actor, Role
from identity.models import PersonRow
from identity.sealing import open_person
from identity.sessions import end_all, rotate
from identity.tries import PER_CHANGE, forget, spend
from keys import KeyStore


def change_password(
    db: Database, *, keystore: KeyStore, actor: Actor, current: Secret[str], new: Secret[str]
) -> Secret[str]:
    """Change one's own password.

    Args:
        db: the main database.
        keystore: the key store.
        actor: a member of staff.
        current: the present one.
        new: the next one.

    Returns:
        This session's new token; the older one, and every other session, have ended.

    Raises:
        Refused: ``wrong_password``.
        Invalid: ``password_form``, ``password_too_short``, ``password_too_long``, ``password_too_common``,
            ``password_breached``.
        Conflict: ``password_changed``: by somebody else, meanwhile.
        RateLimited: ``too_many_tries``.
    """
    require_role(actor, *Role)
    at, person = db.clock.now(), actor.person
    with db.begin() as session:
        limited = spend(session, keystore, PER_CHANGE, what=person, at=at)
        if limited:
            _refused(session, person, reason="too_many_tries")
        mine = session.get(PasswordRow, person)
        kept = mine.hash if mine else None
        row = session.get_one(PersonRow, person)
        name, email = row.name, row.email or b""
    if limited:
        raise limited
    right = passwords.matches(current, kept)  # slow, so outside a transaction
    if right:
        known = (
            open_person(keystore, person, column="name", sealed=name),
            open_person(keystore, person, column="email", sealed=email),
        )
        passwords.check_password(new, context=known)
        check_breached(db, new)
        hashed = passwords.hashed(new)
    with db.begin() as session:
        if right:
            lock(session, PersonRow, person)
            mine = lock(session, PasswordRow, person)
            if mine.hash != kept:
                raise Conflict("password_changed", "Your password was changed just now. Please sign in with it.")
            mine.hash, mine.set_at = hashed, at
            forget(session, keystore, PER_CHANGE, what=person)
            return _settle(session, actor, event=audit.Event.PASSWORD_CHANGED, at=at)
        _refused(session, person, reason="wrong_password")
    raise Refused("wrong_password", "That isn't your present password. Please try again.", field="current")


def change_passcode(db: Database, *, actor: Actor, current: Secret[str], new: Secret[str]) -> Secret[str]:
    """Change the passcode of one's own device. Wrong ones count as they do when signing in.

    Returns:
        This session's new token; the older one, and every other session, have ended.

    Raises:
        NotFound: not a family member's session.
        Refused: ``wrong_passcode``.
        Invalid: ``passcode_form``, ``passcode_too_easy``.
        RateLimited: ``device_locked``.
    """
    require_family(actor)
    passwords.check_passcode(new)
    at = db.clock.now()
    limited: RateLimited | None
    with db.begin() as session:
        device_id = session.get_one(SessionRow, actor.session).device_id or ""
        limited = spend_passcode_try(session, device_id, passcode=current, at=at)
        kept = session.get_one(DeviceRow, device_id).passcode_hash
    if limited:
        raise limited
    right = passwords.matches(current, kept)  # slow, so outside a transaction
    hashed = passwords.hashed(new)
    with db.begin() as session:
        row = lock(session, DeviceRow, device_id)
        if right and row.revoked_at is None and row.passcode_hash == kept:
            row.passcode_hash, row.failures, row.locked_until = hashed, 0, None
            return _settle(session, actor, event=audit.Event.PASSCODE_CHANGED, at=at)
        error = wrong_passcode(session, row, at=at)
    raise error


def _settle(session: Session, actor: Actor, *, event: audit.Event, at: datetime) -> Secret[str]:
    audit.record(session, event, actor=actor.person, object_id=actor.person)
    end_all(session, actor.person, by=actor.person, at=at, but=actor.session)
    return rotate(session, actor.session)


def _refused(session: Session, person: PersonId, *, reason: str) -> None:
    audit.record(session, audit.Event.SIGN_IN_REFUSED, actor=person, outcome=audit.Outcome.REFUSED, reason=reason)
