"""One still of each person for the page on which they are chosen (PURE)."""

from __future__ import annotations

from media.jobs import MOST_FACES, Crop
from redaction.track import Sighting, Track


def pictured(followed: tuple[Track, ...]) -> tuple[Track, ...]:
    """Those of whom there is a still, in the order of the sheet: everyone, or those who are seen longest."""
    longest = sorted(followed, key=lambda track: (-len(track.sightings), track.number))[:MOST_FACES]
    return tuple(sorted(longest, key=lambda track: track.number))


def stills(followed: tuple[Track, ...]) -> tuple[Crop, ...]:
    """Where each of them is seen best."""
    return tuple(_crop(max(track.sightings, key=_how_well)) for track in pictured(followed))


def _how_well(one: Sighting) -> tuple[bool, float]:
    return one.sure, one.score * one.box.width * one.box.height


def _crop(one: Sighting) -> Crop:
    return Crop(one.frame, one.box.x, one.box.y, one.box.width, one.box.height)
