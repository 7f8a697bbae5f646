"""The devices that family members are bound to: which one it is, and unbinding one that is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.db import Database, lock, not_found
from core.ids import CaseId, PersonId
from identity.access_models import DeviceRow
from identity.authority import require_in_case, require_member, require_signed_in
from identity.facts import Actor, PersonKind, Role
from identity.models import PersonRow
from identity.session_list import SOMEWHERE
from identity.sessions import end_device

UNBINDERS = (Role.GUIDER, Role.SOCIAL_WORKER, Role.MANAGER)
"""Who in a case may unbind a family member's lost device."""


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A bound device.

    Attributes:
        browser: what it is, in a few words.
    """

    browser: str = field(repr=False)
    bound_at: datetime


def own_device(db: Database, *, actor: Actor) -> DeviceLine | None:
    """The device that a family member is bound to, if one is.

    Raises:
        NotFound: a member of staff asks.
    """
    require_family(actor)
    with db.read() as session:
        row = session.scalars(_bound(actor.person)).first()
        return None if row is None else DeviceLine(row.browser or SOMEWHERE, row.bound_at)


def forget_own_device(db: Database, *, actor: Actor) -> None:
    """Unbind one's own device and end all sessions on it: it takes a new invitation to come back.

    Raises:
        NotFound: a member of staff asks.
    """
    require_family(actor)
    at = db.clock.now()
    with db.begin() as session:
        lock(session, PersonRow, actor.person)
        unbind_all(session, actor.person, by=actor.person, at=at)


def require_family(actor: Actor) -> None:
    """Refuse staff, who have no bound device.

    Raises:
        NotSignedIn: no second factor.
        NotFound: staff.
    """
    require_signed_in(actor)
    if actor.kind is not PersonKind.FAMILY:
        raise not_found()


def device_of(db: Database, *, actor: Actor, case_id: CaseId, person: PersonId) -> DeviceLine | None:
    """A family member's bound device, for those who may unbind it; not when it was used, which is their own business.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
    """
    with db.read() as session:
        require_in_case(session, actor, *UNBINDERS, case_id=case_id, at=db.clock.now())
        require_member(session, person, case_id=case_id)
        row = session.scalars(_bound(person)).first()
        return None if row is None else DeviceLine(row.browser or SOMEWHERE, row.bound_at)


def unbind_devices(db: Database, *, actor: Actor, case_id: CaseId, person: PersonId) -> None:
    """A family member's phone is lost: unbind it and end its sessions, by the guider, the social worker or a manager.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, *UNBINDERS, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        lock(session, PersonRow, person)
        unbind_all(session, person, by=actor.person, at=at)


def has_device(session: Session, person: PersonId) -> bool:
    """Whether they have activated an invitation and the device is still bound."""
    return session.scalars(_bound(person).limit(1)).first() is not None


def unbind_all(session: Session, person: PersonId, *, by: PersonId, at: datetime) -> None:
    """Unbind every device of a person and end the sessions on them; a step."""
    for device in session.scalars(_bound(person)).all():
        end_device(session, device, by=by, at=at)


def _bound(person: PersonId) -> Select[DeviceRow]:
    return select(DeviceRow).where(DeviceRow.person_id == person, DeviceRow.revoked_at.is_(None))
