"""Films that are whole, with something in them that is unusual, unwanted or not to be told."""

from __future__ import annotations

import math
import struct
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests import clips
from tests.media.hostile.boxes import STBL, added, box, boxes_in, changed, full, part, written
from tests.media.hostile.small import H264, again, film, made

Make = Callable[[], bytes]
PLACE = b"+51.5072-000.1276/"
SECRETS = (b"CANARY", PLACE, "\u202egnp.exe".encode(), b"=cmd|", b"\r\nX-Injected")
"""What is in the metadata of some films, and must be in nothing that comes out."""
TEXTS = (
    b"<script>CANARY</script>",
    b"CANARY\r\nX-Injected: yes",
    b"=cmd|' /C calc'!CANARY",
    "CANARY \u202egnp.exe".encode(),
    b"CANARY\0after",
    b"CANARY " + b"A" * (1 << 20),
    b"\xff\xfe CANARY \xc3\x28",
)


def _told(*texts: bytes) -> bytes:
    """A film with texts as its title, place and comment, in the ways of phones (``udta``, ``meta``, XMP)."""
    boxes = [box(b"\xa9nam", struct.pack(">HH", len(text) & 0xFFFF, 0x55C4), text) for text in texts]
    place = box(b"\xa9xyz", struct.pack(">HH", len(PLACE), 0x15C7), PLACE)
    handler = full(b"hdlr", bytes(4), b"mdir", bytes(13))
    entries = [box(b"\xa9cmt", box(b"data", struct.pack(">2I", 1, 0), text)) for text in texts]
    meta = full(b"meta", handler, box(b"ilst", *entries))
    identifier = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    told = added(film(), "moov", box(b"udta", place, *boxes, meta))
    return told + box(b"uuid", identifier, b"<x:xmpmeta>CANARY</x:xmpmeta>")


def _turned(degrees: float) -> bytes:
    angle = math.radians(degrees)
    a, b = round(math.cos(angle) * 65536), round(math.sin(angle) * 65536)
    return written(film(), "moov.trak.tkhd", 40, struct.pack(">9i", a, b, 0, -b, a, 0, 0, 0, 1 << 30))


def _matrix(*numbers: int) -> Make:
    return lambda: written(film(), "moov.trak.tkhd", 40, struct.pack(">9i", *numbers))


def _codec(name: bytes) -> Make:
    """The pictures are said to be of another kind."""
    return lambda: written(film(), f"{STBL}.stsd", 12, name)


class _Bits:
    """Writes the numbers of a sequence parameter set (ITU-T H.264, 7.3.2.1 and 9.1)."""

    def __init__(self) -> None:
        self._bits = ""

    def fixed(self, value: int, width: int) -> None:
        self._bits += f"{value:0{width}b}"

    def exp_golomb(self, *values: int) -> None:
        for value in values:
            self._bits += "0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}"

    def done(self) -> bytes:
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _sps(macroblocks_wide: int, macroblocks_high: int, *, references: int = 1) -> bytes:
    bits = _Bits()
    bits.fixed(66, 8)  # baseline
    bits.fixed(0, 8)
    bits.fixed(62, 8)
    bits.exp_golomb(0, 0, 2, references)
    bits.fixed(0, 1)
    bits.exp_golomb(macroblocks_wide - 1, macroblocks_high - 1)
    bits.fixed(0b1100, 4)  # frames only, direct 8x8, no cropping, no VUI
    payload = bits.done()
    escaped = bytearray()
    for byte in payload:  # emulation prevention
        if escaped[-2:] == b"\0\0" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    return b"\x67" + bytes(escaped)


def _parameters(sps: bytes) -> bytes:
    """The decoder is told other sizes than the container tells."""
    pps = b"\x68\xce\x38\x80"
    avcc = bytes([1, 66, 0, 62, 0xFF, 0xE1]) + struct.pack(">H", len(sps)) + sps + b"\1" + struct.pack(">H", 4) + pps

    def change(stsd: bytes) -> bytes:
        (kind, entry), *_ = boxes_in(stsd[8:])
        return stsd[:8] + box(kind, entry[:78], box(b"avcC", avcc))

    return changed(film(), f"{STBL}.stsd", change)


def _bomb() -> bytes:
    """Few bytes, many pictures: each of twelve is shown for five seconds."""
    samples = struct.pack(">3I", 1, 12, 5 * 12288)
    return changed(film(), f"{STBL}.stts", lambda _: bytes(4) + samples)


def _subtitled(suffix: str, codec: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder, "words.srt")
        words.write_text("1\n00:00:00,000 --> 00:00:00,300\n<b>CANARY</b>\n", encoding="utf-8")
        return made(
            *("-map", "0:v", "-map", "1:a", "-map", "2:s", *H264, "-c:s", codec),
            suffix=suffix,
            more=("-i", str(words)),
        )


def _covered() -> bytes:
    return again(film(), "-frames:v", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v", "attached_pic")


def _only_subtitles() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder, "words.srt")
        words.write_text("1\n00:00:00,000 --> 00:00:00,300\nCANARY\n", encoding="utf-8")
        return made("-map", "2:s", "-c:s", "ass", suffix=".mkv", more=("-i", str(words)))


def _many_tracks() -> bytes:
    tracks = box(b"trak", part(film(), "moov.trak")) * 40
    return added(film(), "moov", tracks)


def streams() -> Mapping[str, tuple[Make, str]]:
    """By name: how to make it, and the code that it must meet; ``fine`` where a film must come out."""
    silent = ("-an", "-frames:v", "3")
    return {
        "MagicYUV in Matroska": (
            lambda: made("-c:v", "magicyuv", "-pix_fmt", "yuv444p", *silent, suffix=".mkv"),
            "film_codec_unknown",
        ),
        "MagicYUV in MOV": (_codec(b"M8Y0"), "film_codec_unknown"),
        "Motion JPEG": (lambda: made("-c:v", "mjpeg", *silent, suffix=".mov"), "film_codec_unknown"),
        "ProRes": (lambda: made("-c:v", "prores_ks", *silent, suffix=".mov"), "film_codec_unknown"),
        "MPEG-4 part 2": (lambda: made("-c:v", "mpeg4", *silent), "film_codec_unknown"),
        "FFV1": (lambda: made("-c:v", "ffv1", *silent, suffix=".mkv"), "film_codec_unknown"),
        "raw pictures": (lambda: made("-c:v", "rawvideo", *silent, suffix=".mov"), "film_codec_unknown"),
        "pictures of no known kind": (_codec(b"zzzz"), "film_codec_unknown"),
        "sound of a cinema": (lambda: made(*H264[:-2], "-c:a", "ac3", suffix=".mov"), "sound_codec_unknown"),
        "sound of an unknown kind in a WebM": (
            lambda: made("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libvorbis", suffix=".webm"),
            "sound_codec_unknown",
        ),
        "an AVI": (lambda: made(*H264[:-2], "-an", suffix=".avi"), "not_a_film"),
        "a transport stream": (lambda: made(*H264, suffix=".ts"), "not_a_film"),
        "pictures of 16 million pixels": (clips.huge, "film_too_large"),
        "parameters of 65536 by 65536 pixels": (lambda: _parameters(_sps(4096, 4096)), "film_unreadable"),
        "parameters of four billion macroblocks": (lambda: _parameters(_sps(1 << 16, 1 << 16)), "film_unreadable"),
        "parameters with a thousand references": (lambda: _parameters(_sps(10, 6, references=1000)), "film_unreadable"),
        "twelve pictures that last a minute": (_bomb, "fine"),
        "forty tracks": (_many_tracks, "film_too_many_tracks"),
        "a sound recording": (lambda: again(film(), "-vn"), "film_without_picture"),
        "a sound recording with a picture on its cover": (_covered, "film_without_picture"),
        "only subtitles": (_only_subtitles, "film_without_picture"),
        "subtitles beside the pictures": (lambda: _subtitled(".mp4", "mov_text"), "fine"),
        "styled subtitles beside the pictures": (lambda: _subtitled(".mkv", "ass"), "fine"),
        "titles and places of every bad kind": (lambda: _told(*TEXTS), "fine"),
        "a film turned by 45 degrees": (lambda: _turned(45), "fine"),
        "a film turned by 359 degrees": (lambda: _turned(359), "fine"),
        "a matrix of zeros": (_matrix(0, 0, 0, 0, 0, 0, 0, 0, 0), "fine"),
        "a matrix of the largest numbers": (_matrix(*[0x7FFFFFFF] * 9), "fine"),
        "a size that changes in the middle": (clips.changing_mp4, "fine"),
        "a variable rate": (clips.variable_mov, "fine"),
        "ten bits with a high dynamic range": (clips.hlg_mov, "fine"),
        "VP9 and Opus": (
            lambda: made("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", suffix=".webm"),
            "fine",
        ),
        "a webm that is only a beginning": (lambda: b"\x1aE\xdf\xa3", "film_unreadable"),
        "a webm of ones": (lambda: b"\x1aE\xdf\xa3" + b"\xff" * 5000, "film_unreadable"),
    }
