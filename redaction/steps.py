"""What can be done to choices, one step at a time, and what each makes of them (PURE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from core.errors import Conflict, Invalid
from core.ids import PersonId
from media.covers import CoverShape, CoverStyle
from redaction.choices import Choices, Keyframe, Region, Split
from redaction.track import Box

_MOST_REGIONS, _MOST_KEYFRAMES, _MOST_MUTES = 50, 500, 100


@dataclass(frozen=True, slots=True)
class Keep:
    """Somebody stays visible, and this is who it is."""

    number: int
    person: PersonId


@dataclass(frozen=True, slots=True)
class KeepAll:
    """These are one and the same person, who stays visible: whoever was lost from sight has several numbers."""

    numbers: frozenset[int]
    person: PersonId


@dataclass(frozen=True, slots=True)
class Cover:
    """Somebody doesn't stay visible after all."""

    number: int


@dataclass(frozen=True, slots=True)
class Merge:
    """These are one and the same person."""

    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Part:
    """From this frame on, it is somebody else."""

    number: int
    frame: int


@dataclass(frozen=True, slots=True)
class Place:
    """Something drawn by hand lies here in this frame; 0 is a new one."""

    region: int
    frame: int
    box: Box


@dataclass(frozen=True, slots=True)
class Unplace:
    """What was drawn by hand isn't placed in this frame any more; without its last place it is gone."""

    region: int
    frame: int


@dataclass(frozen=True, slots=True)
class Remove:
    """What was drawn by hand is gone."""

    region: int


@dataclass(frozen=True, slots=True)
class Mute:
    """No sound from one frame up to another, which isn't in it."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Unmute:
    """That stretch has its sound again."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Paint:
    """How everything is covered."""

    style: CoverStyle


@dataclass(frozen=True, slots=True)
class Shape:
    """What form the covers over heads have."""

    shape: CoverShape


Step: TypeAlias = Keep | KeepAll | Cover | Merge | Part | Place | Unplace | Remove | Mute | Unmute | Paint | Shape


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is chosen, and who the kept people are.

    Attributes:
        names: the recorded person behind a kept number.
    """

    choices: Choices = field(default_factory=Choices)
    names: Mapping[int, PersonId] = field(default_factory=dict)

    @property
    def persons(self) -> frozenset[PersonId]:
        """Who stays visible."""
        return frozenset(self.names[number] for number in self.choices.kept)


@dataclass(frozen=True, slots=True)
class Begin:
    """Go on from here: what was chosen for another clip of the same footage. No page says what; it only says whose."""

    state: State


def after(state: State, step: Step | Begin) -> State:
    """What a step makes of a state. Whether the film has such people and frames is ``redaction.plan``'s to say.

    Raises:
        Invalid, Conflict: it can't be taken.
    """
    chosen = state.choices
    match step:
        case Keep(number, person):
            return _named(replace(chosen, kept=chosen.kept | {number}), {**state.names, number: person})
        case KeepAll(numbers, person):
            named = {**state.names, **dict.fromkeys(numbers, person)}
            return _named(replace(chosen, kept=chosen.kept | numbers, merged=_joined(chosen, numbers)), named)
        case Cover(number):
            return _named(replace(chosen, kept=chosen.kept - _same(chosen, number)), state.names)
        case Merge(numbers):
            return _named(replace(chosen, merged=_joined(chosen, numbers)), state.names)
        case Begin(begun):
            return begun
        case Part(number, frame):
            chosen = replace(chosen, split=(*chosen.split, Split(number, frame)))
        case Paint() | Shape():
            chosen = _looking(chosen, step)
        case Mute() | Unmute():
            chosen = replace(chosen, mutes=_muted(chosen.mutes, step))
        case Place() | Unplace() | Remove():
            chosen = replace(chosen, regions=_drawn(chosen.regions, step))
    return State(chosen, state.names)


def in_film(step: Step, *, first_frame: int, last_frame: int) -> Step:
    """A step whose frames count from a clip's first, with its frames as the working copy counts them.

    Raises:
        Invalid: ``outside_clip``: it reaches beyond the clip.
    """
    length = last_frame - first_frame
    match step:
        case Part(number, frame):
            return Part(number, _within(frame, length) + first_frame)
        case Place(region, frame, box):
            return Place(region, _within(frame, length) + first_frame, box)
        case Unplace(region, frame):
            return Unplace(region, _within(frame, length) + first_frame)
        case Mute(first, last):
            return Mute(_within(first, length) + first_frame, _within(last - 1, length) + 1 + first_frame)
        case Unmute(first, last):
            return Unmute(first + first_frame, last + first_frame)
    return step


def _within(frame: int, length: int) -> int:
    if not 0 <= frame < length:
        raise Invalid("outside_clip", "That moment isn't in this clip.", field="frame")
    return frame


def _looking(choices: Choices, step: Paint | Shape) -> Choices:
    return replace(choices, style=step.style) if isinstance(step, Paint) else replace(choices, shape=step.shape)


def together(choices: Choices, number: int) -> frozenset[int]:
    """The numbers that are one person with this one."""
    return frozenset(_same(choices, number))


def _same(choices: Choices, number: int) -> set[int]:
    found, grew = {number}, True
    while grew:
        more = set().union(*(group for group in choices.merged if group & found)) - found
        found |= more
        grew = bool(more)
    return found


def _joined(choices: Choices, numbers: frozenset[int]) -> tuple[frozenset[int], ...]:
    if len(numbers) < 2:  # noqa: PLR2004 - one is nobody's double
        raise Invalid("merge_two", "Choose two or more who are one and the same.", field="number")
    return (*choices.merged, numbers)


def _named(choices: Choices, names: Mapping[int, PersonId]) -> State:
    """The people who are kept, each under one name only."""
    kept = {number: names[number] for number in choices.kept}
    for number in choices.kept:
        if len({names[one] for one in _same(choices, number) & choices.kept}) > 1:
            raise Conflict("two_names", "These two were given different names. Say first that one of them is blurred.")
    return State(choices, kept)


def _muted(mutes: tuple[tuple[int, int], ...], step: Mute | Unmute) -> tuple[tuple[int, int], ...]:
    first, last = step.first, step.last
    if isinstance(step, Unmute):
        return tuple(one for one in mutes if one != (first, last))
    if last <= first:
        raise Invalid("mute_end_before_start", "The end of the silence must come after its start.", field="last")
    if len(mutes) >= _MOST_MUTES:
        raise Invalid("too_many_mutes", f"A clip can have {_MOST_MUTES} silent stretches.", field="first")
    return tuple(sorted({*mutes, (first, last)}))


def _drawn(regions: tuple[Region, ...], step: Place | Unplace | Remove) -> tuple[Region, ...]:
    by_number = {region.number: region for region in regions}
    if isinstance(step, Place) and step.region == 0:
        if len(regions) >= _MOST_REGIONS:
            raise Invalid("too_many_regions", f"You can draw {_MOST_REGIONS} covers by hand in one clip.")
        number = max(by_number, default=0) + 1
        return (*regions, Region(number, (Keyframe(step.frame, step.box),), CoverShape.BOX))
    region = by_number.get(step.region)
    if region is None:
        raise Conflict("region_gone", "That cover isn't there any more.")
    if isinstance(step, Remove):
        return tuple(one for one in regions if one is not region)
    frames = {one.frame: one for one in region.keyframes}
    if isinstance(step, Place):
        frames[step.frame] = Keyframe(step.frame, step.box)
    else:
        frames.pop(step.frame, None)
    if len(frames) > _MOST_KEYFRAMES:
        raise Invalid("too_many_keyframes", f"A cover can be placed in {_MOST_KEYFRAMES} frames.")
    if not frames:
        return tuple(one for one in regions if one is not region)
    moved = replace(region, keyframes=tuple(frames[frame] for frame in sorted(frames)))
    return tuple(moved if one is region else one for one in regions)
