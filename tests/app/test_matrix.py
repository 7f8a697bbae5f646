"""Every role on every route with somebody else's ids: always a no, and the same no as for an id that isn't there.

The table comes from the router, so a new route is in it by itself. What a route's path or form wants that this file
doesn't know makes a test fail by name. What one's own people may do with one's own ids stands in ``who_may``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import identity
from app.main import create_app
from app.service import Service
from core.ids import VisitId, new_id
from identity import PersonKind, Role
from tests.app.browser import PAGE, PROGRAM
from tests.app.gate import Gate, at_the_gate, whole_form, with_ids
from tests.app.ids import NOT_IDS, Ids, ids_of
from tests.app.walk import ON_SQLITE, routes_of
from tests.families import Family, Someone, make_family, sign_in
from tests.vault.scene import Clip

WHOLE_ORGANISATION = {
    ("manager", "/families/{case_id}"): "managers see every family, not its films",
    ("manager", "/families/{case_id}/invitations"): "managers may invite where a guider is away",
    ("manager", "/families/{case_id}/staff"): "managers assign in every case",
    ("manager", "/families/{case_id}/staff/end"): "managers assign in every case",
    ("manager", "/families/{case_id}/staff/guider"): "managers assign in every case",
    ("manager", "/families/{case_id}/close"): "managers may close where a guider is away",
    ("manager", "/families/{case_id}/told"): "a no that was told counts, whoever writes it down",
    ("officer", "/holds/{hold_id}/release"): "holds are the officers' own",
    ("officer", "/holds/{hold_id}/review"): "holds are the officers' own",
    ("officer", "/certificates/{certificate_id}"): "certificates name no person",
    ("officer", "/certificates/{certificate_id}.json"): "certificates name no person",
    ("manager", "/families/{case_id}/people/{person_id}/phone"): "managers end a lost phone in every case",
}
"""Where an id isn't of a case of somebody else's, and why."""

PAGES_FOR = {"nobody", "guider", "supervisor", "mother"}
"""Who also asks as a browser does; the others only as a program."""


@pytest.fixture
def strangers(service: Service, family: Family) -> dict[str, Someone | None]:
    """One of each who has nothing to do with the family; most have a family of their own."""
    db, keys, staff = service.db, service.keystore, family.staff

    def one(name: str, *roles: Role) -> Someone:
        made = identity.add_staff(
            db, keystore=keys, actor=staff.administrator.actor, name=name, email=f"{name[:3]}@x.gov.uk", roles=roles
        )
        return sign_in(db, made.person, kind=PersonKind.STAFF)

    guider, worker = one("Other Guide", Role.GUIDER), one("Another Worker", Role.SOCIAL_WORKER)
    other = make_family(db, keys, staff=replace(staff, guider=guider, social_worker=worker))
    return {
        "nobody": None,
        "administrator": staff.administrator,
        "manager": staff.other_manager,
        "guider": guider,
        "social_worker": worker,
        "supervisor": staff.colleague,
        "chair": staff.chair,
        "officer": staff.officer,
        "mother": other.mother,
    }


@pytest.fixture
def theirs(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    return ids_of(service, family, visit, clip)


@ON_SQLITE
def test_every_part_of_a_path_has_a_foreign_id_here(service: Service, theirs: Ids) -> None:
    """Otherwise a new kind of thing would go untried: add one of its ids to ``tests/app/ids.py``."""
    named = {name for one in routes_of(create_app(service)) if one.policies[0].kinds for name in one.parameters}
    assert named - theirs.keys() == set()


@ON_SQLITE
def test_every_stranger_gets_the_same_no_for_a_family_that_exists_and_for_one_that_does_not(
    service: Service, strangers: dict[str, Someone | None], theirs: Ids, family: Family
) -> None:
    app = create_app(service)
    nowhere = {name: NOT_IDS.get(name) or new_id() for name in theirs}
    faults: list[str] = []

    async def try_all(ask_for: Gate) -> None:
        for one in with_ids(app):
            for who, someone in strangers.items():
                if (who, one.path) in WHOLE_ORGANISATION:
                    continue
                for accept in (PROGRAM, PAGE) if who in PAGES_FOR else (PROGRAM,):
                    there = await ask_for(one, theirs, someone=someone, accept=accept)
                    none = await ask_for(one, nowhere, someone=someone, accept=accept)
                    told = f"{who}, {one.name}: {there.status} {there.code}"
                    if not there.is_no:
                        faults.append(f"{told} is no no")
                    if there != none:
                        faults.append(f"{told} differs from nowhere: {none.status} {none.code}")

    at_the_gate(app, whole_form(family), try_all)
    assert faults == [], "\n".join(faults)
