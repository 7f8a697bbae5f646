"""At which frames of a film, and where in them, to look for faces.

- At every ``step``-th frame at least something is looked at: all of it where a scene begins and every ``longest``
  frames; else whatever shows something new since it was last looked at (``media.changes``), and everybody who was
  there at the last look, unless nothing is new around somebody who was well seen: they are still there.
- Where somebody came, went or leapt between two looks, the frames between them are looked at too, around that place.
- Whom a look at all of a picture finds where none of the looks before it was, is sought in those pictures too,
  backwards, until they aren't there: nobody is missed because looking was put off.
- Scenes are told apart by their pictures: all of the last frame of one and of the first of the next is looked at, and
  nothing is followed from one to the other.

Only the frames since the last look at all of a picture are held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from media import regions
from media.centerface import NONE, Faces, best
from media.changes import Changes, Parts
from media.scenes import Scenes
from media.small import Picture, Rect, Size

LEAST = 0.2
"""A score from which a face counts."""
WELL = 0.3
"""A score from which it is worth a closer look when somebody came or went."""
HARDLY = 0.1
"""A score from which a face counts that was well seen there in the look before or after."""
_NEAR = 0.6
"""A face at most so many of its sizes away is the same."""
_ALIKE = 1.7
_LARGE = 96
"""A face of so many pixels is as well seen at half the size."""
_WHERE_THEY_WERE = 1.25
"""Around somebody who was there at the last look, so many sizes to each side are looked at."""

Look = Callable[[Picture, Rect, Size, float], Faces]


@dataclass(slots=True)
class _Looked:
    """A frame at which was looked, at all of it or at what was new; and who is there."""

    number: int
    picture: Picture
    faces: Faces


@dataclass(slots=True)
class Watch:
    """Watches one film.

    Args:
        look: gives the faces in a part of a picture from a score on; several threads may call it.
        step: as above.
        longest: likewise; ``step`` or less looks at all of every picture that is looked at.
        threads: how many looks go on at once.

    Attributes:
        seen: the faces of each frame that was looked at.
        cuts: the first frames of new scenes.
    """

    look: Look
    step: int
    longest: int
    threads: int
    seen: dict[int, Faces] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    _held: deque[tuple[int, Picture]] = field(default_factory=deque)
    _asked: deque[tuple[int, Picture, Future[Faces]]] = field(default_factory=deque)
    _looks: list[_Looked] = field(default_factory=list)
    _last: int | None = None
    _whole: int = 0
    _changes: Changes = field(default_factory=Changes)
    _scenes: Scenes = field(default_factory=Scenes)
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads)

    @property
    def holds(self) -> int:
        """How many frames it holds at most, the one that it takes among them; these must stay as they are."""
        return max(self.longest, self.step) + (self.threads + 2) * self.step

    def take(self, number: int, picture: Picture) -> None:
        """The next frame."""
        if self._scenes.starts(picture):
            self.cuts.append(number)
            self._end_scene()
        self._held.append((number, picture))
        if self._last is None or number - self._whole >= max(self.longest, self.step):
            self._changes.new_in(picture)
            self._look_at_all(number, picture)
        elif number - self._last >= self.step:
            self._look_at_new(number, picture)

    def close(self) -> None:
        """There are no more frames."""
        self._end_scene()
        self._pool.shutdown()

    def _end_scene(self) -> None:
        if self._held and self._held[-1][0] != self._whole:
            if self._looks and self._looks[-1].number == self._held[-1][0]:
                self._looks.pop()
            self._changes.new_in(self._held[-1][1])
            self._look_at_all(*self._held[-1])
        self._hear_all()
        for last in self._looks:
            self._note(last.number, _strong(last.faces, NONE))
        self._held.clear()
        self._looks.clear()
        self._last = None
        self._changes.forget()

    # Looking

    def _look_at_all(self, number: int, picture: Picture) -> None:
        """Begin to; what is seen is heard later, so that several looks go on at once."""
        self._asked.append((number, picture, self._pool.submit(self.look, picture, picture.whole, Size.FULL, HARDLY)))
        self._changes.looked([picture.whole])
        self._last = self._whole = number
        while len(self._asked) > self.threads:
            self._hear()

    def _hear_all(self) -> None:
        while self._asked:
            self._hear()

    def _hear(self) -> None:
        """Take what the earliest of the looks at all of a picture saw."""
        number, picture, answer = self._asked.popleft()
        faces = answer.result()
        self._look_back(faces)
        self._looks.append(_Looked(number, picture, faces))
        self._settle()

    def _look_at_new(self, number: int, picture: Picture) -> None:
        """Look at what is new and at whoever isn't surely still there."""
        new, (across, down) = self._changes.new_in(picture)
        shape = picture.y.shape
        if regions.joined(regions.around_new(new, shape=shape), shape=shape) != [picture.whole]:
            self._hear_all()
            faces = self._still_and_new(self._looks[-1].faces + np.array([across, down, 0, 0, 0]), new, picture)
            if faces is not None:
                self._looks.append(_Looked(number, picture, faces))
                self._last = number
                return
        self._look_at_all(number, picture)

    def _still_and_new(self, known: Faces, new: Parts, picture: Picture) -> Faces | None:
        """Who is there, of those who were and beside them; nothing if that can't be told by looking at a part."""
        stay = (known[:, 4] >= WELL) & ~regions.touched(known, new)
        large = ~stay & (known[:, 4] >= WELL) & (regions.sizes(known) >= _LARGE)
        found = self._of_large(known[large], picture)
        if found is None:
            return None
        staying = np.concatenate([known[stay], found])
        return self._of_rest(regions.without(new, found), known[~stay & ~large], staying=staying, picture=picture)

    def _of_large(self, known: Faces, picture: Picture) -> Faces | None:
        """Where large faces are now, at half the size; nothing if one isn't found again."""
        shape = picture.y.shape
        rects = regions.joined(regions.around(known, reach=_WHERE_THEY_WERE, shape=shape), shape=shape)
        found = self._looked_in(rects, picture, size=Size.HALF)
        faces = np.concatenate([NONE, *found])
        faces = faces[_alike(faces, known).any(axis=1) & (faces[:, 4] >= WELL)]
        return faces if _alike(known, faces).any(axis=1).all() else None

    def _of_rest(self, new: Parts, known: Faces, *, staying: Faces, picture: Picture) -> Faces | None:
        """Who is there beside those who stay; nothing if that can't be told from what is new."""
        shape = picture.y.shape
        wanted = [*regions.around_new(new, shape=shape), *regions.around(known, reach=_WHERE_THEY_WERE, shape=shape)]
        rects = regions.joined(wanted, shape=shape)
        if rects == [picture.whole]:
            return None
        answers = []
        for rect, faces in zip(rects, self._looked_in(rects, picture, size=Size.FULL), strict=True):
            cut_off = regions.cut_off(faces, rect, shape=shape)
            of_staying = regions.within(faces, staying)
            if (cut_off & ~of_staying).any():
                return None
            answers.append(faces[~(cut_off & of_staying)])
        self._changes.looked(rects)
        return best(np.concatenate([staying, *answers]))

    def _looked_in(self, rects: list[Rect], picture: Picture, *, size: Size) -> list[Faces]:
        return list(self._pool.map(lambda rect: self.look(picture, rect, size, HARDLY), rects))

    def _look_back(self, faces: Faces) -> None:
        """Seek in the pictures before whoever is seen now and wasn't at the last look."""
        if not self._looks:
            return
        sought = _alone(faces, self._looks[-1].faces)
        for before in reversed(self._looks[1:]):  # all of the first was looked at
            if not len(sought):
                return
            found = self._looked_around(before.picture, sought, least=HARDLY)
            found = found[_alike(found, sought).any(axis=1)]
            before.faces = best(np.concatenate([before.faces, found]))
            sought = found[found[:, 4] >= LEAST]

    def _looked_around(self, picture: Picture, faces: Faces, *, least: float) -> Faces:
        shape = picture.y.shape
        rects = regions.joined(regions.around(faces, reach=regions.AROUND, shape=shape), shape=shape)
        return np.concatenate([NONE, *self._pool.map(lambda rect: self.look(picture, rect, Size.FULL, least), rects)])

    # Settling

    def _settle(self) -> None:
        """Say who was there in each frame that was looked at but the last, and look between where two differ."""
        for before, here in pairwise(self._looks):
            self._note(before.number, _strong(before.faces, here.faces))
            here.faces = _confirmed(here.faces, before.faces)
            self._look_between(before, here)
        del self._looks[:-1]
        while self._held and self._held[0][0] < self._looks[0].number:
            self._held.popleft()

    def _look_between(self, before: _Looked, here: _Looked) -> None:
        between = [(number, picture) for number, picture in self._held if before.number < number < here.number]
        alone = np.concatenate([_alone(before.faces, here.faces), _alone(here.faces, before.faces)])
        if not between or not len(alone):
            return
        for number, picture in between:
            self._note(number, self._looked_around(picture, alone, least=LEAST))

    def _note(self, number: int, faces: Faces) -> None:
        self.seen[number] = faces.astype(np.float32)


def _strong(faces: Faces, neighbours: Faces) -> Faces:
    """The faces that count: by their score, or because they go on from one that does in another look."""
    strong = faces[:, 4] >= LEAST
    return faces if strong.all() else faces[strong | _goes_on(faces, neighbours)]


def _confirmed(faces: Faces, earlier: Faces) -> Faces:
    """Lift what is hardly seen, but goes on from somebody who was well seen in the look before, so that it counts."""
    lifted = faces.copy()
    lifted[(faces[:, 4] < LEAST) & _goes_on(faces, earlier), 4] = LEAST
    return lifted


def _goes_on(faces: Faces, neighbours: Faces) -> npt.NDArray[np.bool_]:
    """Which are at about the place of somebody who is well seen in another look, and isn't well seen here any nearer.

    Where they are, what else is hardly seen around them is an ear or a collar, or an echo of their face.
    """
    known = neighbours[neighbours[:, 4] >= WELL]
    alike, far = _alike(faces, known), _far(faces, known)
    found = np.where(alike & (faces[:, 4] >= WELL)[:, None], far, np.inf).min(axis=0, initial=np.inf)
    going: npt.NDArray[np.bool_] = (alike & (far <= found)).any(axis=1)
    return going


def _alone(faces: Faces, others: Faces) -> Faces:
    """Who is well seen, and not among the others."""
    return faces[(faces[:, 4] >= WELL) & ~_alike(faces, others).any(axis=1)]


def _alike(one: Faces, others: Faces) -> npt.NDArray[np.bool_]:
    """Which may be the same: near each other for their size, and of about one size."""
    own, theirs = regions.sizes(one), regions.sizes(others)
    larger = np.maximum(own[:, None], theirs[None])
    smaller = np.minimum(own[:, None], theirs[None])
    near: npt.NDArray[np.bool_] = (_far(one, others) <= _NEAR * larger) & (larger <= _ALIKE * smaller)
    return near


def _far(one: Faces, others: Faces) -> npt.NDArray[np.float64]:
    """How far the middle of each is from that of each other, in pixels."""
    far = [(one[:, i] + one[:, i + 2] / 2)[:, None] - (others[:, i] + others[:, i + 2] / 2)[None] for i in (0, 1)]
    apart: npt.NDArray[np.float64] = np.hypot(*far)
    return apart
