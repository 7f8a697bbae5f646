"""People: making them known, opening their names, and who they may answer for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database, get, lock
from core.errors import Invalid
from core.ids import CaseId, PersonId, new_id
from identity.authority import require_in_case, require_member
from identity.facts import Actor, PersonKind, Role
from identity.models import MemberRow, PersonRow
from identity.rosters import changed, hold
from identity.sealing import clean_contact, clean_name, open_people, open_person, seal_person
from keys import KeyStore

OLDEST_YEARS = 120


class Stage(StrEnum):
    """As what someone came to the service."""

    CHILD = "child"
    GROWN_UP = "grown_up"


def person_name(session: Session, *, keystore: KeyStore, person: PersonId) -> str:
    """Open someone's name. The caller has found that the reader may know it.

    Raises:
        NotFound: no such person.
    """
    row = get(session, PersonRow, person)
    return open_person(keystore, person, column="name", sealed=row.name)


def person_names(session: Session, *, keystore: KeyStore, people: Iterable[PersonId]) -> dict[PersonId, str]:
    """Open several names, in one look. The caller has found that the reader may know them."""
    rows = session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(list(people))))
    return open_people(keystore, column="name", sealed={PersonId(row.id): row.name for row in rows})


def member_cases(session: Session, person: PersonId) -> list[CaseId]:
    """The cases that a family member belongs to."""
    return [CaseId(one) for one in session.scalars(select(MemberRow.case_id).where(MemberRow.person_id == person))]


def set_safe_contact(
    db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId, person: PersonId, contact: str
) -> None:
    """Record where a code may be sent to a family member. Whoever enters it can't also invite them.

    Raises:
        NotFound: a foreign case or person.
        Refused: the actor's role doesn't do this.
        Invalid: ``contact_form``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.SOCIAL_WORKER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        row = lock(session, PersonRow, person)
        row.safe_contact = seal_person(keystore, person, column="safe_contact", value=clean_contact(contact))
        row.contact_set_by = actor.person
        audit.record(session, audit.Event.SAFE_CONTACT_SET, actor=actor.person, case_id=case_id, object_id=person)


def correct_birth_date(
    db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId, person: PersonId, born_on: date
) -> None:
    """Correct a birth date: the decision reads it, so every case of that person gets a new version.

    Raises:
        NotFound: a foreign case or person.
        Refused: the actor's role doesn't do this.
        Invalid: ``birth_date_form``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        cases = hold(session, [person])
        row = get(session, PersonRow, person)
        check_birth_date(born_on, on=day_in_england(at))
        row.born_on = seal_person(keystore, person, column="born_on", value=born_on.isoformat())
        audit.record(session, audit.Event.BIRTH_DATE_CORRECTED, actor=actor.person, case_id=case_id, object_id=person)
        changed(session, cases, by=actor.person, at=at)


def new_person(
    session: Session,
    *,
    keystore: KeyStore,
    kind: PersonKind,
    name: str,
    at: datetime,
    by: PersonId | None,
    born_on: date | None = None,
    safe_contact: str | None = None,
    came_as: Stage = Stage.GROWN_UP,
) -> PersonRow:
    """Add a person, their fields sealed under a record key of their own.

    Raises:
        Invalid: ``name_form``, ``contact_form``.
    """
    person = PersonId(new_id())
    sealed = {"name": clean_name(name)}
    if born_on is not None:
        sealed["born_on"] = born_on.isoformat()
    if safe_contact is not None:
        sealed["safe_contact"] = clean_contact(safe_contact)
    row = PersonRow(
        id=person,
        kind=kind,
        was_child=came_as is Stage.CHILD,
        contact_set_by=by if safe_contact is not None else None,
        created_at=at,
        **{column: seal_person(keystore, person, column=column, value=value) for column, value in sealed.items()},
    )
    session.add(row)
    session.flush()
    return row


def years_of(born_on: date, *, on: date) -> int:
    """Age in whole years; someone born on 29 February is a year older on 1 March."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def check_birth_date(born_on: date, *, on: date) -> None:
    """Refuse a birth date in the future or too long ago.

    Raises:
        Invalid: ``birth_date_form``.
    """
    if born_on > on or years_of(born_on, on=on) > OLDEST_YEARS:
        raise Invalid("birth_date_form", "Give a date of birth in the past.", field="born_on")
