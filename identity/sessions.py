"""Sessions: who is asking, as a random token proves it. Only the token's hash is kept.

A session ends by lying idle, at its absolute end, by signing out, or by being revoked; whichever comes first, and at
once in every process, since each request and each segment of a film asks the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import Session

import audit
from core.db import Database, lock
from core.errors import NotSignedIn
from core.ids import CaseId, PersonId, SessionId, new_id
from core.secret import Secret
from identity.access_models import DeviceRow, SessionRow, SessionStep
from identity.facts import Actor, Factor, PersonKind
from identity.models import CaseRow, StaffRoleRow
from identity.sealing import attached, open_person, seal_person
from keys import KeyStore

TOKEN_BYTES = 32
LONGEST_TOKEN = 100
TOUCH_AFTER = timedelta(seconds=15)
"""Use is written down at most this often, so that a film's many requests aren't as many writes."""
SECOND_FACTOR_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a session lasts.

    Attributes:
        idle: how long it may lie unused.
        absolute: how long at all.
    """

    idle: timedelta
    absolute: timedelta


STAFF_TIMEOUTS = Timeouts(idle=timedelta(minutes=15), absolute=timedelta(hours=12))
FAMILY_TIMEOUTS = Timeouts(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun.

    Attributes:
        token: what the browser keeps; it can't be had again.
        step: ``SECOND_FACTOR`` while the code is still to come.
        mark: what this browser may keep, so that nobody elsewhere can use up its tries (``whence``); staff only.
    """

    token: Secret[str]
    session: SessionId
    person: PersonId
    step: SessionStep
    expires_at: datetime
    mark: Secret[str] | None = None


def actor_for(db: Database, token: Secret[str]) -> Actor:
    """Who holds this token, with the roles they have now; notes the use (its own short transaction, when due).

    Raises:
        NotSignedIn: ``not_signed_in``: unknown, ended or expired; ``second_factor_needed``: the code is still to come.
        Unavailable: the database can't say.
    """
    at = db.clock.now()
    with db.read() as session:
        row = find(session, token, at=at)
        if row.step is not SessionStep.FULL:
            raise NotSignedIn("second_factor_needed", "Please finish signing in.")
        held = select(StaffRoleRow.role).where(StaffRoleRow.person_id == row.person_id)
        roles = session.scalars(held).all() if row.kind is PersonKind.STAFF else ()
        actor = Actor(
            person=PersonId(row.person_id),
            kind=row.kind,
            session=SessionId(row.id),
            roles=frozenset(roles),
            factors=frozenset(Factor(word) for word in row.factors.split()),
            expires_at=row.expires_at,
        )
        idle = timedelta(seconds=row.idle_seconds)
        is_due = at + idle - row.idle_until >= TOUCH_AFTER
    if is_due:
        with db.begin() as session:
            _put_off(session, actor.session, idle=idle, at=at)
    return actor


def note_use(session: Session, used: SessionId, *, at: datetime) -> None:
    """Long work is use too: a session doesn't lie idle while a film comes in or plays. One that is over stays over."""
    row = session.get(SessionRow, used)
    if row is not None and at + timedelta(seconds=row.idle_seconds) - row.idle_until >= TOUCH_AFTER:
        _put_off(session, used, idle=timedelta(seconds=row.idle_seconds), at=at)


def _put_off(session: Session, used: SessionId, *, idle: timedelta, at: datetime) -> None:
    session.execute(
        update(SessionRow)
        .where(SessionRow.id == used, SessionRow.ended_at.is_(None), SessionRow.idle_until > at)
        .values(idle_until=at + idle)
    )


def sessions_live(session: Session, ids: Iterable[SessionId], *, at: datetime) -> set[SessionId]:
    """Which of these sessions still hold, in one query."""
    rows = session.scalars(select(SessionRow.id).where(SessionRow.id.in_(list(ids)), _is_live(at)))
    return {SessionId(one) for one in rows}


def version_while_live(session: Session, case_id: CaseId, *, of: SessionId, at: datetime) -> int | None:
    """A case's consent version, in the one query that also finds that a session still holds; else nothing."""
    holds = exists(select(SessionRow.id).where(SessionRow.id == of, _is_live(at)))
    return session.scalars(select(CaseRow.consent_version).where(CaseRow.id == case_id, holds)).one_or_none()


def sign_out(db: Database, *, token: Secret[str]) -> None:
    """End the token's session. A token that is nobody's is signed out already."""
    at = db.clock.now()
    with db.begin() as session:
        row = session.scalars(select(SessionRow).where(SessionRow.token_hash == token_hash(token))).first()
        if row is None or row.ended_at is not None:
            return
        row.ended_at = at
        audit.record(session, audit.Event.SIGNED_OUT, actor=PersonId(row.person_id), object_id=row.id)


def begin(
    session: Session,
    *,
    person: PersonId,
    kind: PersonKind,
    factors: Iterable[Factor],
    step: SessionStep,
    timeouts: Timeouts,
    at: datetime,
    device_id: str | None = None,
    browser: str | None = None,
    address: str | None = None,
) -> SignedIn:
    """Write a new session; the token is made here and given out once. An address is sealed under its owner's key."""
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    session_id = new_id()
    row = SessionRow(
        id=session_id,
        browser=browser,
        address=address and seal_address(attached(session), person, session_id, address=address),
        person_id=person,
        kind=kind,
        device_id=device_id,
        token_hash=token_hash(token),
        step=step,
        factors=" ".join(sorted(factors)),
        created_at=at,
        idle_seconds=int(timeouts.idle.total_seconds()),
        idle_until=at + timeouts.idle,
        expires_at=at + timeouts.absolute,
    )
    session.add(row)
    session.flush()
    return SignedIn(token, SessionId(row.id), person, step, row.expires_at)


def find(session: Session, token: Secret[str], *, at: datetime) -> SessionRow:
    """The session of a token, at whichever step.

    Raises:
        NotSignedIn: ``not_signed_in``.
    """
    row = session.scalars(select(SessionRow).where(SessionRow.token_hash == token_hash(token))).first()
    if row is None or row.ended_at is not None or at >= min(row.idle_until, row.expires_at):
        raise NotSignedIn("not_signed_in", "Please sign in.")
    return row


def end_all(
    session: Session,
    person: PersonId,
    *,
    by: PersonId,
    at: datetime,
    device_id: str | None = None,
    but: SessionId | None = None,
) -> None:
    """End all of someone's sessions, or those of one device; all but one, where that is given."""
    query = select(SessionRow).where(
        SessionRow.person_id == person, SessionRow.ended_at.is_(None), SessionRow.expires_at > at
    )
    if device_id is not None:
        query = query.where(SessionRow.device_id == device_id)
    if but is not None:
        query = query.where(SessionRow.id != but)
    for row in session.scalars(query).all():
        end(session, row, by=by, at=at)


def rotate(session: Session, session_id: SessionId) -> Secret[str]:
    """Give a session another token; the one that its browser had is worth nothing from now on (ASVS 7.2.4)."""
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    lock(session, SessionRow, session_id).token_hash = token_hash(token)
    session.flush()
    return token


def end_device(session: Session, row: DeviceRow, *, by: PersonId, at: datetime) -> None:
    """Unbind a device and end its sessions."""
    row.revoked_at = at
    audit.record(session, audit.Event.DEVICE_REVOKED, actor=by, object_id=row.id, details={"person": row.person_id})
    end_all(session, PersonId(row.person_id), by=by, at=at, device_id=row.id)


def seal_address(keystore: KeyStore, person: PersonId, session_id: str, *, address: str) -> bytes:
    """A network address as it is kept with a session."""
    return seal_person(keystore, person, table="session", column="address", row=session_id, value=address)


def open_address(keystore: KeyStore, row: SessionRow) -> str:
    """The network address that a session began at; empty where none is kept."""
    if row.address is None:
        return ""
    return open_person(
        keystore, PersonId(row.person_id), table="session", column="address", row=row.id, sealed=row.address
    )


def token_hash(token: Secret[str]) -> bytes:
    """What is kept of a token: 256 random bits need no slow hash."""
    return sha256(token.reveal()[:LONGEST_TOKEN].encode(errors="surrogatepass")).digest()


def _is_live(at: datetime) -> ColumnElement[bool]:
    return and_(
        SessionRow.step == SessionStep.FULL,
        SessionRow.ended_at.is_(None),
        SessionRow.idle_until > at,
        SessionRow.expires_at > at,
    )


def end(session: Session, row: SessionRow, *, by: PersonId, at: datetime) -> None:
    """End one session, with its entry."""
    if row.ended_at is None:
        row.ended_at = at
        audit.record(
            session, audit.Event.SESSION_REVOKED, actor=by, object_id=row.id, details={"person": row.person_id}
        )
        session.flush()
