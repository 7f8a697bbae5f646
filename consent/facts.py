"""What the consent decision reads, as values (PURE)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from consent.terms import NO_FILM_YET, Action, Audience, Decision, How, PrMode, Purpose, RenditionState, Scope
from core.ids import (
    CaseId,
    ClipId,
    ConferenceId,
    ConsentEventId,
    NoticeId,
    OverrideId,
    PersonId,
    RenditionId,
    SessionId,
)
from identity.facts import Roster

ENGLAND: Final = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Rendition:
    """The bytes of a clip (or of footage) for one treatment, as vault hands it to the decision.

    Attributes:
        content_hash: hex SHA-256 of the plaintext bytes; what is consented to.
        persons_shown: the recognisable people.
        author: who made it; never the one who checks it.
        attested_by: the second trained person who said who is recognisable, if one has.
        nobody_recognisable: attested to show nobody (the only way an empty list is not a refusal).
        is_footage: the raw film or its working copy rather than a clip: only its guider ever plays it.
        filmed: who was recorded as filmed at the visit, whose filming agreement is needed; empty means those shown.
    """

    id: RenditionId
    case_id: CaseId
    clip_id: ClipId | None
    content_hash: str
    state: RenditionState
    persons_shown: frozenset[PersonId]
    author: PersonId
    attested_by: PersonId | None = None
    nobody_recognisable: bool = False
    is_footage: bool = False
    filmed: frozenset[PersonId] = frozenset()


def no_film(case_id: CaseId) -> Rendition:
    """In the place of a film that isn't there yet: nothing about it ever permits anything."""
    return Rendition(
        id=RenditionId(""),
        case_id=case_id,
        clip_id=None,
        content_hash=NO_FILM_YET,
        state=RenditionState.WITHDRAWN_FROM_USE,
        persons_shown=frozenset(),
        author=PersonId(""),
    )


@dataclass(frozen=True, slots=True)
class Conference:
    """A named meeting: who may present, when, and who is listed as attending (recorded, not signed in).

    It never changes: another date or another list is another conference, and another question.
    """

    id: ConferenceId
    case_id: CaseId
    starts_at: datetime
    ends_at: datetime
    chair: PersonId
    attendees: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One answer; never changed. ``on_behalf_of`` is the child it speaks for, or the grantor (self).

    Attributes:
        version: the case's consent version that this event raised: the order of events, never wall time.
        recorded_by: who entered it (the grantor on their own device).
        witness: the second person for witnessed answers and for a child's lifting sign.
    """

    id: ConsentEventId
    case_id: CaseId
    version: int
    grantor: PersonId
    on_behalf_of: PersonId
    rendition_hash: str
    purpose: Purpose
    audience: Audience
    decision: Decision
    at: datetime
    how: How
    recorded_by: PersonId
    expires_at: datetime | None = None
    witness: PersonId | None = None
    notice: NoticeId | None = None

    @property
    def scope(self) -> Scope:
        """What exactly it is about."""
        return Scope(self.rendition_hash, self.purpose, self.audience)


@dataclass(frozen=True, slots=True)
class Ask:
    """Someone was asked about a scope at a time: what ``pr_notice`` counts from.

    Staff in frame are told in the same way: their notice is an ask that waits for no answer.
    """

    grantor: PersonId
    on_behalf_of: PersonId
    scope: Scope
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Waiver:
    """A manager outside the requesting team ended one holder's notice early, with a reason on record.

    Attributes:
        notice_ends_at: from when the holder's silence counts as having been asked in time.
    """

    grantor: PersonId
    on_behalf_of: PersonId
    scope: Scope
    notice_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """A lawful disclosure without consent: one rendition hash, one recipient, at most 72 hours, two people."""

    id: OverrideId
    case_id: CaseId
    rendition_hash: str
    recipient: PersonId
    starts_at: datetime
    ends_at: datetime
    proposer: PersonId
    approver: PersonId | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The authority's settings for the rule.

    Attributes:
        pr_notice: how long every other holder must have been asked for.
        zone: where birthdays and review dates begin at midnight.
    """

    pr_mode: PrMode = PrMode.ONE_AND_NOTICE
    pr_notice: timedelta = timedelta(days=7)
    zone: tzinfo = ENGLAND


@dataclass(frozen=True, slots=True)
class Presenting:
    """A timed presenter session of a conference, for one signed-in presenter."""

    conference: ConferenceId
    presenter: PersonId
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked of the decision: may this actor do this with this rendition, for this, now?

    Attributes:
        viewer: the signed-in person.
        viewer_is_family: bound to a person shown rather than to an assignment.
        two_factors: whether the session proved two.
        session_ends_at: the session's own end.
        playing_to: at a shared review, the people in the room, all of them in that film.
    """

    viewer: PersonId
    viewer_is_family: bool
    two_factors: bool
    session: SessionId
    session_ends_at: datetime
    purpose: Purpose
    action: Action
    at: datetime
    presenting: Presenting | None = None
    playing_to: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one decision reads, collected in one snapshot.

    Attributes:
        events, asks, waivers, conferences, overrides: those of the case, in any order.
        retired: notices whose words have changed since; what was granted on them has lapsed.
    """

    rendition: Rendition
    roster: Roster
    events: tuple[ConsentEvent, ...] = ()
    asks: tuple[Ask, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    conferences: tuple[Conference, ...] = ()
    overrides: tuple[Override, ...] = ()
    retired: frozenset[NoticeId] = frozenset()
    policy: Policy = Policy()
