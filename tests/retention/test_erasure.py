from __future__ import annotations

import pytest
from sqlalchemy import select

import identity
import retention
from consent import RenditionState
from core.db import Database
from core.errors import Conflict, NotFound, NotSignedIn, Refused
from core.ids import CaseId, ClipId
from identity import Actor, Effect
from keys import KeyStore
from retention import ErasureState, HoldScope, Schedule
from tests.families import Family
from tests.retention.conftest import Night, Shelf
from vault.models import RenditionRow


def states(db: Database, clip: ClipId) -> list[RenditionState]:
    with db.read() as session:
        return list(session.scalars(select(RenditionRow.state).where(RenditionRow.clip_id == clip)))


def ask(shelf: Shelf, schedule: Schedule, actor: Actor, clip: ClipId | None = None) -> str:
    return retention.erase(shelf.db, actor=actor, schedule=schedule, case_id=shelf.family.case_id, clip_id=clip)


def test_use_stops_at_once_and_destruction_follows_after_two_weeks(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family
) -> None:
    film = shelf.film()
    clip, other = shelf.clip(film), shelf.clip(film)
    with db.read() as session:
        before = identity.versions(session, [family.case_id])[family.case_id]
    ask(shelf, schedule, family.mother.actor, clip)
    assert states(db, clip) == [RenditionState.WITHDRAWN_FROM_USE]
    assert states(db, other) == [RenditionState.LIVE]
    with db.read() as session:
        assert identity.versions(session, [family.case_id])[family.case_id] > before
    shelf.pass_days(13)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    shelf.pass_days(1)
    night()
    assert shelf.is_gone(clip)
    assert all(shelf.opens(row) for row in shelf.objects(other))
    assert retention.erasures(db, actor=family.staff.officer.actor) == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_family_may_ask_for_everything_and_what_comes_later_is_not_meant(
    shelf: Shelf, night: Night, schedule: Schedule, family: Family, keystore: KeyStore
) -> None:
    film = shelf.film()
    clip = shelf.clip(film)
    ask(shelf, schedule, family.father.actor)
    shelf.pass_days(1)
    later = shelf.film()
    shelf.pass_days(13)
    night()
    halted = retention.health(shelf.db).halted or ""
    officer = family.staff.officer.actor
    retention.approve(shelf.db, keystore=keystore, actor=officer, sweep_id=halted, reason="The family asked.")
    night.carry_out(halted)
    assert shelf.is_gone(film)
    assert shelf.is_gone(clip)
    assert all(shelf.opens(row) for row in shelf.objects(later))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_hold_beats_the_request_and_the_clip_stays_dark(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family, keystore: KeyStore
) -> None:
    clip = shelf.clip(shelf.film())
    ask(shelf, schedule, family.mother.actor, clip)
    retention.place_hold(
        db,
        keystore=keystore,
        actor=family.staff.officer.actor,
        scope=HoldScope.CLIP,
        subject=clip,
        reason="Named in a court order.",
    )
    shelf.pass_days(14)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    assert states(db, clip) == [RenditionState.WITHDRAWN_FROM_USE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_objection_keeps_the_clip_out_of_use_and_undestroyed(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family, keystore: KeyStore
) -> None:
    clip = shelf.clip(shelf.film())
    request = ask(shelf, schedule, family.mother.actor, clip)
    officer = family.staff.officer.actor
    with pytest.raises(Refused):
        retention.object_to_erasure(
            db, keystore=keystore, actor=family.staff.guider.actor, erasure_id=request, reason="No."
        )
    retention.object_to_erasure(
        db, keystore=keystore, actor=officer, erasure_id=request, reason="The other parent wants to keep it."
    )
    shelf.pass_days(20)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    assert states(db, clip) == [RenditionState.WITHDRAWN_FROM_USE]
    (found,) = retention.erasures(db, actor=officer)
    assert found.state is ErasureState.OBJECTED


def test_whoever_asked_may_change_their_mind_within_the_window(
    db: Database, shelf: Shelf, night: Night, schedule: Schedule, family: Family
) -> None:
    clip = shelf.clip(shelf.film())
    request = ask(shelf, schedule, family.mother.actor, clip)
    with pytest.raises(NotFound):
        retention.cancel_erasure(db, actor=family.father.actor, erasure_id=request)
    retention.cancel_erasure(db, actor=family.mother.actor, erasure_id=request)
    assert states(db, clip) == [RenditionState.LIVE]
    shelf.pass_days(14)
    night()
    assert all(shelf.opens(row) for row in shelf.objects(clip))
    with pytest.raises(Conflict, match="erasure_closed"):
        retention.cancel_erasure(db, actor=family.mother.actor, erasure_id=request)


def test_two_parents_ask_without_learning_of_each_other_and_both_must_change_their_mind(
    db: Database, shelf: Shelf, schedule: Schedule, family: Family
) -> None:
    clip = shelf.clip(shelf.film(), persons=(family.child,))
    mothers = ask(shelf, schedule, family.mother.actor, clip)
    fathers = ask(shelf, schedule, family.father.actor, clip)
    retention.cancel_erasure(db, actor=family.mother.actor, erasure_id=mothers)
    assert states(db, clip) == [RenditionState.WITHDRAWN_FROM_USE]
    retention.cancel_erasure(db, actor=family.father.actor, erasure_id=fathers)
    assert states(db, clip) == [RenditionState.LIVE]
    ask(shelf, schedule, family.mother.actor, clip)
    with pytest.raises(Conflict, match="erasure_asked_already"):
        ask(shelf, schedule, family.mother.actor, clip)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_the_window_it_is_too_late_to_object(
    db: Database, shelf: Shelf, schedule: Schedule, family: Family, keystore: KeyStore
) -> None:
    request = ask(shelf, schedule, family.mother.actor, shelf.clip(shelf.film()))
    shelf.pass_days(14)
    with pytest.raises(Refused, match="window_over"):
        retention.object_to_erasure(
            db, keystore=keystore, actor=family.staff.officer.actor, erasure_id=request, reason="Late."
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_who_is_in_a_film_or_speaks_for_a_child_in_it_may_ask(
    db: Database, shelf: Shelf, schedule: Schedule, family: Family, keystore: KeyStore
) -> None:
    of_mother = shelf.clip(shelf.film(), persons=(family.mother.id,))
    with pytest.raises(Refused, match="not_in_this_film"):
        ask(shelf, schedule, family.father.actor, of_mother)
    for stranger in (family.staff.guider, family.staff.chair, family.staff.officer):
        with pytest.raises(NotFound):
            ask(shelf, schedule, stranger.actor, of_mother)
    with pytest.raises(NotFound):
        ask(shelf, schedule, family.mother.actor, ClipId("0" * 32))
    with pytest.raises(NotFound):
        retention.erase(db, actor=family.mother.actor, schedule=schedule, case_id=CaseId("x"), clip_id=of_mother)
    half_signed_in = Actor(family.mother.id, family.mother.actor.kind, family.mother.actor.session)
    with pytest.raises(NotSignedIn):
        ask(shelf, schedule, half_signed_in, of_mother)
    identity.place_restriction(
        db,
        keystore=keystore,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        person=family.mother.id,
        effects=frozenset({Effect.NO_SAY}),
        reason="Court order.",
    )
    with pytest.raises(Refused, match="not_in_this_film"):
        ask(shelf, schedule, family.mother.actor, of_mother)
    assert states(db, of_mother) == [RenditionState.LIVE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_parent_may_tell_the_guider_who_records_it_for_them(
    db: Database, shelf: Shelf, schedule: Schedule, family: Family
) -> None:
    clip = shelf.clip(shelf.film())
    retention.erase(
        db,
        actor=family.staff.guider.actor,
        schedule=schedule,
        case_id=family.case_id,
        clip_id=clip,
        told_by=family.mother.id,
    )
    (found,) = retention.erasures(db, actor=family.staff.officer.actor)
    assert (found.asked_for, found.clip_id) == (family.mother.id, clip)
    with pytest.raises(NotFound):
        retention.erase(
            db,
            actor=family.staff.guider.actor,
            schedule=schedule,
            case_id=family.case_id,
            clip_id=clip,
            told_by=family.staff.social_worker.id,
        )
