"""Films whose faces are labelled: reading them, and finding the picture of an output that shows the same moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from bench.leak_measure import Box, Luma, Numbers

_THUMB_WIDTH = 192
_NEAR = 3
_CLEARLY = 1.1
_MOST_DIFFERENCE = 30.0


class NotThatFilm(Exception):
    """The film isn't the one that was labelled."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person through a film.

    Attributes:
        name: what to call them.
        kinds: of frontal, profile, occluded, child, small.
        faces: by frame, where their face must not be recognisable; in what other labelled frames there are, it isn't to
            be seen.
        slight: labelled frames in which too little of it is to be seen to count either way.
    """

    name: str
    kinds: tuple[str, ...]
    faces: Mapping[int, Box]
    slight: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Clip:
    """A film and its labels; frame numbers are those of its decoded pictures, from 0 on, and boxes lie upright."""

    name: str
    path: Path
    labelled: tuple[int, ...]
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """One labelled frame, before and after.

    Attributes:
        frame: its number.
        before, after: its brightness, of one size.
        off: by how many frames the output's picture of this moment lies apart from where its time would have it.
    """

    frame: int
    before: Luma
    after: Luma
    off: int


def clip_of(labels: Mapping[str, Any], folder: Path) -> Clip:
    """A labelled film of a folder.

    Args:
        labels: as the JSON holds them.
        folder: where the film lies.

    Raises:
        NotThatFilm: the bytes aren't those that were labelled.
    """
    path = folder / labels["file"]
    if hashlib.sha256(path.read_bytes()).hexdigest() != labels["sha256"]:
        raise NotThatFilm(path.name)
    return Clip(path.stem, path, tuple(labels["labelled"]), tuple(person_of(one) for one in labels["people"]))


def read_labels(folder: Path) -> list[dict[str, Any]]:
    """Every file of labels in a folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def moments(clip: Clip, output: Path) -> list[Moment]:
    """Each labelled frame with the picture that an output shows for it.

    Pictures are paired by time. An output that was written without regard to time, or late throughout, shows them
    elsewhere; so all of them are also paired by number, and by either with a few frames' shift, and that is taken
    under which the whole film looks most alike, where it clearly does.
    """
    wanted = set(clip.labelled)
    before = {number: shown for number, shown in enumerate(pictures(clip.path)) if number in wanted}
    times, thumbs = [], []
    for at, picture in pictures(output):
        times.append(at)
        thumbs.append(_thumb(picture))
    if not times:
        raise NotThatFilm(output.name)
    found = _paired({number: (at, _thumb(picture)) for number, (at, picture) in before.items()}, times, thumbs)
    taken = {index for index, _ in found.values()}
    after = {number: picture for number, (_, picture) in enumerate(pictures(output)) if number in taken}
    return [
        Moment(number, picture, _as_large(after[found[number][0]], picture), found[number][1])
        for number, (_, picture) in sorted(before.items())
    ]


def pictures(path: Path) -> Iterator[tuple[float, Luma]]:
    """The seconds and the brightness of each of a film's pictures, upright."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            luma: Luma = frame.to_ndarray(format="gray")
            yield float(frame.time or 0), np.rot90(luma, round(frame.rotation / 90)) if frame.rotation else luma


def person_of(said: Mapping[str, Any]) -> Person:
    """Somebody as the JSON holds them."""
    faces = {int(frame): Box(*box) for frame, box in said["faces"].items()}
    return Person(said["name"], tuple(said["kinds"]), faces, frozenset(said["slight"]))


def _paired(
    before: Mapping[int, tuple[float, Numbers]], times: Sequence[float], thumbs: Sequence[Numbers]
) -> dict[int, tuple[int, int]]:
    """For each frame the output's picture, and how far it is from where the time would have it."""
    by_time = {
        number: min(range(len(times)), key=lambda index: abs(times[index] - at)) for number, (at, _) in before.items()
    }
    best, least = by_time, _unlike(by_time, before, thumbs) / _CLEARLY
    for place in (by_time, {number: number for number in before}):
        for step in range(-_NEAR, _NEAR + 1):
            moved = {number: min(max(0, index + step), len(times) - 1) for number, index in place.items()}
            unlike = _unlike(moved, before, thumbs)
            if unlike < least:
                best, least = moved, unlike
    return {number: (index, index - by_time[number]) for number, index in best.items()}


def _unlike(places: Mapping[int, int], before: Mapping[int, tuple[float, Numbers]], thumbs: Sequence[Numbers]) -> float:
    return sum(_difference(before[number][1], thumbs[index]) for number, index in places.items())


def _difference(one: Numbers, other: Numbers) -> float:
    if one.shape != other.shape:
        height, width = one.shape
        other = np.asarray(Image.fromarray(other).resize((width, height), Image.Resampling.BOX), np.float32)
    return float(np.minimum(np.abs(one - other), _MOST_DIFFERENCE).mean())


def _thumb(picture: Luma) -> Numbers:
    height, width = picture.shape
    size = (_THUMB_WIDTH, max(1, round(height * _THUMB_WIDTH / width)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32)


def _as_large(picture: Luma, other: Luma) -> Luma:
    if picture.shape == other.shape:
        return picture
    height, width = other.shape
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
