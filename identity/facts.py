"""What is known about the people of a case, as values (PURE).

These are the facts that the consent decision reads. They are collected by ``identity.roster`` in one snapshot together
with the case's *consent version*; whoever changes any of them raises that version in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.ids import AssignmentId, CaseId, PersonId, RenditionId, SessionId


class PersonKind(StrEnum):
    """Staff have assignments and second factors; family members are bound to persons; others are only known about."""

    STAFF = "staff"
    FAMILY = "family"
    OTHER = "other"


class Role(StrEnum):
    """What a member of staff is, in the organisation or (by an assignment) to one case."""

    GUIDER = "guider"
    SUPERVISOR = "supervisor"
    SOCIAL_WORKER = "social_worker"
    CHAIR = "chair"
    REFERRER = "referrer"
    CHECKER = "checker"
    """To one rendition only: the colleague off the case who attests who is recognisable."""
    TRAINER = "trainer"
    RESEARCHER = "researcher"
    LEGAL = "legal"
    MANAGER = "manager"
    IG_OFFICER = "ig_officer"
    ADMINISTRATOR = "administrator"


class RelationshipKind(StrEnum):
    """How parental responsibility is held (Children Act 1989, sections 2 to 5, 14A, 33)."""

    MOTHER = "mother"
    FATHER = "father"
    SECOND_PARENT = "second_parent"
    STEP_PARENT = "step_parent"
    GUARDIAN = "guardian"
    SPECIAL_GUARDIAN = "special_guardian"
    ADOPTER = "adopter"
    COURT_ORDER = "court_order"
    LOCAL_AUTHORITY = "local_authority"
    """Under a care order; the holder is the named manager who decides. Section 20 accommodation gives none."""


class Effect(StrEnum):
    """What a restriction does, each by itself."""

    NO_VIEW = "no_view"
    NO_SAY = "no_say"
    NOT_ASKED = "not_asked"


class Competence(StrEnum):
    """Outcome of an assessment of a child under 16 (Gillick)."""

    COMPETENT = "competent"
    NOT_COMPETENT = "not_competent"


class Capacity(StrEnum):
    """Outcome of a capacity decision about a person of 16 or over (Mental Capacity Act 2005)."""

    HAS = "has"
    LACKS = "lacks"
    LACKS_BEST_INTERESTS_YES = "lacks_best_interests_yes"
    """Lacks capacity, and a recorded best-interests decision says yes."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in a case. Names are not facts: people are told apart by id, never by name."""

    id: PersonId
    kind: PersonKind
    born_on: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment until (not including) another; an open end lasts."""

    start: datetime
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether ``at`` lies in it."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Relationship:
    """Parental responsibility of an adult for a child."""

    holder: PersonId
    child: PersonId
    kind: RelationshipKind
    span: Span


@dataclass(frozen=True, slots=True)
class Restriction:
    """A court order or safety marker on a person, within this case."""

    person: PersonId
    effects: frozenset[Effect]
    span: Span


@dataclass(frozen=True, slots=True)
class CompetenceAssessment:
    """Whether a child under 16 was found competent; ``purpose`` empty means for every purpose."""

    child: PersonId
    outcome: Competence
    assessed_at: datetime
    review_on: date
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class CapacityDecision:
    """Whether a person of 16 or over has capacity; ``purpose`` empty means for every purpose."""

    person: PersonId
    outcome: Capacity
    decided_at: datetime
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A member of staff's place in the case; ``rendition`` narrows it to one (a check)."""

    id: AssignmentId
    person: PersonId
    role: Role
    span: Span
    rendition: RenditionId | None = None


@dataclass(frozen=True, slots=True)
class CaseloadEntry:
    """A family member who is on a staff member's own caseload: a conflict of interest with guiding them."""

    staff: PersonId
    person: PersonId
    span: Span


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything known about the people of one case, as of one snapshot.

    Attributes:
        version: the case's consent version that was read *before* these facts, in the same snapshot.
        is_open: whether the case is still being worked on.
    """

    case_id: CaseId
    version: int
    is_open: bool
    persons: Mapping[PersonId, Person] = field(default_factory=dict)
    relationships: tuple[Relationship, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    competence: tuple[CompetenceAssessment, ...] = ()
    capacity: tuple[CapacityDecision, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    caseload: tuple[CaseloadEntry, ...] = ()


class Factor(StrEnum):
    """What a sign-in was proved with."""

    PASSWORD = "password"  # noqa: S105 - the name of a factor
    TOTP = "totp"
    PASSKEY = "passkey"
    DEVICE = "device"
    """A family member's bound device (a cookie that activation put there)."""
    PASSCODE = "passcode"


STRONG = (
    frozenset({Factor.PASSWORD, Factor.TOTP}),
    frozenset({Factor.PASSKEY}),
    frozenset({Factor.DEVICE, Factor.PASSCODE}),
)
"""Sets of factors that count as two."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, as the session proves it.

    Attributes:
        roles: organisation roles (staff); a family member has none.
        expires_at: when the session ends at the latest.
    """

    person: PersonId
    kind: PersonKind
    session: SessionId
    roles: frozenset[Role] = frozenset()
    factors: frozenset[Factor] = frozenset()
    expires_at: datetime | None = None

    @property
    def has_two_factors(self) -> bool:
        """Whether one of the ``STRONG`` sets was proved."""
        return any(needed <= self.factors for needed in STRONG)
