"""Who may do what in this room: by organisation role, or by a live assignment to the case. Everything else is a no.

A case that is none of the asker's business answers like one that isn't there.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.db import get, not_found
from core.errors import NotSignedIn, Refused
from core.ids import CaseId, PersonId, well_formed
from identity.facts import Actor, PersonKind, Role
from identity.models import AssignmentRow, CaseRow, MemberRow

CASE_WORKERS = frozenset({Role.GUIDER, Role.SOCIAL_WORKER, Role.SUPERVISOR, Role.MANAGER})
"""Who is on a case closely enough to see its people's names; a checker sees one rendition, a chair one meeting."""


def require_signed_in(actor: Actor) -> None:
    """Refuse whoever hasn't proved two factors.

    Raises:
        NotSignedIn: ``second_factor_needed``.
    """
    if not actor.has_two_factors:
        raise NotSignedIn("second_factor_needed", "Please finish signing in.")


def require_role(actor: Actor, *roles: Role) -> None:
    """Refuse whoever is none of these in the organisation.

    Raises:
        NotSignedIn: no second factor.
        Refused: ``not_your_role``.
    """
    require_signed_in(actor)
    if actor.kind is not PersonKind.STAFF or not actor.roles & frozenset(roles):
        raise _not_your_role()


def roles_in(session: Session, actor: Actor, *, case_id: CaseId, at: datetime) -> frozenset[Role]:
    """What a member of staff is to a case just now: live assignments to the whole case, and ``MANAGER`` for managers.

    Raises:
        NotSignedIn: no second factor.
        NotFound: no such case, or nothing to do with it.
    """
    require_signed_in(actor)
    if actor.kind is not PersonKind.STAFF or not well_formed(case_id):
        raise not_found()
    get(session, CaseRow, case_id)
    live = session.scalars(
        select(AssignmentRow.role).where(
            AssignmentRow.case_id == case_id,
            AssignmentRow.person_id == actor.person,
            AssignmentRow.rendition_id.is_(None),
            AssignmentRow.starts_at <= at,
            or_(AssignmentRow.ends_at.is_(None), AssignmentRow.ends_at > at),
        )
    )
    roles = frozenset(live) | (actor.roles & {Role.MANAGER})
    if not roles:
        raise not_found()
    return roles


def require_in_case(session: Session, actor: Actor, *roles: Role, case_id: CaseId, at: datetime) -> frozenset[Role]:
    """Refuse whoever is none of these to the case.

    Returns:
        All that they are to it.

    Raises:
        NotSignedIn: no second factor.
        NotFound: no such case, or nothing to do with it.
        Refused: ``not_your_role``.
    """
    found = roles_in(session, actor, case_id=case_id, at=at)
    if not found & frozenset(roles):
        raise _not_your_role()
    return found


def require_member(session: Session, person: PersonId, *, case_id: CaseId) -> MemberRow:
    """Refuse a person who isn't a family member of the case.

    Raises:
        NotFound: they aren't.
    """
    found = session.get(MemberRow, (case_id, person)) if well_formed(case_id) and well_formed(person) else None
    if found is None:
        raise not_found()
    return found


def _not_your_role() -> Refused:
    return Refused("not_your_role", "Your role doesn't do this. Ask a service manager if it should.")
