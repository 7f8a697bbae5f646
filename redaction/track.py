"""From faces in single frames to people through time (PURE)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from media.detections import Detections


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is, in pixels of the working copy; it may reach beyond the picture.

    Attributes:
        x, y: of its upper left corner.
        width, height: more than 0.
    """

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where one person's face is in one frame.

    Attributes:
        frame: its number in the working copy.
        box: of the face.
        score: the detector's, above 0 and at most 1; of a frame between two that were looked at, the smaller.
        sure: whether the detector saw it in this very frame, well enough; else it was filled in or hardly seen.
    """

    frame: int
    box: Box
    score: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Track:
    """One person from when they come to when they go.

    Attributes:
        number: from 1, by when they first appear; the same for the same detections.
        sightings: one for each frame from the first in which the face was seen to the last; never empty.
        before: boxes for the frames just before the first sighting, in rising order of frames: it may have been there.
        after: likewise after the last one.
    """

    number: int
    sightings: tuple[Sighting, ...]
    before: tuple[Sighting, ...] = ()
    after: tuple[Sighting, ...] = ()

    @property
    def first(self) -> int:
        """The first frame with a sighting."""
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        """The last frame with a sighting (this one included)."""
        return self.sightings[-1].frame


class LookKind(StrEnum):
    """Why a checker should look at a frame."""

    BIRTH = "birth"
    """Somebody appears."""
    DEATH = "death"
    """Somebody is seen for the last time."""
    GAP = "gap"
    """Somebody wasn't seen for a while; where they are was filled in."""
    UNSURE = "unsure"
    """The detector hardly saw a face, or saw it once."""
    CUT = "cut"
    """A new scene begins."""


@dataclass(frozen=True, slots=True)
class Look:
    """A frame at which a checker should look.

    Attributes:
        kind: why.
        frame: which.
        track: whose number; None for a cut.
    """

    kind: LookKind
    frame: int
    track: int | None


def tracks(found: Detections) -> tuple[Track, ...]:
    """The people in a film, numbered from 1 by when they first appear."""
    raise NotImplementedError


def look_here(found: Detections, followed: tuple[Track, ...]) -> tuple[Look, ...]:
    """The frames at which a checker should look, in rising order."""
    raise NotImplementedError
