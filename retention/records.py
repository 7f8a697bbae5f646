"""What is due, and the facts behind it: collected from vault and identity without unsealing anything.

Records are found by dates that stand in the clear (deposit, closure, a family's request), so that a look costs as much
as what may be due, not as what is stored. Which of the found are due is for ``rules`` alone to say. (Where a rule
counts from a birth, as a health service's does, the dates of birth of those cases are opened.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

import identity
import vault
from core.ids import CaseId, ClipId, PersonId
from identity import CaseFacts, Keeping
from retention import erasure, holds, rules
from retention.models import AgreementRow, ErasureRow, NoticeRow
from retention.terms import Disposition, RecordClass, RecordFacts, Rule, Schedule, Trigger
from vault import Record, RecordKind

_FILM = (RecordClass.FOOTAGE,)
_CLIPS = (RecordClass.CLIP, RecordClass.CLIP_LOOK_AGAIN)


@dataclass(frozen=True, slots=True)
class Decided:
    """A record and what the rules say about it."""

    facts: RecordFacts
    disposition: Disposition


def candidates(session: Session, *, schedule: Schedule, on: date, within: timedelta = timedelta()) -> list[Decided]:
    """Every record that the rules have something to say about by a day: due, held, or to be announced.

    Args:
        session: a snapshot or a transaction.
        schedule: the rules.
        on: the civil day that is decided for.
        within: look so much further ahead for what isn't due yet.
    """
    film, clips = ([schedule.rules[kind] for kind in kinds] for kinds in (_FILM, _CLIPS))
    by = on + within
    asked = erasure.asked(session)
    everything = {CaseId(row.case_id) for row in asked if row.clip_id is None}
    found = vault.records_for_disposal(
        session,
        footage_by=_end_of(
            max(filter(None, (rules.begun_by(rule, Trigger.DEPOSIT, on=by) for rule in film)), default=None)
        ),
        footage_in=_ended(session, film, on=by) | everything,
        clips_in=_ended(session, clips, on=by) | everything,
        clips={ClipId(row.clip_id) for row in asked if row.clip_id is not None},
    )
    in_force = holds.in_force(session)
    return [
        Decided(facts, rules.disposition(facts, schedule, on, holds=in_force))
        for facts in _collect(session, found, schedule=schedule, asked=asked)
    ]


def decide(session: Session, record_id: str, *, schedule: Schedule, on: date) -> Decided | None:
    """Decide on one record by what is true now; nothing where it is gone, or on its way out."""
    found = vault.record_for_disposal(session, record_id)
    if found is None:
        return None
    (facts,) = _collect(session, [found], schedule=schedule, asked=erasure.asked(session))
    return Decided(facts, rules.disposition(facts, schedule, on, holds=holds.in_force(session)))


def of_case(session: Session, case_id: CaseId, *, schedule: Schedule, on: date) -> list[Decided]:
    """Everything of one case that is there, for its page."""
    found = vault.records_for_disposal(session, footage_by=None, footage_in={case_id}, clips_in={case_id})
    in_force = holds.in_force(session)
    return [
        Decided(facts, rules.disposition(facts, schedule, on, holds=in_force))
        for facts in _collect(session, found, schedule=schedule, asked=erasure.asked(session))
    ]


def _collect(
    session: Session, found: Sequence[Record], *, schedule: Schedule, asked: Sequence[ErasureRow]
) -> list[RecordFacts]:
    ids = [record.id for record in found]
    cases = {record.case_id for record in found}
    facts = {case_id: identity.case_facts(session, case_id) for case_id in cases}
    members = {case_id: identity.members_of(session, case_id) for case_id in cases}
    notices = _days(
        session.execute(select(NoticeRow.record_id, NoticeRow.given_on).where(NoticeRow.record_id.in_(ids)))
    )
    agreed = _days(
        session.execute(select(AgreementRow.record_id, AgreementRow.agreed_on).where(AgreementRow.record_id.in_(ids)))
    )
    collected = []
    for record in found:
        kind = _class(record, facts[record.case_id])
        triggers = _triggers(session, record, case=facts[record.case_id], asked=asked)
        if _counts_from(schedule.rules[kind], Trigger.BIRTH):
            triggers |= _birth(session, record.case_id, members[record.case_id])
        collected.append(
            RecordFacts(
                record=record.id,
                record_class=kind,
                case_id=record.case_id,
                triggers=triggers,
                persons=_persons(record, members[record.case_id]),
                size_bytes=sum(one.size_bytes for one in record.objects),
                objects=frozenset(one.id for one in record.objects),
                notice_on=notices.get(record.id),
                approved_on=agreed.get(record.id),
            )
        )
    return collected


def _class(record: Record, case: CaseFacts) -> RecordClass:
    if record.kind is RecordKind.FOOTAGE:
        return RecordClass.FOOTAGE
    return RecordClass.CLIP_LOOK_AGAIN if case.look_again is Keeping.YES else RecordClass.CLIP


def _triggers(
    session: Session, record: Record, *, case: CaseFacts, asked: Sequence[ErasureRow]
) -> dict[Trigger, date | datetime]:
    found: dict[Trigger, date | datetime] = {}
    if record.kind is RecordKind.FOOTAGE:
        found[Trigger.DEPOSIT] = record.made_at
        found[Trigger.VISIT] = identity.visit(session, record.visit_id).visited_on
    if case.closed_at is not None:
        found[Trigger.CLOSURE] = case.closed_at
    requests = [row.asked_at for row in asked if _asks_for(row, record)]
    if requests:
        found[Trigger.ERASURE_ASKED] = min(requests)
    return found


def _asks_for(row: ErasureRow, record: Record) -> bool:
    if row.case_id != record.case_id or record.begun_at > row.asked_at:
        return False
    return row.clip_id is None or row.clip_id == record.id


def _persons(record: Record, members: frozenset[PersonId]) -> frozenset[PersonId]:
    """Whom a hold on a person finds here: raw film may show anyone of the family, and so may what nobody listed yet."""
    certain = record.kind is RecordKind.CLIP and record.persons
    return record.persons if certain else record.persons | members


def _birth(session: Session, case_id: CaseId, members: frozenset[PersonId]) -> dict[Trigger, date | datetime]:
    """The youngest family member's date of birth."""
    people = identity.roster(session, case_id).persons
    born = [people[one].born_on for one in members if one in people]
    known = [day for day in born if day is not None]
    return {Trigger.BIRTH: max(known)} if known else {}


def _ended(session: Session, kinds: Iterable[Rule], *, on: date) -> set[CaseId]:
    """The cases whose closure may make something due; every closed one for a rule that doesn't count from there."""
    kinds = list(kinds)
    if all(_counts_from(rule, Trigger.CLOSURE) for rule in kinds):
        days = [rules.begun_by(rule, Trigger.CLOSURE, on=rules.after(on, rule.notice)) for rule in kinds]
        last = _end_of(max(filter(None, days), default=None))
    else:
        last = _end_of(on)
    return set() if last is None else identity.ended_before(session, last)


def _counts_from(rule: Rule, trigger: Trigger) -> bool:
    return any(term.trigger is trigger for term in (*rule.latest_of, *rule.never_past))


def _end_of(day: date | None) -> datetime | None:
    """The moment after a civil day's last."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), tzinfo=rules.CIVIL)


def _days(rows: Iterable[Row[str, date]]) -> dict[str, date]:
    return {row[0]: row[1] for row in rows}
