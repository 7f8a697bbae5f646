"""What redaction keeps in the vault, so that it lives and dies with the film: detections, and the choices of a clip.

What the bytes mean is the redaction room's business; the vault only seals them, and destroys them in time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class DetectionsRow(Base):
    """The faces that were found in some footage: a part of it, so that cutting again costs no new search.

    Attributes:
        job_id: the latest search.
        object_id: the object that holds them, once they are found.
        faces_id: the object that holds one still of each person; none where nobody was found.
        people: how many were found.
        faces_mark: what is on the stills, as a hash; they were drawn by one version of the program, others may read it.
        faces_columns, faces_width, faces_height: how the stills lie, row by row, in pixels.
    """

    __tablename__ = "vault_detections"

    footage_id: Mapped[str] = mapped_column(ForeignKey("vault_footage.id"), primary_key=True)
    case_id: Mapped[str]
    job_id: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    object_id: Mapped[str | None] = mapped_column(ForeignKey("vault_object.id"))
    faces_id: Mapped[str | None] = mapped_column(ForeignKey("vault_object.id"))
    people: Mapped[int | None]
    faces_mark: Mapped[str | None]
    faces_columns: Mapped[int | None]
    faces_width: Mapped[int | None]
    faces_height: Mapped[int | None]


class ChoicesRow(Base):
    """Who is to be covered in a clip, and the latest work on covering them.

    Attributes:
        version: raised by every change; what was said on an older page doesn't count.
        choices: sealed by the case's record key; gone with the clip.
        job_id: the latest rendering, if one was asked for.
        asked: sealed: the choices as they were when it was asked for, and why; what is done goes by these.
        asked_by: who asked for it, and will be its author.
    """

    __tablename__ = "vault_choices"

    clip_id: Mapped[str] = mapped_column(ForeignKey("vault_clip.id"), primary_key=True)
    case_id: Mapped[str]
    version: Mapped[int]
    choices: Mapped[bytes | None] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]
    job_id: Mapped[str | None]
    asked: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_by: Mapped[str | None]
    asked_at: Mapped[datetime | None]
