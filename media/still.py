"""The last look at a JPEG (PURE): only what a picture needs, no comment, no Exif, nothing after its end.

Markers: ITU-T T.81, table B.1.
"""

from __future__ import annotations

from media.boxes import unexpected

MOST_BYTES = 8 << 20
_START, _END = b"\xff\xd8", b"\xff\xd9"
_JFIF, _SCAN, _FRAME = 0xE0, 0xDA, 0xC0
_ALLOWED = frozenset({_JFIF, 0xDB, _FRAME, 0xC4, 0xDD, _SCAN})
_RESTARTS = range(0xD0, 0xD8)


def check(data: bytes, *, size: tuple[int, int]) -> None:
    """Look at a JPEG.

    Args:
        data: the whole of it.
        size: the width and height that it must have.

    Raises:
        Unfit: there is something in it that shouldn't be.
    """
    if not data.startswith(_START) or not data.endswith(_END):
        unexpected()
    at, seen = _check_head(data)
    if seen != size:
        unexpected()
    while data[at : at + 2] != _END:  # in the picture's own bytes 0xFF is followed by 0, or by a restart marker
        if data[at] == 0xFF and data[at + 1] != 0 and data[at + 1] not in _RESTARTS:  # noqa: PLR2004 - begins a marker
            unexpected()
        at = data.find(b"\xff", at + 1)
        if at < 0:
            unexpected()
    if at + 2 != len(data):
        unexpected()


def _check_head(data: bytes) -> tuple[int, tuple[int, int]]:
    """Look at the segments up to the picture's own bytes; gives where those begin, and width and height."""
    at, size = len(_START), (0, 0)
    marker = 0
    while marker != _SCAN:
        if data[at] != 0xFF or data[at + 1] not in _ALLOWED:  # noqa: PLR2004 - every marker begins so
            unexpected()
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _JFIF and data[at + 4 : at + 9] != b"JFIF\0":
            unexpected()
        if marker == _FRAME:
            size = (int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big"))
        at += 2 + length
    return at, size
