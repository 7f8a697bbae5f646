from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import consent
import identity
import vault
from consent import Decision, FilmingAnswer, How, Purpose
from core.db import Database
from core.errors import Damaged, Invalid, NotFound, Refused
from core.ids import FootageId, RenditionId, SessionId, ViewingId, VisitId, new_id
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Someone, again
from tests.vault.agreeing import share_with_social_worker
from tests.vault.cinema import Cinema
from tests.vault.scene import add_clip, add_footage
from vault import DiskStore, Picture, Viewing, ViewingCut
from vault.models import ObjectRow, ObjectState
from vault.viewing_models import ViewingRow

SEGMENT = 256 * 1024


def test_the_guider_plays_a_clip_whole_and_in_ranges(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    content = cinema.clip.content
    assert viewing.size_bytes == len(content)
    assert cinema.play(cinema.guider, viewing.id) == content
    for start, end in ((0, 1), (1, SEGMENT), (SEGMENT - 60, SEGMENT), (500_000, None), (len(content) - 1, 10**12)):
        assert cinema.play(cinema.guider, viewing.id, start=start, end=end) == content[start:end]
    assert cinema.viewing(viewing.id).bytes_served > len(content)


def test_the_entry_is_committed_before_the_first_byte(cinema: Cinema) -> None:
    cinema.begin(cinema.guider, Purpose.PREPARE)
    (entry,) = cinema.events("viewing.begun")
    assert (entry.actor, entry.object_id, entry.purpose) == (
        cinema.guider.id,
        cinema.clip.rendition_id,
        Purpose.PREPARE.value,
    )


def test_a_range_that_the_film_has_not_got_is_refused(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    size = len(cinema.clip.content)
    for start, end in ((size, None), (-1, 10), (10, 10), (10, 5), (size + 5, size + 6)):
        with pytest.raises(Invalid, match="bad_range"):
            cinema.play(cinema.guider, viewing.id, start=start, end=end)


def test_without_a_yes_a_social_worker_gets_nothing_and_learns_nothing(cinema: Cinema) -> None:
    with pytest.raises(Refused, match="not_available") as refusal:
        cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)
    assert refusal.value.sentence == consent.NEUTRAL_SENTENCE
    (entry,) = cinema.events("viewing.refused")
    assert entry.outcome == "refused"
    assert entry.reason


def test_a_clip_of_another_case_is_not_there(cinema: Cinema) -> None:
    staff = cinema.family.staff
    for stranger in (staff.colleague, staff.chair, staff.officer, staff.administrator):
        for purpose in (Purpose.PREPARE, Purpose.SOCIAL_WORKER, Purpose.CHECK):
            with pytest.raises(NotFound):
                cinema.begin(stranger, purpose)
    for foreign in (new_id(), " ", "x", "x" * 32):
        with pytest.raises(NotFound):
            cinema.begin(cinema.guider, Purpose.PREPARE, rendition_id=RenditionId(foreign))
    assert len(cinema.events("viewing.refused")) == 12


def test_a_ticket_is_worth_nothing_to_another_person_or_another_session(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    elsewhere = again(cinema.db, cinema.guider)
    forged = replace(cinema.social_worker.actor, session=cinema.guider.actor.session)
    for other in (cinema.social_worker, elsewhere, Someone(cinema.social_worker.id, forged, elsewhere.token)):
        with pytest.raises(NotFound):
            cinema.play(other, viewing.id)
    for foreign in (new_id(), "", "../x"):
        with pytest.raises(NotFound):
            cinema.play(cinema.guider, ViewingId(foreign))


def test_a_film_stops_in_the_middle_when_the_father_withdraws(cinema: Cinema) -> None:
    share_with_social_worker(cinema.db, cinema.family, cinema.clip.rendition_id)
    viewing = cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)

    async def watch_until_cut() -> list[bytes]:
        seen = []
        reading = aiter(await cinema.open(cinema.social_worker, viewing.id))
        seen.append(await anext(reading))
        await asyncio.to_thread(consent.stop_all, cinema.db, actor=cinema.family.father.actor)
        cinema.ticking.seconds += 0.25
        with pytest.raises(ViewingCut):
            seen.append(await anext(reading))
        return seen

    seen = asyncio.run(watch_until_cut())
    assert seen == [cinema.clip.content[: len(seen[0])]]
    assert len(seen[0]) <= SEGMENT
    (entry,) = cinema.events("viewing.cut")
    assert (entry.actor, entry.reason) == (cinema.social_worker.id, "withdrawn")
    assert cinema.viewing(viewing.id).bytes_served == len(seen[0])
    with pytest.raises(NotFound):
        cinema.play(cinema.social_worker, viewing.id)
    with pytest.raises(Refused, match="not_available"):
        cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)


def test_a_version_that_rose_for_another_reason_stops_nothing(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)

    async def go_on() -> bytes:
        seen = b""
        async for piece in await cinema.open(cinema.guider, viewing.id):
            seen += piece
            cinema.ticking.seconds += 1
            with cinema.db.begin() as session:
                identity.raise_version(session, cinema.family.case_id)
        return seen

    assert asyncio.run(go_on()) == cinema.clip.content


def test_a_watch_that_sees_nothing_new_lets_the_film_run_without_asking_again(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)

    async def go_on() -> bytes:
        reading = aiter(await cinema.open(cinema.guider, viewing.id))
        first = await anext(reading)
        cinema.ticking.seconds += 0.3
        await asyncio.to_thread(cinema.watch.look)
        with cinema.db.begin() as session:  # nobody has seen this yet, and what was seen is young enough
            session.get_one(ViewingRow, viewing.id).purpose = "nonsense"
        return first + await anext(reading)

    shown = asyncio.run(go_on())
    assert cinema.clip.content.startswith(shown)


def test_a_session_that_was_revoked_plays_no_more(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    identity.revoke_all_of(cinema.db, actor=cinema.family.staff.administrator.actor, person=cinema.guider.id)
    with pytest.raises(Refused, match="not_available"):
        cinema.play(cinema.guider, viewing.id)
    (entry,) = cinema.events("viewing.cut")
    assert entry.reason == "session_ended"


def test_footage_is_played_by_its_guider_for_preparing_only(
    cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore, visit: VisitId
) -> None:
    footage_id = add_footage(db, keystore, store, cinema.family, visit)
    with db.read() as session:
        copy = vault.renditions.working_copy(session, footage_id)
        assert copy is not None
    rendition_id = RenditionId(copy.id)
    cinema.begin(cinema.guider, Purpose.PREPARE, rendition_id=rendition_id)
    for purpose in set(Purpose) - {Purpose.PREPARE}:
        with pytest.raises(Refused, match="not_available"):
            cinema.begin(cinema.guider, purpose, rendition_id=rendition_id)


def test_without_a_filming_agreement_a_deposit_is_sealed_also_for_the_guider(cinema: Cinema, db: Database) -> None:
    no = FilmingAnswer(cinema.family.father.id, cinema.family.father.id, Decision.REFUSE, How.TOLD_TO_STAFF)
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    consent.record_filming(
        db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id, answers=[no]
    )
    with pytest.raises(Refused):
        cinema.play(cinema.guider, viewing.id)
    with pytest.raises(Refused):
        cinema.begin(cinema.guider, Purpose.PREPARE)


def test_a_shared_review_is_for_people_in_the_film(cinema: Cinema, db: Database) -> None:
    family = cinema.family

    def review(*people: identity.Actor) -> Viewing:
        return vault.begin_viewing(
            db,
            actor=cinema.guider.actor,
            rendition_id=cinema.clip.rendition_id,
            purpose=Purpose.REVIEW_TOGETHER,
            playing_to=frozenset(one.person for one in people),
        )

    viewing = review(family.mother.actor)
    assert cinema.play(cinema.guider, viewing.id) == cinema.clip.content
    with pytest.raises(Refused):
        review()
    with pytest.raises(Refused):
        review(cinema.social_worker.actor)


def test_a_damaged_segment_is_not_given_out_and_the_film_is_quarantined(cinema: Cinema, tmp_path: Path) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    path = next(tmp_path.rglob(cinema.clip.object_id))
    stored = bytearray(path.read_bytes())
    stored[2 * SEGMENT + 5] ^= 1
    path.write_bytes(stored)
    assert cinema.play(cinema.guider, viewing.id, end=1000) == cinema.clip.content[:1000]
    with pytest.raises(Damaged):
        cinema.play(cinema.guider, viewing.id)
    with cinema.db.read() as session:
        assert session.get_one(ObjectRow, cinema.clip.object_id).state is ObjectState.QUARANTINED
    assert len(cinema.events("object.quarantined")) == 1
    with pytest.raises(Refused):
        cinema.begin(cinema.guider, Purpose.PREPARE)


def test_a_film_that_was_cut_short_or_exchanged_is_not_opened(
    cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore, tmp_path: Path
) -> None:
    with db.read() as session:
        footage_id = session.scalars(select(vault.models.FootageRow.id)).first()
    assert footage_id is not None
    other = add_clip(db, keystore, store, cinema.family, FootageId(footage_id), content=cinema.clip.content)
    viewings = [
        cinema.begin(cinema.guider, Purpose.PREPARE, rendition_id=one.rendition_id) for one in (cinema.clip, other)
    ]
    mine, theirs = (next(tmp_path.rglob(one.object_id)) for one in (cinema.clip, other))
    mine.write_bytes(theirs.read_bytes())
    theirs.write_bytes(theirs.read_bytes()[:-1])
    for viewing in viewings:
        with pytest.raises(Damaged):
            cinema.play(cinema.guider, viewing.id)


def test_a_still_is_decided_like_the_film(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)

    def still(who: Someone, picture: Picture) -> bytes:
        return vault.read_picture(
            cinema.db,
            keystore=cinema.keystore,
            store=cinema.store,
            actor=who.actor,
            viewing_id=viewing.id,
            picture=picture,
        )

    assert still(cinema.guider, Picture.POSTER).startswith(b"\xff\xd8")
    with pytest.raises(NotFound):
        still(cinema.guider, Picture.STRIP)
    with pytest.raises(NotFound):
        still(cinema.social_worker, Picture.POSTER)
    with cinema.db.begin() as session:
        vault.stop_use(session, case_id=cinema.family.case_id, clip_id=None)
    with pytest.raises(Refused, match="not_available"):
        still(cinema.guider, Picture.POSTER)


def test_a_player_that_is_closed_ends_its_ticket_once(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    cinema.play(cinema.guider, viewing.id, end=1000)
    for _ in range(2):
        vault.end_viewing(cinema.db, actor=cinema.guider.actor, viewing_id=viewing.id)
    assert len(cinema.events("viewing.ended")) == 1
    with pytest.raises(NotFound):
        cinema.play(cinema.guider, viewing.id)
    with pytest.raises(NotFound):
        vault.end_viewing(cinema.db, actor=cinema.social_worker.actor, viewing_id=viewing.id)


def test_a_session_that_runs_out_ends_the_film(cinema: Cinema, clock: HandClock) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    assert viewing.valid_until <= (cinema.guider.actor.expires_at or viewing.valid_until)

    async def outlive() -> None:
        reading = aiter(await cinema.open(cinema.guider, viewing.id))
        await anext(reading)
        clock.move(timedelta(days=2))
        with pytest.raises(ViewingCut):
            await anext(reading)

    asyncio.run(outlive())


def test_a_ticket_of_a_session_that_never_was_is_none(cinema: Cinema) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    ghost = replace(cinema.guider.actor, session=SessionId(new_id()))
    with pytest.raises(NotFound):
        cinema.play(Someone(cinema.guider.id, ghost, cinema.guider.token), viewing.id)
