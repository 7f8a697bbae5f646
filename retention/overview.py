"""What the officer's page shows: what is due and why, sweeps, and whether they run. Nothing is opened for it.

Silence is how such jobs fail: a sweep that hasn't been carried out for a day is an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import identity
from core import mark
from core.clock import Leap, judge
from core.db import Database, get, not_found
from core.ids import CaseId, HoldId, PersonId, well_formed
from identity import Actor, PersonKind
from keys import KeyStore
from retention import officers, records, rules
from retention.models import HaltReason, ItemRow, ItemState, SweepRow, SweepState
from retention.records import Decided
from retention.terms import Destroy, Held, RecordClass, Review, Schedule

RUNS_EVERY = timedelta(hours=24)
AHEAD = timedelta(days=28)
"""How far the page looks ahead."""


class Standing(StrEnum):
    """What the rules say about a record, in one word."""

    KEPT = "kept"
    HELD = "held"
    REVIEW = "review"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class DueLine:
    """One record, without anything of what is in it.

    Attributes:
        due_on: nothing while that isn't known.
        words: the rule as a sentence; ``reason`` says what it means for this record today.
        waits_for: what a review waits for.
    """

    record: str
    record_class: RecordClass
    case_id: CaseId
    due_on: date | None
    standing: Standing
    rule: str
    words: str
    reason: str
    size_bytes: int
    holds: tuple[HoldId, ...] = ()
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One record of a sweep."""

    record: str
    record_class: RecordClass
    due_on: date
    rule: str
    because: str
    size_bytes: int
    state: ItemState
    kept_because: str | None


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as the page shows it; ``items`` only where one is asked for."""

    id: str
    on: date
    planned_at: datetime
    state: SweepState
    halted_for: tuple[HaltReason, ...]
    due_records: int
    due_bytes: int
    all_records: int
    all_bytes: int
    approved_by: PersonId | None
    approved_at: datetime | None
    approval_reason: str | None = field(repr=False)
    ended_at: datetime | None
    items: tuple[ItemLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Whether sweeps run.

    Attributes:
        last_done_at: when one was last carried out to its end.
        overdue: none was for a day, though the store is older than that.
        halted: the sweep that waits for an officer.
        clock_leapt: time is further ahead than anybody accepted.
    """

    last_done_at: datetime | None
    overdue: bool
    halted: str | None
    clock_leapt: bool


def due(db: Database, *, actor: Actor | None, schedule: Schedule, within: timedelta = AHEAD) -> tuple[DueLine, ...]:
    """What is due, held, to be announced, or will be due soon; the earliest first.

    Args:
        db: the main database.
        actor: an information governance officer; nothing for the server's own console (``--dry-run``).
        schedule: the rules.
        within: how far to look ahead.

    Raises:
        Refused: not an officer.
    """
    if actor is not None:
        officers.require_officer(actor)
    today = rules.civil_day(db.clock.now())
    with db.read() as session:
        found = records.candidates(session, schedule=schedule, on=today, within=within)
    return _lines(one for one in found if (on := one.disposition.due.on) is not None and on <= today + within)


def kept(db: Database, *, actor: Actor, schedule: Schedule, case_id: CaseId) -> tuple[DueLine, ...]:
    """Everything of a case that is there and how long it stays, for the case's staff and for the family.

    Raises:
        NotFound: no such case, or it is none of the actor's.
    """
    at = db.clock.now()
    with db.read() as session:
        _require_of_case(session, actor, case_id=case_id, at=at)
        return _lines(records.of_case(session, case_id, schedule=schedule, on=rules.civil_day(at)))


def sweeps(db: Database, *, keystore: KeyStore, actor: Actor, most: int = 30) -> tuple[SweepView, ...]:
    """The latest sweeps, newest first.

    Raises:
        Refused: not an officer.
    """
    officers.require_officer(actor)
    with db.read() as session:
        rows = session.scalars(select(SweepRow).order_by(SweepRow.planned_at.desc(), SweepRow.id).limit(most))
        return tuple(_view(row, keystore=keystore) for row in rows)


def sweep_of(db: Database, *, keystore: KeyStore, actor: Actor, sweep_id: str) -> SweepView:
    """One sweep with its records.

    Raises:
        Refused: not an officer.
        NotFound: no such sweep.
    """
    officers.require_officer(actor)
    if not well_formed(sweep_id):
        raise not_found()
    with db.read() as session:
        row = get(session, SweepRow, sweep_id)
        items = session.scalars(
            select(ItemRow).where(ItemRow.sweep_id == sweep_id).order_by(ItemRow.due_on, ItemRow.id)
        )
        lines = tuple(
            ItemLine(
                record=item.record_id,
                record_class=item.record_class,
                due_on=item.due_on,
                rule=item.rule,
                because=item.because,
                size_bytes=item.size_bytes,
                state=item.state,
                kept_because=item.kept_because,
            )
            for item in items
        )
        return _view(row, keystore=keystore, items=lines)


def health(db: Database) -> Health:
    """Whether sweeps run, for the officer's page, metrics and messages. Ids and times only, so nobody is refused."""
    at = db.clock.now()
    with db.read() as session:
        last = session.scalar(
            select(SweepRow.ended_at)
            .where(SweepRow.state == SweepState.DONE)
            .order_by(SweepRow.ended_at.desc())
            .limit(1)
        )
        halted = session.scalar(select(SweepRow.id).where(SweepRow.state == SweepState.HALTED).limit(1))
        since = last or audit.begun_at(session)
        leapt = judge(mark=mark.mark(session), now=at) is Leap.AHEAD
    return Health(last, overdue=since is not None and at - since > RUNS_EVERY, halted=halted, clock_leapt=leapt)


def _require_of_case(session: Session, actor: Actor, *, case_id: CaseId, at: datetime) -> None:
    if actor.kind is PersonKind.STAFF:
        identity.roles_in(session, actor, case_id=case_id, at=at)
    elif not actor.has_two_factors or actor.person not in identity.members_of(session, case_id):
        raise not_found()


def _lines(found: Iterable[Decided]) -> tuple[DueLine, ...]:
    lines = [_line(one) for one in found]
    return tuple(sorted(lines, key=lambda line: (line.due_on or date.max, line.record)))


def _line(one: Decided) -> DueLine:
    said, facts = one.disposition, one.facts
    standing = {Held: Standing.HELD, Review: Standing.REVIEW, Destroy: Standing.DUE}.get(type(said), Standing.KEPT)
    return DueLine(
        record=facts.record,
        record_class=facts.record_class,
        case_id=facts.case_id,
        due_on=said.due.on,
        standing=standing,
        rule=said.due.rule.name,
        words=said.due.rule.words,
        reason=said.reason,
        size_bytes=facts.size_bytes,
        holds=said.holds if isinstance(said, Held) else (),
        waits_for=said.needs.value if isinstance(said, Review) else None,
    )


def _view(row: SweepRow, *, keystore: KeyStore, items: tuple[ItemLine, ...] = ()) -> SweepView:
    return SweepView(
        id=row.id,
        on=row.on,
        planned_at=row.planned_at,
        state=row.state,
        halted_for=tuple(HaltReason(word) for word in row.halted_for),
        due_records=row.due_records,
        due_bytes=row.due_bytes,
        all_records=row.all_records,
        all_bytes=row.all_bytes,
        approved_by=PersonId(row.approved_by) if row.approved_by else None,
        approved_at=row.approved_at,
        approval_reason=officers.opened(
            keystore,
            officers.owner_of(case_id=None),
            table="sweep",
            column="approval_reason",
            row=row.id,
            words=row.approval_reason,
        ),
        ended_at=row.ended_at,
        items=items,
    )
