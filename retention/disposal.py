"""Carrying a sweep out: every record by itself, in steps that any crash resumes.

    planned ─decided again under lock─→ destroying → key destroyed → certified → done
       └─ a hold, a change, a second look: kept

* *destroying*: use has stopped, in the transaction that says so; from here there is no way back.
* *key destroyed*: the keys of all its objects are gone from the live key store, which is safe to repeat.
* *certified*: the certificate is written in the transaction that marks the record destroyed.
* *done*: its bytes are gone from the object store. Where that fails the keys are gone already, and it is tried again.

When all are through, the epoch is rolled: only a roll that started after a destruction puts the copies of its key,
wherever they lie, beyond use.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func, select

import audit
import identity
import vault
from audit import Event
from core import mark
from core.clock import Leap
from core.db import Database, lock, not_found
from core.errors import Damaged, NotFound, Refused, Unavailable
from core.ids import CaseId, well_formed
from identity import Actor
from keys import KeyStore
from retention import certificates, erasure, officers, records, rules
from retention.models import HaltReason, ItemRow, ItemState, SweepRow, SweepState
from retention.terms import Destroy, Schedule
from vault import ObjectStore

_BEGUN = (ItemState.DESTROYING, ItemState.KEY_DESTROYED, ItemState.CERTIFIED)
_UNFINISHED = (ItemState.PLANNED, *_BEGUN)
_MAY_START = (SweepState.PLANNED, SweepState.APPROVED, SweepState.RUNNING)


@dataclass(frozen=True, slots=True)
class Work:
    """What carrying out needs, in one hand."""

    db: Database
    keystore: KeyStore
    store: ObjectStore
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a sweep has come.

    Attributes:
        done, kept: how many records went, and how many were kept when they were decided again.
        unfinished: how many are still on their way: carry out again.
        rolled: whether an epoch roll that started after the last destruction has completed.
    """

    state: SweepState
    done: int
    kept: int
    unfinished: int
    rolled: bool


def carry_out(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    schedule: Schedule,
    sweep_id: str,
    actor: Actor | None = None,
) -> Outcome:
    """Destroy what a sweep lists and the rules still say should go; resume where it was left.

    Args:
        db: the main database.
        keystore: whose keys are destroyed and whose epoch is rolled.
        store: where the bytes lie.
        schedule: the rules; a record is decided by them again.
        sweep_id: from ``sweep.plan``.
        actor: the officer who presses the button; nothing for the worker.

    Returns:
        How far it came. A record that failed is left where it was, for the next time.

    Raises:
        NotFound: no such sweep.
        Refused: it is halted or was superseded (``sweep_halted``), or time leapt since (``clock_leapt``): then only
            records whose destruction had begun are finished, and a sweep that hadn't begun is halted now.
    """
    if actor is not None:
        officers.require_officer(actor)
    work = Work(db, keystore, store, schedule)
    leap = mark.observe(db)
    _start(db, sweep_id=sweep_id, leap=leap)
    for item_id in _items(db, sweep_id=sweep_id, states=_UNFINISHED if leap is Leap.STEADY else _BEGUN):
        _bring_to_its_end(work, item_id=item_id)
    rolled = certificates.roll_if_needed(db, keystore=keystore, sweep_id=sweep_id)
    if leap is Leap.AHEAD:
        raise _clock_leapt()
    return _finish(db, sweep_id=sweep_id, rolled=rolled)


def advance(work: Work, *, item_id: str) -> ItemState:
    """Take one record one state further.

    Returns:
        The state that it is in then.
    """
    with work.db.read() as session:
        state = session.get_one(ItemRow, item_id).state
    if state is ItemState.PLANNED:
        return _begin(work, item_id=item_id)
    if state is ItemState.DESTROYING:
        return _destroy_keys(work, item_id=item_id)
    if state is ItemState.KEY_DESTROYED:
        return _certify(work, item_id=item_id)
    if state is ItemState.CERTIFIED:
        return _delete_bytes(work, item_id=item_id)
    return state


def _bring_to_its_end(work: Work, *, item_id: str) -> None:
    """Go on with a record until it is through, or can't just now: the others don't wait for it."""
    state = None
    with suppress(Unavailable, Damaged):
        while state not in {ItemState.DONE, ItemState.KEPT}:
            state = advance(work, item_id=item_id)


def _begin(work: Work, *, item_id: str) -> ItemState:
    at = work.db.clock.now()
    with work.db.begin() as session:
        item = lock(session, ItemRow, item_id)
        if item.state is not ItemState.PLANNED:
            return item.state
        identity.lock_case(session, CaseId(item.case_id))
        found = records.decide(session, item.record_id, schedule=work.schedule, on=rules.civil_day(at))
        if found is None or not isinstance(found.disposition, Destroy) or found.disposition.due.on is None:
            item.state, item.ended_at = ItemState.KEPT, at
            item.kept_because = "gone" if found is None else type(found.disposition).__name__.lower()
            return item.state
        due = found.disposition.due
        item.record_class, item.rule, item.due_on = found.facts.record_class, due.rule.name, found.disposition.due.on
        item.because, item.size_bytes = due.because, found.facts.size_bytes
        vault.begin_destroying(session, item.record_id, at=at)
        item.state, item.destroying_at = ItemState.DESTROYING, at
        audit.record(
            session,
            Event.DESTRUCTION_BEGUN,
            actor=None,
            case_id=CaseId(item.case_id),
            object_id=item.record_id,
            details={"sweep": item.sweep_id, "rule": item.rule},
        )
    return ItemState.DESTROYING


def _destroy_keys(work: Work, *, item_id: str) -> ItemState:
    with work.db.read() as session:
        record_id = session.get_one(ItemRow, item_id).record_id
        keys = vault.keys_of(session, record_id)
    for object_id in keys:
        with suppress(NotFound):  # it never had one, as what a killed job left behind
            work.keystore.destroy_object_key(object_id)
    at = work.db.clock.now()
    with work.db.begin() as session:
        item = lock(session, ItemRow, item_id)
        if item.state is ItemState.DESTROYING:
            identity.lock_case(session, CaseId(item.case_id))
            vault.keys_gone(session, record_id, at=at)
            item.state, item.key_destroyed_at = ItemState.KEY_DESTROYED, at
            audit.record(
                session,
                Event.KEY_DESTROYED,
                actor=None,
                case_id=CaseId(item.case_id),
                object_id=record_id,
                details={"sweep": item.sweep_id, "keys": len(keys)},
            )
        return item.state


def _certify(work: Work, *, item_id: str) -> ItemState:
    at = work.db.clock.now()
    with work.db.begin() as session:
        item = lock(session, ItemRow, item_id)
        if item.state is ItemState.KEY_DESTROYED:
            identity.lock_case(session, CaseId(item.case_id))
            certificates.issue(session, item, keystore=work.keystore, schedule=work.schedule, at=at)
            vault.destroyed(session, item.record_id, at=at)
            item.state = ItemState.CERTIFIED
            erasure.close_finished(session, case_id=CaseId(item.case_id), at=at)
            audit.record(session, Event.DESTROYED, actor=None, case_id=CaseId(item.case_id), object_id=item.record_id)
        return item.state


def _delete_bytes(work: Work, *, item_id: str) -> ItemState:
    with work.db.read() as session:
        names = vault.names_of(session, session.get_one(ItemRow, item_id).record_id)
    for name in names:
        work.store.delete(name)
    at = work.db.clock.now()
    with work.db.begin() as session:
        item = lock(session, ItemRow, item_id)
        if item.state is ItemState.CERTIFIED:
            item.state, item.ended_at = ItemState.DONE, at
        return item.state


def _start(db: Database, *, sweep_id: str, leap: Leap) -> None:
    at = db.clock.now()
    if not well_formed(sweep_id):
        raise not_found()
    with db.begin() as session:
        row = lock(session, SweepRow, sweep_id)
        if row.state is SweepState.DONE:
            return
        if row.state not in _MAY_START:
            raise Refused("sweep_halted", "This sweep waits for an officer, or a later one took its place.")
        if leap is Leap.STEADY:
            row.state, row.started_at = SweepState.RUNNING, row.started_at or at
        elif row.state is not SweepState.RUNNING:  # what was begun is finished; only the rest of it waits
            row.state, row.halted_for = SweepState.HALTED, [*row.halted_for, HaltReason.CLOCK.value]
            audit.record(session, Event.SWEEP_HALTED, actor=None, object_id=row.id, reason=HaltReason.CLOCK.value)


def _items(db: Database, *, sweep_id: str, states: tuple[ItemState, ...]) -> list[str]:
    with db.read() as session:
        return list(
            session.scalars(
                select(ItemRow.id)
                .where(ItemRow.sweep_id == sweep_id, ItemRow.state.in_(states))
                .order_by(ItemRow.case_id, ItemRow.id)
            )
        )


def _finish(db: Database, *, sweep_id: str, rolled: bool) -> Outcome:
    at = db.clock.now()
    with db.begin() as session:
        row = lock(session, SweepRow, sweep_id)
        rows = session.execute(
            select(ItemRow.state, func.count()).where(ItemRow.sweep_id == sweep_id).group_by(ItemRow.state)
        )
        counted = {row[0]: row[1] for row in rows}
        unfinished = sum(counted.get(state, 0) for state in _UNFINISHED)
        if unfinished == 0 and rolled:
            row.state, row.ended_at = SweepState.DONE, row.ended_at or at
        return Outcome(row.state, counted.get(ItemState.DONE, 0), counted.get(ItemState.KEPT, 0), unfinished, rolled)


def _clock_leapt() -> Refused:
    return Refused("clock_leapt", "The clock has leapt ahead. Nothing more is destroyed until an officer accepts it.")
