"""The sweep: a plan that anybody may look at, and a brake that stops it where it looks like a mistake.

* ``plan`` decides on everything that may be due, announces what must be announced, and writes down what would go.
* It *halts* where it would destroy more than the schedule's brake allows in a day, where time has leapt ahead and
  nobody has accepted that, or where the schedule changed since the last sweep. An officer then looks, and approves
  with a reason (``approvals``), or doesn't: nothing happens by itself.
* A new plan takes the place of one that still waits. What was approved is the list as it was shown: a later plan never
  adds to it, and each record of it is decided again before it goes (``disposal``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import audit
import vault
from audit import Event
from core import mark, outbox
from core.clock import Leap
from core.db import Database
from core.ids import CaseId, new_id
from identity import Actor
from retention import officers, records, rules
from retention.models import (
    CertificateRow,
    HaltReason,
    ItemRow,
    ItemState,
    NoticeRow,
    SweepRow,
    SweepState,
)
from retention.records import Decided
from retention.terms import Destroy, Needs, Review, Schedule

ANNOUNCED = "message.disposal_notice"
"""The kind of outbox row that tells a family what will go; its payload is ``{"case_id": …, "record_id": …}``."""

_WAITING = (SweepState.PLANNED, SweepState.HALTED)
_GOING_ON = (SweepState.APPROVED, SweepState.RUNNING)


def plan(db: Database, *, schedule: Schedule, actor: Actor | None = None) -> str:
    """Write down what would be destroyed today, and halt where somebody should look first.

    Args:
        db: the main database.
        schedule: the rules.
        actor: the officer who asked for it; nothing for the nightly run.

    Returns:
        The sweep's id.

    Raises:
        Refused: not an officer.
    """
    if actor is not None:
        officers.require_officer(actor)
    leap = mark.observe(db)
    at, sweep_id = db.clock.now(), new_id()
    with db.begin() as session:
        _take_the_place_of_earlier(session, at=at)
        on_their_way = _on_their_way(session)
        decided = [
            one
            for one in records.candidates(session, schedule=schedule, on=rules.civil_day(at))
            if one.facts.record not in on_their_way
        ]
        going = [one for one in decided if isinstance(one.disposition, Destroy)]
        all_records, all_bytes = vault.totals(session)
        halted = _halts(session, going, schedule, leap=leap, stored=(all_records, all_bytes), at=at)
        sweep = SweepRow(
            id=sweep_id,
            on=rules.civil_day(at),
            planned_at=at,
            planned_by=actor.person if actor else None,
            profile=schedule.profile,
            schedule_version=schedule.version,
            state=SweepState.HALTED if halted else SweepState.PLANNED,
            halted_for=[reason.value for reason in halted],
            all_records=all_records,
            all_bytes=all_bytes,
            due_records=len(going),
            due_bytes=sum(one.facts.size_bytes for one in going),
        )
        session.add(sweep)
        session.flush()
        session.add_all(_item(one, sweep_id=sweep_id) for one in going)
        if leap is Leap.STEADY:
            _announce(session, decided, at=at)
        _record_plan(session, sweep, actor=actor)
    return sweep_id


def _take_the_place_of_earlier(session: Session, *, at: datetime) -> None:
    for row in session.scalars(select(SweepRow).where(SweepRow.state.in_(_WAITING)).with_for_update()):
        row.state, row.ended_at = SweepState.SUPERSEDED, at


def _on_their_way(session: Session) -> frozenset[str]:
    """What a sweep that was let go on will destroy without being asked again."""
    rows = session.scalars(
        select(ItemRow.record_id)
        .join(SweepRow, SweepRow.id == ItemRow.sweep_id)
        .where(SweepRow.state.in_(_GOING_ON), ItemRow.state == ItemState.PLANNED)
    )
    return frozenset(rows)


def _halts(
    session: Session,
    going: Sequence[Decided],
    schedule: Schedule,
    *,
    leap: Leap,
    stored: tuple[int, int],
    at: datetime,
) -> list[HaltReason]:
    halted = [HaltReason.CLOCK] if leap is Leap.AHEAD else []
    if _is_new(session, schedule):
        halted.append(HaltReason.SCHEDULE)
    if not going:
        return halted
    gone_records, gone_bytes = _gone_unasked_today(session, at=at)
    if rules.too_much(
        schedule.brake,
        records=len(going) + gone_records,
        all_records=stored[0] + gone_records,
        size_bytes=sum(one.facts.size_bytes for one in going) + gone_bytes,
        all_bytes=stored[1] + gone_bytes,
    ):
        halted.append(HaltReason.SHARE)
    return halted


def _is_new(session: Session, schedule: Schedule) -> bool:
    """Whether the schedule isn't the one of the last sweep; then an officer looks, even where nothing is due today."""
    before = session.scalars(
        select(SweepRow.schedule_version)
        .where(SweepRow.state == SweepState.DONE)
        .order_by(SweepRow.planned_at.desc(), SweepRow.ended_at.desc())
        .limit(1)
    ).first()
    return before is not None and before != schedule.version


def _gone_unasked_today(session: Session, *, at: datetime) -> tuple[int, int]:
    """What sweeps that nobody approved destroyed on this civil day: many small ones add up to a large one."""
    midnight = datetime.combine(rules.civil_day(at), time(), tzinfo=rules.CIVIL)
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(CertificateRow.size_bytes), 0))
        .join(ItemRow, ItemRow.id == CertificateRow.item_id)
        .join(SweepRow, SweepRow.id == ItemRow.sweep_id)
        .where(CertificateRow.destroyed_at >= midnight, SweepRow.approved_by.is_(None))
    ).one()
    return int(row[0]), int(row[1])


def _item(one: Decided, *, sweep_id: str) -> ItemRow:
    due = one.disposition.due
    if due.on is None:
        message = "what has no due date isn't destroyed"
        raise AssertionError(message)
    return ItemRow(
        id=new_id(),
        sweep_id=sweep_id,
        record_id=one.facts.record,
        record_class=one.facts.record_class,
        case_id=one.facts.case_id,
        due_on=due.on,
        rule=due.rule.name,
        because=due.because,
        size_bytes=one.facts.size_bytes,
        state=ItemState.PLANNED,
    )


def _announce(session: Session, decided: Sequence[Decided], *, at: datetime) -> None:
    for one in decided:
        found = one.disposition
        if not isinstance(found, Review) or found.needs is not Needs.NOTICE or found.due.on is None:
            continue
        facts = one.facts
        session.add(
            NoticeRow(record_id=facts.record, case_id=facts.case_id, given_on=rules.civil_day(at), due_on=found.due.on)
        )
        outbox.post(session, ANNOUNCED, at=at, payload={"case_id": facts.case_id, "record_id": facts.record})
        audit.record(
            session, Event.DISPOSAL_ANNOUNCED, actor=None, case_id=CaseId(facts.case_id), object_id=facts.record
        )


def _record_plan(session: Session, sweep: SweepRow, *, actor: Actor | None) -> None:
    person = actor.person if actor else None
    numbers = {"records": sweep.due_records, "bytes": sweep.due_bytes, "of_records": sweep.all_records}
    audit.record(session, Event.SWEEP_PLANNED, actor=person, object_id=sweep.id, details=dict(numbers))
    if sweep.state is SweepState.HALTED:
        audit.record(
            session, Event.SWEEP_HALTED, actor=person, object_id=sweep.id, reason="_and_".join(sweep.halted_for)
        )
