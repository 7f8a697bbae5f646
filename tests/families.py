"""A family and the staff around it, made by the real use cases, each signed in with two factors.

Only the slow proof is left out: sessions are begun directly instead of by password, code and passcode.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import identity
from core.db import Database
from core.ids import CaseId, PersonId, VisitId
from core.secret import Secret
from identity import Actor, Factor, PersonKind, RelationshipKind, Responsibility, Role, SessionStep
from identity.sessions import FAMILY_TIMEOUTS, STAFF_TIMEOUTS, begin
from keys import KeyStore

CHILD_BORN = date(2022, 9, 1)
SIBLING_BORN = date(2017, 5, 20)
CONTACTS = {"mother": "07700 900001", "father": "07700 900002"}


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with a live session of two factors."""

    id: PersonId
    actor: Actor
    token: Secret[str]


@dataclass(frozen=True, slots=True)
class Staff:
    """One of each, and a second where two are needed. None has the family on their caseload."""

    administrator: Someone
    manager: Someone
    other_manager: Someone
    guider: Someone
    social_worker: Someone
    colleague: Someone
    """A trained colleague off the case: supervisor, and guider of other families."""
    chair: Someone
    officer: Someone
    other_officer: Someone


@dataclass(frozen=True, slots=True)
class Family:
    """A case: mother and father both hold parental responsibility for both children."""

    case_id: CaseId
    mother: Someone
    father: Someone
    child: PersonId
    """The index child, three years old."""
    sibling: PersonId
    """Eight years old."""
    staff: Staff


def sign_in(db: Database, person: PersonId, *, kind: PersonKind) -> Someone:
    """Begin a full session, as after both factors (again, once a test's clock has moved past its end)."""
    is_staff = kind is PersonKind.STAFF
    with db.begin() as session:
        begun = begin(
            session,
            person=person,
            kind=kind,
            factors=[Factor.PASSWORD, Factor.TOTP] if is_staff else [Factor.DEVICE, Factor.PASSCODE],
            step=SessionStep.FULL,
            timeouts=STAFF_TIMEOUTS if is_staff else FAMILY_TIMEOUTS,
            at=db.clock.now(),
        )
    return Someone(person, identity.actor_for(db, begun.token), begun.token)


def again(db: Database, someone: Someone) -> Someone:
    """Sign the same person in anew."""
    return sign_in(db, someone.id, kind=someone.actor.kind)


def make_staff(db: Database, keystore: KeyStore, *, administrator: Someone | None = None) -> Staff:
    """The staff of a new store; of one that has its first administrator already, where that is given."""
    identity.attach(db, keystore=keystore)
    if administrator is None:
        first = identity.bootstrap_administrator(db, keystore=keystore, name="Ada Min", email="ada@example.gov.uk")
        administrator = sign_in(db, first.person, kind=PersonKind.STAFF)

    by = administrator.actor

    def one(name: str, *roles: Role) -> Someone:
        email = f"{name.split(maxsplit=1)[0]}@example.gov.uk"
        made = identity.add_staff(db, keystore=keystore, actor=by, name=name, email=email, roles=roles)
        return sign_in(db, made.person, kind=PersonKind.STAFF)

    return Staff(
        administrator=administrator,
        manager=one("Mo Lead", Role.MANAGER),
        other_manager=one("Nell Lead", Role.MANAGER),
        guider=one("Gwen Guide", Role.GUIDER),
        social_worker=one("Sam Okafor", Role.SOCIAL_WORKER),
        colleague=one("Cara Check", Role.SUPERVISOR, Role.GUIDER),
        chair=one("Chris Chair", Role.CHAIR),
        officer=one("Ivy Record", Role.IG_OFFICER),
        other_officer=one("Ike Record", Role.IG_OFFICER),
    )


def make_family(db: Database, keystore: KeyStore, *, staff: Staff | None = None) -> Family:
    """A case with its guider and social worker; with staff of its own unless they are given."""
    team = staff or make_staff(db, keystore)
    both = (RelationshipKind.MOTHER, RelationshipKind.FATHER)
    parents = [
        identity.NewAdult(
            name=f"{kind.value.title()} Example",
            safe_contact=CONTACTS[kind.value],
            responsible_for=tuple(Responsibility(child=child, kind=kind) for child in (0, 1)),
        )
        for kind in both
    ]
    opened = identity.open_case(
        db,
        keystore=keystore,
        actor=team.manager.actor,
        referral=identity.Referral(identity.ReferrerKind.SOCIAL_WORKER, identity.Status.CHILD_PROTECTION, "REF-1"),
        children=[
            identity.NewChild(name="Kit Example", born_on=CHILD_BORN, is_index=True),
            identity.NewChild(name="Bo Example", born_on=SIBLING_BORN),
        ],
        adults=parents,
        guider=team.guider.id,
        social_worker=team.social_worker.id,
    )
    mother, father = (sign_in(db, one, kind=PersonKind.FAMILY) for one in opened.adults)
    child, sibling = opened.children
    return Family(opened.case_id, mother, father, child, sibling, team)


def filming_visit(db: Database, family: Family) -> VisitId:
    """Today's visit, at which mother, father and child were filmed."""
    return identity.record_visit(
        db,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        kind=identity.VisitKind.FILMING,
        visited_on=db.clock.now().date(),
        present=[family.mother.id, family.father.id, family.child],
    )
