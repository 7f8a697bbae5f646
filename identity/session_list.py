"""Where somebody is signed in, and ending that from elsewhere: their own sessions, or a colleague's lost tablet.

What ends a session writes an entry, and the next request of that session is refused in every process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.db import Database, not_found
from core.ids import PersonId, SessionId, well_formed
from identity.access_models import SessionRow, SessionStep
from identity.authority import require_role, require_signed_in
from identity.facts import Actor, PersonKind, Role
from identity.models import PersonRow
from identity.sessions import end, end_all, open_address
from keys import KeyStore

ENDERS = (Role.ADMINISTRATOR, Role.MANAGER)
"""Who may end a colleague's sessions."""
SOMEWHERE = "A browser"


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A live session.

    Attributes:
        browser: where, in a few words.
        address: the network address where it began; empty for families, and for whoever isn't its owner.
        is_this: whether it is the one that asks.
    """

    id: SessionId
    browser: str = field(repr=False)
    address: str = field(repr=False)
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_this: bool


def sessions_of(db: Database, *, keystore: KeyStore, actor: Actor) -> list[SessionLine]:
    """The actor's own live sessions: the one that asks, then the latest used first."""
    require_signed_in(actor)
    with db.read() as session:
        rows = session.scalars(_live(actor.person, at=db.clock.now())).all()
        return _lines([_line(row, address=open_address(keystore, row), asks=actor.session) for row in rows])


def staff_sessions(db: Database, *, actor: Actor, person: PersonId) -> list[SessionLine]:
    """A colleague's live sessions, without where in the network they are.

    Raises:
        Refused: ``not_your_role``.
        NotFound: no such member of staff.
    """
    require_role(actor, *ENDERS)
    with db.read() as session:
        _require_staff(session, person)
        rows = session.scalars(_live(person, at=db.clock.now())).all()
        return _lines([_line(row, address="", asks=actor.session) for row in rows])


def require_one_of(lines: Iterable[SessionLine], session_id: SessionId) -> None:
    """Refuse a session that isn't among these.

    Raises:
        NotFound: it isn't.
    """
    if session_id not in {line.id for line in lines}:
        raise not_found()


def revoke_session(db: Database, *, actor: Actor, session_id: SessionId) -> None:
    """End a session from elsewhere: one's own, or (administrators, managers) a colleague's.

    Raises:
        NotFound: somebody else's, or none.
    """
    require_signed_in(actor)
    at = db.clock.now()
    with db.begin() as session:
        row = session.get(SessionRow, session_id) if well_formed(session_id) else None
        may = row is not None and (
            row.person_id == actor.person or (row.kind is PersonKind.STAFF and bool(actor.roles & set(ENDERS)))
        )
        if row is None or not may:
            raise not_found()
        end(session, row, by=actor.person, at=at)


def end_other_sessions(db: Database, *, actor: Actor) -> None:
    """End all of one's own sessions but the one that asks."""
    require_signed_in(actor)
    with db.begin() as session:
        end_all(session, actor.person, by=actor.person, at=db.clock.now(), but=actor.session)


def revoke_all_of(db: Database, *, actor: Actor, person: PersonId) -> None:
    """End every session of a member of staff (a lost tablet): an administrator's or a manager's act.

    Raises:
        Refused: ``not_your_role``.
        NotFound: no such member of staff.
    """
    require_role(actor, *ENDERS)
    at = db.clock.now()
    with db.begin() as session:
        _require_staff(session, person)
        end_all(session, person, by=actor.person, at=at)


def _require_staff(session: Session, person: PersonId) -> None:
    row = session.get(PersonRow, person) if well_formed(person) else None
    if row is None or row.kind is not PersonKind.STAFF:
        raise not_found()


def _live(person: PersonId, *, at: datetime) -> Select[SessionRow]:
    return select(SessionRow).where(
        SessionRow.person_id == person,
        SessionRow.step == SessionStep.FULL,
        SessionRow.ended_at.is_(None),
        SessionRow.idle_until > at,
        SessionRow.expires_at > at,
    )


def _line(row: SessionRow, *, address: str, asks: SessionId) -> SessionLine:
    used = row.idle_until - timedelta(seconds=row.idle_seconds)
    return SessionLine(
        SessionId(row.id), row.browser or SOMEWHERE, address, row.created_at, used, row.expires_at, row.id == asks
    )


def _lines(lines: list[SessionLine]) -> list[SessionLine]:
    return sorted(lines, key=lambda line: (line.is_this, line.last_used_at), reverse=True)
