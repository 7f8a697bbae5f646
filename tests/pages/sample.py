"""What a sample page is, and the people who look at the samples. No name here is a real person's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.pages import Notice, Problem, Visitor, VisitorKind, family_visitor, staff_visitor

GUIDER = staff_visitor("Jo Marsh", roles=["guider"])
MANAGER = staff_visitor("Robin Hale", roles=["manager"])
WORKER = staff_visitor("Sam Okafor", roles=["social_worker"])
OFFICER = staff_visitor("Priya Nair", roles=["ig_officer"])
ADMINISTRATOR = staff_visitor("Lee Brandt", roles=["administrator"])
EVERYTHING = staff_visitor(
    "Alexandra Featherstonehaugh-Cholmondeley", roles=["guider", "manager", "ig_officer", "chair"]
)
AT_HOME = Visitor(kind=VisitorKind.FAMILY)
FAMILY = family_visitor()


@dataclass(frozen=True, slots=True)
class Sample:
    """One page in one state.

    Attributes:
        name: of the state; the page's address in the tests.
        template: which template it shows.
    """

    name: str
    template: str
    visitor: Visitor = field(default_factory=Visitor)
    path: str = "/"
    notice: Notice | None = None
    problems: tuple[Problem, ...] = ()
    given: Mapping[str, object] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
