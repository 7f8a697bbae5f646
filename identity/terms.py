"""The words with which a case is opened, worked on and closed, as values (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.ids import AssignmentId, CaseId, PersonId, VisitId
from identity.facts import PersonKind, RelationshipKind, Role, Span


class ReferrerKind(StrEnum):
    """Who asked for VIG."""

    SOCIAL_WORKER = "social_worker"
    FAMILY_SUPPORT_WORKER = "family_support_worker"
    OTHER = "other"


class Status(StrEnum):
    """The children's standing with the authority when the family was referred."""

    CHILD_IN_NEED = "child_in_need"
    CHILD_PROTECTION = "child_protection"
    LOOKED_AFTER = "looked_after"
    OTHER = "other"


class AskOutcome(StrEnum):
    """What came of asking about a father or second parent: recorded rather than left blank."""

    NOT_KNOWN = "not_known"
    KNOWN_WITHOUT_RESPONSIBILITY = "known_without_responsibility"
    NOT_SAID = "not_said"
    DIED = "died"


class Keeping(StrEnum):
    """The family's answer, when a case closes, to "your copy?" and "look again at six months?"."""

    YES = "yes"
    NO = "no"
    ASKED_NO_ANSWER = "asked_no_answer"


class VisitKind(StrEnum):
    """What a visit was for. Shared reviews are often filmed too."""

    FILMING = "filming"
    SHARED_REVIEW = "shared_review"


@dataclass(frozen=True, slots=True)
class Referral:
    """Why the case was opened; ``reference`` is the number of the record that lives in another system."""

    referrer: ReferrerKind
    status: Status
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewChild:
    """A child who joins a case.

    Attributes:
        is_index: the child whom the work is about.
        safe_contact: for a young person who will answer for themself.
    """

    name: str = field(repr=False)
    born_on: date = field(repr=False)
    is_index: bool = False
    safe_contact: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Responsibility:
    """An adult holds parental responsibility for the child at ``child`` (position in the list of children)."""

    child: int
    kind: RelationshipKind
    evidence: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewAdult:
    """An adult who joins a case.

    Attributes:
        safe_contact: where a code may be sent without putting them at risk.
        responsible_for: which children they hold parental responsibility for; empty for none.
    """

    name: str = field(repr=False)
    born_on: date | None = field(default=None, repr=False)
    safe_contact: str | None = field(default=None, repr=False)
    responsible_for: tuple[Responsibility, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """A father or second parent of the child at ``child`` was asked about, and isn't in the list of adults."""

    child: int
    outcome: AskOutcome = AskOutcome.NOT_KNOWN


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a case made, in the order of what was given."""

    case_id: CaseId
    children: tuple[PersonId, ...]
    adults: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class StaffLine:
    """A member of staff as a list shows them."""

    id: PersonId
    name: str = field(repr=False)
    roles: frozenset[Role] = frozenset()
    suspended: bool = False
    email: str = field(default="", repr=False)
    """Only for administrators."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case as a list shows it, to staff who may know its names."""

    id: CaseId
    children: tuple[str, ...] = field(repr=False)
    status: Status
    opened_at: datetime
    closed_at: datetime | None
    roles: frozenset[Role]
    guider: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseloadLine:
    """A family is on a member of staff's own caseload."""

    staff: PersonId
    case_id: CaseId
    since: datetime


@dataclass(frozen=True, slots=True)
class MemberView:
    """A family member on the case's page.

    Attributes:
        holders: who holds parental responsibility for them just now (a child's).
        asked_about: what came of asking about a father or second parent.
        has_device: whether they have activated an invitation.
    """

    id: PersonId
    name: str = field(repr=False)
    kind: PersonKind
    born_on: date | None = field(repr=False)
    is_child: bool
    is_index: bool
    holders: tuple[tuple[PersonId, RelationshipKind], ...]
    asked_about: tuple[AskOutcome, ...]
    has_contact: bool
    has_device: bool


@dataclass(frozen=True, slots=True)
class StaffView:
    """A member of staff's place in the case, past ones included."""

    assignment: AssignmentId
    person: PersonId
    name: str = field(repr=False)
    role: Role
    span: Span
    suspended: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit and who was there."""

    id: VisitId
    case_id: CaseId
    kind: VisitKind
    visited_on: date = field(repr=False)
    present: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything the case's page shows, with opened names."""

    id: CaseId
    version: int
    referral: Referral
    opened_at: datetime
    closed_at: datetime | None
    members: tuple[MemberView, ...]
    staff: tuple[StaffView, ...]
    visits: tuple[Visit, ...]
    roles: frozenset[Role]

    def name_of(self, person: PersonId) -> str:
        """The name of someone on this page; empty for a stranger."""
        found = {member.id: member.name for member in self.members} | {one.person: one.name for one in self.staff}
        return found.get(person, "")
