"""When a record's time comes, and what then (PURE).

1. A record is due on the latest of its rule's ``latest_of`` terms, all of which must be known: what isn't known never
   destroys anything.
2. It is due no later than the earliest of the ``never_past`` terms that is known.
3. Days are civil days in England, since that is how a form or a regulation counts them. A period in hours ends on the
   first whole day after it.
4. A period of months ends on the corresponding date, or on the month's last day where there is none (Dodds v Walker
   [1981] 1 WLR 1027). A birthday of 29 February falls on 1 March. What is counted from a birth or a death is rounded up
   to the month's end, so that the due date, which is stored in clear, doesn't give the birthday away.
5. A hold beats everything but "not yet". Then notice, approval and transfer. Only then *Destroy*.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.ids import HoldId
from retention.terms import (
    Act,
    Brake,
    Destroy,
    Disposition,
    Due,
    Held,
    Hold,
    HoldScope,
    Keep,
    Needs,
    Period,
    RecordFacts,
    Review,
    ReviewBy,
    Rule,
    Schedule,
    Term,
    Trigger,
    When,
)

CIVIL = ZoneInfo("Europe/London")
_ADULT_AT = 18
_FROM_A_BIRTHDAY = frozenset({Trigger.BIRTH, Trigger.DEATH})
_SAID = {
    Trigger.LAST_BYTE: "its last byte",
    Trigger.VISIT: "the visit",
    Trigger.DEPOSIT: "its deposit",
    Trigger.CLOSURE: "the work ended",
    Trigger.ERASURE_ASKED: "the family asked for it",
    Trigger.ISSUE: "it was issued",
    Trigger.CLIP_DISPOSAL: "its clip went",
    Trigger.REPLACED: "a later version took its place",
    Trigger.DECISION: "that was decided",
    Trigger.BIRTH: "the child's birth",
    Trigger.DEATH: "the child's death",
    Trigger.LAST_RELIANCE: "it was last relied on",
    Trigger.LAST_EVENT: "its last event",
    Trigger.WRITTEN: "it was written",
}
_NOT_YET = {
    Trigger.CLOSURE: "the work has not ended",
    Trigger.VISIT: "the date of the visit isn't known",
    Trigger.BIRTH: "no child's date of birth is known",
}


def due_on(facts: RecordFacts, schedule: Schedule) -> Due:
    """When the record's time comes by the schedule, whatever holds it.

    Raises:
        KeyError: the schedule has no rule for the class (``schedule.load`` makes sure that it has one for each).
    """
    rule = schedule.rules[facts.record_class]
    if rule.act is Act.KEEP:
        return Due(on=None, rule=rule, because="it is kept for good")
    ends = [(_end(term, facts), term) for term in rule.latest_of if _applies(term.when, facts)]
    known = [(end, term) for end, term in ends if end is not None]
    caps = [(end, term) for term in rule.never_past if (end := _end(term, facts)) is not None]
    candidates = list(caps)
    if known and len(known) == len(ends):
        candidates.append(max(known, key=lambda pair: pair[0]))
    if not candidates:
        missing = next((term.trigger for end, term in ends if end is None), None)
        return Due(on=None, rule=rule, because=_not_yet(missing))
    on, term = min(candidates, key=lambda pair: pair[0])
    return Due(on=on, rule=rule, because=_because(term), term=term)


def disposition(facts: RecordFacts, schedule: Schedule, on: date, *, holds: Iterable[Hold] = ()) -> Disposition:
    """What to do with a record on a day.

    Args:
        facts: the record.
        schedule: the rules.
        on: the civil day.
        holds: every hold in force; those that are about another record don't matter.
    """
    due = due_on(facts, schedule)
    if due.on is None:
        return Keep(due, reason=f"Kept: {due.because}.")
    said = f"{spoken(due.on)}: {due.because}"
    keeping = holding(facts, holds)
    if keeping and on >= due.on:
        return Held(due, reason=f"A legal hold keeps it. Without one it would go since {said}.", holds=keeping)
    first = None if keeping else _first(facts, due, ends=due.on, on=on)
    if first is not None:
        return first
    if on < due.on:
        return Keep(due, reason=f"Kept until {said}.")
    return Destroy(due, reason=f"Due since {said}.")


def holding(facts: RecordFacts, holds: Iterable[Hold]) -> tuple[HoldId, ...]:
    """The holds that are about this record."""
    return tuple(hold.id for hold in holds if _is_about(hold, facts))


def too_much(brake: Brake, *, records: int, all_records: int, size_bytes: int, all_bytes: int) -> bool:
    """Whether destroying ``records`` out of ``all_records`` (and bytes likewise) is more than may happen unasked."""
    if records <= brake.floor_records:
        return False
    shares = [part / whole for part, whole in ((records, all_records), (size_bytes, all_bytes)) if whole > 0]
    return not shares or max(shares) > brake.share


def begun_by(rule: Rule, trigger: Trigger, *, on: date) -> date | None:
    """The last day on which a trigger can have happened for its period to be over by ``on``.

    It says where to look for what is due. Never too early; a few days too late is fine, since every record that is
    found is decided by itself.

    Returns:
        That day; nothing where the rule doesn't count from this trigger.
    """
    terms = [term for term in (*rule.latest_of, *rule.never_past) if term.trigger is trigger]
    return max((on - timedelta(days=28 * term.period.months + term.period.days) for term in terms), default=None)


def civil_day(at: datetime) -> date:
    """The day it is in England at a moment."""
    return at.astimezone(CIVIL).date()


def after(start: date, period: Period) -> date:
    """The day on which a period that began on ``start`` ends (rule 4)."""
    year, month = divmod(start.year * 12 + start.month - 1 + period.months, 12)
    month += 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(start.day, last)) + timedelta(days=period.days)


def spoken(day: date) -> str:
    """A date as people say it, as in ``29 March 2026``."""
    return f"{day.day} {day:%B %Y}"


def _end(term: Term, facts: RecordFacts) -> date | None:
    begun = facts.triggers.get(term.trigger)
    if begun is None:
        return None
    if term.period.hours and isinstance(begun, datetime):
        ended = (begun + timedelta(hours=term.period.hours)).astimezone(CIVIL)
        midnight = ended.replace(hour=0, minute=0, second=0, microsecond=0)
        return ended.date() if ended == midnight else ended.date() + timedelta(days=1)
    if term.period.hours:
        return begun + timedelta(days=1 + -(-term.period.hours // 24))
    start = civil_day(begun) if isinstance(begun, datetime) else begun
    if term.trigger in _FROM_A_BIRTHDAY:
        return _month_end(_birthday(start, term.period))
    return after(start, term.period)


def _birthday(born: date, period: Period) -> date:
    ended = after(born, period)
    return ended + timedelta(days=1) if ended.day < born.day else ended


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _applies(when: When, facts: RecordFacts) -> bool:
    if when is When.ALWAYS:
        return True
    born = _day_of(facts, Trigger.BIRTH)
    if when is When.SEVENTEEN_AT_CLOSURE:
        closed = _day_of(facts, Trigger.CLOSURE)
        return born is not None and closed is not None and _age(born, closed) == _ADULT_AT - 1
    died = _day_of(facts, Trigger.DEATH)
    young = born is not None and died is not None and _age(born, died) < _ADULT_AT
    return young if when is When.DIED_UNDER_18 else not young


def _day_of(facts: RecordFacts, trigger: Trigger) -> date | None:
    value = facts.triggers.get(trigger)
    return civil_day(value) if isinstance(value, datetime) else value


def _age(born: date, on: date) -> int:
    years = on.year - born.year
    return years if on >= _birthday(born, Period(months=12 * years)) else years - 1


def _first(facts: RecordFacts, due: Due, *, ends: date, on: date) -> Keep | Review | None:
    """What must happen first, if anything. A family that asked for erasure waits for none of it."""
    said = f"{spoken(ends)}: {due.because}"
    if due.term is not None and due.term.trigger is Trigger.ERASURE_ASKED:
        return None
    if due.rule.review is ReviewBy.NOTICE:
        return _notice(facts, due, ends=ends, on=on)
    if on < ends:
        return None
    if due.rule.act is Act.TRANSFER_OUT:
        return Review(due, reason=f"To be transferred to the authority's record since {said}.", needs=Needs.TRANSFER)
    if due.rule.review is ReviewBy.OFFICER and facts.approved_on is None:
        return Review(due, reason=f"An officer must agree. Due since {said}.", needs=Needs.APPROVAL)
    return None


def _notice(facts: RecordFacts, due: Due, *, ends: date, on: date) -> Keep | Review | None:
    if facts.notice_on is None:
        if after(on, due.rule.notice) < ends:
            return None
        reason = f"The family and the officer are to be told first. Due on {spoken(ends)}: {due.because}."
        return Review(due, reason=reason, needs=Needs.NOTICE)
    told_until = after(facts.notice_on, due.rule.notice)
    if on < told_until:
        return Keep(due, reason=f"Kept until {spoken(max(told_until, ends))}, when the notice has run.")
    return None


def _is_about(hold: Hold, facts: RecordFacts) -> bool:
    if hold.scope is HoldScope.CASE:
        return hold.subject == facts.case_id
    if hold.scope is HoldScope.CLIP:
        return hold.subject == facts.record
    return hold.subject in facts.persons


def _because(term: Term) -> str:
    said = _SAID[term.trigger]
    if term.period == Period():
        return f"when {said}"
    return f"{term.period} after {said}"


def _not_yet(missing: Trigger | None) -> str:
    if missing is None:
        return "nothing in the schedule says when"
    return _NOT_YET.get(missing, f"it is not known when {_SAID[missing]}")
