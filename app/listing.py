"""Long lists: searched, filtered and cut into pages on the server, by addresses that can be kept and sent on.

Names are sealed, so a list is opened first and searched then; nothing searches them in the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from app.pages.words import count as counted

Line = TypeVar("Line")

SIZE = 25
"""Lines on a page."""
FEW = 5
"""So many lines are looked through faster than searched."""
_LONGEST = 100
_MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Pages:
    """Where in a list a page is, as ``part.showing`` and ``part.paging`` say it.

    Attributes:
        says: "Showing 1 to 25 of 80 families".
        earlier: address of the page before, if any.
        later: address of the page after, if any.
        gone: that there is no such page, where one beyond the last was asked for; else empty.
    """

    says: str = field(repr=False)
    earlier: str | None = field(default=None, repr=False)
    later: str | None = field(default=None, repr=False)
    gone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Cut(Generic[Line]):
    """The lines of one page."""

    lines: Sequence[Line]
    pages: Pages


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a list can be narrowed by.

    Attributes:
        options: value to words.
        chosen: a value, or empty for all.
    """

    name: str
    label: str = field(repr=False)
    options: Mapping[str, str] = field(repr=False)
    chosen: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Finder:
    """What ``part.finder`` shows, and what it lets through.

    Attributes:
        label: what can be searched for, as "Name of a child or guider"; empty where only choices narrow the list.
        words: what was searched for.
        is_worth_it: whether the list is long enough to be searched, or is narrowed already.
    """

    action: str
    label: str
    words: str = field(repr=False)
    choices: tuple[Choice, ...] = field(default=())
    is_worth_it: bool = True

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was searched for or chosen."""
        return bool(self.words) or any(one.chosen for one in self.choices)

    def chosen(self, name: str) -> str:
        """What was chosen of one choice; empty for all."""
        return next((one.chosen for one in self.choices if one.name == name), "")

    def fits(self, *texts: str, **values: str) -> bool:
        """Whether a line is to be shown: each word is in one of the texts, and each choice is the line's own."""
        said = " ".join(texts).casefold()
        return all(word in said for word in self.words.casefold().split()) and all(
            one.chosen in {"", values[one.name]} for one in self.choices
        )


def finder(request: Request, path: str, *, of: int, label: str = "", choices: Sequence[Choice] = ()) -> Finder:
    """Read what a list is to be narrowed by; what can't be used narrows nothing.

    Args:
        request: what was asked.
        path: of the list's page, which a refused form elsewhere may show too.
        of: lines that there are without it.
        label: what can be searched for.
        choices: what else narrows it.
    """
    asked = request.query_params
    chosen = tuple(
        Choice(one.name, one.label, one.options, value if (value := asked.get(one.name, "")) in one.options else "")
        for one in choices
    )
    words = asked.get("find", "").strip()[:_LONGEST] if label else ""
    made = Finder(path, label, words, chosen)
    return Finder(made.action, label, words, chosen, is_worth_it=made.is_narrowed or of > FEW)


def cut(
    request: Request, path: str, lines: Sequence[Line], *, of: tuple[str, str], size: int = SIZE, name: str = "page"
) -> Cut[Line]:
    """The lines of the page that is asked for.

    Args:
        request: what was asked.
        path: of the list's page.
        lines: all of them.
        of: what they are, one and many: ``("family", "families")``.
        size: lines on a page.
        name: of the page's parameter, where a page has several lists.
    """
    pages = pages_of(request, path, total=len(lines), of=of, size=size, name=name)
    first = (within(request, total=len(lines), size=size, name=name) - 1) * size
    return Cut(lines[first : first + size], pages)


def within(request: Request, *, total: int, size: int = SIZE, name: str = "page") -> int:
    """Which page is shown, from 1: the one asked for, or the last where it lies beyond."""
    return min(_asked(request, name), max(1, -(-total // size)))


def pages_of(
    request: Request, path: str, *, total: int, of: tuple[str, str], size: int = SIZE, name: str = "page"
) -> Pages:
    """Where in a list the page is that is asked for. Args as in ``cut``, with the number of all lines."""
    number = within(request, total=total, size=size, name=name)
    whole = counted(total, *of)
    first, last = size * (number - 1) + 1, min(size * number, total)
    gone = (
        f"There is no page {_asked(request, name):,}. This is the last one." if number < _asked(request, name) else ""
    )
    return Pages(
        says=whole if total <= size else f"Showing {first:,} to {last:,} of {whole}",
        earlier=_address(request, path, name, number - 1) if number > 1 else None,
        later=_address(request, path, name, number + 1) if last < total else None,
        gone=gone,
    )


def _asked(request: Request, name: str) -> int:
    """The number in the address; what isn't one is the first page."""
    given = request.query_params.get(name, "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < len(str(_MOST_PAGES)) else 1
    return max(1, number)


def _address(request: Request, path: str, name: str, number: int) -> str:
    """The same list with another page: what narrows it, and where other lists of the page are, stays."""
    kept = [
        (key, value)
        for key, value in request.query_params.multi_items()
        if key not in {name, "saved"} and value and len(value) <= _LONGEST
    ]
    anchor = "" if name == "page" else f"#{name}"
    return f"{path}?{urlencode([*kept, (name, str(number))])}{anchor}"
