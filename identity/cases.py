"""Cases that are open: adding people to them, closing them, and what retention counts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from core.clock import day_in_england
from core.db import Database, get, not_found
from core.errors import Conflict, Invalid
from core.ids import CaseId, PersonId, well_formed
from identity.authority import require_in_case
from identity.facts import Actor, PersonKind, Role
from identity.invitations import revoke_open_in
from identity.models import CaseRow, MemberRow, PersonRow
from identity.people import Stage, check_birth_date, new_person, years_of
from identity.rosters import changed, hold, lock_case, require_open
from identity.sealing import clean_words, seal_case
from identity.terms import Keeping, NewAdult, NewChild, Status
from keys import KeyStore

GROWN_UP_YEARS = 18


def add_person(
    db: Database, *, keystore: KeyStore, actor: Actor, case_id: CaseId, person: NewChild | NewAdult | PersonId
) -> PersonId:
    """Add someone to a case: a newcomer, or (managers only) someone who is known from another case.

    A newcomer's ``responsible_for`` must be empty: record it with ``add_relationship``. A guider whom this puts in
    conflict is suspended.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``responsibility_apart``, ``index_child``, or the form of a name, date or contact.
        Conflict: ``already_in_case``, ``case_closed``.
    """
    at = db.clock.now()
    with db.begin() as session:
        if isinstance(person, str):
            require_in_case(session, actor, Role.MANAGER, case_id=case_id, at=at)
            known = session.get(PersonRow, person) if well_formed(person) else None
            if known is None or known.kind is PersonKind.STAFF:
                raise not_found()
            joining = PersonId(known.id)
        else:
            require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
            _check_newcomer(person, on=day_in_england(at))
            joining = write_person(session, keystore, actor, person, at=at)
        cases = hold(session, [joining], also=[case_id])
        require_open(session, case_id)
        if session.get(MemberRow, (case_id, joining)) is not None:
            raise Conflict("already_in_case", "This person is in the case already.")
        join(session, actor, case_id=case_id, person=joining, is_index=False, at=at)
        changed(session, cases, by=actor.person, at=at)
        return joining


def close_case(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    reason: str,
    family_copy: Keeping,
    look_again: Keeping,
) -> None:
    """Close a case: the clock of its films starts, with the family's two answers (or that they gave none).

    Open invitations end. Assignments stay, for what is left to do; the consent decision sees that the case is closed.

    Raises:
        NotFound: a foreign case.
        Refused: ``not_your_role``.
        Conflict: ``case_closed``.
        Invalid: ``words_form``.
    """
    at = db.clock.now()
    words = clean_words(reason)
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
        require_open(session, case_id)
        case = lock_case(session, case_id)
        case.closed_at, case.family_copy, case.look_again = at, family_copy, look_again
        case.closed_reason = seal_case(
            keystore, case_id, table="case", column="closed_reason", row=case_id, value=words
        )
        revoke_open_in(session, case_id, by=actor.person, at=at)
        audit.record(
            session,
            audit.Event.CASE_CLOSED,
            actor=actor.person,
            case_id=case_id,
            details={"family_copy": family_copy.value, "look_again": look_again.value},
        )
        changed(session, [case_id], by=actor.person, at=at)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What retention counts from."""

    id: CaseId
    status: Status
    opened_at: datetime
    closed_at: datetime | None
    family_copy: Keeping | None
    look_again: Keeping | None


def case_facts(session: Session, case_id: CaseId) -> CaseFacts:
    """When a case was opened and closed, and what the family answered then.

    Raises:
        NotFound: no such case.
    """
    row = get(session, CaseRow, case_id)
    return CaseFacts(case_id, row.status, row.opened_at, row.closed_at, row.family_copy, row.look_again)


def ended_before(session: Session, at: datetime) -> set[CaseId]:
    """The cases that were closed before a moment: where retention looks for what the end of the work makes due."""
    return {CaseId(one) for one in session.scalars(select(CaseRow.id).where(CaseRow.closed_at < at))}


def write_person(
    session: Session, keystore: KeyStore, actor: Actor, person: NewChild | NewAdult, *, at: datetime
) -> PersonId:
    """Make a newcomer known, in the caller's transaction."""
    if person.born_on is not None:
        check_birth_date(person.born_on, on=day_in_england(at))
    row = new_person(
        session,
        keystore=keystore,
        kind=PersonKind.FAMILY,
        name=person.name,
        at=at,
        by=actor.person,
        born_on=person.born_on,
        safe_contact=person.safe_contact,
        came_as=Stage.CHILD if isinstance(person, NewChild) else Stage.GROWN_UP,
    )
    return PersonId(row.id)


def check_child(child: NewChild, *, on: date) -> None:
    """Refuse a child who isn't born yet, or has grown up.

    Raises:
        Invalid: ``birth_date_form``.
    """
    check_birth_date(child.born_on, on=on)
    if years_of(child.born_on, on=on) >= GROWN_UP_YEARS:
        raise Invalid("birth_date_form", "This person is 18 or older: add them as an adult.", field="born_on")


def join(session: Session, actor: Actor, *, case_id: CaseId, person: PersonId, is_index: bool, at: datetime) -> None:
    """Write a membership and its entry; locks and versions are the caller's."""
    session.add(MemberRow(case_id=case_id, person_id=person, is_index=is_index, joined_at=at))
    session.flush()
    audit.record(session, audit.Event.PERSON_ADDED, actor=actor.person, case_id=case_id, object_id=person)


def _check_newcomer(person: NewChild | NewAdult, *, on: date) -> None:
    if isinstance(person, NewChild):
        if person.is_index:
            raise Invalid("index_child", "The case has its index child already.", field="is_index")
        check_child(person, on=on)
    elif person.responsible_for:
        raise Invalid("responsibility_apart", "Add the person first, then what they hold.", field="responsible_for")
