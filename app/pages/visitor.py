"""Who is looking at the page: what the frame around it (name, navigation, way out) depends on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from identity import Role


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go.

    Attributes:
        text: the words of the link.
        href: an address on this origin.
    """

    text: str
    href: str


class VisitorKind(StrEnum):
    """Which frame the page gets."""

    NOBODY = "nobody"
    STAFF = "staff"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person in front of the page.

    Attributes:
        name: as shown beside *Sign out*; empty where a page shouldn't say it.
        kind: family pages have *Exit this page*.
        navigation: what they can go to.
        signed_in: whether *Sign out* is offered. An invitation's page is a family page before anyone is signed in.
    """

    name: str = field(default="", repr=False)
    kind: VisitorKind = VisitorKind.NOBODY
    navigation: tuple[Link, ...] = ()
    signed_in: bool = False

    @property
    def is_family(self) -> bool:
        """Whether the page is one that someone at home may have to leave at once."""
        return self.kind is VisitorKind.FAMILY


_PLACES: tuple[tuple[frozenset[Role], Link], ...] = (
    (frozenset({Role.GUIDER, Role.MANAGER, Role.SUPERVISOR}), Link("Families", "/families")),
    (frozenset({Role.GUIDER, Role.SUPERVISOR}), Link("Checks", "/checks")),
    (
        frozenset({Role.SOCIAL_WORKER, Role.CHAIR, Role.SUPERVISOR, Role.REFERRER, Role.TRAINER, Role.LEGAL}),
        Link("Shared with me", "/shared"),
    ),
    (frozenset({Role.MANAGER}), Link("Caseloads", "/caseload")),
    (frozenset({Role.IG_OFFICER}), Link("Overview", "/records")),
    (frozenset({Role.IG_OFFICER}), Link("Audit", "/audit")),
    (frozenset({Role.IG_OFFICER}), Link("Retention", "/retention")),
    (frozenset({Role.IG_OFFICER}), Link("Holds", "/holds")),
    (frozenset({Role.IG_OFFICER}), Link("Certificates", "/certificates")),
    (frozenset({Role.MANAGER}), Link("Staff", "/accounts")),
    (frozenset({Role.ADMINISTRATOR}), Link("Accounts", "/accounts")),
)


def staff_visitor(name: str, *, roles: Iterable[Role]) -> Visitor:
    """A signed-in member of staff, with the places that their roles have something at."""
    held = frozenset(roles)
    places = tuple(link for wanted, link in _PLACES if wanted & held)
    return Visitor(name=name, kind=VisitorKind.STAFF, navigation=places, signed_in=True)


def family_visitor() -> Visitor:
    """A signed-in family member. Their name isn't shown: a screen may be seen by others."""
    places = (Link("Your clips", "/your-clips"), Link("Who watched", "/who-watched"))
    return Visitor(kind=VisitorKind.FAMILY, navigation=places, signed_in=True)
