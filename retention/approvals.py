"""What an officer says yes to: a halted sweep, the time after a leap, the end of a record whose rule asks first."""

from __future__ import annotations

from datetime import datetime

import audit
from audit import Event
from core import jobs, mark
from core.clock import Leap
from core.db import Database, lock, not_found
from core.errors import Conflict, Refused
from core.ids import well_formed
from identity import Actor
from keys import KeyStore
from retention import officers, records, rules
from retention.models import AgreementRow, SweepRow, SweepState
from retention.terms import Needs, Review, Schedule

CARRY_OUT = "retention.carry_out"
"""The job that carries an approved sweep out; its subject is the sweep."""


def approve(db: Database, *, keystore: KeyStore, actor: Actor, sweep_id: str, reason: str) -> None:
    """Let a halted sweep go on: its job is queued.

    Raises:
        Refused: not an officer, or time has leapt and nobody has accepted that (``clock_not_accepted``).
        NotFound: no such sweep.
        Conflict: it isn't halted, or a later plan took its place.
        Invalid: no reason.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.SWEEP_APPROVED, actor=actor.person, object_id=sweep_id):
        officers.require_officer(actor)
        words = officers.clean_reason(reason)
        if not well_formed(sweep_id):
            raise not_found()
        if mark.observe(db) is Leap.AHEAD:
            raise Refused("clock_not_accepted", "The clock has leapt ahead. Check the time and accept it first.")
        with db.begin() as session:
            row = lock(session, SweepRow, sweep_id)
            if row.state is not SweepState.HALTED:
                raise Conflict("sweep_moved_on", "This sweep is not waiting any more. Look at the newest one.")
            row.state, row.approved_by, row.approved_at = SweepState.APPROVED, actor.person, at
            row.approval_reason = officers.sealed(
                keystore,
                officers.owner_of(case_id=None),
                table="sweep",
                column="approval_reason",
                row=row.id,
                words=words,
            )
            row.approval_entry = audit.record(
                session,
                Event.SWEEP_APPROVED,
                actor=actor.person,
                object_id=row.id,
                details={"records": row.due_records, "bytes": row.due_bytes},
            )
            jobs.enqueue(session, CARRY_OUT, subject=row.id, case_id=None, at=at)


def start(db: Database, *, actor: Actor, sweep_id: str) -> SweepState:
    """Let a sweep that an officer planned go on where it didn't halt: its job is queued.

    Returns:
        The state that it is in now: ``RUNNING``, or the one that keeps it from that (``HALTED``, ``SUPERSEDED``).

    Raises:
        Refused: not an officer.
        NotFound: no such sweep.
    """
    at = db.clock.now()
    officers.require_officer(actor)
    if not well_formed(sweep_id):
        raise not_found()
    with db.begin() as session:
        row = lock(session, SweepRow, sweep_id)
        if row.state is SweepState.PLANNED:
            row.state, row.started_at = SweepState.RUNNING, at
            jobs.enqueue(session, CARRY_OUT, subject=row.id, case_id=None, at=at)
        return row.state


def accept_clock(db: Database, *, actor: Actor, reason_code: str = "checked") -> datetime:
    """Say that the time is right although it leapt: sweeps go on from here.

    Args:
        db: the main database, whose clock is meant.
        actor: an information governance officer.
        reason_code: a code word for the log.

    Returns:
        The accepted time.

    Raises:
        Refused: not an officer.
    """
    at = db.clock.now()
    with audit.refusals_recorded(db, Event.CLOCK_ACCEPTED, actor=actor.person), db.begin() as session:
        officers.require_officer(actor)
        before = mark.mark(session)
        mark.raise_to(session, at=at)
        audit.record(
            session,
            Event.CLOCK_ACCEPTED,
            actor=actor.person,
            reason=reason_code,
            details={"seconds": int((at - before).total_seconds()) if before else None},
        )
    return at


def agree(db: Database, *, keystore: KeyStore, actor: Actor, schedule: Schedule, record_id: str, reason: str) -> None:
    """Agree that a record may go whose rule asks an officer first. It goes with the next sweep.

    Raises:
        Refused: not an officer.
        NotFound: no such record, or it doesn't wait for that.
        Invalid: no reason.
    """
    at = db.clock.now()
    with (
        audit.refusals_recorded(db, Event.DISPOSAL_AGREED, actor=actor.person, object_id=record_id),
        db.begin() as session,
    ):
        officers.require_officer(actor)
        words = officers.clean_reason(reason)
        found = records.decide(session, record_id, schedule=schedule, on=rules.civil_day(at))
        if found is None or not isinstance(found.disposition, Review) or found.disposition.needs is not Needs.APPROVAL:
            raise not_found()
        owner = officers.owner_of(case_id=found.facts.case_id)
        session.add(
            AgreementRow(
                record_id=record_id,
                case_id=found.facts.case_id,
                agreed_on=rules.civil_day(at),
                agreed_by=actor.person,
                reason=officers.sealed(keystore, owner, table="agreement", column="reason", row=record_id, words=words),
            )
        )
        audit.record(
            session, Event.DISPOSAL_AGREED, actor=actor.person, case_id=found.facts.case_id, object_id=record_id
        )
