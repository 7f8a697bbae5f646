"""What somebody is to a case, asked before anything of it is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

import audit
import identity
from core.db import Database
from core.errors import NotFound, Refused
from core.ids import CaseId, well_formed
from identity import Actor, Role
from vault import errors


def require_guider(session: Session, *, actor: Actor, case_id: CaseId, at: datetime) -> None:
    """Go on only for the case's live guider. One who holds the family on their caseload has been suspended from it.

    Raises:
        NotSignedIn: no second factor.
        NotFound: no such case, or the actor has nothing to do with it.
        Refused: they have another part in it.
    """
    if Role.GUIDER not in identity.roles_in(session, actor, case_id=case_id, at=at):
        raise errors.not_the_guider()


def require_guider_at_work(session: Session, *, actor: Actor, case_id: CaseId, at: datetime) -> None:
    """Go on only for the case's live guider, while the work lasts.

    Raises:
        NotSignedIn: no second factor.
        NotFound: no such case, or the actor has nothing to do with it.
        Refused: they have another part in it.
        Conflict: the case is closed.
    """
    require_guider(session, actor=actor, case_id=case_id, at=at)
    identity.require_open(session, case_id)


def require_live_session(session: Session, *, actor: Actor, at: datetime) -> None:
    """Go on only while the actor's session holds: long work looks again, since a lost tablet's may be revoked.

    Raises:
        NotSignedIn: it was ended, or has run out.
    """
    if actor.session not in identity.sessions_live(session, [actor.session], at=at):
        raise errors.signed_out()


@contextmanager
def refusals_recorded(
    db: Database, event: audit.Event, *, actor: Actor, case_id: CaseId | None = None, object_id: str | None = None
) -> Iterator[None]:
    """Around a use case: a refusal is in the log, committed, before it is raised."""
    try:
        yield
    except (Refused, NotFound) as refusal:
        with db.begin() as session:
            audit.record(
                session,
                event,
                actor=actor.person,
                outcome=audit.Outcome.REFUSED,
                case_id=case_id if case_id is not None and well_formed(case_id) else None,
                object_id=object_id if object_id is not None and well_formed(object_id) else None,
                reason=refusal.code,
            )
        raise
