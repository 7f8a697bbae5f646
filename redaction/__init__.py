"""Who is recognisable: people through time, what was chosen, what is covered, and who checked it."""

from __future__ import annotations

from redaction.choices import Choices, Keyframe, Region, Split
from redaction.models import CheckState
from redaction.plan import Person, people, plan
from redaction.queue import Check, checks_for, checks_in
from redaction.review import attest, request_check, send_back, take_back
from redaction.track import Box, Look, LookKind, Sighting, Track, look_here, tracks

__all__ = [
    "Box",
    "Check",
    "CheckState",
    "Choices",
    "Keyframe",
    "Look",
    "LookKind",
    "Person",
    "Region",
    "Sighting",
    "Split",
    "Track",
    "attest",
    "checks_for",
    "checks_in",
    "look_here",
    "people",
    "plan",
    "request_check",
    "send_back",
    "take_back",
    "tracks",
]
