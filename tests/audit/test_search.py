from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

import audit
from audit import Event, Filters, Outcome
from core.db import Database
from core.errors import Invalid
from core.ids import CaseId, PersonId, new_id
from tests.audit.desk import SIGNER
from tests.fakes import HandClock

ANNE, BEN = PersonId(new_id()), PersonId(new_id())
HOME, AWAY = CaseId(new_id()), CaseId(new_id())
CLIP = new_id()


@pytest.fixture
def busy(db: Database, clock: HandClock) -> Database:
    """Ninety minutes of two people's work, one entry a minute."""
    with db.begin() as session:
        for minute in range(90):
            refused = minute % 9 == 0
            audit.record(
                session,
                (Event.VIEWING_REFUSED if refused else Event.VIEWING_BEGUN) if minute % 2 else Event.SIGNED_IN,
                actor=ANNE if minute % 3 else BEN,
                outcome=Outcome.REFUSED if refused else Outcome.DONE,
                case_id=HOME if minute % 5 else AWAY,
                object_id=CLIP if minute % 10 == 1 else new_id(),
            )
            clock.move(timedelta(minutes=1))
    audit.seal(db, signer=SIGNER)
    return db


def all_of(db: Database, filters: Filters, *, most: int = 7) -> list[audit.Found]:
    found, after = [], None
    with db.read() as session:
        while True:
            page = audit.search(session, filters, after=after, most=most)
            found += page.entries
            if (after := page.after) is None:
                return found


def test_who_saw_this_clip(busy: Database) -> None:
    found = all_of(busy, Filters(object_id=CLIP))
    assert len(found) == 9
    assert {entry.object_id for entry in found} == {CLIP}
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)


def test_what_did_this_person_do(busy: Database) -> None:
    assert len(all_of(busy, Filters(actor=BEN))) == 30


def test_every_refusal_in_a_span_of_time(busy: Database) -> None:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    found = all_of(
        busy,
        Filters(
            outcomes=frozenset({Outcome.REFUSED}),
            since=start + timedelta(minutes=9),
            until=start + timedelta(minutes=81),
        ),
    )
    assert [entry.at.minute + 60 * (entry.at.hour - 9) for entry in found] == [72, 63, 54, 45, 36, 27, 18, 9]


def test_several_kinds_of_event_come_in_one_order(busy: Database) -> None:
    found = all_of(busy, Filters(events=frozenset({Event.VIEWING_BEGUN, Event.VIEWING_REFUSED})))
    assert len(found) == 45
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    assert {entry.event for entry in found} == {Event.VIEWING_BEGUN, Event.VIEWING_REFUSED}


def test_filters_hold_together(busy: Database) -> None:
    found = all_of(
        busy,
        Filters(actor=ANNE, case_id=HOME, events=frozenset({Event.VIEWING_BEGUN}), outcomes=frozenset({Outcome.DONE})),
    )
    assert len(found) == sum(1 for m in range(90) if m % 2 and m % 9 and m % 3 and m % 5)


def test_pages_meet_without_gap_or_overlap_even_where_times_are_equal(db: Database) -> None:
    with db.begin() as session:
        made = {audit.record(session, Event.SIGNED_IN, actor=ANNE) for _ in range(23)}
    found = [entry.id for entry in all_of(db, Filters(), most=5)]
    assert len(found) == 23
    assert set(found) == made


def test_an_entry_says_where_it_is_sealed(busy: Database) -> None:
    with busy.begin() as session:
        audit.record(session, Event.SIGNED_OUT, actor=ANNE, details={"devices": 2})
    newest, before, *_ = all_of(busy, Filters(), most=100)
    assert newest.index is None
    assert newest.details == {"devices": 2}
    assert before.index == 89


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "bm90IGEgdGltZXx4", "MjAyNi0wMy0wMlQwOTowMHx4", "é"])
def test_a_page_that_never_was_is_refused(busy: Database, token: str) -> None:
    with busy.read() as session, pytest.raises(Invalid, match="audit_page_unknown"):
        audit.search(session, Filters(), after=token)


def test_bounds_are_kept(busy: Database) -> None:
    at = busy.clock.now()
    with busy.read() as session:
        for most in (0, 501):
            with pytest.raises(Invalid, match="audit_page_size"):
                audit.search(session, Filters(), most=most)
        with pytest.raises(Invalid, match="end_before_start"):
            audit.search(session, Filters(since=at, until=at))


@pytest.mark.new_database
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(), "time"),
        (Filters(object_id=CLIP, actor=ANNE, outcomes=frozenset({Outcome.DONE})), "object"),
        (Filters(case_id=HOME, actor=ANNE, events=frozenset({Event.SIGNED_IN})), "case"),
        (Filters(actor=ANNE), "actor"),
        (Filters(actor=ANNE, events=frozenset({Event.SIGNED_IN})), "actor_event"),
        (Filters(events=frozenset({Event.VIEWING_REFUSED}), outcomes=frozenset({Outcome.REFUSED})), "outcome"),
        (Filters(events=frozenset({Event.SIGNED_IN}), outcomes=frozenset({Outcome.DONE})), "event"),
        (Filters(outcomes=frozenset({Outcome.REFUSED}), since=datetime(2026, 3, 2, tzinfo=UTC)), "outcome"),
    ],
)
def test_each_question_walks_one_index_and_sorts_nothing(busy: Database, filters: Filters, index: str) -> None:
    asked: list[tuple[str, object]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM audit_entry" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, parameters))

    with busy.read() as session:
        if not busy.is_sqlite:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
        first = audit.search(session, filters, most=2)
        sqlalchemy_event.listen(busy.engine, "before_cursor_execute", listen)
        audit.search(session, filters, after=first.after, most=2)
        sqlalchemy_event.remove(busy.engine, "before_cursor_execute", listen)
        (query,) = asked
        explain = "EXPLAIN QUERY PLAN " if busy.is_sqlite else "EXPLAIN "
        rows = session.connection().exec_driver_sql(explain + query[0], query[1])  # type: ignore[arg-type]
        plan = " ".join(str(row) for row in rows)
    if index == "actor_event" and not busy.is_sqlite:
        index = r"\w+"  # PostgreSQL chooses by statistics, of which so few rows have none
    assert re.search(rf"ix_audit_entry_{index}\b", plan)
    assert "SORT" not in plan.upper().replace("INCREMENTAL", "")
    assert "TEMP B-TREE" not in plan


def test_viewing_in_bulk_is_noticed(busy: Database) -> None:
    with busy.read() as session:
        since, until = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
        heavy = audit.watched_in_bulk(session, since=since, until=until, more_than=15)
        assert [who.actor for who in heavy] == [ANNE]
        assert heavy[0].viewings > heavy[0].objects > 15
        assert audit.watched_in_bulk(session, since=until, until=until + timedelta(days=1), more_than=0) == ()


@pytest.mark.parametrize(
    ("at", "noticed"),
    [
        (datetime(2026, 3, 2, 7, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 2, 8, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 2, 18, 30, tzinfo=UTC), True),
        (datetime(2026, 3, 7, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 6, 7, 30, tzinfo=UTC), False),
        (datetime(2026, 7, 6, 17, 30, tzinfo=UTC), True),
    ],
    ids=[
        "before eight",
        "at eight",
        "half past six",
        "on Saturday",
        "half past eight in summer",
        "half past six in summer",
    ],
)
def test_viewing_out_of_hours_is_noticed_by_the_clocks_on_the_wall(
    db: Database, clock: HandClock, at: datetime, noticed: object
) -> None:
    clock.at = at
    with db.begin() as session:
        audit.record(session, Event.VIEWING_BEGUN, actor=ANNE, object_id=CLIP)
        audit.record(session, Event.SIGNED_IN, actor=ANNE)
    with db.read() as session:
        found = list(audit.watched_out_of_hours(session, since=at - timedelta(1), until=at + timedelta(1)))
    assert bool(found) is noticed
