"""Nothing that one parent does, and nothing that is done about them, can be told from any page of the other.

Each family route is asked by the mother in worlds that differ in the father only, all made from one database: page,
status, headers, and how many questions the database was asked meanwhile, which is what time could tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import event, select

import consent
import identity
from app.main import create_app
from app.service import Service
from consent import Purpose
from core.ids import VisitId
from core.secret import Secret
from identity import Effect, PersonKind, Whence
from identity.models import RelationshipRow
from tests.app.browser import PAGE
from tests.app.gate import Answer, Gate, at_the_gate, whole_form
from tests.app.ids import Ids, ids_of
from tests.app.rewind import Rewind
from tests.app.walk import ON_SQLITE, routes_of
from tests.families import Family
from tests.vault.scene import Clip

NEW_EACH_TIME = re.compile(rb"/(media|events)/[0-9a-f]{32}")
"""A viewing's own number."""
HERE = Whence("192.0.2.7")


def says(service: Service, family: Family, answer: str) -> None:
    mine = consent.questions_for(service.db, actor=family.father.actor)
    asked = [one for one in mine if one.purpose is Purpose.SOCIAL_WORKER]
    if answer == "no":
        consent.refuse(service.db, actor=family.father.actor, questions=[one.id for one in asked])
        return
    consent.grant(
        service.db,
        actor=family.father.actor,
        questions=[one.id for one in asked],
        page_version=max(one.page_version for one in asked),
        notice=asked[0].notice.id,
    )


def stops(service: Service, family: Family) -> None:
    says(service, family, "yes")
    consent.stop_all(service.db, actor=family.father.actor)


def is_restricted(service: Service, family: Family, *effects: Effect) -> None:
    identity.place_restriction(
        service.db,
        keystore=service.keystore,
        actor=family.staff.social_worker.actor,
        case_id=family.case_id,
        person=family.father.id,
        effects=frozenset(effects),
        reason="Not to be told",
    )


def signs_in(service: Service, family: Family) -> None:
    db, keys = service.db, service.keystore
    made = identity.invite(db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.father.id)
    code = identity.issue_code(db, keystore=keys, invitation_id=made.id)[1].reveal()
    phone = identity.activate(db, keystore=keys, token=made.token, code=code, passcode=Secret("271828"), whence=HERE)
    identity.actor_for(db, phone.signed_in.token)


def loses_his_phone(service: Service, family: Family) -> None:
    signs_in(service, family)
    manager = family.staff.manager.actor
    identity.unbind_devices(service.db, actor=manager, case_id=family.case_id, person=family.father.id)


def tells_no(service: Service, family: Family) -> None:
    guider = family.staff.guider.actor
    consent.record_told_refusal(service.db, actor=guider, case_id=family.case_id, person=family.father.id)


def moves(service: Service, family: Family) -> None:
    identity.set_safe_contact(
        service.db,
        keystore=service.keystore,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        person=family.father.id,
        contact="07700 900099",
    )


def loses_responsibility(service: Service, family: Family) -> None:
    with service.db.read() as session:
        found = session.scalars(select(RelationshipRow.id).where(RelationshipRow.holder_id == family.father.id)).all()
    for one in found:
        identity.end_relationship(
            service.db, actor=family.staff.manager.actor, case_id=family.case_id, relationship=one
        )


WORLDS: dict[str, Callable[[Service, Family], None]] = {
    "says yes": lambda service, family: says(service, family, "yes"),
    "says no": lambda service, family: says(service, family, "no"),
    "says yes and stops": stops,
    "tells a no at a visit": tells_no,
    "signs in on a phone": signs_in,
    "loses the phone": loses_his_phone,
    "may not see": lambda service, family: is_restricted(service, family, Effect.NO_VIEW),
    "may not see, say or be asked": lambda service, family: is_restricted(service, family, *Effect),
    "has another contact": moves,
    "holds no responsibility any more": loses_responsibility,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What the mother can see of one answer."""

    answer: Answer
    asked: int


@pytest.fixture
def ids(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    return ids_of(service, family, visit, clip)


def looks(service: Service, family: Family, ids: Ids) -> dict[str, Look]:
    """Every family route as the mother, each in the same world."""
    app, before, found = create_app(service), Rewind(service.db), {}
    count = [0]

    def note(*_: object) -> None:
        count[0] += 1

    async def try_all(ask_for: Gate) -> None:
        for one in routes_of(app):
            if PersonKind.FAMILY not in one.policies[0].kinds or one.path.startswith(("/events", "/media")):
                continue
            count[0] = 0
            event.listen(service.db.engine, "before_cursor_execute", note)
            answer = await ask_for(one, ids, someone=family.mother, accept=PAGE)
            event.remove(service.db.engine, "before_cursor_execute", note)
            found[one.name] = Look(replace(answer, body=NEW_EACH_TIME.sub(b"", answer.body)), count[0])
            before.back()

    at_the_gate(app, whole_form(family), try_all)
    return found


@ON_SQLITE
def test_every_family_page_is_the_same_whatever_the_other_parent_does(
    service: Service, family: Family, ids: Ids
) -> None:
    before = Rewind(service.db)
    alone, faults = looks(service, family, ids), []
    assert sum(look.answer.status in {200, 303} for look in alone.values()) > 12, alone
    for world, happen in WORLDS.items():
        before.back()
        happen(service, family)
        for route, look in looks(service, family, ids).items():
            if look.answer != alone[route].answer:
                faults.append(f"{world}: {route} shows it ({alone[route].answer.status}, {look.answer.status})")
            elif look.asked != alone[route].asked:
                faults.append(f"{world}: {route} asks {look.asked} times instead of {alone[route].asked}")
    assert faults == [], "\n".join(faults)
