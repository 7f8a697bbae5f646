from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

import identity
import redaction
import vault
from consent import Purpose
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import AssignmentId, PersonId, RenditionId, VisitId, new_id
from identity.models import AssignmentRow
from keys import KeyStore
from redaction import CheckState
from tests.fakes import HandClock
from tests.vault.cinema import Cinema
from tests.vault.scene import add_clip, add_footage
from vault import DiskStore


def ask(cinema: Cinema, *, checker: PersonId | None = None, needed_by: date | None = None) -> str:
    return redaction.request_check(
        cinema.db,
        actor=cinema.guider.actor,
        rendition_id=cinema.clip.rendition_id,
        checker=checker or cinema.family.staff.colleague.id,
        needed_by=needed_by,
    )


def watch_whole(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.family.staff.colleague, Purpose.CHECK)
    cinema.play(cinema.family.staff.colleague, viewing.id)
    time_passes(cinema, seconds=1)


def time_passes(cinema: Cinema, *, seconds: int) -> None:
    assert isinstance(cinema.db.clock, HandClock)
    cinema.db.clock.move(timedelta(seconds=seconds))


def attest(cinema: Cinema, *persons: PersonId) -> None:
    redaction.attest(
        cinema.db,
        actor=cinema.family.staff.colleague.actor,
        rendition_id=cinema.clip.rendition_id,
        persons=persons,
    )


def listed(cinema: Cinema) -> tuple[PersonId, ...]:
    return (cinema.family.mother.id, cinema.family.father.id, cinema.family.child)


def attested_by(cinema: Cinema) -> PersonId | None:
    with cinema.db.read() as session:
        return vault.facts_for(session, cinema.clip.rendition_id).attested_by


def test_a_colleague_watches_the_one_clip_and_attests_who_is_in_it(cinema: Cinema) -> None:
    colleague = cinema.family.staff.colleague
    with pytest.raises(NotFound):
        cinema.begin(colleague, Purpose.CHECK)
    ask(cinema)
    (check,) = redaction.checks_for(cinema.db, keystore=cinema.keystore, actor=colleague.actor)
    assert {name for _, name in check.listed} == {"Mother Example", "Father Example", "Kit Example"}
    with pytest.raises(Conflict, match="watch_first"):
        attest(cinema, *listed(cinema))
    watch_whole(cinema)
    attest(cinema, *listed(cinema))
    assert attested_by(cinema) == colleague.id
    assert redaction.checks_for(cinema.db, keystore=cinema.keystore, actor=colleague.actor) == ()
    (answered,) = redaction.checks_in(
        cinema.db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    assert answered.state is CheckState.PASSED
    with pytest.raises(NotFound):
        cinema.begin(colleague, Purpose.CHECK)
    assert len(cinema.events("check.passed")) == 1


def test_half_a_look_is_none(cinema: Cinema) -> None:
    ask(cinema)
    viewing = cinema.begin(cinema.family.staff.colleague, Purpose.CHECK)
    cinema.play(cinema.family.staff.colleague, viewing.id, end=len(cinema.clip.content) // 2)
    with pytest.raises(Conflict, match="watch_first"):
        attest(cinema, *listed(cinema))


def test_the_first_half_twice_is_no_look_at_the_second(cinema: Cinema) -> None:
    ask(cinema)
    colleague, half = cinema.family.staff.colleague, len(cinema.clip.content) // 2
    viewing = cinema.begin(colleague, Purpose.CHECK)
    for _ in range(3):
        cinema.play(colleague, viewing.id, end=half)
    vault.end_viewing(cinema.db, actor=colleague.actor, viewing_id=viewing.id)
    time_passes(cinema, seconds=9)
    with pytest.raises(Conflict, match="watch_first"):
        attest(cinema, *listed(cinema))
    again = cinema.begin(colleague, Purpose.CHECK)
    cinema.play(colleague, again.id, start=half - 1)
    attest(cinema, *listed(cinema))


def test_what_the_browser_fetched_at_once_was_not_watched_before_it_could_have_been(cinema: Cinema) -> None:
    ask(cinema)
    viewing = cinema.begin(cinema.family.staff.colleague, Purpose.CHECK)
    cinema.play(cinema.family.staff.colleague, viewing.id)
    with pytest.raises(Conflict, match="watch_first"):
        attest(cinema, *listed(cinema))
    time_passes(cinema, seconds=1)
    attest(cinema, *listed(cinema))


def test_other_people_than_those_listed_are_not_attested(cinema: Cinema) -> None:
    ask(cinema)
    watch_whole(cinema)
    for others in ((), listed(cinema)[:2], (*listed(cinema), cinema.family.sibling)):
        with pytest.raises(Conflict, match="persons_changed"):
            attest(cinema, *others)
    assert attested_by(cinema) is None


def test_what_is_sent_back_says_why_and_is_no_longer_attested(cinema: Cinema) -> None:
    ask(cinema)
    colleague = cinema.family.staff.colleague
    with pytest.raises(Invalid, match="check_note"):
        redaction.send_back(
            cinema.db,
            keystore=cinema.keystore,
            actor=colleague.actor,
            rendition_id=cinema.clip.rendition_id,
            note="  ",
        )
    redaction.send_back(
        cinema.db,
        keystore=cinema.keystore,
        actor=colleague.actor,
        rendition_id=cinema.clip.rendition_id,
        note="A neighbour stands at the door",
    )
    (check,) = redaction.checks_in(
        cinema.db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    assert (check.state, check.note) == (CheckState.SENT_BACK, "A neighbour stands at the door")
    with pytest.raises(NotFound):
        attest(cinema, *listed(cinema))
    ask(cinema)  # and once it is put right, it can be asked for again


def test_nobody_on_the_case_checks_and_nobody_checks_their_own(cinema: Cinema) -> None:
    staff = cinema.family.staff
    for near in (staff.guider, staff.social_worker):
        with pytest.raises(Refused):
            ask(cinema, checker=near.id)
    for none in (cinema.family.mother.id, PersonId(new_id())):
        with pytest.raises(NotFound):
            ask(cinema, checker=none)
    with cinema.db.begin() as session:  # the clip was made by the colleague, who has left the case since
        session.get_one(vault.models.RenditionRow, cinema.clip.rendition_id).author = staff.colleague.id
    with pytest.raises(Refused, match="checker_made_it"):
        ask(cinema)
    assert cinema.events("check.asked")[-1].outcome == "refused"


def test_only_the_guider_asks_and_only_once_and_may_take_it_back(cinema: Cinema) -> None:
    ask(cinema)
    with pytest.raises(Conflict, match="check_waiting"):
        ask(cinema)
    for other, error in ((cinema.social_worker, Refused), (cinema.family.mother, NotFound)):
        with pytest.raises(error):
            redaction.take_back(cinema.db, actor=other.actor, rendition_id=cinema.clip.rendition_id)
    redaction.take_back(cinema.db, actor=cinema.guider.actor, rendition_id=cinema.clip.rendition_id)
    with pytest.raises(NotFound):
        cinema.begin(cinema.family.staff.colleague, Purpose.CHECK)
    cinema.guider = cinema.social_worker
    with pytest.raises(Refused):
        ask(cinema)
    for foreign in (new_id(), "x"):
        with pytest.raises(NotFound):
            redaction.request_check(
                cinema.db,
                actor=cinema.guider.actor,
                rendition_id=RenditionId(foreign),
                checker=cinema.family.staff.colleague.id,
            )


def test_whoever_lost_their_place_since_they_watched_passes_nothing_and_holds_nobody_up(cinema: Cinema) -> None:
    colleague = cinema.family.staff.colleague
    ask(cinema)
    watch_whole(cinema)
    with cinema.db.read() as session:
        place = session.scalars(select(AssignmentRow).where(AssignmentRow.person_id == colleague.id)).one().id
    identity.end_assignment(
        cinema.db,
        keystore=cinema.keystore,
        actor=cinema.family.staff.manager.actor,
        assignment=AssignmentId(place),
        reason="They know the family",
    )
    with pytest.raises(NotFound):
        attest(cinema, *listed(cinema))
    assert attested_by(cinema) is None
    assert redaction.checks_for(cinema.db, keystore=cinema.keystore, actor=colleague.actor) == ()
    (check,) = redaction.checks_in(
        cinema.db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    assert check.state is CheckState.TAKEN_BACK
    ask(cinema)


def test_the_queue_begins_with_the_meeting_that_comes_first(
    cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore, visit: VisitId, clock: HandClock
) -> None:
    footage_id = add_footage(db, keystore, store, cinema.family, visit)
    soon, later = date(2026, 3, 9), date(2026, 4, 1)
    asked = []
    for needed_by in (None, later, soon):
        cinema.clip = add_clip(db, keystore, store, cinema.family, footage_id, content=f"{needed_by}".encode())
        asked.append(ask(cinema, needed_by=needed_by))
        clock.move(timedelta(minutes=1))
    queue = redaction.checks_for(db, keystore=keystore, actor=cinema.family.staff.colleague.actor)
    assert [check.id for check in queue] == list(reversed(asked))
    assert redaction.checks_for(db, keystore=keystore, actor=cinema.social_worker.actor) == ()
