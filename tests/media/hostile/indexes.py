"""Films whose index lies: sizes, counts, times and places that can't be, or that cost too much to believe."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.media.hostile.boxes import STBL, added, box, boxes_in, changed, full, nested, part, written
from tests.media.hostile.small import again, film

FTYP = box(b"ftyp", b"isom\0\0\2\0isommp41")
MANY = 0xFFFFFFFF
Make = Callable[[], bytes]


def _table(*numbers: int) -> bytes:
    return bytes(4) + struct.pack(f">{len(numbers)}I", *numbers)


def _with_table(name: str, *numbers: int) -> Make:
    return lambda: changed(film(), f"{STBL}.{name}", lambda _: _table(*numbers))


def _index_first_of_size(size: int) -> bytes:
    index = bytearray(box(b"moov", part(film(), "moov")))
    index[:4] = size.to_bytes(4, "big")
    return FTYP + bytes(index)


def _two_indexes() -> bytes:
    """The second one tells of a film of another size."""
    other = written(film(), "moov.trak.tkhd", 76, struct.pack(">2I", 9 << 16, 9 << 16))
    return film() + box(b"moov", part(other, "moov"))


def _of_size(width: int, height: int) -> bytes:
    """Both the track's header and its description say so; the pictures themselves are as they were."""
    made = written(film(), "moov.trak.tkhd", 76, struct.pack(">2I", (width & 0xFFFF) << 16, (height & 0xFFFF) << 16))
    return written(made, f"{STBL}.stsd", 8 + 8 + 24, struct.pack(">2H", width & 0xFFFF, height & 0xFFFF))


def _elsewhere(address: bytes) -> bytes:
    """The samples are said to lie in another file."""
    reference = full(b"url ", address + b"\0")
    return changed(film(), "moov.trak.mdia.minf.dinf.dref", lambda _: _table(1) + reference)


def _alias(path: Path) -> bytes:
    """The same in the way of old Macintoshes, which demuxers have followed."""
    name = str(path).encode()
    record = bytes(4) + struct.pack(">HHH", 150 + 4 + len(name), 2, 0) + bytes(142)
    reference = full(b"alis", record, struct.pack(">HH", 2, len(name)), name, struct.pack(">HH", 0xFFFF, 0))
    return changed(film(), "moov.trak.mdia.minf.dinf.dref", lambda _: _table(1) + reference)


def _last_of_type_0() -> bytes:
    """A last box without a size goes on to the end: that is allowed."""
    boxes = boxes_in(film())
    index = next(content for kind, content in boxes if kind == b"moov")
    rest = b"".join(box(kind, content) for kind, content in boxes if kind != b"moov")
    return rest + struct.pack(">I4s", 0, b"moov") + index


def indexes(decoy: Path) -> Mapping[str, tuple[Make, str]]:
    """By name: how to make it, and the code that it must meet; ``fine`` where a film must come out.

    Args:
        decoy: another family's film, which some of them name.
    """
    return {
        "a film without its index": (lambda: film()[: len(film()) // 2], "film_truncated"),
        "a film without its end": (
            lambda: again(film(), "-movflags", "+faststart")[:-2000],
            "film_truncated",
        ),
        "an index that stops in the middle": (lambda: film()[:-200], "film_truncated"),
        "an index of size 0 that is the last box": (_last_of_type_0, "fine"),
        "an index of size 0 that swallows all": (lambda: _index_first_of_size(0), "film_unreadable"),
        "a box of 7 bytes": (lambda: FTYP + struct.pack(">I4s", 7, b"moov"), "film_unreadable"),
        "an index of 7 bytes": (lambda: _index_first_of_size(7), "film_unreadable"),
        "a box of 2 to the 63 bytes": (lambda: FTYP + struct.pack(">I4sQ", 1, b"mdat", 1 << 63), "film_truncated"),
        "a box of 2 to the 64 bytes less one": (
            lambda: FTYP + struct.pack(">I4sQ", 1, b"moov", (1 << 64) - 1) + part(film(), "moov"),
            "film_truncated",
        ),
        "a large box smaller than its own head": (
            lambda: FTYP + struct.pack(">I4sQ", 1, b"moov", 9),
            "film_unreadable",
        ),
        "an empty index": (lambda: FTYP + box(b"moov"), "film_unreadable"),
        "2,000 boxes in boxes": (lambda: FTYP + nested(2000, kind=b"moov"), "film_unreadable"),
        "2,000 tracks in tracks": (lambda: FTYP + box(b"moov", nested(2000, kind=b"trak")), "film_without_picture"),
        "2,000 boxes in a good film's user data": (
            lambda: added(film(), "moov", box(b"udta", nested(2000, kind=b"meta"))),
            "fine",
        ),
        "100,000 tiny boxes": (lambda: FTYP + box(b"free") * 100_000 + film(), "not_a_film"),
        "two indexes": (_two_indexes, "fine"),
        "65535 by 65535 pixels, says the index": (lambda: _of_size(65535, 65535), "fine"),
        "0 by 0 pixels, says the index": (lambda: _of_size(0, 0), "fine"),
        "four billion samples of one size": (_with_table("stsz", 1, MANY), "film_empty"),
        "four billion samples of their own size": (_with_table("stsz", 0, MANY), "film_unreadable"),
        "four billion runs of time": (_with_table("stts", MANY), "film_unreadable"),
        "four billion samples in one run": (_with_table("stts", 1, MANY, 1), "fine"),
        "samples that last 0": (_with_table("stts", 1, 12, 0), "fine"),
        "samples that last less than 0": (_with_table("stts", 1, 12, 0x80000000), "film_too_long"),
        "samples that last minus one": (_with_table("stts", 1, 12, MANY), "fine"),
        "one sample that lasts for centuries": (_with_table("stts", 1, 12, 0x7FFFFFFF), "film_too_long"),
        "shifts of minus two thousand million": (
            lambda: added(film(), STBL, box(b"ctts", _table(1, 12, 0x80000000))),
            "film_too_long",
        ),
        "a time scale of 0": (
            lambda: written(_with_table("stts", 1, 12, 1)(), "moov.trak.mdia.mdhd", 12, bytes(4)),
            "fine",
        ),
        "a film's time scale of 0": (lambda: written(film(), "moov.mvhd", 12, bytes(4)), "fine"),
        "the longest duration": (
            lambda: changed(
                film(),
                "moov.trak.mdia.mdhd",
                lambda _: struct.pack(">B3x2QIQ4x", 1, 0, 0, 12288, (1 << 63) - 1),
            ),
            "fine",
        ),
        "a film's longest duration": (
            lambda: written(film(), "moov.mvhd", 12, struct.pack(">2I", 1, MANY - 1)),
            "fine",
        ),
        "chunks past the end": (_with_table("stco", 1, MANY), "film_empty"),
        "four billion chunks": (_with_table("stco", MANY), "film_empty"),
        "chunks of four billion samples": (_with_table("stsc", 1, 1, MANY, 1), "fine"),
        "no description of its samples": (_with_table("stsd", 0), "film_unreadable"),
        "four billion descriptions": (lambda: written(film(), f"{STBL}.stsd", 4, b"\xff" * 4), "film_unreadable"),
        "samples in another family's film": (lambda: _elsewhere(f"file://{decoy}".encode()), "fine"),
        "samples at an address": (lambda: _elsewhere(b"http://127.0.0.1/film.mp4"), "fine"),
        "samples behind an alias": (lambda: _alias(decoy), "film_unreadable"),
    }
