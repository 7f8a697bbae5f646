"""Choosing step by step (PURE): each step on top of the ones before, so that any can be taken back and done again.

What is kept is a state and the steps since, as JSON. The oldest steps are folded into the state; taking back reaches
``MOST_BACK`` steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import Conflict
from core.ids import PersonId, well_formed
from media.covers import CoverShape, CoverStyle
from redaction.choices import Choices, unreadable
from redaction.steps import (
    Begin,
    Cover,
    Keep,
    KeepAll,
    Merge,
    Mute,
    Paint,
    Part,
    Place,
    Remove,
    Shape,
    State,
    Step,
    Unmute,
    Unplace,
    after,
)
from redaction.track import Box

MOST_BACK = 100
_KINDS: Mapping[str, type[Step | Begin]] = {
    one.__name__.lower(): one
    for one in (Keep, KeepAll, Cover, Merge, Part, Place, Unplace, Remove, Mute, Unmute, Paint, Shape, Begin)
}


@dataclass(frozen=True, slots=True)
class History:
    """What was chosen, in order.

    Attributes:
        faces: hex SHA-256 of the detections that the numbers are about.
        numbering: which number was who when they were chosen (``found.Found``); empty where nobody ever was.
        base: what the oldest steps came to.
        done: the steps since.
        undone: those taken back, the next to be done again last.
    """

    faces: str
    numbering: str = ""
    base: State = field(default_factory=State)
    done: tuple[Step | Begin, ...] = ()
    undone: tuple[Step | Begin, ...] = ()

    @property
    def state(self) -> State:
        """Everything that is chosen now."""
        state = self.base
        for step in self.done:
            state = after(state, step)
        return state

    def then(self, step: Step | Begin) -> History:
        """With one step more.

        Raises:
            Invalid, Conflict: it can't be taken.
        """
        after(self.state, step)
        done, base = (*self.done, step), self.base
        if len(done) > MOST_BACK:
            base, done = after(base, done[0]), done[1:]
        return replace(self, base=base, done=done, undone=())

    def undo(self) -> History:
        """With the last step taken back.

        Raises:
            Conflict: ``nothing_to_undo``.
        """
        if not self.done:
            raise Conflict("nothing_to_undo", "There is nothing to take back.")
        return replace(self, done=self.done[:-1], undone=(*self.undone, self.done[-1]))

    def redo(self) -> History:
        """With what was taken back last done again.

        Raises:
            Conflict: ``nothing_to_redo``.
        """
        if not self.undone:
            raise Conflict("nothing_to_redo", "There is nothing to do again.")
        return replace(self, done=(*self.done, self.undone[-1]), undone=self.undone[:-1])

    def to_json(self) -> str:
        """The form in which it is kept, sealed."""
        words = {
            "faces": self.faces,
            "numbering": self.numbering,
            **_state_words(self.base),
            "done": [_words(step) for step in self.done],
            "undone": [_words(step) for step in self.undone],
        }
        return json.dumps(words, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> History:
        """From the form in which it is kept.

        Raises:
            Invalid: ``choices_unreadable``.
        """
        try:
            words = json.loads(text)
            return cls(
                faces=words["faces"],
                numbering=words.get("numbering", ""),  # kept by a version that didn't note it
                base=_state(words),
                done=tuple(map(_step, words["done"])),
                undone=tuple(map(_step, words["undone"])),
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            unreadable()


def _state_words(state: State) -> dict[str, object]:
    names = {str(number): person for number, person in sorted(state.names.items())}
    return {"choices": state.choices.to_json(), "names": names}


def _state(words: Mapping[str, Any]) -> State:
    names = {int(number): PersonId(person) for number, person in words["names"].items()}
    return State(Choices.from_json(words["choices"]), names)


def _words(step: Step | Begin) -> dict[str, object]:
    if isinstance(step, Begin):
        return {"do": "begin", **_state_words(step.state)}
    kind = next(name for name, of in _KINDS.items() if isinstance(step, of))
    words: dict[str, object] = {"do": kind}
    for name in step.__slots__:
        value = getattr(step, name)
        if isinstance(value, Box):
            value = [value.x, value.y, value.width, value.height]
        elif isinstance(value, frozenset):
            value = sorted(value)
        elif isinstance(value, CoverStyle | CoverShape):
            value = value.name.lower()
        words[name] = value
    return words


def _step(words: dict[str, object]) -> Step | Begin:
    """A step as it was kept; what is kept is sealed, so this only guards against faults of ours."""
    fields = dict(words)
    kind = _KINDS[str(fields.pop("do"))]
    if kind is Begin:
        return Begin(_state(fields))
    if "box" in fields:
        fields["box"] = Box(*fields["box"])  # type: ignore[misc]  # anything else raises and is refused
    if "numbers" in fields:
        fields["numbers"] = frozenset(fields["numbers"])  # type: ignore[call-overload]  # likewise
    if "style" in fields:
        fields["style"] = CoverStyle[str(fields["style"]).upper()]
    if "shape" in fields:
        fields["shape"] = CoverShape[str(fields["shape"]).upper()]
    if "person" in fields and not well_formed(str(fields["person"])):
        unreadable()
    return kind(**fields)  # type: ignore[arg-type]  # likewise
