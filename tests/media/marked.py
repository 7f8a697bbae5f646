"""A film that tells on the family in every place that phones and editors write to."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.media import chart

PLACE = "+51.5072-000.1276+011.000/"
DEVICE = "Acme Fone 15 Pro"
TAKEN = datetime(2019, 7, 6, 5, 4, 3, tzinfo=UTC)
SINCE_1904 = struct.pack(">I", int((TAKEN - datetime(1904, 1, 1, tzinfo=UTC)).total_seconds()))
TRACES = (
    PLACE,
    "51.5072",
    DEVICE,
    "2019-07-06",
    "Kitchen at Nans",
    "SN-4711-SECRET",
    "Camera of Kit",
    "Words under the picture",
    "In the stream itself",
    "Left over and free",
    "photoshop:City",
)
_UUID = "6d1d9b05-42d5-44e6-80e2-141daff757b2"


def marked_film() -> bytes:
    """The film: H.264 and AAC with subtitles, and traces in headers, boxes, handlers, subtitles, stream and slack."""
    with TemporaryDirectory() as folder:
        words = Path(folder, "words.srt")
        words.write_text(f"1\n00:00:00,000 --> 00:00:00,900\nWords under the picture {PLACE}\n", encoding="utf-8")
        film = chart.again(
            chart.plain(),
            *("-i", str(words), "-map", "0:v", "-map", "0:a", "-map", "1", "-c", "copy", "-c:s", "mov_text"),
            *("-bsf:v", f"h264_metadata=sei_user_data={_UUID}+In the stream itself {PLACE}"),
            *("-metadata", f"creation_time={TAKEN.isoformat()}", "-metadata", "title=Kitchen at Nans"),
            *("-metadata:s:v", "handler_name=Camera of Kit", "-metadata:s:a", "handler_name=Camera of Kit"),
        )
    start = film.rindex(b"moov") - 4
    moov = film[start + 8 :]
    return (
        film[:start]
        + _box(b"free", b"Left over and free")
        + _box(b"moov", _into_first_track(moov, _user_data()), _user_data(), _apple(), _box(b"uuid", _xmp()))
        + _box(b"uuid", _xmp())
        + _box(b"skip", b"Left over and free")
    )


def _user_data() -> bytes:
    def classic(name: str, text: str) -> bytes:
        return _box(b"\xa9" + name.encode(), struct.pack(">2H", len(text), 0x15C7), text.encode())

    where = struct.pack(">IHx", 0, 0x15C7) + b"\0\0" + struct.pack(">3i", 0, 0, 0) + f"{PLACE}\0".encode()
    named = struct.pack(">IH", 0, 0x15C7)
    return _box(
        b"udta",
        *(classic("xyz", PLACE), classic("mak", DEVICE), classic("mod", DEVICE), classic("day", "2019-07-06")),
        *(_box(b"loci", where), _box(b"titl", named, b"Kitchen at Nans\0"), _box(b"auth", named, b"Camera of Kit\0")),
        _box(b"smta", b"SN-4711-SECRET"),
    )


def _apple() -> bytes:
    told = {
        "location.ISO6709": PLACE,
        "make": DEVICE,
        "model": DEVICE,
        "creationdate": "2019-07-06T05:04:03+0100",
        "content.identifier": "SN-4711-SECRET",
    }
    keys = b"".join(_box(b"mdta", f"com.apple.quicktime.{name}".encode()) for name in told)
    values = b"".join(
        _box(struct.pack(">I", number), _box(b"data", struct.pack(">2I", 1, 0), text.encode()))
        for number, text in enumerate(told.values(), start=1)
    )
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(14))
    return _box(b"meta", handler, _box(b"keys", struct.pack(">2I", 0, len(told)), keys), _box(b"ilst", values))


def _xmp() -> bytes:
    text = f"<x:xmpmeta><rdf:Description photoshop:City='Nan' exif:GPS='{PLACE}' tiff:Model='{DEVICE}'/></x:xmpmeta>"
    return bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + text.encode()


def _into_first_track(moov: bytes, more: bytes) -> bytes:
    at = moov.index(b"trak") - 4
    size = int.from_bytes(moov[at : at + 4], "big")
    return moov[:at] + struct.pack(">I", size + len(more)) + moov[at + 4 : at + size] + more + moov[at + size :]


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body
