"""When retention runs: every night, after an approval, and whenever something was left unfinished."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select

import vault
from core import jobs, mark
from core.clock import Leap
from core.db import Database, get
from core.errors import Refused, Unavailable
from core.jobs import Lease
from keys import KeyStore
from retention import sweep
from retention.disposal import Outcome, carry_out
from retention.models import SweepRow, SweepState
from retention.replaced import erase_replaced
from retention.searches import erase_searches
from retention.terms import RecordClass, Schedule
from vault import ObjectStore


def nightly(db: Database, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule) -> Outcome | None:
    """What the worker does once a day: finish what was begun, plan, and carry the plan out unless it halted.

    What can't be finished just now (a bucket or a keyring's place that is away) holds nothing new up.

    Returns:
        How far today's sweep came; nothing where it halted and waits for an officer.
    """
    if mark.observe(db) is Leap.STEADY:
        with suppress(Unavailable):  # each is a duty of its own as well, which says what it was
            expire_uploads(db, keystore=keystore, store=store, schedule=schedule)
        with suppress(Unavailable):
            erase_replaced(db, keystore=keystore, store=store, schedule=schedule)
        with suppress(Unavailable):
            erase_searches(db, keystore=keystore, store=store)
        with suppress(Unavailable):
            resume(db, keystore=keystore, store=store, schedule=schedule)
    sweep_id = sweep.plan(db, schedule=schedule)
    with db.read() as session:
        if session.get_one(SweepRow, sweep_id).state is SweepState.HALTED:
            return None
    return carry_out(db, keystore=keystore, store=store, schedule=schedule, sweep_id=sweep_id)


def resume(db: Database, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule) -> tuple[Outcome, ...]:
    """Go on with every sweep that was approved or begun and isn't through. Cheap where there is none: call it often.

    Where time has leapt ahead only what had begun is finished; the rest waits, and ``health`` says so.

    Returns:
        How far each came that could go on.
    """
    with db.read() as session:
        earlier = list(
            session.scalars(
                select(SweepRow.id)
                .where(SweepRow.state.in_((SweepState.APPROVED, SweepState.RUNNING)))
                .order_by(SweepRow.planned_at)
            )
        )
    outcomes = []
    for sweep_id in earlier:
        with suppress(Refused):
            outcomes.append(carry_out(db, keystore=keystore, store=store, schedule=schedule, sweep_id=sweep_id))
    return tuple(outcomes)


def work_on(db: Database, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule, lease: Lease) -> None:
    """Do a ``retention.carry_out`` job. Safe to repeat; harmless in a worker that lost the job.

    Raises:
        Unavailable: ``sweep_unfinished``, or something else that may pass: try again later.
    """
    with db.read() as session:
        sweep_id = get(session, jobs.JobRow, lease.job_id).subject
    try:
        outcome = carry_out(db, keystore=keystore, store=store, schedule=schedule, sweep_id=sweep_id)
    except Refused as refusal:
        with db.begin() as session:
            jobs.park(session, lease, at=db.clock.now(), code=refusal.code, sentence=refusal.sentence)
        return
    if outcome.state is not SweepState.DONE:
        raise Unavailable("sweep_unfinished", "Some of it couldn't be finished just now. It is tried again.")
    with db.begin() as session:
        jobs.finish(session, lease, at=db.clock.now())


def expire_uploads(db: Database, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule) -> int:
    """Erase the uploads that nobody went on with. May be called at any time of the day.

    Returns:
        How many.

    Raises:
        Unavailable: of one of them the parts couldn't be deleted just now (its key is gone). The others are erased.
    """
    failed: Unavailable | None = None
    before = db.clock.now() - uploads_wait(schedule)
    with db.read() as session:
        stale = vault.stale_uploads(session, before=before)
    for upload_id in stale:
        try:
            vault.expire_upload(db, keystore=keystore, store=store, upload_id=upload_id, before=before)
        except Unavailable as error:
            failed = error
    if failed is not None:
        raise failed
    return len(stale)


def uploads_wait(schedule: Schedule) -> timedelta:
    """How long an upload waits for its next byte before it is erased."""
    rule = schedule.rules[RecordClass.UPLOAD]
    return max(timedelta(days=term.period.days, hours=term.period.hours) for term in rule.latest_of)
