"""A film that plays for longer than its viewer's session may lie idle, in one request: the player asks only once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

import identity
from consent import Purpose
from core.db import Database
from core.ids import SessionId, ViewingId, VisitId
from identity.access_models import SessionRow
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Family
from tests.vault.cinema import Cinema, make_cinema
from tests.vault.scene import add_clip, add_footage, noise
from vault import DiskStore, ViewingCut

SEGMENTS = 8
MINUTES = 5


@pytest.fixture
def long_film(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Cinema:
    cinema = make_cinema(db, keystore, store, family, visit)
    footage_id = add_footage(db, keystore, store, family, visit)
    cinema.clip = add_clip(db, keystore, store, family, footage_id, content=noise(SEGMENTS * 256 * 1024))
    return cinema


def test_a_film_that_plays_for_longer_than_a_session_may_lie_idle_plays_to_its_end(
    long_film: Cinema, clock: HandClock
) -> None:
    viewing = long_film.begin(long_film.guider, Purpose.PREPARE)
    shown = asyncio.run(_all(_played(long_film, viewing.id, clock, every=timedelta(minutes=MINUTES))))
    assert len(shown) >= SEGMENTS
    assert b"".join(shown) == long_film.clip.content
    assert clock.now() > _row(long_film).created_at + 2 * identity.STAFF_TIMEOUTS.idle


def test_use_is_written_down_once_a_minute_at_most_however_many_pieces_are_taken(
    long_film: Cinema, clock: HandClock
) -> None:
    viewing = long_film.begin(long_film.guider, Purpose.PREPARE)

    async def ends() -> list[datetime]:
        pieces = _played(long_film, viewing.id, clock, every=timedelta(seconds=20))
        return [_row(long_film).idle_until async for _ in pieces]

    noted = asyncio.run(ends())
    changes = sum(later != earlier for earlier, later in pairwise(noted))
    assert changes == (SEGMENTS - 1) * 20 // 60


def test_a_film_that_nobody_takes_is_no_use_and_its_session_runs_out(long_film: Cinema, clock: HandClock) -> None:
    viewing = long_film.begin(long_film.guider, Purpose.PREPARE)

    async def pause() -> None:
        reading = aiter(await long_film.open(long_film.guider, viewing.id))
        await anext(reading)
        _pass(long_film, clock, identity.STAFF_TIMEOUTS.idle + timedelta(seconds=1))
        with pytest.raises(ViewingCut):
            await anext(reading)

    asyncio.run(pause())
    (entry,) = long_film.events("viewing.cut")
    assert entry.reason == "session_ended"


def test_no_film_plays_on_after_the_absolute_end_of_a_session(long_film: Cinema, clock: HandClock) -> None:
    viewing = long_film.begin(long_film.guider, Purpose.PREPARE)
    over = _row(long_film).expires_at

    async def play_on() -> None:
        reading = await long_film.open(long_film.guider, viewing.id)
        with pytest.raises(ViewingCut):
            async for _ in reading:
                assert clock.now() < over
                _keep_alive_until(long_film, clock, over - timedelta(minutes=1))
                _pass(long_film, clock, timedelta(seconds=50))

    asyncio.run(play_on())
    assert clock.now() >= over


async def _played(cinema: Cinema, viewing_id: ViewingId, clock: HandClock, *, every: timedelta) -> AsyncIterator[bytes]:
    async for piece in await cinema.open(cinema.guider, viewing_id):
        yield piece
        _pass(cinema, clock, every)


async def _all(pieces: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in pieces]


def _pass(cinema: Cinema, clock: HandClock, time: timedelta) -> None:
    clock.move(time)
    cinema.ticking.seconds += time.total_seconds()


def _keep_alive_until(cinema: Cinema, clock: HandClock, end: datetime) -> None:
    """Other requests of the same session, as often as its idle time needs them."""
    while clock.now() < end:
        _pass(cinema, clock, min(timedelta(minutes=10), end - clock.now()))
        identity.actor_for(cinema.db, cinema.guider.token)


def _row(cinema: Cinema) -> SessionRow:
    with cinema.db.read() as session:
        return session.get_one(SessionRow, SessionId(cinema.guider.actor.session))
