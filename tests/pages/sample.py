"""What a sample page is, and the people who look at the samples. No name here is a real person's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.pages import Notice, Problem, Visitor, family_visitor, staff_visitor
from identity import Role

GUIDER = staff_visitor("Jo Marsh", roles=[Role.GUIDER])
MANAGER = staff_visitor("Robin Hale", roles=[Role.MANAGER])
WORKER = staff_visitor("Sam Okafor", roles=[Role.SOCIAL_WORKER])
OFFICER = staff_visitor("Priya Nair", roles=[Role.IG_OFFICER])
ADMINISTRATOR = staff_visitor("Lee Brandt", roles=[Role.ADMINISTRATOR])
PAGES: dict[str, Any] = {"says": "2 lines", "earlier": None, "later": None, "gone": ""}
LISTS: dict[str, Any] = {
    "pages": PAGES,
    "finder": {
        "action": "/families",
        "label": "Name of a child",
        "words": "ava",
        "choices": [
            {"name": "show", "label": "Show", "options": {"open": "Open", "closed": "Closed"}, "chosen": "open"}
        ],
        "is_narrowed": False,
        "is_worth_it": True,
    },
}
"""What every list is given, unless a sample says it otherwise."""
STRIP: dict[str, Any] = {
    "href": "/media/strip.jpg",
    "width": 160,
    "height": 90,
    "whole_width": 1600,
    "whole_height": 90,
    "corners": [(160 * place, 0) for place in range(10)],
}
EVERYTHING = staff_visitor(
    "Alexandra Featherstonehaugh-Cholmondeley", roles=[Role.GUIDER, Role.MANAGER, Role.IG_OFFICER, Role.CHAIR]
)
AT_HOME = Visitor()
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
