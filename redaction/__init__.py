"""Who is recognisable: people through time, what was chosen, what is covered, and who checked it.

The rules alone come with the room: who only redacts a plain file shall not wait for databases to be loaded. The rest
follows with the first name that needs it. All names stand in ``redaction.whole``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from redaction.choices import Choices, Keyframe, Region, Split
from redaction.found import numbering
from redaction.plan import Person, people, plan
from redaction.track import Box, Followed, Look, LookKind, Sighting, Track, follow, look_here, tracks

__all__ = [
    "Box",
    "Choices",
    "Followed",
    "Keyframe",
    "Look",
    "LookKind",
    "Person",
    "Region",
    "Sighting",
    "Split",
    "Track",
    "follow",
    "look_here",
    "numbering",
    "people",
    "plan",
    "tracks",
]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    whole = import_module("redaction.whole")  # it loads the databases
    if name not in whole.__all__:
        raise AttributeError(name)
    return getattr(whole, name)
