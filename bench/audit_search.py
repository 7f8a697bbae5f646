"""How long an officer's search takes on a long log.

Fills a throwaway SQLite database (or the empty PostgreSQL one at ``--url``) with made-up entries, asks each question
``--times`` times with other values, and prints the median and the 95th percentile of the second page.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

import audit
from app import tables
from audit import Event, Filters, Outcome
from core.clock import SystemClock
from core.db import Database, connect

PEOPLE, CASES, OBJECTS = 400, 4_000, 80_000
YEARS = 8
BEGIN = datetime(2018, 1, 1, tzinfo=UTC)
COMMON = [Event.VIEWING_BEGUN, Event.VIEWING_ENDED, Event.SIGNED_IN, Event.SIGNED_OUT, Event.RECORD_OPENED]
RARE = [Event.OVERRIDE_PROPOSED, Event.CONSENT_WITHDRAWN, Event.VIEWING_REFUSED, Event.DESTROYED]


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--entries", type=int, default=10_000_000)
    command.add_argument("--times", type=int, default=200)
    command.add_argument("--url", help="an empty PostgreSQL database")


def run(asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="vig-bench") as folder:
        db = connect(asked.url or f"sqlite:///{Path(folder) / 'vault.db'}", clock=SystemClock())
        tables.METADATA.create_all(db.engine)
        begun = time.perf_counter()
        fill(db, asked.entries)
        print(f"audit-search.entries: {asked.entries}")
        print(f"audit-search.database: {db.engine.dialect.name}")
        print(f"audit-search.filling_s: {time.perf_counter() - begun:.0f}")
        for name, make in QUESTIONS.items():
            took = sorted(ask(db, make()) for _ in range(asked.times))
            said = name.replace(",", "").replace(" ", "-")
            print(f"audit-search.{said}.p50_ms: {statistics.median(took):.1f}")
            print(f"audit-search.{said}.p95_ms: {took[int(len(took) * 0.95)]:.1f}")
        db.engine.dispose()


def fill(db: Database, entries: int) -> None:
    """Make entries inside the database: the indexes are the real ones, the chains aren't."""
    step = 200_000
    lite = db.is_sqlite
    dice = "abs(random())" if lite else "(random() * 2147483647)::bigint"
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last)"
        if lite
        else "WITH n(i) AS (SELECT generate_series(CAST(:first AS bigint), :last - 1))"
    )
    seconds = f"i * {YEARS * 365 * 86400} / {entries}"
    at = f"strftime('%Y-%m-%d %H:%M:%f000', '{BEGIN:%Y-%m-%d}', ({seconds}) || ' seconds')"
    if not lite:
        at = f"timestamptz '{BEGIN:%Y-%m-%d} UTC' + ({seconds}) * interval '1 second'"
    common = " ".join(f"WHEN {index} THEN '{event.value}'" for index, event in enumerate(COMMON))
    rare = " ".join(f"WHEN {index} THEN '{event.value}'" for index, event in enumerate(RARE))
    kind = f"CASE WHEN d % 100 = 0 THEN CASE d / 100 % 4 {rare} END ELSE CASE d % 5 {common} END END"
    blob = "zeroblob(32)" if lite else "decode(repeat('00', 32), 'hex')"
    name = "printf('%032x', {})" if lite else "lpad(to_hex({}), 32, '0')"
    for first in range(0, entries, step):
        with db.begin() as session:
            session.execute(
                text(
                    f"{numbers}, m AS (SELECT i, {dice} AS d, {dice} AS e, {dice} AS f, {dice} AS g FROM n) "  # noqa: S608 - constants
                    "INSERT INTO audit_entry"
                    " (id, at, writer_id, number, event, outcome, actor, case_id, object_id, salt, mac)"
                    f" SELECT {name.format('i')}, {at}, 'bench', i, {kind},"
                    f" CASE WHEN d % 400 = 200 THEN 'refused' ELSE 'done' END, {name.format(f'e % {PEOPLE}')},"
                    f" {name.format(f'f % {CASES}')}, {name.format(f'g % {OBJECTS}')}, {blob}, {blob} FROM m"
                ),
                {"first": first, "last": min(first + step, entries)},
            )
    with db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def ask(db: Database, filters: Filters) -> float:
    """Ask for the second page, as the first is only cheaper; give milliseconds."""
    with db.read() as session:
        first = audit.search(session, filters)
    begun = time.perf_counter()
    with db.read() as session:
        audit.search(session, filters, after=first.after)
    return (time.perf_counter() - begun) * 1000


def anyone(count: int) -> str:
    return f"{random.randrange(count):032x}"  # noqa: S311 - a bench


def any_week() -> tuple[datetime, datetime]:
    since = BEGIN + timedelta(days=random.randrange(YEARS * 365 - 7))  # noqa: S311 - a bench
    return since, since + timedelta(days=7)


def refusals_of_a_week() -> Filters:
    since, until = any_week()
    return Filters(outcomes=frozenset({Outcome.REFUSED}), since=since, until=until)


QUESTIONS = {
    "who saw this clip": lambda: Filters(object_id=anyone(OBJECTS), events=frozenset({Event.VIEWING_BEGUN})),
    "what did this person do": lambda: Filters(actor=anyone(PEOPLE)),
    "what did this person override": lambda: Filters(
        actor=anyone(PEOPLE), events=frozenset({Event.OVERRIDE_PROPOSED, Event.OVERRIDE_APPROVED})
    ),
    "what happened in this case": lambda: Filters(case_id=anyone(CASES)),
    "what was refused in this case": lambda: Filters(case_id=anyone(CASES), outcomes=frozenset({Outcome.REFUSED})),
    "every refusal of a week": refusals_of_a_week,
    "every refusal to sign in": lambda: Filters(
        events=frozenset({Event.SIGNED_IN}), outcomes=frozenset({Outcome.REFUSED})
    ),
    "every override": lambda: Filters(events=frozenset({Event.OVERRIDE_PROPOSED, Event.OVERRIDE_APPROVED})),
    "everything, newest first": Filters,
}
