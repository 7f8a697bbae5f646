"""How much is covered around a face, and where that gives way to somebody who was chosen to be seen (PURE).

A cover is as large as a head. What it has beyond the face may lie over a neighbour's; if they were chosen, it is drawn
in on their side, but never into the face that it is there for, nor closer to it than ears, chin and brow need. Only
what is a mere guess (nobody was seen there, though it was looked) gives way altogether, and only within a face that is
well seen in the same frame, was seen without theirs in it when they were seen, and is hardly larger now: else the
detector may have drawn one box around two faces, and it isn't the chosen one's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media.covers import CoverShape
from redaction.track import Box, Sighting

_WIDER, _ABOVE, _BELOW = 0.45, 0.5, 0.3
"""How far a head reaches beyond its face on each side, above and below, as parts of the face's width and height."""
_IN_DOUBT = 0.15
"""How much farther where nobody looked, or the face was hardly seen."""
_LEAST = 0.2
"""How far a cover reaches beyond a face at least, whoever is beside it, as a part of the face's size."""
_ROOM = 0.1
"""What is left free around a face that was chosen, as a part of its size: covers have soft edges."""
_NO_LARGER = 1.2
"""A box by how much wider or higher than before may be around two faces."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The face of somebody who was chosen, in one frame.

    Attributes:
        box: of the face.
        sure: whether it is well seen there.
        boxes: of the same face, in the frames around.
    """

    box: Box
    sure: bool
    boxes: Mapping[int, Box]

    def is_apart_from(self, other: Sighting) -> bool:
        """Whether this is surely this face alone, and none of somebody else who is only guessed to be here."""
        there = other.guessed_from
        then = self.boxes.get(there.frame) if there else None
        if then is None or there is None or not self.sure or _has_middle_of(then, there.box):
            return False
        return self.box.width <= _NO_LARGER * then.width and self.box.height <= _NO_LARGER * then.height


def covered(one: Sighting, *, shown: Sequence[Shown], shape: CoverShape) -> list[tuple[Box, CoverShape]]:
    """What to cover for one face in one frame: boxes, and what is to be covered of each.

    Args:
        one: where the face is, or may be.
        shown: the faces that were chosen in this frame.
        shape: of an ordinary cover.
    """
    whole, core = _head(one), _grown(one.box, _LEAST)
    beside = [(_grown(other.box, _ROOM), other.is_apart_from(one)) for other in shown]
    near = [(free, apart) for free, apart in beside if _touch(whole, free, shape=shape)]
    guessed, gives_way = one.guessed_from is not None, all(apart for _, apart in near)
    if guessed and not gives_way:
        return [(whole, shape)]
    left: Box | None = whole
    for free, _ in near:
        if left is not None and _touch(left, free, shape=shape):
            left = _drawn_in(left, free, least=None if guessed else core)
    covers = [] if left is None else [(left, shape)]
    return covers if left == whole or guessed else [*covers, (core, CoverShape.BOX)]


def _head(one: Sighting) -> Box:
    """A head around a face, hair and chin and all; more of it where it isn't sure."""
    more = 0 if one.sure else _IN_DOUBT
    face = one.box
    wider, above, below = face.width * (_WIDER + more), face.height * (_ABOVE + more), face.height * (_BELOW + more)
    return Box(face.x - wider, face.y - above, face.width + 2 * wider, face.height + above + below)


def _drawn_in(box: Box, free: Box, *, least: Box | None) -> Box | None:
    """The largest part of a box, cut at one side, that leaves ``free`` free, as far as ``least`` allows."""
    best, rank = None, (0.0, 0.0)
    for part in _cuts(box, free, least=least):
        if part.width > 1 and part.height > 1:
            here = (-_common(part, free), part.width * part.height)
            if best is None or here > rank:
                best, rank = part, here
    return best


def _cuts(box: Box, free: Box, *, least: Box | None) -> list[Box]:
    right, bottom = box.x + box.width, box.y + box.height
    to_left, to_right, to_top, to_bottom = free.x, free.x + free.width, free.y, free.y + free.height
    if least is not None:
        to_left, to_right = max(to_left, least.x + least.width), min(to_right, least.x)
        to_top, to_bottom = max(to_top, least.y + least.height), min(to_bottom, least.y)
    to_left, to_right = min(to_left, right), max(to_right, box.x)
    to_top, to_bottom = min(to_top, bottom), max(to_bottom, box.y)
    return [
        Box(box.x, box.y, to_left - box.x, box.height),
        Box(to_right, box.y, right - to_right, box.height),
        Box(box.x, box.y, box.width, to_top - box.y),
        Box(box.x, to_bottom, box.width, bottom - to_bottom),
    ]


def _touch(cover: Box, free: Box, *, shape: CoverShape) -> bool:
    """Whether a cover of this shape has anything of a box under it."""
    if _common(cover, free) <= 0:
        return False
    if shape is CoverShape.BOX:
        return True
    across, down = cover.width / 2, cover.height / 2
    x, y = cover.x + across, cover.y + down
    near_x, near_y = min(max(x, free.x), free.x + free.width), min(max(y, free.y), free.y + free.height)
    return ((near_x - x) / across) ** 2 + ((near_y - y) / down) ** 2 < 1


def _has_middle_of(box: Box, other: Box) -> bool:
    right, down = other.x + other.width / 2 - box.x, other.y + other.height / 2 - box.y
    return 0 < right < box.width and 0 < down < box.height


def _common(a: Box, b: Box) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0.0, width) * max(0.0, height)


def _grown(box: Box, by: float) -> Box:
    wider, higher = box.width * by, box.height * by
    return Box(box.x - wider, box.y - higher, box.width + 2 * wider, box.height + 2 * higher)
