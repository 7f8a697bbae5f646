"""At which frames of a film, and where in them, to look for faces.

Every ``step``-th frame is looked at, and where somebody came, went or leapt between two looks, the frames between them
too, around that place. Scenes are told apart by their pictures: the last frame of one and the first of the next are
looked at, and nothing is followed from one to the other. Only the frames since the last look are held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from media.centerface import CELL, NONE, Faces, Picture

LEAST = 0.2
"""A score from which a face counts."""
WELL = 0.3
"""A score from which it is worth a closer look when somebody came or went."""
HARDLY = 0.1
"""A score from which a face counts that was well seen there in the look before or after."""
_NEAR = 0.6
"""A face at most so many of its sizes away is the same."""
_ALIKE = 1.7
_AROUND = 2.5
"""Where somebody came or went, so many sizes to each side are looked at."""
_LEAST_AROUND = 48
_MOST_OF_IT = 0.6
_THINNED = 8
_BINS = 32

Look = Callable[[Picture, float], Faces]
Rect = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels."""


@dataclass(slots=True)
class _Looked:
    """A frame that was looked at as a whole, or is being looked at."""

    number: int
    answer: Future[Faces]
    starts_scene: bool


@dataclass(slots=True)
class Watch:
    """Watches one film.

    Args:
        look: gives the faces in a picture from a score on; several threads may call it.
        step: as above.
        threads: how many looks go on at once.

    Attributes:
        seen: the faces of each frame that was looked at.
        cuts: the first frames of new scenes.
    """

    look: Look
    step: int
    threads: int
    seen: dict[int, Faces] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    _held: deque[tuple[int, Picture]] = field(default_factory=deque)
    _looks: deque[_Looked] = field(default_factory=deque)
    _before: _Looked | None = None
    _scenes: Scenes = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads)
        self._scenes = Scenes()

    def take(self, number: int, picture: Picture) -> None:
        """The next frame; it must stay as it is."""
        starts_scene = self._scenes.starts(picture)
        if starts_scene:
            self.cuts.append(number)
            self._look_at_last()
        self._held.append((number, picture))
        latest = self._looks[-1] if self._looks else self._before
        if starts_scene or latest is None or number - latest.number >= self.step:
            self._begin(number, picture, starts_scene=starts_scene)
        while len(self._looks) > self.threads:
            self._settle()

    def close(self) -> None:
        """There are no more frames."""
        self._look_at_last()
        while self._looks:
            self._settle()
        if self._before:
            self._note(self._before.number, self._strong(self._before.answer.result(), NONE))
        self._pool.shutdown()

    def _begin(self, number: int, picture: Picture, *, starts_scene: bool) -> None:
        self._looks.append(_Looked(number, self._pool.submit(self.look, picture, HARDLY), starts_scene))

    def _look_at_last(self) -> None:
        latest = self._looks[-1] if self._looks else self._before
        if self._held and latest and latest.number != self._held[-1][0]:
            self._begin(*self._held[-1], starts_scene=False)

    def _settle(self) -> None:
        """Take the oldest look's answer, and look between it and the one before where they differ."""
        here, before = self._looks.popleft(), self._before
        faces = here.answer.result()
        if before is not None:
            earlier = before.answer.result()
            if here.starts_scene:
                self._note(before.number, self._strong(earlier, NONE))
            else:
                self._note(before.number, self._strong(earlier, faces))
                here.answer = _answered(self._confirmed(faces, earlier))
                self._look_between(before.number, here.number, earlier, faces)
        self._before = here
        while self._held and self._held[0][0] <= here.number:
            self._held.popleft()

    def _strong(self, faces: Faces, neighbours: Faces) -> Faces:
        """The faces that count: by their score, or because one that does is at about the same place in another look."""
        strong = faces[:, 4] >= LEAST
        if strong.all():
            return faces
        return faces[strong | _alike(faces, neighbours[neighbours[:, 4] >= WELL]).any(axis=1)]

    def _confirmed(self, faces: Faces, earlier: Faces) -> Faces:
        """Lift what is hardly seen, but was well seen in the look before, so that it counts."""
        lifted = faces.copy()
        goes_on = (faces[:, 4] < LEAST) & _alike(faces, earlier[earlier[:, 4] >= WELL]).any(axis=1)
        lifted[goes_on, 4] = LEAST
        return lifted

    def _look_between(self, first: int, last: int, earlier: Faces, later: Faces) -> None:
        pairs = _alike(earlier, later)
        alone = np.concatenate([earlier[~pairs.any(axis=1)], later[~pairs.any(axis=0)]])
        alone = alone[alone[:, 4] >= WELL]
        if not len(alone) or last - first < 2:  # noqa: PLR2004 - there is nothing between
            return
        between = [(number, picture) for number, picture in self._held if first < number < last]
        regions = regions_around(alone, shape=between[0][1].shape[1:])
        answers = [
            (number, self._pool.submit(self.look, np.ascontiguousarray(picture[:, top:bottom, left:right]), LEAST))
            for number, picture in between
            for left, top, right, bottom in regions
        ]
        places = [place for _ in between for place in regions]
        found: dict[int, list[Faces]] = {number: [] for number, _ in between}
        for (number, answer), (left, top, _, _) in zip(answers, places, strict=True):
            found[number].append(answer.result() + np.array([left, top, 0, 0, 0]))
        for number, pieces in found.items():
            self._note(number, np.concatenate(pieces))

    def _note(self, number: int, faces: Faces) -> None:
        self.seen[number] = faces.astype(np.float32)


class Scenes:
    """Tells where a new scene begins: by how much a picture differs from the one before, place by place and in all."""

    def __init__(self) -> None:
        self._thin: npt.NDArray[np.float32] | None = None
        self._shades: npt.NDArray[np.float64] | None = None
        self._usual = 0.0

    def starts(self, picture: Picture) -> bool:
        """Whether a scene begins with this picture; never with the first."""
        points = np.ascontiguousarray(picture[:, ::_THINNED, ::_THINNED])
        thin = points.astype(np.float32)
        shades = (
            np.concatenate([np.bincount(plane, minlength=_BINS) for plane in points.reshape(3, -1) >> 3]) / thin.size
        )
        before, shades_before = self._thin, self._shades
        self._thin, self._shades = thin, shades
        if before is None or shades_before is None:
            return False
        change = float(np.abs(thin - before).mean())
        shift = float(np.abs(shades - shades_before).sum() / 2)
        usual, self._usual = self._usual, 0.8 * self._usual + 0.2 * min(change, 30.0)
        return change > 12 + 2 * usual and (shift > 0.25 or change > 40)  # noqa: PLR2004 - found by trying


def regions_around(faces: Faces, *, shape: tuple[int, ...]) -> list[Rect]:
    """Where to look for faces that came or went: whole cells, not overlapping; all of the picture if that is most."""
    height, width = shape
    rects: list[Rect] = []
    for x, y, wide, high, _ in faces:
        reach = max(_AROUND * float(np.sqrt(wide * high)), _LEAST_AROUND)
        middle_x, middle_y = x + wide / 2, y + high / 2
        left, right = _cells(middle_x - reach, middle_x + reach, most=width)
        top, bottom = _cells(middle_y - reach, middle_y + reach, most=height)
        rects = _joined([*rects, (left, top, right, bottom)])
    if sum((right - left) * (bottom - top) for left, top, right, bottom in rects) > _MOST_OF_IT * width * height:
        return [(0, 0, width, height)]
    return rects


def _cells(low: float, high: float, *, most: int) -> tuple[int, int]:
    """The whole cells around a stretch, at least two, within the picture."""
    first = int(min(max(low, 0), most - 2 * CELL)) // CELL * CELL
    last = -int(-max(min(high, most), first + 2 * CELL) // CELL) * CELL
    return first, min(last, most)


def _joined(rects: list[Rect]) -> list[Rect]:
    """Those that overlap, as one, until none does."""
    done: list[Rect] = []
    for rect in rects:
        one = rect
        while other := next((other for other in done if _meet(one, other)), None):
            done.remove(other)
            one = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
        done.append(one)
    return done


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _alike(one: Faces, others: Faces) -> npt.NDArray[np.bool_]:
    """Which may be the same: near each other for their size, and of about one size."""
    sizes, other_sizes = (np.sqrt(each[:, 2] * each[:, 3]) for each in (one, others))
    larger = np.maximum(sizes[:, None], other_sizes[None])
    smaller = np.minimum(sizes[:, None], other_sizes[None])
    far = [(one[:, i] + one[:, i + 2] / 2)[:, None] - (others[:, i] + others[:, i + 2] / 2)[None] for i in (0, 1)]
    near: npt.NDArray[np.bool_] = (np.hypot(*far) <= _NEAR * larger) & (larger <= _ALIKE * smaller)
    return near


def _answered(faces: Faces) -> Future[Faces]:
    answer: Future[Faces] = Future()
    answer.set_result(faces)
    return answer
