"""Whoever is chosen stays visible: how often they are blurred all the same, and whether they lay open anybody else.

Our redactor is asked to keep one labelled person: all the tracks that mostly lie on their labels. A face-frame of
theirs is *blurred over* where more than a fifth of what the face shows is lost, unless another head is so near that its
cover may reach there.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.leak_films import Clip, Moment, Person, moments, pictures
from bench.leak_measure import COVERED, Box, lost_share
from media.detections import Detections
from redaction import tracks

_ALIKE, _HARDLY_ALIKE = 0.3, 0.15
"""How much of both a box and a label have in common, and how much where most of the label lies in the box."""
_PART = 0.45
_BETWEEN = 3
"""Frames from one label to the next."""
_NEAR = 0.75
_HEAD = len(b"VVFOUND2") + 32 + 32
"""What stands before the detections in the command's file: a mark, the hash of the film, and who is which number."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of keeping one person.

    Attributes:
        faces: their face-frames that count.
        blurred: those in which they can't be seen well.
        leaked: face-frames of others that aren't covered.
    """

    faces: int
    blurred: tuple[int, ...]
    leaked: tuple[tuple[str, int], ...]


def keep(clip: Clip, person: Person, *, command: Sequence[str], found: Path, folder: Path) -> Kept:
    """Redact a film with one person kept.

    Args:
        clip: the film.
        person: of its labels.
        command: that redacts, without the names of films.
        found: the detections that it wrote before.
        folder: where the outcome may lie.
    """
    numbers = tracks_of(clip, found)[person.name]
    out = folder / f"{clip.name}-{person.name.replace(' ', '_')}.mp4"
    chosen = ["--keep", ",".join(map(str, numbers))] if numbers else []
    words = [*command, str(clip.path), str(out), "--force", "--detections", str(found), *chosen]
    subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return judged(clip, person, moments(clip, out))


def judged(clip: Clip, person: Person, shown: Sequence[Moment]) -> Kept:
    """Whether the one is seen, and the others aren't."""
    faces, blurred, leaked = 0, [], []
    for moment in shown:
        for other in clip.people:
            box = other.faces.get(moment.frame)
            share = lost_share(moment.before, moment.after, box) if box else None
            if other is not person and share is not None and share < COVERED:
                leaked.append((other.name, moment.frame))
        face = person.faces.get(moment.frame)
        share = lost_share(moment.before, moment.after, face) if face else None
        if face is None or share is None or any(near.overlaps(face) for near in _others(clip, person, moment.frame)):
            continue
        faces += 1
        if share > 1 - COVERED:
            blurred.append(moment.frame)
    return Kept(faces, tuple(blurred), tuple(leaked))


def tracks_of(clip: Clip, kept_found: Path) -> dict[str | None, list[int]]:
    """Which of the tracks that were found are whose, by most of their sightings; under None, those of nobody labelled.

    That is what a guider does who looks at the pictures. They know a face by a part of it too, so a small label in a
    track's box is enough; and somebody who is there between two labelled frames, or just beside one, by what those say.

    Args:
        clip: the film.
        kept_found: the detections that the command wrote.
    """
    found = Detections.from_bytes(kept_found.read_bytes()[_HEAD:])
    size, times = None, {}
    for number, (at, picture) in enumerate(pictures(clip.path)):
        size = size or picture.shape[1]
        times[number] = at
    scale = found.width / (size or found.width)
    labels: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    for one in clip.people:
        known = {
            round(times[frame] * float(found.fps)): Box(*(scale * value for value in box))
            for frame, box in one.faces.items()
        }
        for at, box in _around(known).items():
            labels[at].append((one.name, box))
    numbers: dict[str | None, list[int]] = {person.name: [] for person in clip.people if person.faces}
    for track in tracks(found):
        votes: Counter[str] = Counter()
        for one in track.sightings:
            face = Box(one.box.x, one.box.y, one.box.width, one.box.height)
            fit, who = max(((_fits(face, box), who) for who, box in labels[one.frame]), default=(0.0, ""))
            if fit:
                votes[who] += 1
        numbers.setdefault(votes.most_common(1)[0][0] if votes else None, []).append(track.number)
    return numbers


def _around(known: Mapping[int, Box]) -> dict[int, Box]:
    """Where somebody is in labelled frames, in those between them, and just before and after."""
    boxes: dict[int, Box] = {}
    frames = sorted(known)
    for one in frames:
        for at in range(one - _BETWEEN + 1, one + _BETWEEN):
            boxes.setdefault(at, known[one])
    for one, later in pairwise(frames):
        if later - one <= _BETWEEN:
            for at in range(one + 1, later):
                part = (at - one) / (later - one)
                boxes[at] = Box(*(a + part * (b - a) for a, b in zip(known[one], known[later], strict=True)))
    return {**boxes, **known}


def _others(clip: Clip, person: Person, frame: int) -> list[Box]:
    near = []
    for other in clip.people:
        if other is person or not other.faces:
            continue
        at = frame if frame in other.faces else min(other.faces, key=lambda number: abs(number - frame))
        if frame in other.faces or frame in other.slight:
            near.append(other.faces[at].grown(_NEAR))
    return near


def _fits(face: Box, label: Box) -> float:
    """How well a label fits a box in which a face was found: 0 where it is another's, or none."""
    width = min(face.x + face.width, label.x + label.width) - max(face.x, label.x)
    height = min(face.y + face.height, label.y + label.height) - max(face.y, label.y)
    if width <= 0 or height <= 0:
        return 0.0
    both, least = width * height, label.width * label.height
    alike = both / (face.width * face.height + least - both)
    return alike if alike > (_ALIKE if both < _PART * least else _HARDLY_ALIKE) else 0.0
