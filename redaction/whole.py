"""Everything that the room's door offers, by the names under which it offers it."""

from __future__ import annotations

from redaction.beside import Beside
from redaction.choices import Choices, Keyframe, Region, Split
from redaction.chosen import Choosing, begin_from, choose, choosing, redo, undo
from redaction.found import numbering
from redaction.models import CheckState
from redaction.plan import Person, people, plan
from redaction.queue import Check, checks_for, checks_in, was_asked
from redaction.rendering import RUNNERS, Manifest, detect, look_here_of, manifest_of, redact, render, set_persons_shown
from redaction.review import attest, request_check, send_back, take_back
from redaction.somebody import LookHere, Somebody
from redaction.statements import statement
from redaction.steps import (
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
)
from redaction.track import Box, Followed, Look, LookKind, Sighting, Track, follow, look_here, tracks

__all__ = [
    "RUNNERS",
    "Beside",
    "Box",
    "Check",
    "CheckState",
    "Choices",
    "Choosing",
    "Cover",
    "Followed",
    "Keep",
    "KeepAll",
    "Keyframe",
    "Look",
    "LookHere",
    "LookKind",
    "Manifest",
    "Merge",
    "Mute",
    "Paint",
    "Part",
    "Person",
    "Place",
    "Region",
    "Remove",
    "Shape",
    "Sighting",
    "Somebody",
    "Split",
    "State",
    "Step",
    "Track",
    "Unmute",
    "Unplace",
    "attest",
    "begin_from",
    "checks_for",
    "checks_in",
    "choose",
    "choosing",
    "detect",
    "follow",
    "look_here",
    "look_here_of",
    "manifest_of",
    "numbering",
    "people",
    "plan",
    "redact",
    "redo",
    "render",
    "request_check",
    "send_back",
    "set_persons_shown",
    "statement",
    "take_back",
    "tracks",
    "undo",
    "was_asked",
]
