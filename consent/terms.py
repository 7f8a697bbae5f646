"""The words of the consent decision, as values (PURE). Names after HL7 FHIR Consent and ISO/IEC TS 27560."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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


class Purpose(StrEnum):
    """What for. Never bundled with another."""

    FILMING = "filming"
    PREPARE = "prepare"
    CHECK = "check"
    REVIEW_TOGETHER = "review_together"
    FAMILY_REVIEW = "family_review"
    SOCIAL_WORKER = "social_worker"
    CASE_CONFERENCE = "case_conference"
    SUPERVISION = "supervision"
    ACCREDITATION = "accreditation"
    REFERRER = "referrer"
    TRAINING = "training"
    RESEARCH = "research"
    COURT = "court"
    FAMILY_COPY = "family_copy"


class Action(StrEnum):
    """Doing what. Posters and strips count as ``STREAM``."""

    STREAM = "stream"
    PRESENT = "present"
    EXPORT = "export"


class Decision(StrEnum):
    """What a consent event says."""

    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class Format(StrEnum):
    """In which form the words were given."""

    STANDARD = "standard"
    EASY_READ = "easy_read"
    READ_ALOUD = "read_aloud"
    TRANSLATED = "translated"


class How(StrEnum):
    """How the answer reached us."""

    OWN_DEVICE = "own_device"
    WITNESSED_TABLET = "witnessed_tablet"
    PAPER = "paper"
    TOLD_TO_STAFF = "told_to_staff"
    """Refusals and withdrawals only: by any staff member on the case, at once, no proof asked."""
    OBSERVED = "observed"
    """A child's own sign, with or without words; a lifting sign needs a second person's note."""


class RenditionState(StrEnum):
    """Whether a rendition may be used at all."""

    LIVE = "live"
    QUARANTINED = "quarantined"
    WITHDRAWN_FROM_USE = "withdrawn_from_use"
    DESTROYED = "destroyed"


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


@dataclass(frozen=True, slots=True)
class Audience:
    """One named person or one named conference, never a team. Exactly one of the two is set."""

    person: PersonId | None = None
    conference: ConferenceId | None = None

    def __post_init__(self) -> None:
        """Refuse an audience of nobody or of two."""
        if (self.person is None) == (self.conference is None):
            message = "an audience is one person or one conference"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Conference:
    """A named meeting: who may present, when, and who is listed as attending (recorded, not signed in)."""

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


@dataclass(frozen=True, slots=True)
class Ask:
    """A holder was asked about (rendition, purpose, audience) at a time: what ``pr_notice`` counts from.

    Attributes:
        notice_waived: a manager outside the requesting team shortened or waived the notice, with a reason.
    """

    grantor: PersonId
    on_behalf_of: PersonId
    rendition_hash: str
    purpose: Purpose
    audience: Audience
    asked_at: datetime
    notice_waived: bool = False


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


class PrMode(StrEnum):
    """Whether one holder's yes is enough while the others were asked in time and said nothing, or all must say yes."""

    ONE_AND_NOTICE = "one_and_notice"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Policy:
    """The authority's settings for the rule."""

    pr_mode: PrMode = PrMode.ONE_AND_NOTICE
    pr_notice: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Presenting:
    """A timed presenter session of a conference, for one signed-in presenter."""

    conference: ConferenceId
    presenter: PersonId
    ends_at: datetime


class Reason(StrEnum):
    """Why not. For the log and for staff who may know; a watcher sees only the neutral sentence."""

    NOT_LIVE = "not_live"
    HASH_CHANGED = "hash_changed"
    NO_SECOND_FACTOR = "no_second_factor"
    NOT_IN_AUDIENCE = "not_in_audience"
    NO_ASSIGNMENT = "no_assignment"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    NOBODY_LISTED = "nobody_listed"
    NOT_ATTESTED = "not_attested"
    SELF_ATTESTED = "self_attested"
    RESTRICTED = "restricted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_ASKED = "not_asked"
    NOT_ANSWERED = "not_answered"
    NOTICE_RUNNING = "notice_running"
    EXPIRED = "expired"
    UNSETTLED = "unsettled"
    DISSENT = "dissent"
    NO_CAPACITY = "no_capacity"
    NO_HOLDER = "no_holder"
    UNKNOWN_PERSON = "unknown_person"
    OUTSIDE_WINDOW = "outside_window"
    WRONG_ACTION = "wrong_action"
    CASE_CLOSED = "case_closed"
    NO_FILMING_AGREEMENT = "no_filming_agreement"
    STALE = "stale"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, with the reason (for the log) and, where it is about one person, whom."""

    reason: Reason
    about: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked of the decision: may this actor do this with this rendition, for this, now?

    Attributes:
        viewer: the signed-in person.
        viewer_is_family: bound to a person shown rather than to an assignment.
        two_factors: whether the session proved two.
        session_ends_at: the session's own end.
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
