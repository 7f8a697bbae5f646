"""The words of retention, as values (PURE), after ISO 15489."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.ids import CaseId, ClipId, HoldId, ObjectId, PersonId


class RecordClass(StrEnum):
    """What kind of record it is: each row of the schedule is about one."""

    UPLOAD = "upload"
    FOOTAGE = "footage"
    CLIP = "clip"
    CLIP_LOOK_AGAIN = "clip_look_again"
    """A clip that the family asked to keep looking at after the work ended."""
    FAMILY_COPY = "family_copy"
    REDACTED_RENDITION = "redacted_rendition"
    SUPERVISION_CLIP = "supervision_clip"
    CHILD_PROTECTION_CLIP = "child_protection_clip"
    LOOKED_AFTER_CLIP = "looked_after_clip"
    CONSENT_RECORD = "consent_record"
    ACCESS_AUDIT = "access_audit"
    CERTIFICATE = "certificate"
    BACKUP = "backup"


class Trigger(StrEnum):
    """What a period is counted from."""

    LAST_BYTE = "last_byte"
    VISIT = "visit"
    DEPOSIT = "deposit"
    CLOSURE = "closure"
    ERASURE_ASKED = "erasure_asked"
    ISSUE = "issue"
    CLIP_DISPOSAL = "clip_disposal"
    REPLACED = "replaced"
    """A later version took its place."""
    DECISION = "decision"
    BIRTH = "birth"
    """Of the youngest child concerned."""
    DEATH = "death"
    LAST_RELIANCE = "last_reliance"
    LAST_EVENT = "last_event"
    WRITTEN = "written"


class When(StrEnum):
    """A term that counts only in some cases."""

    ALWAYS = "always"
    SEVENTEEN_AT_CLOSURE = "seventeen_at_closure"
    DIED_UNDER_18 = "died_under_18"
    NOT_DIED_UNDER_18 = "not_died_under_18"


class Act(StrEnum):
    """What is done with a record whose time has come."""

    ERASE = "erase"
    CRYPTOGRAPHIC_ERASURE = "cryptographic_erasure"
    ERASE_OURS = "erase_ours"
    """The family keeps theirs."""
    TRANSFER_OUT = "transfer_out"
    """To the authority's own record; the vault keeps the hash and a certificate."""
    DISPOSE = "dispose"
    EXPIRE = "expire"
    KEEP = "keep"


class ReviewBy(StrEnum):
    """Who looks before it happens."""

    NOBODY = "nobody"
    NOTICE = "notice"
    """The officer and the family are told beforehand."""
    OFFICER = "officer"
    RESTORE_TEST = "restore_test"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the calendar."""

    months: int = 0
    days: int = 0
    hours: int = 0

    def __str__(self) -> str:
        """In words, as in ``2 years`` or ``28 days``."""
        years, months = divmod(self.months, 12)
        parts = ((years, "year"), (months, "month"), (self.days, "day"), (self.hours, "hour"))
        said = [f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number]
        return " and ".join(said) or "at once"


@dataclass(frozen=True, slots=True)
class Term:
    """A period after a trigger, where ``when`` holds."""

    trigger: Trigger
    period: Period
    when: When = When.ALWAYS


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the schedule.

    Attributes:
        name: stable, as certificates quote it.
        latest_of: due when the last of these has passed; all of them must be known.
        never_past: and never later than any of these that is known.
        notice: how long before it the officer and the family are told (``ReviewBy.NOTICE``).
        source: the law, form or practice that the period comes from.
        words: the rule as a sentence.
    """

    name: str
    record_class: RecordClass
    latest_of: tuple[Term, ...]
    never_past: tuple[Term, ...]
    act: Act
    review: ReviewBy
    notice: Period
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Brake:
    """How much one sweep may destroy unasked, counting what went in the day before it.

    Attributes:
        share: of all records, or of all bytes: the larger of the two counts.
        floor_records: so few records never stop a sweep.
    """

    share: float
    floor_records: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A retention schedule.

    Attributes:
        profile: which kind of authority it is for.
        version: SHA-256 over everything in it, in hexadecimal: a changed period is another schedule.
        release: the name that people use for it.
    """

    profile: str
    release: str
    version: str
    rules: Mapping[RecordClass, Rule]
    brake: Brake


class HoldScope(StrEnum):
    """What a legal hold is about."""

    CASE = "case"
    PERSON = "person"
    CLIP = "clip"


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold that is in force."""

    id: HoldId
    scope: HoldScope
    subject: CaseId | PersonId | ClipId


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the rules need to know about one record. Nothing in it was unsealed to get it.

    Attributes:
        record: id of the footage or clip.
        triggers: when what happened; a trigger that is missing has not happened, or isn't known.
        persons: whom a hold on a person must find here: those shown, or everyone of the case where nobody has said.
        size_bytes: what it takes in the store, all its objects together.
        notice_on: when officer and family were told that it will go.
        approved_on: when an officer agreed to it, for classes that ask.
    """

    record: str
    record_class: RecordClass
    case_id: CaseId
    triggers: Mapping[Trigger, date | datetime] = field(default_factory=dict)
    persons: frozenset[PersonId] = frozenset()
    size_bytes: int = 0
    objects: frozenset[ObjectId] = frozenset()
    notice_on: date | None = None
    approved_on: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When a record's time comes.

    Attributes:
        on: the first day on which it may go; nothing where that isn't known yet, or never comes.
        because: which term decided, as in ``28 days after the visit``, or why there is no date.
        term: that term.
    """

    on: date | None
    rule: Rule
    because: str
    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Not yet, or for good."""

    due: Due
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """Its time has come, and a legal hold keeps it."""

    due: Due
    reason: str
    holds: tuple[HoldId, ...]


class Needs(StrEnum):
    """What a review waits for."""

    NOTICE = "notice"
    APPROVAL = "approval"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Review:
    """Somebody must be told, or must agree, first."""

    due: Due
    reason: str
    needs: Needs


@dataclass(frozen=True, slots=True)
class Destroy:
    """Its time has come and nothing keeps it."""

    due: Due
    reason: str


Disposition = Keep | Held | Review | Destroy
