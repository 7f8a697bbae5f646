"""Tables of people and cases. Names, birth dates, contacts and free text are sealed bytes; what is left is ids."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from identity.facts import Capacity, Competence, PersonKind, RelationshipKind, Role
from identity.terms import AskOutcome, Keeping, ReferrerKind, Status, VisitKind

E = TypeVar("E", bound=StrEnum)


def words(kind: type[E]) -> Enum:
    """A column type that stores an enum by its words, on any database."""
    return Enum(kind, native_enum=False, values_callable=lambda found: [member.value for member in found], length=40)


class PersonRow(Base):
    """A human being, once, in however many cases.

    Attributes:
        born_on: sealed ISO date; always there for a child.
        was_child: came to the service as a child; stays so after an 18th birthday.
        safe_contact: sealed: where a code may be sent without putting anybody at risk.
        contact_set_by: who entered it; that person never also sees the link (``invitations``).
        email: sealed; staff only. ``email_index`` finds it (blind index under the organisation's key).
        suspended_at: staff who have left.
    """

    __tablename__ = "identity_person"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[PersonKind] = mapped_column(words(PersonKind))
    name: Mapped[bytes] = mapped_column(LargeBinary)
    was_child: Mapped[bool] = mapped_column(default=False)
    born_on: Mapped[bytes | None] = mapped_column(LargeBinary)
    safe_contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_set_by: Mapped[str | None]
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffRoleRow(Base):
    """What a member of staff is in the organisation."""

    __tablename__ = "identity_staff_role"

    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(words(Role), primary_key=True)


class CaseRow(Base):
    """One family's VIG work.

    Attributes:
        consent_version: raised under this row's lock by every change of a fact that the consent decision reads.
        reference: sealed number of the record that lives in another system.
        closed_reason: sealed words.
        family_copy, look_again: what the family answered when the case closed.
    """

    __tablename__ = "identity_case"

    id: Mapped[str] = mapped_column(primary_key=True)
    consent_version: Mapped[int] = mapped_column(default=1)
    referrer_kind: Mapped[ReferrerKind] = mapped_column(words(ReferrerKind))
    status: Mapped[Status] = mapped_column(words(Status))
    reference: Mapped[bytes | None] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    closed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    family_copy: Mapped[Keeping | None] = mapped_column(words(Keeping))
    look_again: Mapped[Keeping | None] = mapped_column(words(Keeping))


class MemberRow(Base):
    """A family member in a case: adults and children; never staff."""

    __tablename__ = "identity_member"
    __table_args__ = (Index("ix_identity_member_person", "person_id"),)

    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    is_index: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[datetime]


class AskedAboutRow(Base):
    """A father or second parent was asked about, and this is what came of it: never a blank."""

    __tablename__ = "identity_asked_about"
    __table_args__ = (Index("ix_identity_asked_about_case", "case_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    child_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    outcome: Mapped[AskOutcome] = mapped_column(words(AskOutcome))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class RelationshipRow(Base):
    """Parental responsibility of an adult for a child, in every case with that child.

    Attributes:
        evidence: sealed words: what was seen (birth certificate, order).
    """

    __tablename__ = "identity_relationship"
    __table_args__ = (
        Index("ix_identity_relationship_child", "child_id"),
        Index("ix_identity_relationship_holder", "holder_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    holder_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    child_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    kind: Mapped[RelationshipKind] = mapped_column(words(RelationshipKind))
    evidence: Mapped[bytes | None] = mapped_column(LargeBinary)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    recorded_by: Mapped[str]


class RestrictionRow(Base):
    """A court order or safety marker on a person within one case; ``reason`` is sealed words."""

    __tablename__ = "identity_restriction"
    __table_args__ = (Index("ix_identity_restriction_case", "case_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    no_view: Mapped[bool]
    no_say: Mapped[bool]
    not_asked: Mapped[bool]
    reason: Mapped[bytes] = mapped_column(LargeBinary)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    placed_by: Mapped[str]
    lifted_by: Mapped[str | None]


class CompetenceRow(Base):
    """An assessment of a child under 16; ``purpose`` empty means for every purpose."""

    __tablename__ = "identity_competence"
    __table_args__ = (Index("ix_identity_competence_child", "child_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    child_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    purpose: Mapped[str | None]
    outcome: Mapped[Competence] = mapped_column(words(Competence))
    assessed_at: Mapped[datetime]
    review_on: Mapped[date]
    assessor: Mapped[str]


class CapacityRow(Base):
    """A capacity decision about a person of 16 or over; ``purpose`` empty means for every purpose."""

    __tablename__ = "identity_capacity"
    __table_args__ = (Index("ix_identity_capacity_person", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    purpose: Mapped[str | None]
    outcome: Mapped[Capacity] = mapped_column(words(Capacity))
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]


class AssignmentRow(Base):
    """A member of staff's place in a case.

    Attributes:
        rendition_id: narrows it to one rendition (a check).
        ends_at: when it ended or will end; a guider's is empty while it lasts, so that the index below can hold
            "exactly one guider at a time" in the database itself.
        end_reason: sealed words.
    """

    __tablename__ = "identity_assignment"
    __table_args__ = (
        Index("ix_identity_assignment_case", "case_id"),
        Index("ix_identity_assignment_person", "person_id"),
        Index(
            "uq_identity_assignment_one_guider",
            "case_id",
            unique=True,
            sqlite_where=text("role = 'guider' AND ends_at IS NULL"),
            postgresql_where=text("role = 'guider' AND ends_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    role: Mapped[Role] = mapped_column(words(Role))
    rendition_id: Mapped[str | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    end_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    assigned_by: Mapped[str]
    ended_by: Mapped[str | None]
    suspended: Mapped[bool] = mapped_column(default=False)


class CaseloadRow(Base):
    """A family member is on a staff member's own caseload: who may therefore not guide that family."""

    __tablename__ = "identity_caseload"
    __table_args__ = (
        Index("ix_identity_caseload_person", "person_id"),
        Index("ix_identity_caseload_staff", "staff_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    recorded_by: Mapped[str]


class VisitRow(Base):
    """A visit for filming or for shared review. Its date is in the clear, since retention counts from it."""

    __tablename__ = "identity_visit"
    __table_args__ = (Index("ix_identity_visit_case", "case_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    kind: Mapped[VisitKind] = mapped_column(words(VisitKind))
    visited_on: Mapped[date]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class PresentRow(Base):
    """Who was there at a visit."""

    __tablename__ = "identity_present"

    visit_id: Mapped[str] = mapped_column(ForeignKey("identity_visit.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
