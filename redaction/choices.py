"""What a guider chose for one clip (PURE): who stays visible, who is one and the same, what else is covered or muted.

People are named by number: first those of ``redaction.track``, then one for each ``Split``, in order. So numbers stay
what they were while choices are added or the last one is taken back.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import Invalid
from media.covers import CoverShape, CoverStyle
from redaction.track import Box

_MOST = 10_000
_MOST_TEXT = 4 << 20
_FAR = 1 << 16


@dataclass(frozen=True, slots=True)
class Keyframe:
    """Where a region drawn by hand lies in one frame."""

    frame: int
    box: Box


@dataclass(frozen=True, slots=True)
class Region:
    """Something covered by hand, from its first keyframe to its last; between two it moves evenly.

    Attributes:
        number: from 1; its own, not a person's.
        keyframes: at least one, in rising order of frames.
        shape: of the cover.
    """

    number: int
    keyframes: tuple[Keyframe, ...]
    shape: CoverShape = CoverShape.BOX


@dataclass(frozen=True, slots=True)
class Split:
    """From ``frame`` on, the person ``number`` is another person, who gets a number of their own."""

    number: int
    frame: int


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that was chosen for one clip. The empty choice shows nobody.

    Attributes:
        kept: numbers of the people who stay visible; whoever is merged with one of them stays visible too.
        merged: groups of numbers that are one person each.
        split: people who were two, in the order in which they were parted.
        regions: what was covered by hand; nobody who is kept shows through.
        mutes: stretches without sound, as frames ``[first, last)`` of the working copy.
        style: how everything is covered.
        shape: of the cover over a head.
    """

    kept: frozenset[int] = frozenset()
    merged: tuple[frozenset[int], ...] = ()
    split: tuple[Split, ...] = ()
    regions: tuple[Region, ...] = ()
    mutes: tuple[tuple[int, int], ...] = ()
    style: CoverStyle = CoverStyle.BLUR
    shape: CoverShape = CoverShape.ELLIPSE

    def to_json(self) -> str:
        """The form in which they are kept, sealed."""
        words = {
            "kept": sorted(self.kept),
            "merged": [sorted(group) for group in self.merged],
            "split": [[one.number, one.frame] for one in self.split],
            "regions": [_region_words(region) for region in self.regions],
            "mutes": [list(mute) for mute in self.mutes],
            "style": self.style.name.lower(),
            "shape": self.shape.name.lower(),
        }
        return json.dumps(words, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Choices:
        """From the form in which they are kept, or from a page.

        Raises:
            Invalid: ``choices_unreadable``: they aren't well formed.
        """
        if len(text) > _MOST_TEXT:
            unreadable()
        try:
            words = json.loads(text)
            return cls(
                kept=frozenset(map(_whole, _list(words["kept"]))),
                merged=tuple(frozenset(map(_whole, _list(group))) for group in _list(words["merged"])),
                split=tuple(Split(*map(_whole, _list(one, of=2))) for one in _list(words["split"])),
                regions=tuple(_region(one) for one in _list(words["regions"])),
                mutes=tuple(_span(one) for one in _list(words["mutes"])),
                style=CoverStyle[_name(words["style"])],
                shape=CoverShape[_name(words["shape"])],
            )
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
            unreadable()


def unreadable() -> NoReturn:
    """Refuse choices that don't make sense."""
    raise Invalid("choices_unreadable", "These choices can't be read. Load the page again and choose once more.")


def _region_words(region: Region) -> dict[str, object]:
    frames = [[one.frame, one.box.x, one.box.y, one.box.width, one.box.height] for one in region.keyframes]
    return {"number": region.number, "keyframes": frames, "shape": region.shape.name.lower()}


def _region(words: dict[str, Any]) -> Region:
    keyframes = tuple(_keyframe(one) for one in _list(words["keyframes"]))
    frames = [one.frame for one in keyframes]
    if not frames or frames != sorted(set(frames)):
        unreadable()
    return Region(_whole(words["number"]), keyframes, CoverShape[_name(words["shape"])])


def _keyframe(words: object) -> Keyframe:
    frame, *place = _list(words, of=5)
    if not all(type(number) in {int, float} and math.isfinite(number) and abs(number) < _FAR for number in place):
        unreadable()
    x, y, width, height = map(float, place)
    if width <= 0 or height <= 0:
        unreadable()
    return Keyframe(_whole(frame), Box(x, y, width, height))


def _span(words: object) -> tuple[int, int]:
    first, last = map(_whole, _list(words, of=2))
    if first >= last:
        unreadable()
    return first, last


def _list(words: object, *, of: int | None = None) -> list[Any]:
    if not isinstance(words, list) or len(words) > _MOST or (of is not None and len(words) != of):
        unreadable()
    return words


def _whole(number: object) -> int:
    if type(number) is not int or not 0 <= number < 1 << 31:
        unreadable()
    return number


def _name(word: object) -> str:
    if not isinstance(word, str) or word != word.lower():
        unreadable()
    return word.upper()
