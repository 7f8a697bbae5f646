"""Tables of consent: what was asked, in which words, and what each person answered. Answers are never changed.

The database itself refuses changes to all but overrides and presenter sessions, which end.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consent.terms import Decision, Format, How, LawfulBasis, Purpose, WaiverReason
from core.db import Base, insert_only

E = TypeVar("E", bound=StrEnum)


def words(kind: type[E]) -> Enum:
    """A column type that stores an enum by its words, on any database."""
    return Enum(kind, native_enum=False, values_callable=lambda found: [member.value for member in found], length=40)


class NoticeRow(Base):
    """The exact words that people are shown, one version of them.

    Attributes:
        body: the words; they name nobody.
        sha256: hex digest of the words in UTF-8.
    """

    __tablename__ = "consent_notice"
    __table_args__ = (UniqueConstraint("purpose", "language", "format", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(words(Purpose))
    language: Mapped[str]
    format: Mapped[Format] = mapped_column(words(Format))
    version: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    published_at: Mapped[datetime]


class ScopeColumns:
    """What exactly a row is about; see ``consent.terms.Scope``. One of the two audiences is set."""

    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    rendition_id: Mapped[str | None]
    rendition_hash: Mapped[str]
    purpose: Mapped[Purpose] = mapped_column(words(Purpose))
    audience_person: Mapped[str | None]
    audience_conference: Mapped[str | None]
    grantor: Mapped[str]
    on_behalf_of: Mapped[str]
    version: Mapped[int]


_ONE_AUDIENCE = "(audience_person IS NULL) <> (audience_conference IS NULL)"


class AskRow(ScopeColumns, Base):
    """One person was asked one question.

    Attributes:
        asked_by: the member of staff.
    """

    __tablename__ = "consent_ask"
    __table_args__ = (
        CheckConstraint(_ONE_AUDIENCE, name="one_audience"),
        Index("ix_consent_ask_case_id", "case_id", "rendition_hash"),
        Index("ix_consent_ask_grantor", "grantor"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class EventRow(ScopeColumns, Base):
    """One answer.

    Attributes:
        language, format: in which words the question was put; ``notice_id`` says exactly which.
        how, witness, assurance: how the answer came, who saw it, and what proved who gave it.
        scan_reference: sealed; where the signed paper is kept.
        entry_id: the audit entry, whose inclusion the receipt proves.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        CheckConstraint(_ONE_AUDIENCE, name="one_audience"),
        Index("ix_consent_event_case_id", "case_id", "rendition_hash"),
        Index("ix_consent_event_grantor", "grantor"),
        UniqueConstraint("case_id", "version"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[Decision] = mapped_column(words(Decision))
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    notice_id: Mapped[str | None] = mapped_column(ForeignKey("consent_notice.id"))
    language: Mapped[str]
    format: Mapped[Format] = mapped_column(words(Format))
    how: Mapped[How] = mapped_column(words(How))
    recorded_by: Mapped[str]
    witness: Mapped[str | None]
    assurance: Mapped[str]
    scan_reference: Mapped[bytes | None] = mapped_column(LargeBinary)
    entry_id: Mapped[str]


class WaiverRow(ScopeColumns, Base):
    """A manager outside the requesting team shortened or waived one holder's notice."""

    __tablename__ = "consent_waiver"
    __table_args__ = (
        CheckConstraint(_ONE_AUDIENCE, name="one_audience"),
        Index("ix_consent_waiver_case_id", "case_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    notice_ends_at: Mapped[datetime]
    reason: Mapped[WaiverReason] = mapped_column(words(WaiverReason))
    explanation: Mapped[bytes] = mapped_column(LargeBinary)
    waived_by: Mapped[str]
    waived_at: Mapped[datetime]


class SafeToAskRow(Base):
    """The guider found it safe to ask a holder who isn't in the film."""

    __tablename__ = "consent_safe_to_ask"
    __table_args__ = (Index("ix_consent_safe_to_ask_rendition_hash", "rendition_hash", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    person_id: Mapped[str]
    rendition_hash: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class SignRow(Base):
    """A child's own later sign against an earlier dissent, as one person noted it; the second one lifts."""

    __tablename__ = "consent_sign"
    __table_args__ = (Index("ix_consent_sign_child_id", "child_id", "rendition_hash"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    child_id: Mapped[str]
    rendition_hash: Mapped[str]
    noted_by: Mapped[str]
    version: Mapped[int]
    noted_at: Mapped[datetime]


class ConferenceRow(Base):
    """A named conference; another date or list is another conference.

    Attributes:
        title: sealed.
    """

    __tablename__ = "consent_conference"
    __table_args__ = (Index("ix_consent_conference_case_id", "case_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    title: Mapped[bytes] = mapped_column(LargeBinary)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    chair: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class AttendeeRow(Base):
    """Someone listed as attending."""

    __tablename__ = "consent_attendee"

    conference_id: Mapped[str] = mapped_column(ForeignKey("consent_conference.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)


class PresentingRow(Base):
    """A timed presenter session of one conference, bound to the presenter's own session."""

    __tablename__ = "consent_presenting"
    __table_args__ = (Index("ix_consent_presenting_conference_id", "conference_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conference_id: Mapped[str] = mapped_column(ForeignKey("consent_conference.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    presenter: Mapped[str]
    session_id: Mapped[str]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OverrideRow(Base):
    """A lawful disclosure without consent: proposed by one, approved by another, ended early or by its window.

    Attributes:
        necessity, proportionality: sealed words.
        tell_family_on, not_told_because: when the family is told, or (sealed) why not yet.
    """

    __tablename__ = "consent_override"
    __table_args__ = (Index("ix_consent_override_case_id", "case_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("identity_case.id"))
    rendition_id: Mapped[str]
    rendition_hash: Mapped[str]
    recipient: Mapped[str]
    basis: Mapped[LawfulBasis] = mapped_column(words(LawfulBasis))
    necessity: Mapped[bytes] = mapped_column(LargeBinary)
    proportionality: Mapped[bytes] = mapped_column(LargeBinary)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    tell_family_on: Mapped[datetime | None]
    not_told_because: Mapped[bytes | None] = mapped_column(LargeBinary)
    proposer: Mapped[str]
    proposed_at: Mapped[datetime]
    approver: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class OverrideShownRow(Base):
    """Someone who is shown in what an override disclosed: their page says "shown by law"."""

    __tablename__ = "consent_override_shown"

    override_id: Mapped[str] = mapped_column(ForeignKey("consent_override.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)


for _kept in (NoticeRow, AskRow, EventRow, WaiverRow, SafeToAskRow, SignRow, ConferenceRow, AttendeeRow):
    # Not even removal: without a withdrawal's row, the yes before it would stand again.
    insert_only(_kept.__table__)
