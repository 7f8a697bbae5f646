"""Collecting everything that one decision reads: the version first, then the facts, in the caller's snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consent.facts import Facts, Policy, Rendition
from consent.models import (
    AskRow,
    AttendeeRow,
    ConferenceRow,
    EventRow,
    OverrideRow,
    WaiverRow,
)
from consent.notices import retired
from consent.rows import ask_of, conference_of, event_of, override_of, waiver_of
from consent.terms import NO_FILM_YET, Purpose
from core.clock import Clock
from core.db import Database
from core.errors import Unavailable
from identity import Roster, roster

_POLICY = "consent_policy"


def attach(db: Database, *, policy: Policy) -> None:
    """Let every decision on this database follow the authority's settings; without it, the defaults."""
    db.info[_POLICY] = policy


def facts_of(session: Session, rendition: Rendition) -> Facts:
    """Everything known about a rendition's case, as of the session's snapshot.

    Args:
        session: a locked case (READ COMMITTED) or a reading snapshot.
        rendition: as vault knows it in the same snapshot.

    Raises:
        NotFound: no such case.
        Unavailable: the keys are sealed.
    """
    return facts_about(session, rendition, people=roster(session, rendition.case_id))


def facts_about(session: Session, rendition: Rendition, *, people: Roster) -> Facts:
    """``facts_of`` for a caller who has the roster already (read first, in this snapshot)."""
    case_id, content_hash = rendition.case_id, rendition.content_hash
    filming = EventRow.purpose == Purpose.FILMING
    events = session.scalars(
        select(EventRow).where(
            EventRow.case_id == case_id,
            or_(EventRow.rendition_hash == content_hash, (EventRow.rendition_hash == NO_FILM_YET) & filming),
        )
    )
    asks = session.scalars(
        select(AskRow).where(AskRow.case_id == case_id, AskRow.rendition_hash.in_([content_hash, NO_FILM_YET]))
    )
    waivers = session.scalars(
        select(WaiverRow).where(WaiverRow.case_id == case_id, WaiverRow.rendition_hash == content_hash)
    )
    meetings = session.scalars(select(ConferenceRow).where(ConferenceRow.case_id == case_id)).all()
    listed = select(AttendeeRow).where(AttendeeRow.conference_id.in_([one.id for one in meetings]))
    attendees = list(session.scalars(listed)) if meetings else []
    overrides = session.scalars(
        select(OverrideRow).where(OverrideRow.case_id == case_id, OverrideRow.rendition_hash == content_hash)
    )
    return Facts(
        rendition=rendition,
        roster=people,
        events=tuple(event_of(row) for row in events),
        asks=tuple(ask_of(row) for row in asks),
        waivers=tuple(waiver_of(row) for row in waivers),
        conferences=tuple(conference_of(row, attendees) for row in meetings),
        overrides=tuple(override_of(row) for row in overrides),
        retired=retired(session),
        policy=policy_of(session),
    )


def policy_of(session: Session) -> Policy:
    """The authority's settings."""
    found = session.info.get(_POLICY)
    return found if isinstance(found, Policy) else Policy()


def now(session: Session) -> datetime:
    """The time that this process believes.

    Raises:
        Unavailable: the database wasn't given a clock (``audit.attach``); nothing is decided without one.
    """
    clock = cast("Clock | None", session.info.get("clock"))
    if clock is None:
        raise Unavailable("clock_missing", "The service isn't ready. Please tell your administrator.")
    return clock.now()
