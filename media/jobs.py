"""What can be asked of the media room, and what it answers: plain values that both sides of the sandbox know.

A *frame number* counts from 0 at the working copy's constant rate; a span is ``[first, last)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import TypeAlias

from core.errors import Invalid
from core.secret import Secret
from core.segments import Sealed
from media.covers import Covers

MP4 = "video/mp4"
JPEG = "image/jpeg"
COVERS_UNFIT = "The plan of what to cover was made for another film or another part of it. Make it again."
MOST_THUMBS = 200
MOST_FACES = 200
"""On one sheet."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is looked at before a frame is decoded, and how far a job may go.

    Attributes:
        pixels: width times height of a picture in the film.
        side: width, or height.
        duration: of the film.
        streams: tracks of any kind.
        rate: frames a second of the working copy at most.
        long_side, short_side: the working copy's, in pixels (1080p).
        stall: how long no child may say anything before all are killed.
        grace: wall clock for any job, before the film's own length counts.
        pace: wall clock on top, as a multiple of the film's length.
    """

    pixels: int = 4096 * 3072
    side: int = 8192
    duration: timedelta = timedelta(hours=3)
    streams: int = 32
    rate: int = 60
    long_side: int = 1920
    short_side: int = 1080
    stall: timedelta = timedelta(minutes=2)
    grace: timedelta = timedelta(minutes=10)
    pace: int = 40


@dataclass(frozen=True, slots=True)
class Normalise:
    """Make the working copy: H.264 8-bit, constant rate, upright, BT.709, AAC, no metadata."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut a clip from a working copy, exact to the frame, with the sound of exactly that time.

    Attributes:
        first_frame: the first that is in it.
        last_frame: the first that isn't in it any more.
    """

    first_frame: int
    last_frame: int

    def __post_init__(self) -> None:
        if not 0 <= self.first_frame < self.last_frame:
            raise Invalid("clip_end_before_start", "The end of the clip must come after its start.", field="last_frame")


@dataclass(frozen=True, slots=True)
class Redact:
    """Cut a clip, with everything covered that its covers say, and silence where they say so.

    Attributes:
        first_frame, last_frame: as for ``Cut``.
        covers: for each of these frames, made for a film of this very size; a frame that they don't speak of, or a film
            of another size, is refused (``covers_unfit``).
    """

    first_frame: int
    last_frame: int
    covers: Covers = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.first_frame < self.last_frame:
            raise Invalid("clip_end_before_start", "The end of the clip must come after its start.", field="last_frame")
        if (self.covers.first_frame, self.covers.last_frame) != (self.first_frame, self.last_frame):
            raise Invalid("covers_unfit", COVERS_UNFIT, field="covers")


@dataclass(frozen=True, slots=True)
class Poster:
    """One frame as a JPEG that fits into a square of ``side`` pixels."""

    frame: int
    side: int = 640

    def __post_init__(self) -> None:
        if self.frame < 0 or not 16 <= self.side <= 1920:  # noqa: PLR2004 - the bounds of this value, named nowhere else
            raise Invalid("poster_out_of_bounds", "There is no such picture in the film.", field="frame")


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures at even distances through the film in one JPEG, row by row, each fitting ``side`` pixels."""

    count: int
    side: int = 160

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_THUMBS or not 16 <= self.side <= 320:  # noqa: PLR2004 - as above
            raise Invalid("strip_out_of_bounds", f"A strip has 1 to {MOST_THUMBS} pictures.", field="count")


@dataclass(frozen=True, slots=True)
class Detect:
    """Look for faces in a working copy; the output is a ``media.detections.Detections`` as bytes.

    Attributes:
        side: of the pictures in which it looks, in pixels (the longer one).
        step: it looks at every so manyth frame at least, and closer where somebody comes or goes.
    """

    side: int = 640
    step: int = 3

    def __post_init__(self) -> None:
        if not 320 <= self.side <= 1280 or not 1 <= self.step <= 3:  # noqa: PLR2004 - as above; a larger step leaks
            raise Invalid("detect_out_of_bounds", "Films aren't looked through in this way.", field="step")


@dataclass(frozen=True, slots=True)
class Crop:
    """A place in one frame, in pixels of the working copy; it may lie partly off the frame."""

    frame: int
    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        finite = all(map(math.isfinite, (self.x, self.y, self.width, self.height)))
        if not finite or self.frame < 0 or min(self.width, self.height) <= 0:
            raise Invalid("crop_out_of_bounds", "There is no such place in the film.", field="crops")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Faces in one JPEG, row by row in the order given, each in a square of ``side`` pixels with what is around it."""

    crops: tuple[Crop, ...]
    side: int = 160

    def __post_init__(self) -> None:
        if not 1 <= len(self.crops) <= MOST_FACES or not 16 <= self.side <= 320 or self.side % 2:  # noqa: PLR2004 - the bounds of this value, named nowhere else
            raise Invalid("sheet_out_of_bounds", f"A sheet has 1 to {MOST_FACES} faces.", field="crops")


Job: TypeAlias = Normalise | Cut | Redact | Poster | Strip | Sheet | Detect


@dataclass(frozen=True, slots=True)
class Source:
    """A sealed film. The parent process serves its ciphertext; only the decoder can open it.

    Attributes:
        size: ciphertext length in bytes, from the record.
        header: the pinned 40 bytes.
        key: the object's key.
        associated_data: what the object is bound to.
        read: gives ciphertext at (offset, length), from the thread that called ``run``.
    """

    size: int
    header: bytes
    key: Secret[bytes]
    associated_data: bytes
    read: Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the sealed output goes.

    Nothing is written before the whole output has been made and looked at; if ``run`` raises, throw away what came.

    Attributes:
        key: a fresh object key, used for nothing else.
        associated_data: what the object will be bound to.
        write: takes ciphertext in order, from the thread that called ``run``; copy what must be kept.
    """

    key: Secret[bytes]
    associated_data: bytes
    write: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Grid:
    """How the pictures of a strip or a sheet lie: ``columns`` by ``rows``, ``width`` by ``height`` pixels each."""

    columns: int
    rows: int
    width: int
    height: int
    count: int


@dataclass(frozen=True, slots=True)
class Result:
    """What was made.

    Attributes:
        media_type: ``video/mp4``, ``image/jpeg``, or that of detections.
        width, height: of the output, in pixels, upright; for detections, of the film.
        fps: the film's constant rate (of the source, for pictures).
        frames: in the output; 1 for a poster, the number of pictures for a strip or a sheet, the film's for
            detections.
        duration_ms: the output's; 0 for pictures.
        has_audio: whether the output has sound.
        plain_sha256: of the output's plaintext, as 64 hexadecimal digits.
        sealed: header, ciphertext length and plaintext length, to pin in the record.
        grid: for a strip or a sheet.
    """

    media_type: str
    width: int
    height: int
    fps: Fraction
    frames: int
    duration_ms: int
    has_audio: bool
    plain_sha256: str
    sealed: Sealed
    grid: Grid | None = None
