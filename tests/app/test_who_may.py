"""Every route, everybody around one family, that family's own ids: through or not, as the table in ``who_may`` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import consent
import identity
import redaction
from app.main import create_app
from app.service import Service
from consent import Purpose
from core.ids import VisitId, new_id
from core.secret import Secret
from identity import Factor, NewChild, PersonKind, Role, SessionStep
from identity.sessions import Timeouts, begin
from tests.app.browser import PROGRAM
from tests.app.gate import Gate, at_the_gate, whole_form
from tests.app.ids import Ids, ids_of
from tests.app.rewind import Rewind
from tests.app.walk import ON_SQLITE, Walked, names_in, routes_of
from tests.app.who_may import WHO_MAY
from tests.fakes import HandClock
from tests.families import Family, Someone, make_family, sign_in
from tests.vault.scene import Clip

STREAMS = {"GET /events/{viewing_id}": "guider"}
"""Never ends for whoever gets in: tried on the real server."""


@pytest.fixture
def everybody(service: Service, family: Family, clip: Clip) -> dict[str, Someone]:
    """One of each around the family; those of the case have their place in it."""
    db, keys, staff = service.db, service.keystore, family.staff
    manager = staff.manager.actor

    def one(name: str, *roles: Role) -> Someone:
        made = identity.add_staff(
            db, keystore=keys, actor=staff.administrator.actor, name=name, email=f"{name[:3]}@x.gov.uk", roles=roles
        )
        return sign_in(db, made.person, kind=PersonKind.STAFF)

    supervisor = one("Sue Pervise", Role.SUPERVISOR)
    others = replace(staff, guider=one("Other Guide", Role.GUIDER), social_worker=one("Woz Other", Role.SOCIAL_WORKER))
    for person, role in ((supervisor, Role.SUPERVISOR), (staff.chair, Role.CHAIR)):
        identity.assign(db, actor=manager, case_id=family.case_id, staff=person.id, role=role)
    child = NewChild(name="Teen Example", born_on=(db.clock.now() - timedelta(days=15 * 366)).date())
    teen = identity.add_person(db, keystore=keys, actor=manager, case_id=family.case_id, person=child)
    redaction.request_check(db, actor=staff.guider.actor, rendition_id=clip.rendition_id, checker=staff.colleague.id)
    return {
        "guider": staff.guider,
        "worker": staff.social_worker,
        "supervisor": supervisor,
        "checker": staff.colleague,
        "chair": staff.chair,
        "manager": staff.manager,
        "officer": staff.officer,
        "administrator": staff.administrator,
        "mother": family.mother,
        "father": family.father,
        "teen": sign_in(db, teen, kind=PersonKind.FAMILY),
        "other_guider": others.guider,
        "other_worker": others.social_worker,
        "other_mother": make_family(db, keys, staff=others).mother,
    }


@pytest.fixture
def ids(service: Service, family: Family, visit: VisitId, clip: Clip, everybody: dict[str, Someone]) -> Ids:
    assert everybody
    made = ids_of(service, family, visit, clip)
    mine = consent.questions_for(service.db, actor=family.father.actor)
    asked = [one for one in mine if one.purpose is Purpose.SOCIAL_WORKER]
    consent.grant(
        service.db,
        actor=family.father.actor,
        questions=[one.id for one in asked],
        page_version=max(one.page_version for one in asked),
        notice=asked[0].notice.id,
    )
    return made


def own(one: Walked, ids: Ids, family: Family) -> Ids:
    """The ids as they fit a route: under ``/accounts`` a colleague's, not a parent's."""
    return ids | {"person_id": family.staff.guider.id} if one.path.startswith("/accounts/") else ids


@ON_SQLITE
def test_everybody_gets_through_where_the_table_says_and_nowhere_else(
    service: Service, family: Family, everybody: dict[str, Someone], ids: Ids
) -> None:
    app, before, faults = create_app(service), Rewind(service.db), []

    async def try_all(ask_for: Gate) -> None:
        for one in (each for each in routes_of(app) if each.policies[0].kinds):
            through = []
            for who, someone in everybody.items():
                if who in STREAMS.get(one.name, "").split():
                    through.append(who)
                    continue
                answer = await ask_for(one, own(one, ids, family), someone=someone, accept=PROGRAM)
                if answer.status < 400 and one.method not in {"GET", "HEAD"}:
                    before.back()
                if answer.status not in {401, 404} and answer.code != "not_your_role":
                    through.append(who)
            if WHO_MAY.get(one.name) != " ".join(through):
                faults.append(f'    "{one.name}": "{" ".join(through)}",')

    at_the_gate(app, whole_form(family), try_all)
    assert faults == [], "not as who_may.py says:\n" + "\n".join(faults)


@ON_SQLITE
def test_the_table_names_only_routes_that_there_are(service: Service) -> None:
    assert WHO_MAY.keys() <= {one.name for one in routes_of(create_app(service))}


@ON_SQLITE
def test_one_foreign_id_among_ones_own_is_a_no(
    service: Service, family: Family, everybody: dict[str, Someone], ids: Ids
) -> None:
    """An own case with another family's visit, an own colleague with another's session, and so on, pairwise."""
    app, before, faults = create_app(service), Rewind(service.db), []
    other = foreign(service, everybody)

    async def try_all(ask_for: Gate) -> None:
        for one in (each for each in routes_of(app) if each.policies[0].kinds):
            named = [name for name in one.parameters if name in other]
            for name in named if len(named) > 1 else ():
                mixed = own(one, ids, family) | {name: other[name]}
                for who, someone in everybody.items():
                    if who.startswith("other"):
                        continue
                    answer = await ask_for(one, mixed, someone=someone, accept=PROGRAM)
                    if answer.status < 400:
                        before.back()
                    none = await ask_for(one, mixed | {name: new_id()}, someone=someone, accept=PROGRAM)
                    if answer.status < 400 or answer != none:
                        faults.append(f"{one.name} with a foreign {name} by the {who}: {answer.status}, {none.status}")

    at_the_gate(app, whole_form(family), try_all)
    assert faults == []


FORMS = {
    "/families/{case_id}/invitations": "person",
    "/families/{case_id}/told": "person",
    "/families/{case_id}/visits/new": "present",
    "/families/{case_id}/staff/end": "assignment",
    "/clips/{clip_id}/persons": "persons",
}
"""Which of a family's own ids a route's form takes."""
OF_STAFF = {"staff", "guider", "checker", "case"}
"""Other ids in forms: a manager's choice among all colleagues or families."""
OF_THE_SAME_FILM = {"clip"}
"""Another clip to begin from: ``tests/redaction/test_beside.py`` tries those that mustn't be."""


def test_every_id_that_a_form_takes_is_tried_here() -> None:
    tried = set(FORMS.values()) - {"present", "persons"} | OF_STAFF | OF_THE_SAME_FILM
    assert names_in(r'form\.id\(\s*"(\w+)"') == tried


@ON_SQLITE
def test_a_form_with_a_foreign_id_does_nothing_in_ones_own_family(
    service: Service, family: Family, everybody: dict[str, Someone], ids: Ids
) -> None:
    app, faults = create_app(service), []
    other, mine = foreign(service, everybody), whole_form(family)
    before = Rewind(service.db)

    async def try_all(ask_for: Gate) -> None:
        for one in (each for each in routes_of(app) if each.method == "POST" and each.path in FORMS):
            field = FORMS[one.path]
            foreign_form = mine | {field: other[field if field == "assignment" else "person_id"], "reason": "A test."}
            for who, someone in everybody.items():
                gate = replace(ask_for, form=foreign_form)
                answer = await gate(one, ids, someone=someone, accept=PROGRAM)
                if answer.status < 400:
                    faults.append(f"{one.name} with a foreign {field} by the {who}: {answer.status}")
                    before.back()

    at_the_gate(app, mine, try_all)
    assert faults == []


def foreign(service: Service, everybody: dict[str, Someone]) -> Ids:
    """Ids of another family, its guider and its visit."""
    guider, mother = everybody["other_guider"], everybody["other_mother"]
    with service.db.read() as session:
        (case_id,) = identity.member_cases(session, mother.id)
        place = next(one for one in identity.roster(session, case_id).assignments if one.person == guider.id)
    visited = identity.record_visit(
        service.db,
        actor=guider.actor,
        case_id=case_id,
        kind=identity.VisitKind.FILMING,
        visited_on=service.db.clock.now().date(),
        present=[mother.id],
    )
    return {
        "case_id": case_id,
        "visit_id": visited,
        "person_id": mother.id,
        "session_id": mother.actor.session,
        "assignment": place.id,
    }


@ON_SQLITE
def test_whoever_is_not_whole_or_not_any_more_signed_in_gets_the_answer_of_nobody_everywhere(
    service: Service, family: Family, everybody: dict[str, Someone], ids: Ids, clock: HandClock
) -> None:
    """An expired session, one that was ended, one that waits for its code, and one that never was."""
    assert everybody
    staff, db = family.staff, service.db
    ended, expired = (sign_in(db, staff.guider.id, kind=PersonKind.STAFF) for _ in range(2))
    identity.sign_out(db, token=ended.token)
    clock.move(timedelta(minutes=15))
    with db.begin() as session:
        half = begin(
            session,
            person=staff.guider.id,
            kind=PersonKind.STAFF,
            factors=[Factor.PASSWORD],
            step=SessionStep.SECOND_FACTOR,
            timeouts=Timeouts(idle=timedelta(minutes=5), absolute=timedelta(minutes=5)),
            at=clock.now(),
        )
    unsigned = {
        "ended": ended,
        "expired": expired,
        "half": replace(ended, token=half.token),
        "made up": replace(ended, token=Secret("x" * 43)),
    }
    app, faults = create_app(service), []

    async def try_all(ask_for: Gate) -> None:
        for one in (each for each in routes_of(app) if each.policies[0].kinds):
            nobody = await ask_for(one, ids, someone=None, accept=PROGRAM)
            assert nobody.status == 401, one.name
            for who, someone in unsigned.items():
                if await ask_for(one, ids, someone=someone, accept=PROGRAM) != nobody:
                    faults.append(f"{one.name}: {who}")

    at_the_gate(app, whole_form(family), try_all)
    assert faults == []
