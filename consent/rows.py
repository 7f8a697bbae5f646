"""From rows to the values that the decision reads, and back."""

from __future__ import annotations

from typing import Any

from consent.facts import Ask, Conference, ConsentEvent, Override, Waiver
from consent.models import AskRow, AttendeeRow, ConferenceRow, EventRow, OverrideRow, ScopeColumns, WaiverRow
from consent.terms import Audience, Scope
from core.ids import (
    CaseId,
    ConferenceId,
    ConsentEventId,
    NoticeId,
    OverrideId,
    PersonId,
    RenditionId,
)


def columns(
    scope: Scope,
    *,
    case_id: CaseId,
    rendition_id: RenditionId | None,
    grantor: PersonId,
    on_behalf_of: PersonId,
    version: int,
) -> dict[str, Any]:
    """The columns that say what a row is about."""
    return {
        "case_id": case_id,
        "rendition_id": rendition_id,
        "rendition_hash": scope.rendition_hash,
        "purpose": scope.purpose,
        "audience_person": scope.audience.person,
        "audience_conference": scope.audience.conference,
        "grantor": grantor,
        "on_behalf_of": on_behalf_of,
        "version": version,
    }


def scope_of(row: ScopeColumns) -> Scope:
    """What a row is about."""
    return Scope(row.rendition_hash, row.purpose, audience_of(row))


def audience_of(row: ScopeColumns) -> Audience:
    """For whose eyes."""
    if row.audience_person is not None:
        return Audience(person=PersonId(row.audience_person))
    return Audience(conference=ConferenceId(row.audience_conference or ""))


def ask_of(row: AskRow) -> Ask:
    """A question that was put."""
    return Ask(PersonId(row.grantor), PersonId(row.on_behalf_of), scope_of(row), row.asked_at)


def waiver_of(row: WaiverRow) -> Waiver:
    """A notice that was cut short."""
    return Waiver(PersonId(row.grantor), PersonId(row.on_behalf_of), scope_of(row), row.notice_ends_at)


def event_of(row: EventRow) -> ConsentEvent:
    """An answer."""
    return ConsentEvent(
        id=ConsentEventId(row.id),
        case_id=CaseId(row.case_id),
        version=row.version,
        grantor=PersonId(row.grantor),
        on_behalf_of=PersonId(row.on_behalf_of),
        rendition_hash=row.rendition_hash,
        purpose=row.purpose,
        audience=audience_of(row),
        decision=row.decision,
        at=row.at,
        how=row.how,
        recorded_by=PersonId(row.recorded_by),
        expires_at=row.expires_at,
        witness=None if row.witness is None else PersonId(row.witness),
        notice=None if row.notice_id is None else NoticeId(row.notice_id),
    )


def conference_of(row: ConferenceRow, attendees: list[AttendeeRow]) -> Conference:
    """A meeting with its list."""
    return Conference(
        id=ConferenceId(row.id),
        case_id=CaseId(row.case_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        chair=PersonId(row.chair),
        attendees=frozenset(PersonId(one.person_id) for one in attendees if one.conference_id == row.id),
    )


def override_of(row: OverrideRow) -> Override:
    """A lawful disclosure; one that was ended early ends there."""
    return Override(
        id=OverrideId(row.id),
        case_id=CaseId(row.case_id),
        rendition_hash=row.rendition_hash,
        recipient=PersonId(row.recipient),
        starts_at=row.starts_at,
        ends_at=row.ends_at if row.ended_at is None else min(row.ends_at, row.ended_at),
        proposer=PersonId(row.proposer),
        approver=None if row.approver is None else PersonId(row.approver),
    )
