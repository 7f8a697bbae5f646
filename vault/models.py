"""The vault's tables. Ids of other rooms (case, person, visit, session) stand here without a foreign key.

Titles, goals and file names are sealed by the case's record key. What is destroyed keeps its row without them, so that
a certificate and the audit log still have something to point at.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from consent import RenditionState
from core.db import Base

E = TypeVar("E", bound=StrEnum)


def _words(kind: type[E]) -> Enum:
    """A column of an enum's values, as plain text that both databases sort and compare alike."""
    return Enum(kind, native_enum=False, values_callable=lambda words: [word.value for word in words], length=40)


class UploadState(StrEnum):
    """Where an upload is."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    """Every byte is here; the job that seals the one final object is under way."""
    SEALED = "sealed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class ObjectKind(StrEnum):
    """What an object holds."""

    ORIGINAL = "original"
    WORKING_COPY = "working_copy"
    CUT = "cut"
    REDACTED = "redacted"
    DETECTIONS = "detections"
    """Where faces are in a working copy."""
    FACES = "faces"
    """One still of each of them, in one picture."""
    POSTER = "poster"
    STRIP = "strip"


class ObjectState(StrEnum):
    """Where an object is in its life; only a quarantine is ever taken back."""

    WRITING = "writing"
    SEALED = "sealed"
    QUARANTINED = "quarantined"
    """It failed its authentication: not given out before all of it was read again and found right."""
    DESTROYING = "destroying"
    """Use has stopped; its key is about to go."""
    KEY_DESTROYED = "key_destroyed"
    DESTROYED = "destroyed"


LEAVING = frozenset({ObjectState.DESTROYING, ObjectState.KEY_DESTROYED, ObjectState.DESTROYED})


class FootageState(StrEnum):
    """Where a deposit is."""

    PREPARING = "preparing"
    READY = "ready"
    REJECTED = "rejected"
    """It can't be made into a film; the deposit stays sealed until its retention ends."""
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


class ClipState(StrEnum):
    """Where a clip is."""

    CUTTING = "cutting"
    READY = "ready"
    REJECTED = "rejected"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


class Treatment(StrEnum):
    """What was done to the picture."""

    WORKING_COPY = "working_copy"
    ORIGINAL_CUT = "original_cut"
    REDACTED = "redacted"


class UploadRow(Base):
    """A deposit on its way in. Its parts are sealed under its own key, which dies when the one object is whole.

    Attributes:
        offset: bytes that are durable and counted.
        declared_sha256: what the sender says the whole is, hex.
        filename, fingerprint: sealed, and gone with the parts; by the fingerprint the same film is known again.
        last_byte_at: what the retention of an unfinished upload counts from.
        key_destroyed_at: when nothing that arrived under its own key could be opened any more.
    """

    __tablename__ = "vault_upload"
    __table_args__ = (Index("ix_vault_upload_case", "case_id"), Index("ix_vault_upload_due", "state", "last_byte_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    visit_id: Mapped[str]
    depositor: Mapped[str]
    length: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    declared_sha256: Mapped[str | None]
    filename: Mapped[bytes | None] = mapped_column(LargeBinary)
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    media_type: Mapped[str]
    state: Mapped[UploadState] = mapped_column(_words(UploadState))
    footage_id: Mapped[str | None]
    created_at: Mapped[datetime]
    last_byte_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    key_destroyed_at: Mapped[datetime | None]


class PartRow(Base):
    """One run of received bytes, sealed as an object of its own in the store.

    Attributes:
        name: in the object store.
        header: the 40 bytes that the stored object must begin with.
        sealed_length: the stored object's length.
    """

    __tablename__ = "vault_part"

    upload_id: Mapped[str] = mapped_column(ForeignKey("vault_upload.id"), primary_key=True)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(unique=True)
    header: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_length: Mapped[int] = mapped_column(BigInteger)


class ObjectRow(Base):
    """One sealed object: its name in the store and its key's name in the key store are its id.

    Attributes:
        generation: bound into the ciphertext with case and id; another sealing is another id, so it is 1.
        job_id, fence: the job, and which attempt at it, writes it: what one that died left behind is found by them.
        header, sealed_length, sealed_sha256: of the ciphertext, pinned when it was sealed.
        plain_length, plain_sha256: of what was sealed.
    """

    __tablename__ = "vault_object"
    __table_args__ = (Index("ix_vault_object_case", "case_id"), Index("ix_vault_object_job", "job_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    generation: Mapped[int] = mapped_column(default=1)
    kind: Mapped[ObjectKind] = mapped_column(_words(ObjectKind))
    state: Mapped[ObjectState] = mapped_column(_words(ObjectState))
    job_id: Mapped[str]
    fence: Mapped[int]
    media_type: Mapped[str]
    header: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_length: Mapped[int | None] = mapped_column(BigInteger)
    sealed_sha256: Mapped[str | None]
    plain_length: Mapped[int | None] = mapped_column(BigInteger)
    plain_sha256: Mapped[str | None]
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    destroying_at: Mapped[datetime | None]
    key_destroyed_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]


class FootageRow(Base):
    """One deposited film.

    Attributes:
        original_id: the object that holds it as it came; never served.
        error_code, error_sentence: why it was rejected.
        phone_copy_removed_at: when the guider recorded that the film is gone from the phone.
    """

    __tablename__ = "vault_footage"
    __table_args__ = (Index("ix_vault_footage_case", "case_id"), Index("ix_vault_footage_due", "state", "deposited_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    visit_id: Mapped[str]
    upload_id: Mapped[str] = mapped_column(ForeignKey("vault_upload.id"))
    depositor: Mapped[str]
    original_id: Mapped[str | None] = mapped_column(ForeignKey("vault_object.id"))
    job_id: Mapped[str]
    filename: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[FootageState] = mapped_column(_words(FootageState))
    error_code: Mapped[str | None]
    error_sentence: Mapped[str | None]
    deposited_at: Mapped[datetime]
    phone_copy_removed_at: Mapped[datetime | None]


class ClipRow(Base):
    """A time span of footage.

    Attributes:
        first_frame, last_frame: in the working copy; the last one is not included.
        title, goals: sealed; goals are tags, one a line.
    """

    __tablename__ = "vault_clip"
    __table_args__ = (Index("ix_vault_clip_case", "case_id"), Index("ix_vault_clip_footage", "footage_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    footage_id: Mapped[str] = mapped_column(ForeignKey("vault_footage.id"))
    first_frame: Mapped[int]
    last_frame: Mapped[int]
    title: Mapped[bytes | None] = mapped_column(LargeBinary)
    goals: Mapped[bytes | None] = mapped_column(LargeBinary)
    author: Mapped[str]
    job_id: Mapped[str]
    state: Mapped[ClipState] = mapped_column(_words(ClipState))
    error_code: Mapped[str | None]
    error_sentence: Mapped[str | None]
    created_at: Mapped[datetime]


class RenditionRow(Base):
    """The bytes of a clip, or of footage as its working copy, for one treatment.

    Attributes:
        clip_id: nothing for a working copy.
        content_hash: hex SHA-256 of the plaintext; what is consented to.
        attested_by: the second person who said who is recognisable; void as soon as the list changes.
        fps_numerator, fps_denominator: frames per second as a fraction.
        strip_columns, strip_count, strip_width, strip_height: how the strip's pictures lie, row by row, in pixels.
        manifest: of a redacted one, sealed: what it was made of, by hashes, and why.
        look_here: of a redacted one, sealed: the frames at which a checker must look.
    """

    __tablename__ = "vault_rendition"
    __table_args__ = (
        Index("ix_vault_rendition_case", "case_id"),
        Index("ix_vault_rendition_clip", "clip_id"),
        Index("ix_vault_rendition_footage", "footage_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    footage_id: Mapped[str] = mapped_column(ForeignKey("vault_footage.id"))
    clip_id: Mapped[str | None] = mapped_column(ForeignKey("vault_clip.id"))
    treatment: Mapped[Treatment] = mapped_column(_words(Treatment))
    object_id: Mapped[str] = mapped_column(ForeignKey("vault_object.id"))
    poster_id: Mapped[str | None] = mapped_column(ForeignKey("vault_object.id"))
    strip_id: Mapped[str | None] = mapped_column(ForeignKey("vault_object.id"))
    content_hash: Mapped[str]
    state: Mapped[RenditionState] = mapped_column(_words(RenditionState))
    author: Mapped[str]
    attested_by: Mapped[str | None]
    attested_at: Mapped[datetime | None]
    nobody_recognisable: Mapped[bool] = mapped_column(default=False)
    width: Mapped[int]
    height: Mapped[int]
    fps_numerator: Mapped[int]
    fps_denominator: Mapped[int]
    frames: Mapped[int]
    duration_ms: Mapped[int]
    has_audio: Mapped[bool]
    strip_columns: Mapped[int | None]
    strip_count: Mapped[int | None]
    strip_width: Mapped[int | None]
    strip_height: Mapped[int | None]
    manifest: Mapped[bytes | None] = mapped_column(LargeBinary)
    look_here: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class PersonShownRow(Base):
    """Someone recognisable in a rendition."""

    __tablename__ = "vault_person_shown"

    rendition_id: Mapped[str] = mapped_column(ForeignKey("vault_rendition.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
