from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

import audit
from audit.models import AuditEntryRow, AuditPendingRow, AuditWriterRow
from core import outbox
from core.db import Database, connect
from core.errors import Invalid, Unavailable
from core.ids import CaseId, PersonId, new_id
from core.mark import ClockMark
from tests.audit.desk import SIGNER

ACTOR = PersonId(new_id())
ROOT = Path(__file__).parents[2]


def test_an_entry_commits_with_its_act_and_takes_the_clock_s_time(db: Database) -> None:
    with db.begin() as session:
        entry_id = audit.record(
            session, audit.Event.CASE_OPENED, actor=ACTOR, case_id=CaseId(new_id()), details={"children": 2}
        )
    with db.read() as session:
        row = session.get_one(AuditEntryRow, entry_id)
    assert row.at == db.clock.now()
    assert row.details == {"children": 2}
    assert row.number == 1


def test_an_act_that_fails_leaves_neither_an_entry_nor_a_gap(db: Database) -> None:
    def half_way() -> None:
        with db.begin() as session:
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    with db.begin() as session:
        audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR)
        audit.record(session, audit.Event.SIGNED_OUT, actor=ACTOR)
    with db.read() as session:
        rows = session.execute(select(AuditEntryRow.writer_id, AuditEntryRow.number)).all()
    assert sorted(number for _, number in rows) == [1, 2]
    assert len({writer for writer, _ in rows}) == 1


def test_without_a_writer_nothing_happens_even_if_the_error_is_swallowed(db: Database) -> None:
    db.info.pop("audit_writer")

    def swallow() -> None:
        with db.begin() as session:
            session.add(ClockMark(id=7, highest=db.clock.now()))
            with pytest.raises(Unavailable, match="audit_unavailable"):
                audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR)

    with pytest.raises(Unavailable, match="audit_unavailable"):
        swallow()
    with db.read() as session:
        assert session.get(ClockMark, 7) is None


def test_an_entry_that_the_database_refuses_stops_the_act(db: Database) -> None:
    with db.begin() as session:
        session.execute(text("DROP TABLE audit_pending"))

    def act() -> None:
        with db.begin() as session:
            session.add(ClockMark(id=7, highest=db.clock.now()))
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR)

    with pytest.raises(Unavailable, match="audit_unavailable"):
        act()
    with db.read() as session:
        assert session.get(ClockMark, 7) is None


@pytest.mark.parametrize("text", ["Two words", "<b>", "zoë", "", "a" * 101, "name@example.org"])
def test_free_text_is_refused(db: Database, text: str) -> None:
    def swallow() -> None:
        with db.begin() as session, pytest.raises(Invalid, match="audit_not_a_word"):
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR, details={"note": text})

    with pytest.raises(Unavailable, match="audit_unavailable"):
        swallow()


def test_where_the_log_s_tables_are_held_by_another_the_act_fails_in_bounded_time(
    db: Database, database_url: str
) -> None:
    if db.is_sqlite:
        return  # one writer at a time: the whole transaction waits, and core's tests have that
    hasty = connect(f"{database_url}&options=-c%20lock_timeout%3D50", clock=db.clock)
    hasty.info.update(db.info)

    def act() -> None:
        with hasty.begin() as session:
            session.add(ClockMark(id=7, highest=db.clock.now()))
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR)

    with db.begin() as holder:
        holder.execute(text("LOCK TABLE audit_writer IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Unavailable, match="audit_unavailable"):
            act()
    hasty.engine.dispose()
    with db.read() as session:
        assert session.get(ClockMark, 7) is None


def test_a_lock_is_waited_for_no_longer_than_stated(db: Database) -> None:
    if db.is_sqlite:
        return
    with db.read() as session:
        assert session.scalar(text("SHOW lock_timeout")) == "10s"


def test_a_narrowing_event_goes_to_the_witness_with_the_act(db: Database) -> None:
    with db.begin() as session:
        audit.record(session, audit.Event.CONSENT_GRANTED, actor=ACTOR)
        withdrawn = audit.record(session, audit.Event.CONSENT_WITHDRAWN, actor=ACTOR)
    with db.begin() as session:
        rows = outbox.waiting(session, at=db.clock.now())
        assert [(row.kind, row.payload) for row in rows] == [(audit.WITNESS, {"entry_id": withdrawn})]


def test_many_threads_leave_chains_without_gaps(db: Database) -> None:
    def work(turn: int) -> None:
        with suppress(ZeroDivisionError), db.begin() as session:
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR, details={"turn": turn})
            audit.record(session, audit.Event.SIGNED_OUT, actor=ACTOR, details={"rest": 1 // (turn % 3)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(48)))
    with db.read() as session:
        rows = session.execute(select(AuditEntryRow.writer_id, AuditEntryRow.number)).all()
        heads = dict(session.execute(select(AuditWriterRow.id, AuditWriterRow.number)).all())
        waiting = session.scalar(select(func.count()).select_from(AuditPendingRow))
    assert len(rows) == waiting == 64
    assert len(heads) <= 8
    for writer, number in heads.items():
        assert sorted(n for w, n in rows if w == writer) == list(range(1, number + 1))


def test_two_transactions_at_once_don_t_wait_for_each_other_where_the_database_allows_it(db: Database) -> None:
    if db.is_sqlite:
        return
    with db.begin() as first:
        audit.record(first, audit.Event.SIGNED_IN, actor=ACTOR)
        with db.begin() as second:
            audit.record(second, audit.Event.SIGNED_IN, actor=ACTOR)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditWriterRow)) == 2


_CHILD = """
import sys
import audit
from core.clock import SystemClock
from core.db import connect
from core.secret import Secret
db = connect(sys.argv[1], clock=SystemClock())
audit.attach(db, writer_key=Secret(b"audit key of no real store......"))
for _ in range(10):
    with db.begin() as session:
        audit.record(session, audit.Event.SIGNED_IN, actor=None)
"""


def test_several_processes_leave_chains_without_gaps(db: Database, database_url: str) -> None:
    children = [subprocess.Popen([sys.executable, "-c", _CHILD, database_url], cwd=ROOT) for _ in range(3)]
    assert [child.wait(timeout=120) for child in children] == [0, 0, 0]
    assert audit.seal(db, signer=SIGNER) == 30
    writer = db.info["audit_writer"]
    assert audit.verify(db, verifier=SIGNER.verifier, writer_key=writer.key).finding is None
