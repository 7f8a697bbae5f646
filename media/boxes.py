"""Reading the encoder's fragmented MP4, box by box, and believing none of it (ISO/IEC 14496-12 and 14496-15).

Only the boxes named here may appear. What is taken over is the samples, their sizes, which of them are key frames,
their order of showing, and the two decoder configurations; everything else is written anew by ``media.layout``.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from media.refusals import OUTPUT_UNEXPECTED, Unfit

_MOST_BOX = 64 << 20
_IGNORED = frozenset({b"mfra", b"sidx"})
_NOT_A_KEY_FRAME = 0x10000
_SLICES = frozenset({1, 5})
_PARAMETERS = frozenset({7, 8, 9})  # SPS, PPS, access unit delimiter: ITU-T H.264, table 7-1
_IMMEDIATE_REFRESH = 5


@dataclass(slots=True)
class TrackTable:
    """What was seen of one track.

    Attributes:
        kind: ``vide`` or ``soun``.
        scale: ticks a second.
        configuration: payload of its ``avcC`` or ``esds`` box.
        width, height: of the pictures.
        sizes: bytes of each sample.
        durations: ticks of each sample.
        shifts: ticks from decoding to showing.
        keys: numbers of the samples that are key frames, from 1.
        chunks: for each run of samples that lies together: where it lies in what is kept, and how many.
    """

    kind: bytes
    scale: int
    configuration: bytes
    width: int = 0
    height: int = 0
    sizes: array[int] = field(default_factory=lambda: array("I"))
    durations: array[int] = field(default_factory=lambda: array("I"))
    shifts: array[int] = field(default_factory=lambda: array("i"))
    keys: array[int] = field(default_factory=lambda: array("I"))
    chunks: list[tuple[int, int]] = field(default_factory=list)

    def end(self) -> int:
        """Where its last sample ends in what is kept."""
        at, samples = self.chunks[-1]
        return at + sum(self.sizes[-samples:])


class FragmentReader:
    """Takes a fragmented MP4 as a stream.

    Args:
        read: gives at most so many bytes, nothing at the end.
        keep: takes the samples' bytes, in order.
    """

    def __init__(self, read: Callable[[int], bytes], *, keep: Callable[[memoryview], object]) -> None:
        self._read = read
        self._keep = keep
        self._kept = 0
        self._defaults: dict[int, tuple[int, int, int]] = {}
        self.tracks: dict[int, TrackTable] = {}

    def read_all(self) -> None:
        """Read to the end.

        Raises:
            Unfit: there is something in it that shouldn't be.
        """
        moof: memoryview | None = None
        for kind, payload in self._boxes():
            if kind == b"moov" and not self.tracks:
                self._take_moov(payload)
            elif kind == b"moof" and self.tracks and moof is None:
                moof = payload
            elif kind == b"mdat" and moof is not None:
                self._take_fragment(moof, payload)
                moof = None
            elif kind != b"ftyp" and kind not in _IGNORED:
                unexpected()
        if moof is not None or not self.tracks:
            unexpected()

    def _boxes(self) -> Iterator[tuple[bytes, memoryview]]:
        while head := self._exactly(8, may_end=True):
            length, kind = struct.unpack(">I4s", head)
            if not 8 <= length <= _MOST_BOX:  # noqa: PLR2004 - a box's own header
                unexpected()
            yield kind, memoryview(self._exactly(length - 8))

    def _exactly(self, length: int, *, may_end: bool = False) -> bytes:
        data = bytearray()
        while len(data) < length:
            piece = self._read(length - len(data))
            if not piece:
                if may_end and not data:
                    return b""
                unexpected()
            data += piece
        return bytes(data)

    def _take_moov(self, moov: memoryview) -> None:
        for kind, payload in inner(moov, allowed=(b"mvhd", b"trak", b"mvex", b"udta")):
            if kind == b"trak":
                self._take_trak(payload)
            elif kind == b"mvex":
                for name, values in inner(payload, allowed=(b"trex", b"mehd")):
                    if name == b"trex":
                        number, _, duration, size, flags = struct.unpack(">5I", values[4:24])
                        self._defaults[number] = (duration, size, flags)
        kinds = sorted(track.kind for track in self.tracks.values())
        if kinds not in ([b"vide"], [b"soun", b"vide"]):
            unexpected()

    def _take_trak(self, trak: memoryview) -> None:
        parts = dict(inner(trak, allowed=(b"tkhd", b"mdia", b"edts")))
        number = struct.unpack(">I", parts[b"tkhd"][12:16])[0]
        media = dict(inner(parts[b"mdia"], allowed=(b"mdhd", b"hdlr", b"minf")))
        scale = struct.unpack(">I", media[b"mdhd"][12:16])[0]
        kind = bytes(media[b"hdlr"][8:12])
        minf = dict(inner(media[b"minf"], allowed=(b"vmhd", b"smhd", b"dinf", b"stbl")))
        stbl = dict(inner(minf[b"stbl"], allowed=(b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"stss")))
        (entry,) = inner(stbl[b"stsd"][8:], allowed=(b"avc1", b"mp4a"))
        if kind == b"vide" and entry[0] == b"avc1":
            width, height = struct.unpack(">2H", entry[1][24:28])
            children = dict(inner(entry[1][78:], allowed=(b"avcC", b"colr", b"pasp", b"btrt")))
            self.tracks[number] = TrackTable(kind, scale, bytes(children[b"avcC"]), width, height)
        elif kind == b"soun" and entry[0] == b"mp4a":
            children = dict(inner(entry[1][28:], allowed=(b"esds", b"btrt")))
            self.tracks[number] = TrackTable(kind, scale, bytes(children[b"esds"]))
        else:
            unexpected()

    def _take_fragment(self, moof: memoryview, mdat: memoryview) -> None:
        runs: list[_Run] = []
        for kind, payload in inner(moof, allowed=(b"mfhd", b"traf")):
            if kind == b"traf":
                runs += self._take_traf(payload)
        start = len(moof) + 8 + 8  # data offsets count from the moof box; the mdat box follows it
        for run in sorted(runs, key=lambda run: run.offset):
            sizes = run.track.sizes[run.first : run.first + run.count]
            at, size = start - len(moof) - 16, sum(sizes)
            if run.offset != start or at + size > len(mdat):
                unexpected()
            data = mdat[at : at + size]
            if run.track.kind == b"vide":
                _check_pictures(data, sizes, keys=run.keys)
            run.track.chunks.append((self._kept, run.count))
            self._keep(data)
            self._kept += size
            start += size
        if start - len(moof) - 16 != len(mdat):
            unexpected()

    def _take_traf(self, traf: memoryview) -> list[_Run]:
        parts = list(inner(traf, allowed=(b"tfhd", b"tfdt", b"trun")))
        if not parts or parts[0][0] != b"tfhd":
            unexpected()
        head = _Words(parts[0][1])
        flags, number = head.whole() & 0xFFFFFF, head.whole()
        if number not in self.tracks or flags & 0x3:
            unexpected()
        track, (duration, size, key) = self.tracks[number], self._defaults[number]
        duration = head.whole() if flags & 0x8 else duration
        size = head.whole() if flags & 0x10 else size
        key = head.whole() if flags & 0x20 else key
        return [_take_run(_Words(p), track, (duration, size, key)) for kind, p in parts[1:] if kind == b"trun"]


class _Words:
    """Takes 32-bit numbers off a box, one after the other."""

    def __init__(self, payload: memoryview) -> None:
        self._payload = payload
        self._at = 0

    def whole(self) -> int:
        self._at += 4
        return int.from_bytes(self._payload[self._at - 4 : self._at], "big")

    def signed(self) -> int:
        self._at += 4
        return int.from_bytes(self._payload[self._at - 4 : self._at], "big", signed=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """Samples of one track that lie together: ``count`` from number ``first`` on; ``keys`` count from 0 in the run."""

    offset: int
    track: TrackTable
    first: int
    count: int
    keys: frozenset[int]


def _take_run(words: _Words, track: TrackTable, defaults: tuple[int, int, int]) -> _Run:
    flags, count = words.whole() & 0xFFFFFF, words.whole()
    if not flags & 0x1 or not 0 < count <= 1 << 16:
        unexpected()
    offset = words.signed()
    first = words.whole() if flags & 0x4 else None
    start, keys = len(track.sizes), set()
    for number in range(count):
        duration = words.whole() if flags & 0x100 else defaults[0]
        size = words.whole() if flags & 0x200 else defaults[1]
        key = words.whole() if flags & 0x400 else defaults[2]
        shift = words.signed() if flags & 0x800 else 0
        key = first if first is not None and number == 0 else key
        track.sizes.append(size)
        track.durations.append(duration)
        track.shifts.append(shift)
        if not key & _NOT_A_KEY_FRAME:
            keys.add(number)
            track.keys.append(len(track.sizes))
    return _Run(offset, track, start, count, frozenset(keys))


def _check_pictures(data: memoryview, sizes: array[int], *, keys: frozenset[int]) -> None:
    """Each picture is slices and parameters only, so nothing else can travel in it; key frames are what they say."""
    at = 0
    for number, size in enumerate(sizes):
        end, kinds = at + size, set()
        while at < end:
            length = int.from_bytes(data[at : at + 4], "big")
            if length < 1 or at + 4 + length > end:
                unexpected()
            kinds.add(data[at + 4] & 0x1F)
            at += 4 + length
        if kinds - _SLICES - _PARAMETERS or not kinds & _SLICES or (number in keys) != (_IMMEDIATE_REFRESH in kinds):
            unexpected()


def inner(payload: memoryview, *, allowed: tuple[bytes, ...]) -> Iterator[tuple[bytes, memoryview]]:
    """The boxes in a box.

    Raises:
        Unfit: one of them isn't allowed there, or doesn't fit.
    """
    at = 0
    while at < len(payload):
        head = bytes(payload[at : at + 8])
        if len(head) < 8:  # noqa: PLR2004 - a box's own header
            unexpected()
        length, kind = struct.unpack(">I4s", head)
        if kind not in allowed or not 8 <= length <= len(payload) - at:  # noqa: PLR2004 - likewise
            unexpected()
        yield kind, payload[at + 8 : at + length]
        at += length


def unexpected() -> NoReturn:
    """This isn't what our encoder writes."""
    raise Unfit(OUTPUT_UNEXPECTED)
