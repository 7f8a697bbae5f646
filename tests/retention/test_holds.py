from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

import retention
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import HoldId
from keys import KeyStore
from retention import HoldScope, Schedule, Standing
from tests.families import Family, Someone
from tests.retention.conftest import Night, Shelf

REASON = "Kit Example's solicitor has written to us."


def place(shelf: Shelf, by: Someone, *, scope: HoldScope = HoldScope.CASE, subject: str | None = None) -> HoldId:
    return retention.place_hold(
        shelf.db,
        keystore=shelf.keystore,
        actor=by.actor,
        scope=scope,
        subject=subject or shelf.family.case_id,
        reason=REASON,
    )


@pytest.mark.parametrize("scope", HoldScope)
def test_a_hold_keeps_what_is_due_until_a_second_officer_lifts_it(
    shelf: Shelf, night: Night, family: Family, schedule: Schedule, scope: HoldScope
) -> None:
    clip = shelf.clip(shelf.film())
    shelf.close_case()
    shelf.pass_days(28)
    night()
    shelf.pass_days(19)
    night()
    subject = {HoldScope.CASE: family.case_id, HoldScope.PERSON: family.child, HoldScope.CLIP: clip}[scope]
    hold_id = place(shelf, family.staff.officer, scope=scope, subject=subject)
    shelf.pass_days(14)
    outcome = night()
    assert outcome is not None
    assert outcome.done == 0
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    (line,) = retention.due(shelf.db, actor=family.staff.officer.actor, schedule=schedule)
    assert (line.standing, line.holds) == (Standing.HELD, (hold_id,))

    lift = {"keystore": shelf.keystore, "hold_id": hold_id, "reason": "The solicitor has withdrawn."}
    with pytest.raises(Refused, match="second_officer_needed"):
        retention.release_hold(shelf.db, actor=family.staff.officer.actor, **lift)
    retention.release_hold(shelf.db, actor=family.staff.other_officer.actor, **lift)
    outcome = night()
    assert outcome is not None
    assert outcome.done == 1
    assert shelf.is_gone(clip)
    with pytest.raises(Conflict, match="hold_lifted"):
        retention.release_hold(shelf.db, actor=family.staff.other_officer.actor, **lift)


def test_a_hold_on_somebody_else_keeps_nothing(shelf: Shelf, night: Night, family: Family) -> None:
    clip = shelf.clip(shelf.film(), persons=(family.mother.id, family.child))
    shelf.close_case()
    shelf.pass_days(28)
    night()
    shelf.pass_days(19)
    night()
    place(shelf, family.staff.officer, scope=HoldScope.PERSON, subject=family.sibling)
    shelf.pass_days(14)
    night()
    assert shelf.is_gone(clip)


def test_a_hold_on_a_person_keeps_raw_film_of_their_family_since_anybody_may_be_in_it(
    shelf: Shelf, night: Night, family: Family
) -> None:
    film = shelf.film()
    place(shelf, family.staff.officer, scope=HoldScope.PERSON, subject=family.sibling)
    shelf.pass_days(28)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(film))


def test_a_hold_is_looked_at_every_90_days_and_a_late_look_lifts_nothing(
    shelf: Shelf, night: Night, family: Family, keystore: KeyStore
) -> None:
    film = shelf.film()
    hold_id = place(shelf, family.staff.officer)
    shelf.pass_days(91)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(film))
    officer = family.staff.officer.actor
    (late,) = retention.every_hold(shelf.db, keystore=keystore, actor=officer)
    assert late.overdue
    assert not late.may_lift
    assert late.reason == REASON
    assert retention.review_hold(shelf.db, actor=officer, hold_id=hold_id) == late.review_on + timedelta(days=91)
    (looked_at,) = retention.every_hold(shelf.db, keystore=keystore, actor=family.staff.other_officer.actor)
    assert not looked_at.overdue
    assert looked_at.may_lift


def test_a_holds_reason_is_sealed(shelf: Shelf, family: Family) -> None:
    place(shelf, family.staff.officer)
    with shelf.db.read() as session:
        (reason,) = session.execute(text("SELECT reason FROM retention_hold")).one()
    assert b"solicitor" not in bytes(reason)
    assert b"Kit" not in bytes(reason)


def test_only_an_officer_places_a_hold_on_something_that_is_there_with_a_reason(
    db: Database, shelf: Shelf, family: Family, keystore: KeyStore
) -> None:
    for somebody in (family.staff.manager, family.staff.guider, family.mother):
        with pytest.raises(Refused):
            place(shelf, somebody)
    for scope in HoldScope:
        for nothing in ("0" * 32, "1 OR 1=1", family.staff.officer.id):
            with pytest.raises(NotFound):
                place(shelf, family.staff.officer, scope=scope, subject=nothing)
    with pytest.raises(Invalid, match="reason_needed"):
        retention.place_hold(
            db,
            keystore=keystore,
            actor=family.staff.officer.actor,
            scope=HoldScope.CASE,
            subject=family.case_id,
            reason="\x00",
        )
    assert retention.every_hold(db, keystore=keystore, actor=family.staff.officer.actor) == ()
