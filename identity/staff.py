"""Accounts of staff: the first administrator, everybody after, their enrolment, and their leaving."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import audit
from core.db import Database, not_found
from core.errors import Conflict, Invalid, Refused
from core.ids import CaseId, PersonId
from identity.access_models import PasswordRow, TotpRow
from identity.authority import require_role
from identity.enrolment import Enrolment, lock_staff, new_link, revoke_links
from identity.facts import Actor, PersonKind, Role
from identity.models import AssignmentRow, PersonRow, StaffRoleRow
from identity.people import new_person, person_names
from identity.places import HELD_AS
from identity.rosters import changed, lock_case
from identity.sealing import clean_email, email_index, open_people, seal_person
from identity.sessions import end_all
from identity.terms import StaffLine
from keys import KeyStore


def bootstrap_administrator(db: Database, *, keystore: KeyStore, name: str, email: str) -> Enrolment:
    """Make the first account of a new store.

    Raises:
        Refused: ``store_has_staff``: there is an account already.
        Invalid: ``name_form``, ``email_form``.
    """
    at = db.clock.now()
    with db.begin() as session:
        if session.scalars(select(PersonRow.id).where(PersonRow.kind == PersonKind.STAFF).limit(1)).first():
            raise Refused("store_has_staff", "This store has its first administrator already.")
        return _add(session, keystore, by=None, name=name, email=email, roles=[Role.ADMINISTRATOR], at=at)


def add_staff(
    db: Database, *, keystore: KeyStore, actor: Actor, name: str, email: str, roles: Iterable[Role]
) -> Enrolment:
    """Add a member of staff.

    Args:
        db: the main database.
        keystore: the key store.
        actor: an administrator.
        name: how colleagues and families know them.
        email: what they sign in with.
        roles: what they are in the organisation; an administrator is nothing besides.

    Raises:
        Refused: ``not_your_role``.
        Invalid: ``roles_empty``, ``roles_apart``, ``name_form``, ``email_form``.
        Conflict: ``email_taken``.
    """
    require_role(actor, Role.ADMINISTRATOR)
    at = db.clock.now()
    with db.begin() as session:
        return _add(session, keystore, by=actor.person, name=name, email=email, roles=list(roles), at=at)


def set_roles(db: Database, *, actor: Actor, person: PersonId, roles: Iterable[Role]) -> None:
    """Change what someone is in the organisation. Their sessions end; case roles they no longer hold end too.

    Raises:
        Refused: ``not_your_role``, ``not_yourself``.
        NotFound: no such member of staff.
        Invalid: ``roles_empty``, ``roles_apart``.
    """
    require_role(actor, Role.ADMINISTRATOR)
    at = db.clock.now()
    wanted = _checked_roles(roles)
    with db.begin() as session:
        _require_other(actor, person)
        lock_staff(session, person)
        session.execute(delete(StaffRoleRow).where(StaffRoleRow.person_id == person))
        session.add_all(StaffRoleRow(person_id=person, role=role) for role in wanted)
        audit.record(
            session,
            audit.Event.STAFF_ROLES_CHANGED,
            actor=actor.person,
            object_id=person,
            details={role.value: role in wanted for role in Role},
        )
        _end_places(
            session,
            person,
            by=actor.person,
            at=at,
            keeping=frozenset(role for role in Role if wanted & HELD_AS.get(role, {role})),
        )
        end_all(session, person, by=actor.person, at=at)


def suspend_staff(db: Database, *, actor: Actor, person: PersonId) -> None:
    """Someone leaves: sessions and every place in a case end at once; they can't sign in again.

    Raises:
        Refused: ``not_your_role``, ``not_yourself``.
        NotFound: no such member of staff.
    """
    require_role(actor, Role.ADMINISTRATOR)
    at = db.clock.now()
    with db.begin() as session:
        _require_other(actor, person)
        row = lock_staff(session, person)
        row.suspended_at = at
        audit.record(session, audit.Event.STAFF_SUSPENDED, actor=actor.person, object_id=person)
        revoke_links(session, person, at=at)
        _end_places(session, person, by=actor.person, at=at, keeping=frozenset())
        end_all(session, person, by=actor.person, at=at)


def renew_enrolment(db: Database, *, actor: Actor, person: PersonId) -> Enrolment:
    """A lost authenticator or password: both are void, sessions end, and a new link replaces older ones.

    Raises:
        Refused: ``not_your_role``, ``not_yourself``.
        NotFound: no such member of staff, or one who has left.
    """
    require_role(actor, Role.ADMINISTRATOR)
    at = db.clock.now()
    with db.begin() as session:
        _require_other(actor, person)
        if lock_staff(session, person).suspended_at is not None:
            raise not_found()
        return _begin_anew(session, actor, person, event=audit.Event.STAFF_ENROLMENT_RENEWED, at=at)


def reinstate_staff(db: Database, *, actor: Actor, person: PersonId) -> Enrolment:
    """Someone who had left comes back: they enrol anew, and have no place in any case until a manager gives one.

    Raises:
        Refused: ``not_your_role``, ``not_yourself``.
        NotFound: no such member of staff.
        Conflict: ``not_suspended``.
    """
    require_role(actor, Role.ADMINISTRATOR)
    at = db.clock.now()
    with db.begin() as session:
        _require_other(actor, person)
        row = lock_staff(session, person)
        if row.suspended_at is None:
            raise Conflict("not_suspended", "They haven't left.")
        row.suspended_at = None
        return _begin_anew(session, actor, person, event=audit.Event.STAFF_REINSTATED, at=at)


def staff_directory(db: Database, *, keystore: KeyStore, actor: Actor, role: Role | None = None) -> list[StaffLine]:
    """The staff, by name; those who have left only for administrators.

    Raises:
        Refused: not a member of staff.
    """
    require_role(actor, *Role)
    sees_all = Role.ADMINISTRATOR in actor.roles
    with db.read() as session:
        held: dict[str, set[Role]] = {}
        for row in session.scalars(select(StaffRoleRow)):
            held.setdefault(row.person_id, set()).add(row.role)
        people = session.scalars(select(PersonRow).where(PersonRow.kind == PersonKind.STAFF)).all()
        names = person_names(session, keystore=keystore, people=[PersonId(row.id) for row in people])
        sealed = {PersonId(row.id): row.email for row in people if sees_all and row.email}
        emails = open_people(keystore, column="email", sealed=sealed)
        lines = [
            StaffLine(
                PersonId(row.id),
                names[PersonId(row.id)],
                frozenset(held.get(row.id, ())),
                row.suspended_at is not None,
                emails.get(PersonId(row.id), ""),
            )
            for row in people
        ]
    shown = [line for line in lines if (sees_all or not line.suspended) and (role is None or role in line.roles)]
    return sorted(shown, key=lambda line: line.name.casefold())


def _add(
    session: Session,
    keystore: KeyStore,
    *,
    by: PersonId | None,
    name: str,
    email: str,
    roles: Iterable[Role],
    at: datetime,
) -> Enrolment:
    wanted, address = _checked_roles(roles), clean_email(email)
    row = new_person(session, keystore=keystore, kind=PersonKind.STAFF, name=name, at=at, by=by)
    person = PersonId(row.id)
    row.email = seal_person(keystore, person, column="email", value=address)
    row.email_index = email_index(keystore, address)
    session.add_all(StaffRoleRow(person_id=person, role=role) for role in wanted)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("email_taken", "Someone has an account with that address.", field="email") from error
    audit.record(
        session,
        audit.Event.STAFF_ADDED,
        actor=by,
        object_id=person,
        details={role.value: True for role in sorted(wanted)},
    )
    return new_link(session, person, by=by, at=at)


def _begin_anew(session: Session, actor: Actor, person: PersonId, *, event: audit.Event, at: datetime) -> Enrolment:
    session.execute(delete(PasswordRow).where(PasswordRow.person_id == person))
    session.execute(delete(TotpRow).where(TotpRow.person_id == person))
    end_all(session, person, by=actor.person, at=at)
    audit.record(session, event, actor=actor.person, object_id=person)
    return new_link(session, person, by=actor.person, at=at)


def _require_other(actor: Actor, person: PersonId) -> None:
    if actor.person == person:
        raise Refused("not_yourself", "Another administrator must do this for you.")


def _checked_roles(roles: Iterable[Role]) -> frozenset[Role]:
    wanted = frozenset(roles)
    if not wanted:
        raise Invalid("roles_empty", "Choose at least one role.", field="roles")
    if Role.ADMINISTRATOR in wanted and len(wanted) > 1:
        raise Invalid("roles_apart", "An administrator has no other role: they never see a film.", field="roles")
    return wanted


def _end_places(session: Session, person: PersonId, *, by: PersonId, at: datetime, keeping: frozenset[Role]) -> None:
    """End the places in cases whose role isn't kept; each case gets a new version."""
    live = (
        AssignmentRow.person_id == person,
        or_(AssignmentRow.ends_at.is_(None), AssignmentRow.ends_at > at),
        AssignmentRow.role.not_in(keeping),
    )
    cases = sorted(CaseId(one) for one in session.scalars(select(AssignmentRow.case_id).where(*live).distinct()))
    for case_id in cases:
        lock_case(session, case_id)
    for row in session.scalars(select(AssignmentRow).where(*live)).all():
        row.ends_at, row.ended_by = at, by
        audit.record(
            session,
            audit.Event.ASSIGNMENT_ENDED,
            actor=by,
            case_id=CaseId(row.case_id),
            object_id=row.id,
            reason="left_role",
            details={"staff": person, "role": row.role.value},
        )
    changed(session, cases, by=by, at=at)
