"""Who watches what: the tickets that playing goes by. Ids of other rooms stand here without a foreign key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ViewingRow(Base):
    """Somebody plays a rendition: the ticket that ranges are asked with, bound to one session.

    Attributes:
        conference_id, presented_until: of a timed presenter session.
        bytes_served: plaintext bytes given out so far.
        end_reason: why it ended, as a code.
    """

    __tablename__ = "vault_viewing"
    __table_args__ = (Index("ix_vault_viewing_rendition", "rendition_id"), Index("ix_vault_viewing_case", "case_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    rendition_id: Mapped[str] = mapped_column(ForeignKey("vault_rendition.id"))
    viewer: Mapped[str]
    session_id: Mapped[str]
    purpose: Mapped[str]
    action: Mapped[str]
    conference_id: Mapped[str | None]
    presented_until: Mapped[datetime | None]
    begun_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    last_read_at: Mapped[datetime | None]
    bytes_served: Mapped[int] = mapped_column(BigInteger, default=0)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class ViewingPresentRow(Base):
    """Someone who was in the room at a shared review, as the guider said when it began."""

    __tablename__ = "vault_viewing_present"

    viewing_id: Mapped[str] = mapped_column(ForeignKey("vault_viewing.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
