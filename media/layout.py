"""Writing the MP4 that players get (PURE): ``ftyp``, ``moov`` with the whole index, one ``mdat``. Nothing else.

The index comes first, so a player knows length and every key frame after its first request, and seeks by one Range
request (why: docs/decisions/0004). Every byte before the samples is ours: no ``udta``, ``uuid``, ``meta``,
``free``; no dates, no names. Edit lists let the film begin with its first picture and its first sample of sound,
and end together.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable
from itertools import groupby

from media.boxes import TrackTable, unexpected

FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41"
_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LANGUAGE_UNKNOWN = 0x55C4
_SOUND_STEP = 1024
_PRIMING = 1024
"""Samples that ffmpeg's AAC encoder puts before the sound; the edit list leaves them out."""
_PICTURE, _SOUND = 1, 2


def lay_out(
    picture: TrackTable, sound: TrackTable | None, *, frame_ticks: int, samples: int, channels: int
) -> tuple[bytes, int]:
    """Everything before the samples, and how many bytes of what was kept follow it.

    Args:
        picture: the pictures, each ``frame_ticks`` long.
        sound: the sound, if there is any; what lies beyond ``samples`` is left out.
        frame_ticks: length of a picture in the pictures' time scale.
        samples: of sound that belong to the film.
        channels: of the sound.

    Raises:
        Unfit: the pictures aren't at a constant rate, or there isn't enough sound.
    """
    # ffmpeg stretches one track's first sample to line the two up; here edit lists do that.
    if any(duration != frame_ticks for duration in picture.durations[1:]) or picture.keys[:1] != array("I", [1]):
        unexpected()
    length = len(picture.sizes) * frame_ticks
    sound = _first(sound, samples=samples) if sound else None
    body_size = max(track.end() for track in (picture, sound) if track)
    moov = b""
    for _ in range(2):  # the first time to learn its size, which doesn't depend on the offsets in it
        base = len(FTYP) + len(moov) + 16
        traks = _picture_track(picture, frame_ticks=frame_ticks, length=length, base=base)
        if sound:
            traks += _sound_track(sound, channels=channels, length=length, base=base)
        moov = _box(b"moov", _movie(picture.scale, length=length), traks)
    return FTYP + moov + struct.pack(">I4sQ", 1, b"mdat", 16 + body_size), body_size


def _movie(scale: int, *, length: int) -> bytes:
    body = struct.pack(">4I", 0, 0, scale, length) + struct.pack(">IH10x", 0x10000, 0x100) + _UNITY + bytes(24)
    return _full(b"mvhd", 0, body + struct.pack(">I", _SOUND + 1))


def _picture_track(track: TrackTable, *, frame_ticks: int, length: int, base: int) -> bytes:
    delay = track.shifts[0]  # from decoding to showing: what the order of B-frames costs
    entry = (
        struct.pack(">6xH16x2H", 1, track.width, track.height)
        + struct.pack(">2I4xH32xHh", 0x480000, 0x480000, 1, 24, -1)
        + _box(b"avcC", track.configuration)
        + _box(b"colr", b"nclx", struct.pack(">3HB", 1, 1, 1, 0))
    )
    tables = [
        _full(b"stts", 0, struct.pack(">3I", 1, len(track.sizes), frame_ticks)),
        _full(b"stss", 0, _counted(track.keys)),
    ]
    if any(track.shifts):
        tables.append(_full(b"ctts", 0, _runs(track.shifts)))
    return _track(
        _PICTURE,
        size=(track.width, track.height),
        edit=(length, delay),
        media=(track.scale, length),
        handler=(b"vide", _full(b"vmhd", 1, bytes(8))),
        tables=[_full(b"stsd", 0, struct.pack(">I", 1), _box(b"avc1", entry)), *tables, *_places(track, base=base)],
        length=length,
    )


def _sound_track(track: TrackTable, *, channels: int, length: int, base: int) -> bytes:
    entry = struct.pack(">6xH8x2H4xI", 1, channels, 16, track.scale << 16) + _box(b"esds", track.configuration)
    tables = [
        _full(b"stsd", 0, struct.pack(">I", 1), _box(b"mp4a", entry)),
        _full(b"stts", 0, struct.pack(">3I", 1, len(track.sizes), _SOUND_STEP)),
        *_places(track, base=base),
    ]
    return _track(
        _SOUND,
        size=(0, 0),
        edit=(length, _PRIMING),
        media=(track.scale, len(track.sizes) * _SOUND_STEP),
        handler=(b"soun", _full(b"smhd", 0, bytes(4))),
        tables=tables,
        length=length,
    )


def _first(track: TrackTable, *, samples: int) -> TrackTable:
    """The blocks of sound that hold so many samples."""
    wanted = -(-(samples + _PRIMING) // _SOUND_STEP)
    if len(track.sizes) < wanted or any(step != _SOUND_STEP for step in track.durations[1 : wanted - 1]):
        unexpected()
    chunks, left = [], wanted
    for at, blocks in track.chunks:
        if left > 0:
            chunks.append((at, min(left, blocks)))
        left -= blocks
    return TrackTable(track.kind, track.scale, track.configuration, sizes=track.sizes[:wanted], chunks=chunks)


def _track(
    number: int,
    *,
    size: tuple[int, int],
    edit: tuple[int, int],
    media: tuple[int, int],
    handler: tuple[bytes, bytes],
    tables: list[bytes],
    length: int,
) -> bytes:
    kind, header = handler
    volume = 0x100 if kind == b"soun" else 0
    tkhd = struct.pack(">5I8x2hH2x", 0, 0, number, 0, length, 0, 0, volume) + _UNITY
    dref = _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1))
    name = b"pictures\0" if kind == b"vide" else b"sound\0"
    return _box(
        b"trak",
        _full(b"tkhd", 3, tkhd, struct.pack(">2I", size[0] << 16, size[1] << 16)),
        _box(b"edts", _full(b"elst", 0, struct.pack(">2Ii2H", 1, edit[0], edit[1], 1, 0))),
        _box(
            b"mdia",
            _full(b"mdhd", 0, struct.pack(">4I2H", 0, 0, media[0], media[1], _LANGUAGE_UNKNOWN, 0)),
            _full(b"hdlr", 0, bytes(4) + kind + bytes(12) + name),
            _box(b"minf", header, _box(b"dinf", dref), _box(b"stbl", *tables)),
        ),
    )


def _places(track: TrackTable, *, base: int) -> list[bytes]:
    chunks = array("I")
    number = 1
    for samples, run in groupby(samples for _, samples in track.chunks):
        chunks.extend((number, samples, 1))
        number += sum(1 for _ in run)
    offsets = array("Q", (base + at for at, _ in track.chunks))
    return [
        _full(b"stsc", 0, struct.pack(">I", len(chunks) // 3), _big_endian(chunks)),
        _full(b"stsz", 0, struct.pack(">I", 0), _counted(track.sizes)),
        _full(b"co64", 0, struct.pack(">I", len(offsets)), _big_endian(offsets)),
    ]


def _runs(values: Iterable[int]) -> bytes:
    pairs = array("I")
    for value, run in groupby(values):
        if value < 0:
            unexpected()
        pairs.extend((sum(1 for _ in run), value))
    return struct.pack(">I", len(pairs) // 2) + _big_endian(pairs)


def _counted(values: array[int]) -> bytes:
    return struct.pack(">I", len(values)) + _big_endian(values)


def _big_endian(values: array[int]) -> bytes:
    turned = values[:]
    if sys.byteorder == "little":
        turned.byteswap()
    return turned.tobytes()


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)
