"""Byte ranges of HTTP (RFC 9110, section 14): one range, whole or not at all (PURE).

What isn't a range of bytes at all is as if it weren't there (14.2 lets a server ignore it), so the whole is answered.
A range that is one and lies outside is refused, and so are several at once: nobody's player asks for them, and many
small ones are an old way to wear a server out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"([0-9]*)-([0-9]*)", re.ASCII)
_BEYOND = 10**18
"""Further than any object reaches."""
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """No byte of the object lies in what was asked, or several ranges were asked for: answer 416."""


def parse(header: str | None, *, size: int) -> ByteRange | None:
    """Read a ``Range`` header of a ``GET`` (it has no meaning with any other method).

    Args:
        header: its value; nothing where there is none, or more than one.
        size: bytes of the object.

    Returns:
        The range, cut to the object; nothing where the whole is to be answered.

    Raises:
        Unsatisfiable: answer 416.
    """
    unit, _, asked = (header or "").partition("=")
    if unit.strip(" \t").lower() != "bytes":
        return None
    specs = [spec for spec in (part.strip(" \t") for part in asked.split(",")) if spec]
    found = [_bounds(spec) for spec in specs]
    bounds = [one for one in found if one is not None]
    if not bounds or len(bounds) < len(found):
        return None
    if len(bounds) > 1:
        raise Unsatisfiable
    first, last = bounds[0]
    if first is None:
        start, end = size - min(last or 0, size), size
    else:
        start, end = first, size if last is None else min(last + 1, size)
    if start >= size:
        raise Unsatisfiable
    return ByteRange(start, end)


def holds_if(condition: str | None, *, etag: str) -> bool:
    """Whether a ``Range`` counts, by its ``If-Range`` (13.1.5).

    Only the very tag makes it count. A weak one never does, and neither does a date: we give none out, since when a
    film was made is nobody's business.

    Args:
        condition: the header's value; nothing where there is none.
        etag: the object's own, with its quotes.
    """
    return condition is None or condition.strip(" \t") == etag


def _bounds(spec: str) -> tuple[int | None, int | None] | None:
    """First and last byte, or nothing and a count of last bytes; nothing at all where it is no range."""
    match = _ONE.fullmatch(spec)
    if match is None or match[0] == "-":
        return None
    first, last = (_number(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MOST_DIGITS else _BEYOND
