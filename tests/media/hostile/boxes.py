"""Taking an MP4 apart and putting it together again with something wrong in it (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Callable

_AROUND = {"moov", "trak", "mdia", "minf", "stbl", "dinf", "edts", "udta"}
STBL = "moov.trak.mdia.minf.stbl"


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, *parts: bytes) -> bytes:
    """A box with version 0 and no flags."""
    return box(kind, bytes(4), *parts)


def boxes_in(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of the boxes that lie in a row."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + size]))
        at += size
    return found


def part(film: bytes, path: str) -> bytes:
    """The content of the first box at a path such as ``moov.trak.mdia``."""
    for name in path.split("."):
        film = next(content for kind, content in boxes_in(film) if kind == name.encode())
    return film


def changed(film: bytes, path: str, change: Callable[[bytes], bytes]) -> bytes:
    """A film with the content of the first box at a path changed, and the sizes around it right again.

    The index must lie at the end: what lies behind it would move.
    """
    name, _, rest = path.partition(".")
    made, done = [], False
    for kind, content in boxes_in(film):
        if not done and kind == name.encode():
            done = True
            made.append(box(kind, changed(content, rest, change) if rest else change(content)))
        else:
            made.append(box(kind, content))
    assert done, path
    return b"".join(made)


def written(film: bytes, path: str, at: int, value: bytes) -> bytes:
    """A film with bytes of a box overwritten, at an offset in its content."""
    return changed(film, path, lambda old: old[:at] + value + old[at + len(value) :])


def added(film: bytes, path: str, *more: bytes) -> bytes:
    """A film with boxes added at the end of a box."""
    return changed(film, path, lambda old: old + b"".join(more))


def behind(front: bytes, film: bytes) -> bytes:
    """A film behind something else, with the places of its samples moved accordingly."""
    boxes = [box(kind, _moved(content, len(front)) if kind == b"moov" else content) for kind, content in boxes_in(film)]
    return front + b"".join(boxes)


def _moved(content: bytes, by: int) -> bytes:
    moved = b""
    for kind, inner in boxes_in(content):
        if kind.decode("latin-1") in _AROUND:
            moved += box(kind, _moved(inner, by))
        elif kind == b"stco":
            places = struct.unpack(f">{len(inner) // 4 - 2}I", inner[8:])
            moved += box(kind, inner[:8], struct.pack(f">{len(places)}I", *(place + by for place in places)))
        else:
            moved += box(kind, inner)
    return moved


def nested(depth: int, *, kind: bytes, inside: bytes = b"") -> bytes:
    """Boxes in boxes in boxes."""
    for _ in range(depth):
        inside = box(kind, inside)
    return inside
