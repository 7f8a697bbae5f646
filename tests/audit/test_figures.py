"""Figures of the log: days as people in England live them, and how far the log is sealed and told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import audit
from audit import Event, FileWitness
from core.db import Database
from tests.audit.desk import SIGNER
from tests.fakes import HandClock

FIRST = date(2026, 3, 28)


def record(db: Database, clock: HandClock, at: datetime, event: Event = Event.VIEWING_BEGUN) -> None:
    clock.at = at
    with db.begin() as session:
        audit.record(session, event, actor=None)


def test_a_day_begins_at_midnight_in_england_also_when_the_clocks_change(db: Database, clock: HandClock) -> None:
    for hour in (22, 23):
        record(db, clock, datetime(2026, 3, 28, hour, 30, tzinfo=UTC))
    record(db, clock, datetime(2026, 3, 29, 22, 30, tzinfo=UTC))
    record(db, clock, datetime(2026, 3, 29, 23, 30, tzinfo=UTC))
    record(db, clock, datetime(2026, 3, 29, 23, 40, tzinfo=UTC), Event.VIEWING_REFUSED)
    with db.read() as session:
        found = audit.per_day(session, events=(Event.VIEWING_BEGUN, Event.VIEWING_REFUSED), first=FIRST, days=3)
    assert found == {
        (FIRST, Event.VIEWING_BEGUN): 2,
        (date(2026, 3, 29), Event.VIEWING_BEGUN): 1,
        (date(2026, 3, 30), Event.VIEWING_BEGUN): 1,
        (date(2026, 3, 30), Event.VIEWING_REFUSED): 1,
    }


def test_what_lies_outside_the_days_or_is_something_else_does_not_count(db: Database, clock: HandClock) -> None:
    record(db, clock, datetime(2026, 3, 27, 23, 59, tzinfo=UTC))
    record(db, clock, datetime(2026, 3, 28, 12, tzinfo=UTC), Event.SIGNED_IN)
    record(db, clock, datetime(2026, 3, 29, 0, 0, tzinfo=UTC))
    with db.read() as session:
        assert audit.per_day(session, events=(Event.VIEWING_BEGUN,), first=FIRST, days=1) == {}
        assert audit.per_day(session, events=(), first=FIRST, days=2) == {}


def test_the_extent_says_what_is_sealed_what_waits_and_what_the_witness_knows(
    db: Database, clock: HandClock, tmp_path: Path
) -> None:
    with db.read() as session:
        assert audit.extent(session) == audit.Extent(size=0, sealed_at=None, pending=0, told=None)
    record(db, clock, datetime(2026, 3, 28, 12, tzinfo=UTC))
    audit.seal(db, signer=SIGNER)
    witness = FileWitness(tmp_path / "witness")
    audit.tell_checkpoint(db, witness=witness)
    record(db, clock, datetime(2026, 3, 28, 13, tzinfo=UTC))
    with db.read() as session:
        found = audit.extent(session, witness=witness.name)
    assert found == audit.Extent(size=1, sealed_at=datetime(2026, 3, 28, 12, tzinfo=UTC), pending=1, told=1)
