"""The tasks of those who check what somebody else made."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Enum, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CheckState(StrEnum):
    """Where a check is."""

    WAITING = "waiting"
    PASSED = "passed"
    SENT_BACK = "sent_back"
    TAKEN_BACK = "taken_back"
    """The guider no longer needs it."""


class CheckRow(Base):
    """A colleague off the case is asked who is recognisable in one rendition.

    Attributes:
        needed_by: the day of the meeting that waits for it, if there is one; the queue is sorted by it.
        note: sealed by the case's record key: why it was sent back.
    """

    __tablename__ = "redaction_check"
    __table_args__ = (
        Index("ix_redaction_check_checker", "checker", "state"),
        Index("ix_redaction_check_rendition", "rendition_id"),
        Index("ix_redaction_check_case", "case_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    rendition_id: Mapped[str]
    asked_by: Mapped[str]
    checker: Mapped[str]
    state: Mapped[CheckState] = mapped_column(
        Enum(CheckState, native_enum=False, values_callable=lambda words: [word.value for word in words], length=40)
    )
    needed_by: Mapped[date | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
