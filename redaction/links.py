"""Which face in one frame is which in the next (PURE): two passes, forwards and backwards, and what they agree on.

Each pass moves everybody on by their own motion, then pairs people with faces at the least total cost (the Hungarian
method). A pairing that could as well be the other way round, as when two people cross, isn't made: better two people
too many, each covered until chosen, than one name for two faces. Nobody is followed over a cut.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from lap import lapjvx

from media.detections import Detections, Face

Place = tuple[int, int]
"""A frame, and which of its faces."""
LONGEST_GAP = 0.5
"""Seconds for which somebody may go unseen and still be the same."""
_FAR = 1.0
"""How far somebody may be from where they were first seen, as a multiple of their size, after one step."""
_FAR_FROM_THEIR_WAY = 0.5
"""How far from where they were expected who was seen more than once: whoever comes out from behind them is another."""
_FARTHER = 3.0
"""How much farther for each second that goes by, up to the next look and for no longer than ``_AT_MOST``."""
_AT_MOST = 0.12
_NEXT_LOOK = 3
"""Frames from one look to the next at most."""
_FAR_AFTER_A_GAP = 0.8
"""How far after a look at which they weren't seen: whoever turns up beside somebody who turned away is another."""
_LARGER = 1.8
"""By what factor somebody's size may differ."""
_MARGIN = 0.35
"""By how much a pairing must be better than the other way round."""
_NEVER = 1e6
WELL_SEEN = 0.35
"""A score from which a face counts as seen for sure."""
Costs = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Followed:
    """Somebody in the course of one pass."""

    places: list[Place] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)

    def expected(self, frame: int) -> tuple[float, float]:
        """Where the centre will be, by how they moved for about as long before."""
        x, y = centre(self.faces[-1])
        if len(self.faces) == 1:
            return x, y
        then = self.places[-1][0]
        long = min(abs(frame - then), _NEXT_LOOK)
        earlier = range(len(self.faces) - 2, -1, -1)
        at = next((at for at in earlier if abs(then - self.places[at][0]) >= long), 0)
        before = centre(self.faces[at])
        step = (frame - then) / (then - self.places[at][0])
        most = size(self.faces[-1]) * (1 + abs(step))  # a wrong face must not throw them out of the picture
        return x + _bounded((x - before[0]) * step, most), y + _bounded((y - before[1]) * step, most)


@dataclass(slots=True)
class _Pass:
    """What one pass says.

    Attributes:
        links: each face with the one that it became.
        underway: the faces of those who were seen before, so that their way is known.
    """

    links: dict[Place, Place] = field(default_factory=dict)
    underway: set[Place] = field(default_factory=set)


def chains(found: Detections) -> list[list[Place]]:
    """Everybody's faces in rising order of frames; each face is in exactly one chain, alone if need be."""
    frames = sorted(found.looked)
    scenes = [bisect_right(found.cuts, frame) for frame in frames]
    fps = float(found.fps)
    onwards = _pass(found.looked, list(zip(frames, scenes, strict=True)), fps=fps)
    back = _pass(found.looked, list(zip(reversed(frames), reversed(scenes), strict=True)), fps=fps)
    next_of = dict(_agreed(onwards, back))
    taken = set(next_of.values())
    starts = [(frame, at) for frame in frames for at in range(len(found.looked[frame])) if (frame, at) not in taken]
    return [_chain(start, next_of) for start in starts]


def centre(face: Face) -> tuple[float, float]:
    """The middle of a face."""
    return face.x + face.width / 2, face.y + face.height / 2


def size(face: Face) -> float:
    """One number for how large a face is."""
    return math.sqrt(face.width * face.height)


def apart(a: Face, b: Face) -> float:
    """How far two faces are from each other, as a multiple of the larger one's size."""
    (x, y), (other_x, other_y) = centre(a), centre(b)
    return math.hypot(x - other_x, y - other_y) / max(size(a), size(b))


def _agreed(onwards: _Pass, back: _Pass) -> Iterator[tuple[Place, Place]]:
    """The pairings of both passes, and those of one about which the other had nothing to say.

    It had where it paired either face with another, and where it knew somebody's way and this isn't on it.
    """
    from_back = {a: b for b, a in back.links.items()}
    for a, b in onwards.links.items():
        if from_back.get(a) == b or (a not in from_back and b not in back.links and b not in back.underway):
            yield a, b
    taken = {*onwards.links.values()}
    for a, b in from_back.items():
        if a not in onwards.links and b not in taken and a not in onwards.underway:
            yield a, b


def _chain(start: Place, next_of: Mapping[Place, Place]) -> list[Place]:
    places = [start]
    while places[-1] in next_of:
        places.append(next_of[places[-1]])
    return places


def _pass(looked: Mapping[int, tuple[Face, ...]], order: Sequence[tuple[int, int]], *, fps: float) -> _Pass:
    """One pass: each face with the one that it became."""
    done, longest = _Pass(), max(_NEXT_LOOK, round(fps * LONGEST_GAP))
    live: list[_Followed] = []
    scene = None
    for frame, of_scene in order:
        live = [one for one in live if of_scene == scene and abs(frame - one.places[-1][0]) <= longest]
        scene = of_scene
        faces = looked[frame]
        left = list(range(len(faces)))
        for well in (True, False):  # whoever is seen well chooses first
            offered = [at for at in left if (faces[at].score >= WELL_SEEN) == well]
            waiting = [one for one in live if one.places[-1][0] != frame]
            for who, at in _pairs(waiting, [faces[at] for at in offered], frame=frame, fps=fps):
                one, place = waiting[who], (frame, offered[at])
                done.links[one.places[-1]] = place
                done.underway.add(place)
                one.places.append(place)
                one.faces.append(faces[offered[at]])
                left.remove(offered[at])
        live += [_Followed([(frame, at)], [faces[at]]) for at in left]
    return done


def _pairs(people: Sequence[_Followed], faces: Sequence[Face], *, frame: int, fps: float) -> Iterable[tuple[int, int]]:
    if not people or not faces:
        return []
    costs = _costs(people, faces, frame=frame, fps=fps)
    rows, columns = lapjvx(costs, extend_cost=True, return_cost=False)
    pairs = [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if costs[a, b] < _NEVER]
    return [pair for pair in pairs if not _as_well_otherwise(pair, pairs, costs)]


def _as_well_otherwise(pair: tuple[int, int], pairs: list[tuple[int, int]], costs: Costs) -> bool:
    a, b = pair
    for c, d in pairs:
        if c != a and costs[a, d] < _NEVER and costs[c, b] < _NEVER:
            swapped = costs[a, d] + costs[c, b]
            if swapped - costs[a, b] - costs[c, d] < _MARGIN:
                return True
    return False


def _costs(people: Sequence[_Followed], faces: Sequence[Face], *, frame: int, fps: float) -> Costs:
    """What it costs that each is each: how far they are from where they were expected, and how unlike in size."""
    there = np.array([(*one.expected(frame), size(one.faces[-1]), _most(one, frame=frame, fps=fps)) for one in people])
    here = np.array([(*centre(face), size(face)) for face in faces])
    x, y, sizes, most = there.T[:, :, None]
    ratio = here[:, 2] / sizes
    far = np.hypot(here[:, 0] - x, here[:, 1] - y) / np.maximum(sizes, here[:, 2])
    never = (far > most) | (ratio <= 1 / _LARGER) | (ratio >= _LARGER)
    return np.where(never, _NEVER, far + np.abs(np.log(ratio)))


def _most(one: _Followed, *, frame: int, fps: float) -> float:
    """How far they may be from where they were expected."""
    ago = abs(frame - one.places[-1][0])
    if ago > _NEXT_LOOK:
        return _FAR_AFTER_A_GAP
    return (_FAR if len(one.faces) == 1 else _FAR_FROM_THEIR_WAY) + _FARTHER * min(ago / fps, _AT_MOST)


def _bounded(value: float, most: float) -> float:
    return max(-most, min(most, value))
