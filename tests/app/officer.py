"""What the tests of an officer's pages share: time that passes, the worker's part, entries to be found."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

import audit
import retention
from app.service import Service
from audit import Event, Filters
from core import jobs, mark, outbox
from core.ids import EntryId, new_id
from core.jobs import JobRow, JobState
from tests.app.browser import Browser
from tests.app.conftest import ClientFor
from tests.fakes import HandClock
from tests.families import Family, Someone, again


def main_of(page: str) -> str:
    """The main part of a page, as it is."""
    return page[page.index("<main") : page.index("</main>")]


def move(service: Service, by: timedelta) -> None:
    clock = service.db.clock
    assert isinstance(clock, HandClock)
    clock.move(by)


def signed_in(service: Service, client_for: ClientFor, someone: Someone) -> Browser:
    return client_for(again(service.db, someone).token)


def begin(service: Service) -> None:
    """The first look at the clock, as ``init`` takes it."""
    mark.observe(service.db)


def work(service: Service) -> int:
    """Do the waiting jobs of sweeps, as the worker does.

    Returns:
        How many there were.
    """
    with service.db.begin() as session:
        waiting = session.scalars(
            select(JobRow).where(JobRow.kind == retention.CARRY_OUT, JobRow.state == JobState.WAITING)
        ).all()
        leases = [jobs.take(session, jobs.JobId(row.id), at=service.db.clock.now()) for row in waiting]
    for lease in leases:
        assert lease is not None
        retention.work_on(
            service.db, keystore=service.keystore, store=service.store, schedule=service.schedule, lease=lease
        )
    return len(leases)


def events(service: Service, event: Event) -> list[audit.Found]:
    with service.db.read() as session:
        return list(audit.search(session, Filters(events=frozenset({event}))).entries)


def view(service: Service, family: Family, *, times: int, event: Event = Event.VIEWING_BEGUN) -> None:
    """Entries as beginning to watch leaves them."""
    for _ in range(times):
        with service.db.begin() as session:
            audit.record(
                session, event, actor=family.staff.social_worker.id, case_id=family.case_id, object_id=new_id()
            )


def deliver(service: Service, *, witness: audit.Witness) -> None:
    """Tell the witness what waits for it, as the worker does."""
    with service.db.begin() as session:
        waiting = [row for row in outbox.waiting(session, at=service.db.clock.now()) if row.kind == audit.WITNESS]
        for row in waiting:
            outbox.delivered(row, at=service.db.clock.now())
    for row in waiting:
        audit.tell_narrowing(service.db, witness=witness, entry_id=EntryId(row.payload["entry_id"]))
