"""Byte ranges of HTTP (RFC 9110, section 14): one range, whole or not at all (PURE)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """No byte of the object lies in what was asked, or more than one range was asked for."""


def parse(header: str | None, *, size: int) -> ByteRange | None:
    """Read a ``Range`` header.

    Args:
        header: its value.
        size: bytes of the object.

    Returns:
        The range, cut to the object; nothing where the whole is asked for or the unit isn't bytes.

    Raises:
        Unsatisfiable: answer 416.
    """
    if header is None or not header.lower().startswith("bytes="):
        return None
    match = _ONE.fullmatch(header.replace(" ", "").lower())
    if match is None:
        raise Unsatisfiable
    first, last = match.groups()
    if not first and not last:
        raise Unsatisfiable
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return ByteRange(size - length, size)
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if start >= size or end <= start:
        raise Unsatisfiable
    return ByteRange(start, end)
