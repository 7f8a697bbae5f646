"""The words of the consent decision, as values (PURE). Names after HL7 FHIR Consent and ISO/IEC TS 27560."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.ids import (
    ConferenceId,
    PersonId,
)

NEUTRAL_SENTENCE: Final = "This clip is not available."
"""All that a watcher learns from a refusal, whoever refused and for whichever reason."""

NO_FILM_YET: Final = ""
"""In the place of a content hash: what a filming agreement, which comes before the film, is about."""


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


ACTIONS: Final[Mapping[Purpose, frozenset[Action]]] = {
    Purpose.FILMING: frozenset(),
    Purpose.CASE_CONFERENCE: frozenset({Action.PRESENT}),
    Purpose.FAMILY_COPY: frozenset({Action.EXPORT}),
} | {
    purpose: frozenset({Action.STREAM})
    for purpose in Purpose
    if purpose not in {Purpose.FILMING, Purpose.CASE_CONFERENCE, Purpose.FAMILY_COPY}
}
"""What may be done at all for each purpose; the table is total."""


class Decision(StrEnum):
    """What a consent event says."""

    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class GrantState(StrEnum):
    """Where one person's answer about one scope is."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    TOLD = "told"
    """Of staff in frame: they were told, and needn't answer."""
    SUPERSEDED = "superseded"
    """Of a single answer in a history: a later one took its place."""


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


class WaiverReason(StrEnum):
    """Why a manager didn't wait for a holder's notice to run."""

    URGENT = "urgent"
    CANT_BE_FOUND = "cant_be_found"
    UNSAFE_TO_ASK = "unsafe_to_ask"


class LawfulBasis(StrEnum):
    """On which law an override rests. It is never called consent."""

    SECTION_47 = "section_47"
    """Children Act 1989, section 47: enquiries about significant harm."""
    COURT_ORDER = "court_order"
    POLICE = "police"
    DATA_SHARING_DUTY = "data_sharing_duty"


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
class Scope:
    """What exactly an answer is about. A yes for one scope is nothing for another."""

    rendition_hash: str
    purpose: Purpose
    audience: Audience


class PrMode(StrEnum):
    """Whether one holder's yes is enough while the others were asked in time and said nothing, or all must say yes."""

    ONE_AND_NOTICE = "one_and_notice"
    ALL = "all"


class Reason(StrEnum):
    """Why not. For the log and for staff who may know; a watcher sees only the neutral sentence."""

    NOT_LIVE = "not_live"
    NOT_A_CLIP = "not_a_clip"
    HASH_CHANGED = "hash_changed"
    NO_SECOND_FACTOR = "no_second_factor"
    SESSION_ENDED = "session_ended"
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
    LAPSED = "lapsed"
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

    @classmethod
    def weightiest(cls, found: Iterable[Refusal | None]) -> Refusal | None:
        """Of several, the one to tell: what somebody decided before what is merely missing; or nothing."""
        return min(
            (no for no in found if no is not None),
            key=lambda no: (_WEIGHT.get(no.reason, 0), no.about or ""),
            default=None,
        )


_WEIGHT: Final = {
    reason: place
    for place, reason in enumerate(
        (
            Reason.WITHDRAWN,
            Reason.REFUSED,
            Reason.DISSENT,
            Reason.RESTRICTED,
            Reason.NO_CAPACITY,
            Reason.UNKNOWN_PERSON,
            Reason.NO_HOLDER,
            Reason.EXPIRED,
            Reason.LAPSED,
            Reason.NOT_ASKED,
            Reason.NO_FILMING_AGREEMENT,
            Reason.NOT_ANSWERED,
            Reason.NOTICE_RUNNING,
        )
    )
}
"""The weightier reason first."""
