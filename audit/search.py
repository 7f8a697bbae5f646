"""What officers ask of the log: who saw this clip, what did this person do, every refusal last week.

Answers come newest first, a page at a time, each page from where the last one ended (*keyset*), so that the thousandth
page costs what the first does. Each question is answered along one index: of the filters given, the most telling one
leads and the others only sift. Who may ask is decided above; that it was asked is recorded there too
(``Event.AUDIT_SEARCHED``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from audit.entry import Event, Outcome
from audit.models import AuditEntryRow, AuditLeafRow
from core.errors import Invalid
from core.ids import EntryId, PersonId

PAGE = 50
MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; what isn't given doesn't matter.

    Attributes:
        since: not before.
        until: before, not at.
        actor: who did it.
        case_id: in which case.
        object_id: on which thing.
        events: any of these.
        outcomes: any of these.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    case_id: str | None = None
    object_id: str | None = None
    events: frozenset[Event] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """One entry, as the officer's page shows it: ids, which the caller may put names to.

    Attributes:
        id: of the entry.
        at: when.
        event: the kind of act (a value of ``Event``, or of an older program).
        outcome: how it ended.
        actor, case_id, object_id, reason, purpose, request_id: see ``record``.
        details: what else was noted.
        index: its place in the sealed log; nothing while it waits.
    """

    id: EntryId
    at: datetime
    event: str
    outcome: str
    actor: PersonId | None
    case_id: str | None
    object_id: str | None
    reason: str | None
    purpose: str | None
    request_id: str | None
    details: Mapping[str, Any] = field(default_factory=dict)
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of answers.

    Attributes:
        entries: newest first.
        after: what to ask the next page with; nothing where this is the last.
    """

    entries: tuple[Found, ...]
    after: str | None


def search(session: Session, filters: Filters, *, after: str | None = None, most: int = PAGE) -> Page:
    """Find entries.

    Args:
        session: a reading one.
        filters: what to look for.
        after: ``Page.after`` of the page before.
        most: entries on a page, up to ``MAX_PAGE``.

    Raises:
        Invalid: ``after`` isn't from a page, ``most`` is out of bounds, or the time ends before it begins.
    """
    if not 1 <= most <= MAX_PAGE:
        raise Invalid("audit_page_size", f"A page has between 1 and {MAX_PAGE} entries.", field="most")
    if filters.since and filters.until and filters.until <= filters.since:
        raise Invalid("end_before_start", "The end must be after the start.", field="until")
    place = _place(after) if after else None
    runs = (
        session.scalars(_newest(run, place).limit(most + 1)).all() for run in _runs(filters)
    )  # each in order already
    rows = list(islice(merge(*runs, key=lambda row: (row.at, row.id), reverse=True), most + 1))
    more, rows = len(rows) > most, rows[:most]
    indexes = dict(
        session.execute(
            select(AuditLeafRow.entry_id, AuditLeafRow.position).where(
                AuditLeafRow.entry_id.in_([row.id for row in rows])
            )
        ).all()
    )
    return Page(
        tuple(_found(row, indexes.get(row.id)) for row in rows), _token(rows[-1].at, rows[-1].id) if more else None
    )


def _runs(filters: Filters) -> list[Select[AuditEntryRow]]:
    """One query for each value of the leading filter, so that each is a walk along one index."""
    row = AuditEntryRow
    events = sorted(event.value for event in filters.events)
    outcomes = sorted(outcome.value for outcome in filters.outcomes)
    common = Outcome.DONE in filters.outcomes  # nearly everything is done: then it tells less than the event does
    exact = [
        (column, values)
        for column, values in (
            (row.object_id, [filters.object_id]),
            (row.case_id, [filters.case_id]),
            (row.actor, [filters.actor]),
            (row.outcome, [] if common else outcomes),
            (row.event, events),
            (row.outcome, outcomes if common else []),
        )
        if any(values)
    ]
    query = select(row)
    if filters.since:
        query = query.where(row.at >= filters.since)
    if filters.until:
        query = query.where(row.at < filters.until)
    if not exact:
        return [query]
    leading, values = exact.pop(0)
    runs = [query.where(leading == value) for value in values]
    if leading is row.actor and events:  # these two have an index together
        exact.remove((row.event, events))
        runs = [run.where(row.event == value) for run in runs for value in events]
    for column, values in exact:
        runs = [run.where(_sifting(column).in_(values)) for run in runs]
    return runs


def _sifting(column: InstrumentedAttribute[Any]) -> ColumnElement[str]:
    """A column in a form that no index serves: without statistics a planner may choose the worst one."""
    return func.coalesce(column, "")


def _newest(query: Select[AuditEntryRow], place: tuple[datetime, str] | None) -> Select[AuditEntryRow]:
    key = tuple_(AuditEntryRow.at, AuditEntryRow.id)
    if place is not None:
        query = query.where(key < place)
    return query.order_by(AuditEntryRow.at.desc(), AuditEntryRow.id.desc())


def _found(row: AuditEntryRow, index: int | None) -> Found:
    return Found(
        id=EntryId(row.id),
        at=row.at,
        event=row.event,
        outcome=row.outcome,
        actor=PersonId(row.actor) if row.actor else None,
        case_id=row.case_id,
        object_id=row.object_id,
        reason=row.reason,
        purpose=row.purpose,
        request_id=row.request_id,
        details=row.details or {},
        index=index,
    )


def _token(at: datetime, entry_id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{entry_id}".encode()).decode()


def _place(token: str) -> tuple[datetime, str]:
    try:
        at, _, entry_id = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        place = datetime.fromisoformat(at)
    except (binascii.Error, ValueError) as error:
        raise _lost() from error
    if place.tzinfo is None or not entry_id or "\x00" in entry_id:
        raise _lost()
    return place, entry_id


def _lost() -> Invalid:
    return Invalid("audit_page_unknown", "That page can't be found. Start the search again.", field="after")
