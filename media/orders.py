"""What the parent tells a child, and what a child answers, as JSON words on the line (keys among them, never in argv).

The children's answers are checked here, field by field, before the parent uses them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from core.errors import Damaged
from core.secret import Secret
from core.segments import HEADER_SIZE, Sealed
from media.covers import Covers
from media.detections import DETECTIONS
from media.jobs import JPEG, MP4, Bounds, Crop, Cut, Detect, Grid, Job, Normalise, Poster, Redact, Sheet, Strip
from media.refusals import COVERS_UNFIT_CODE, Unfit
from media.timeline import samples_until, ticks
from media.wire import BrokenLine

SAMPLE_RATE = 48_000
_JOBS: dict[str, type[Job]] = {
    "normalise": Normalise,
    "cut": Cut,
    "redact": Redact,
    "poster": Poster,
    "strip": Strip,
    "sheet": Sheet,
    "detect": Detect,
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_FRAMES = 3 * 60 * 60 * 60


@dataclass(frozen=True, slots=True)
class Seal:
    """A key and what it is bound to, on its way into a child."""

    key: Secret[bytes]
    associated_data: bytes

    def words(self) -> dict[str, str]:
        """As JSON."""
        return {"key": self.key.reveal().hex(), "associated_data": self.associated_data.hex()}

    @classmethod
    def of(cls, words: dict[str, str]) -> Seal:
        """From JSON."""
        return cls(Secret(bytes.fromhex(words["key"])), bytes.fromhex(words["associated_data"]))


@dataclass(frozen=True, slots=True)
class DecodeOrder:
    """For the decoder.

    Attributes:
        job: what to do.
        size, header, seal: the film.
        bounds: what is allowed.
        threads: for decoding.
    """

    job: Job
    size: int
    header: bytes
    seal: Seal
    bounds: Bounds
    threads: int

    def words(self) -> dict[str, object]:
        """As JSON."""
        bounds = {k: v.total_seconds() if isinstance(v, timedelta) else v for k, v in asdict(self.bounds).items()}
        return {
            "job": _job_words(self.job),
            "size": self.size,
            "header": self.header.hex(),
            "seal": self.seal.words(),
            "bounds": bounds,
            "threads": self.threads,
        }

    @classmethod
    def of(cls, words: dict[str, Any], *, plan: Callable[[int], bytes]) -> DecodeOrder:
        """From JSON.

        Args:
            words: the order.
            plan: gives what to cover, which has so many bytes and comes after the order.
        """
        times = {"duration", "stall", "grace"}
        bounds: dict[str, Any] = {k: timedelta(seconds=v) if k in times else v for k, v in words["bounds"].items()}
        return cls(
            job=_job_of(words["job"], plan=plan),
            size=words["size"],
            header=bytes.fromhex(words["header"]),
            seal=Seal.of(words["seal"]),
            bounds=Bounds(**bounds),
            threads=words["threads"],
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """What the decoder will emit: raw frames of one size, and sound as 16-bit samples at 48 kHz.

    Frames are yuv420p.

    Attributes:
        width, height: of each frame, in pixels, even.
        rate: frames a second.
        frames: how many are expected (a guess before a film has been read).
        channels: of the sound; 0 for none.
        columns, rows: how a strip's frames are laid out; 0 for film.
        film_width, film_height: of the upright film, where its frames are made smaller for the detector; else 0.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    channels: int
    columns: int
    rows: int
    film_width: int = 0
    film_height: int = 0

    def words(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self) | {"rate": [self.rate.numerator, self.rate.denominator]}

    @classmethod
    def of(cls, words: dict[str, Any], *, bounds: Bounds) -> Shape:
        """From a decoder that may lie.

        Raises:
            BrokenLine: it is out of bounds.
        """
        top, below = words.get("rate", (0, 0))
        shape = cls(
            width=_whole(words, "width", most=bounds.long_side, least=2),
            height=_whole(words, "height", most=bounds.long_side, least=2),
            rate=Fraction(
                _whole({"n": top}, "n", most=1_000_000, least=1), _whole({"d": below}, "d", most=100_000, least=1)
            ),
            frames=_whole(words, "frames", most=_MOST_FRAMES, least=0),
            channels=_whole(words, "channels", most=2, least=0),
            columns=_whole(words, "columns", most=200, least=0),
            rows=_whole(words, "rows", most=200, least=0),
            film_width=_whole(words, "film_width", most=bounds.long_side, least=0),
            film_height=_whole(words, "film_height", most=bounds.long_side, least=0),
        )
        if shape.width % 2 or shape.height % 2 or shape.rate > bounds.rate:
            raise BrokenLine
        return shape

    @property
    def seconds(self) -> float:
        """How long the frames last that are expected."""
        return float(self.frames / self.rate)

    @property
    def grid(self) -> Grid | None:
        """A strip's layout."""
        if not self.columns:
            return None
        return Grid(self.columns, self.rows, self.width, self.height, self.frames)


@dataclass(frozen=True, slots=True)
class FinishOrder:
    """For the finisher.

    Attributes:
        shape: what the encoder was given.
        spool: seals what is kept meanwhile.
        sink: seals the output.
        media_type: what to expect: a film, one JPEG, or detections.
    """

    shape: Shape
    spool: Seal
    sink: Seal
    media_type: str

    def words(self) -> dict[str, object]:
        """As JSON."""
        return {
            "shape": self.shape.words(),
            "spool": self.spool.words(),
            "sink": self.sink.words(),
            "media_type": self.media_type,
        }

    @classmethod
    def of(cls, words: dict[str, Any]) -> FinishOrder:
        """From JSON."""
        return cls(
            shape=Shape.of(words["shape"], bounds=Bounds()),
            spool=Seal.of(words["spool"]),
            sink=Seal.of(words["sink"]),
            media_type=words["media_type"],
        )

    @property
    def ticks(self) -> tuple[int, int]:
        """Time scale and ticks per frame of the film."""
        return ticks(self.shape.rate)

    def samples(self, frames: int) -> int:
        """Samples of sound that belong to so many frames."""
        return samples_until(frames, fps=self.shape.rate, rate=SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Output:
    """What the finisher says about the sealed output."""

    sealed: Sealed
    sha256: str

    def words(self) -> dict[str, object]:
        """As JSON."""
        return {
            "header": self.sealed.header.hex(),
            "ciphertext_size": self.sealed.ciphertext_size,
            "plain_size": self.sealed.plain_size,
            "sha256": self.sha256,
        }

    @classmethod
    def of(cls, words: dict[str, Any]) -> Output:
        """From a finisher that may lie.

        Raises:
            BrokenLine: it isn't well formed.
        """
        header, sha256 = words.get("header"), words.get("sha256")
        if not isinstance(header, str) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise BrokenLine
        if not re.fullmatch(f"[0-9a-f]{{{2 * HEADER_SIZE}}}", header):
            raise BrokenLine
        most = 1 << 40
        return cls(
            Sealed(
                bytes.fromhex(header),
                _whole(words, "ciphertext_size", most=most, least=1),
                _whole(words, "plain_size", most=most, least=1),
            ),
            sha256,
        )


def media_type_of(job: Job) -> str:
    """What a job makes."""
    match job:
        case Normalise() | Cut() | Redact():
            return MP4
        case Poster() | Strip() | Sheet():
            return JPEG
        case Detect():
            return DETECTIONS


def _job_words(job: Job) -> dict[str, object]:
    name = next(name for name, kind in _JOBS.items() if isinstance(job, kind))
    match job:
        case Redact(first_frame=first, last_frame=last, covers=covers):
            return {"name": name, "first_frame": first, "last_frame": last, "plan_size": len(covers.to_bytes())}
        case _:
            return {"name": name, **asdict(job)}


def _job_of(words: dict[str, Any], *, plan: Callable[[int], bytes]) -> Job:
    words = dict(words)
    kind = _JOBS[words.pop("name")]
    if kind is Redact:
        try:
            words["covers"] = Covers.from_bytes(plan(words.pop("plan_size")))
        except Damaged as error:
            raise Unfit(COVERS_UNFIT_CODE) from error
    if kind is Sheet:
        words["crops"] = tuple(Crop(**crop) for crop in words["crops"])
    return kind(**words)


def _whole(words: dict[str, Any], name: str, *, most: int, least: int) -> int:
    value = words.get(name)
    if type(value) is not int or not least <= value <= most:
        raise BrokenLine
    return value
