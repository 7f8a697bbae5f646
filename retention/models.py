"""Retention's tables. Everything here is ids, dates and numbers, but for the reasons, which are sealed words.

Ids of other rooms stand here without a foreign key. Certificates, notices and agreements are insert-only.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, insert_only
from retention.terms import HoldScope, RecordClass

E = TypeVar("E", bound=StrEnum)


def _words(kind: type[E]) -> Enum:
    """A column of an enum's values, as plain text that both databases sort and compare alike."""
    return Enum(kind, native_enum=False, values_callable=lambda words: [word.value for word in words], length=40)


class SweepState(StrEnum):
    """Where a sweep is."""

    PLANNED = "planned"
    HALTED = "halted"
    """An officer must look first."""
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    SUPERSEDED = "superseded"
    """A later plan took its place before it was carried out."""


class HaltReason(StrEnum):
    """Why a sweep asks first."""

    SHARE = "share"
    """It would destroy more of the store than may go unasked."""
    CLOCK = "clock"
    """Time has leapt ahead, and nobody has accepted that."""
    SCHEDULE = "schedule"
    """The schedule is not the one of the sweep before."""


class ItemState(StrEnum):
    """Where the destruction of one record is; each step is only ever taken forwards."""

    PLANNED = "planned"
    DESTROYING = "destroying"
    KEY_DESTROYED = "key_destroyed"
    CERTIFIED = "certified"
    DONE = "done"
    """Its bytes are deleted too."""
    KEPT = "kept"
    """Decided again under lock, it was not to go."""


class ErasureState(StrEnum):
    """Where a family's request is."""

    ASKED = "asked"
    OBJECTED = "objected"
    """Somebody objected in time: it stays out of use, and nothing is destroyed for this request."""
    CANCELLED = "cancelled"
    DONE = "done"


class HoldRow(Base):
    """A legal hold.

    Attributes:
        subject: id of the case, person or clip.
        case_id: whose record key seals the words, unless it is a person's.
        reason, release_reason: sealed words.
        review_on: when an officer must look whether it is still needed; a review that is late changes nothing.
    """

    __tablename__ = "retention_hold"
    __table_args__ = (Index("ix_retention_hold_in_force", "released_at", "scope", "subject"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[HoldScope] = mapped_column(_words(HoldScope))
    subject: Mapped[str]
    case_id: Mapped[str | None]
    reason: Mapped[bytes] = mapped_column(LargeBinary)
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    review_on: Mapped[date]
    reviewed_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    release_reason: Mapped[bytes | None] = mapped_column(LargeBinary)


class NoticeRow(Base):
    """The family and the officer were told that a record will go. Once a record; a later date needs no second one."""

    __tablename__ = "retention_notice"

    record_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    given_on: Mapped[date]
    due_on: Mapped[date]


class AgreementRow(Base):
    """An officer agreed that a record may go, where its rule asks for that; ``reason`` is sealed words."""

    __tablename__ = "retention_agreement"

    record_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    agreed_on: Mapped[date]
    agreed_by: Mapped[str]
    reason: Mapped[bytes] = mapped_column(LargeBinary)


class SweepRow(Base):
    """One look at what is due, and what came of it.

    Attributes:
        on: the civil day that it is for.
        schedule_version: hash of the schedule that it was planned by.
        halted_for: words of ``HaltReason``.
        all_records, all_bytes: what the store held when it was planned.
        approval_reason: sealed words of the officer who let a halted sweep go on.
    """

    __tablename__ = "retention_sweep"
    __table_args__ = (Index("ix_retention_sweep_state", "state", "planned_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    on: Mapped[date]
    planned_at: Mapped[datetime]
    planned_by: Mapped[str | None]
    profile: Mapped[str]
    schedule_version: Mapped[str]
    state: Mapped[SweepState] = mapped_column(_words(SweepState))
    halted_for: Mapped[list[Any]] = mapped_column(JSON)
    all_records: Mapped[int]
    all_bytes: Mapped[int] = mapped_column(BigInteger)
    due_records: Mapped[int]
    due_bytes: Mapped[int] = mapped_column(BigInteger)
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approval_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    approval_entry: Mapped[str | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ItemRow(Base):
    """One record of a sweep.

    Attributes:
        because: the term that decided, in words.
        kept_because: code word, where it was not to go after all.
    """

    __tablename__ = "retention_item"
    __table_args__ = (
        UniqueConstraint("sweep_id", "record_id"),
        Index("ix_retention_item_state", "sweep_id", "state"),
        Index("ix_retention_item_record", "record_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    sweep_id: Mapped[str] = mapped_column(ForeignKey("retention_sweep.id"))
    record_id: Mapped[str]
    record_class: Mapped[RecordClass] = mapped_column(_words(RecordClass))
    case_id: Mapped[str]
    due_on: Mapped[date]
    rule: Mapped[str]
    because: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ItemState] = mapped_column(_words(ItemState))
    kept_because: Mapped[str | None]
    destroying_at: Mapped[datetime | None]
    key_destroyed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class CertificateRow(Base):
    """What was destroyed, by which rule, how and when. It names no person.

    Attributes:
        body: the certificate as it was issued, canonical JSON: what ``audit_entry`` commits to.
        sha256: of that body.
        last_key: the key of the record that was destroyed last, and ``epoch`` the epoch that must go for it; nothing
            where it never had one.
        destroyed_at: when the last of its keys was gone from the live key store.
    """

    __tablename__ = "retention_certificate"
    __table_args__ = (Index("ix_retention_certificate_time", "destroyed_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("retention_item.id"), unique=True)
    record_id: Mapped[str]
    record_class: Mapped[RecordClass] = mapped_column(_words(RecordClass))
    rule: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    last_key: Mapped[str | None]
    epoch: Mapped[int | None]
    destroyed_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    body: Mapped[str]
    sha256: Mapped[str]
    audit_entry: Mapped[str]


class ErasureRow(Base):
    """A family's request to erase one clip, or everything of the case that was there or on its way when they asked.

    Attributes:
        clip_id: nothing for everything.
        asked_for: the family member who wants it.
        recorded_by: who entered it: that person, or a member of staff whom they told.
        objection: sealed words.
        stopped: ids of what this request took out of use: renditions, clips, and the uploads that films came by.
    """

    __tablename__ = "retention_erasure"
    __table_args__ = (
        Index("ix_retention_erasure_open", "state", "asked_at"),
        Index("ix_retention_erasure_case", "case_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    clip_id: Mapped[str | None]
    asked_for: Mapped[str]
    recorded_by: Mapped[str]
    asked_at: Mapped[datetime]
    window_ends_on: Mapped[date]
    state: Mapped[ErasureState] = mapped_column(_words(ErasureState))
    objected_by: Mapped[str | None]
    objection: Mapped[bytes | None] = mapped_column(LargeBinary)
    stopped: Mapped[list[Any]] = mapped_column(JSON)
    ended_at: Mapped[datetime | None]


for _row in (AgreementRow, NoticeRow, CertificateRow):
    insert_only(_row.__table__)
