"""What somebody is to a case, asked before anything of it is touched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

import identity
from core.ids import CaseId
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
