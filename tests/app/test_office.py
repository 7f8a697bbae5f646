"""The officer's overview over HTTP, and that nobody else has any of these pages."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

import audit
import identity
import retention
from app.service import Service
from audit import Event
from core import jobs, outbox
from core.ids import CaseId, new_id
from tests.app.conftest import ClientFor
from tests.app.officer import begin, events, main_of, move, signed_in, view, work
from tests.families import Family
from tests.keys.rolling import break_case_key
from tests.retention.conftest import Shelf
from vault.models import ObjectRow, ObjectState

PAGES = ("/records", "/audit", "/audit/export", "/retention", "/holds", "/certificates")
POSTS = (
    "/audit/verify",
    "/retention/plan",
    "/retention/approve",
    "/retention/agree",
    "/retention/accept-clock",
    "/holds",
)
WITH_AN_ID = ("/certificates/{}", "/certificates/{}.json")
POSTS_WITH_AN_ID = ("/holds/{}/release", "/holds/{}/review")


def test_everyone_else_gets_the_same_answer_as_for_a_page_that_is_not_there(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    staff = family.staff
    for someone in (staff.guider, staff.social_worker, staff.manager, staff.administrator, family.mother):
        browser = client_for(someone.token)
        for path in (*PAGES, *(address.format(new_id()) for address in WITH_AN_ID)):
            assert browser.code(path) == (404, "not_found"), path
        for path in (*POSTS, *(address.format(new_id()) for address in POSTS_WITH_AN_ID)):
            assert browser.code(path, {"reason": "x"}) == (404, "not_found"), path
    nobody = client_for()
    assert all(nobody.code(path)[0] == 401 for path in PAGES)
    assert all(nobody.code(path, {})[0] == 401 for path in POSTS)
    assert events(service, Event.AUDIT_SEARCHED) == []


def test_a_foreign_id_is_not_found(service: Service, family: Family, client_for: ClientFor) -> None:
    officer = client_for(family.staff.officer.token)
    for unknown in (new_id(), "x", "%00", "0" * 400):
        for path in WITH_AN_ID:
            assert officer.code(path.format(unknown)) == (404, "not_found"), unknown
        for path in POSTS_WITH_AN_ID:
            assert officer.code(path.format(unknown), {"reason": "x"}) == (404, "not_found"), unknown
    for scope in ("case", "person", "clip"):
        assert officer.code("/holds", {"scope": f"{scope}:{new_id()}", "reason": "x"}) == (404, "not_found")
    for sweep in (new_id(), "", "x"):
        assert officer.code("/retention/approve", {"sweep": sweep, "reason": "x"}) == (404, "not_found")
    assert officer.code("/retention/agree", {"record": new_id(), "reason": "x"}) == (404, "not_found")


def test_the_overview_counts_the_days_and_says_that_all_is_well_when_it_is(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    begin(service)
    view(service, family, times=3)
    move(service, timedelta(days=1))
    begin(service)
    view(service, family, times=2)
    view(service, family, times=1, event=Event.VIEWING_REFUSED)
    audit.seal(service.db, signer=service.signer)
    officer = signed_in(service, client_for, family.staff.officer)
    officer.post("/retention/plan")
    work(service)
    page = main_of(officer.get("/records").text)
    assert "No alarms." in page
    numbers = " ".join(re.sub("</?time[^>]*>", "", page).split())
    assert '2 March 2026</th><td class="govuk-table__cell govuk-table__cell--numeric">3</td>' in numbers
    assert (
        '3 March 2026</th><td class="govuk-table__cell govuk-table__cell--numeric">2</td>'
        '<td class="govuk-table__cell govuk-table__cell--numeric">1</td>'
    ) in numbers
    assert '<p class="vault-number">5</p>' in page
    assert "None is set up" in page


def test_the_overview_names_everything_that_needs_a_look(
    service: Service, family: Family, shelf: Shelf, client_for: ClientFor
) -> None:
    begin(service)
    shelf.clip(shelf.film())
    at = service.db.clock.now()
    officer = family.staff.officer
    retention.place_hold(
        service.db,
        keystore=service.keystore,
        actor=officer.actor,
        scope=retention.HoldScope.CASE,
        subject=family.case_id,
        reason="Proceedings",
    )
    with service.db.begin() as session:
        session.scalars(select(ObjectRow)).first().state = ObjectState.QUARANTINED  # type: ignore[union-attr]  # there are some
        job = jobs.enqueue(session, "deposit.finish", subject=new_id(), case_id=None, at=at)
        lease = jobs.take(session, job, at=at)
        assert lease is not None
        jobs.park(session, lease, at=at, code="not_a_film", sentence="This is not a film.")
        outbox.post(session, "message.invitation_code", at=at, payload={})
        for row in session.scalars(select(outbox.OutboxRow)):
            row.parked = True
    break_case_key(service.keystore, family.case_id)
    service.keystore.roll_epoch()
    move(service, timedelta(days=100))
    with service.db.begin() as session:
        audit.record(session, Event.QUARANTINE_LIFTED, actor=None, object_id=new_id())
    page = main_of(signed_in(service, client_for, officer).get("/records").text)
    for words in (
        "1 stored object failed a check",
        "1 key came out damaged",
        "1 stored object that had failed a check passed it since",
        "Time has leapt ahead.",
        "No sweep has run yet, though",
        "1 job failed too often and stopped.",
        "could not be sent.",
        "1 hold should have been reviewed by now.",
        "1 film may still be on the phone that made it.",
    ):
        assert words in page
    assert "No alarms." not in page


def test_a_case_is_called_by_its_children_the_index_child_first(service: Service, family: Family) -> None:
    with service.db.read() as session:
        assert identity.every_case(session) == (family.case_id,)
        found = identity.households(session, keystore=service.keystore, cases=[family.case_id, CaseId(new_id())])
    assert found.keys() == {family.case_id}
    assert found[family.case_id].children == ("Kit Example", "Bo Example")
    assert dict(found[family.case_id].members)[family.mother.id] == "Mother Example"
