"""How often one range asks the databases: it may not creep up. And what it is spared must not show too much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

import consent
import identity
import vault
from consent import Purpose
from core.db import Database
from core.errors import Refused
from core.ids import ViewingId, new_id
from tests.vault.agreeing import share_with_social_worker
from tests.vault.cinema import Cinema
from vault.permits import KEPT_SECONDS, MOST, Permits, permits_on

MOST_QUERIES = 6
PIECE = 64 * 1024


@contextmanager
def statements(*dbs: Database) -> Iterator[list[str]]:
    """What is asked meanwhile, but for the bounds of transactions."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    for db in dbs:
        event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for db in dbs:
            event.remove(db.engine, "before_cursor_execute", note)


def test_a_range_asks_six_times_until_something_changes_and_is_written_down_in_the_end(cinema: Cinema) -> None:
    share_with_social_worker(cinema.db, cinema.family, cinema.clip.rendition_id)
    viewing = cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)
    for start in (0, PIECE, 5 * PIECE):
        with statements(cinema.db, cinema.keystore.db) as seen:
            identity.actor_for(cinema.db, cinema.social_worker.token)
            assert len(cinema.play(cinema.social_worker, viewing.id, start=start, end=start + PIECE)) == PIECE
        assert len(seen) <= MOST_QUERIES, seen
    consent.stop_all(cinema.db, actor=cinema.family.father.actor)
    with pytest.raises(Refused, match="not_available"):
        cinema.play(cinema.social_worker, viewing.id, start=PIECE, end=2 * PIECE)
    assert permits_on(cinema.db).latest(viewing.id) is None
    vault.end_viewing(cinema.db, actor=cinema.social_worker.actor, viewing_id=viewing.id)
    assert cinema.viewing(viewing.id).bytes_served == 3 * PIECE


def test_permits_are_forgotten_by_age_and_by_number(cinema: Cinema) -> None:
    cinema.begin(cinema.guider, Purpose.PREPARE)
    permit = permits_on(cinema.db).latest(cinema.begin(cinema.guider, Purpose.PREPARE).id)
    assert permit is not None
    permits = Permits(monotonic=cinema.ticking)
    ids = [ViewingId(new_id()) for _ in range(MOST + 1)]
    for one in ids:
        permits.keep(one, permit)
    assert permits.latest(ids[0]) is None
    assert permits.latest(ids[1]) is permit
    cinema.ticking.seconds += KEPT_SECONDS
    assert permits.latest(ids[1]) is None
