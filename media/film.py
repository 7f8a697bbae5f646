"""Opening a sealed film inside the decoder: what it may be, what is looked at first, what comes out.

The demuxer is chosen by us from the first bytes, never by probing, so that a playlist or script is only ever text.
Codecs are on a short list, sizes are checked before a frame is decoded, and no other file or address can be named.
"""

from __future__ import annotations

import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn, cast

import av
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideDataContainer, Type
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.segments import SegmentReader, index_of, plain_offset_of
from media.jobs import Bounds
from media.refusals import Unfit
from media.timeline import Moment

_KEPT_SEGMENTS = 24
_BUFFER = 64 * 1024
_MOST_BOXES = 4096
_STILLS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"jxl "})
_PICTURE_CODECS = frozenset({"h264", "hevc", "vp9", "av1"})
_SOUND_CODECS = frozenset({"aac", "opus", "mp3"})
_DECODERS = (
    "h264,hevc,vp9,libvpx-vp9,av1,libdav1d,aac,opus,libopus,mp3,mp3float,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_u8"
)
_BAD_PACKETS = 50


class SealedFile:
    """A film as the file object that PyAV reads: plaintext for a moment, from segments that authenticate.

    Args:
        reader: opens segments.
        shelf: segments that were opened lately; the threads of one film share it.
    """

    def __init__(self, reader: SegmentReader, *, shelf: Shelf) -> None:
        self._reader = reader
        self._shelf = shelf
        self._at = 0

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes from here (never more: the caller's buffer is no larger)."""
        if size <= 0 or self._at >= self._reader.plain_size:
            return b""
        index = index_of(self._at)
        start = self._at - plain_offset_of(index)
        piece = self._shelf.segment(index)[start : start + size]
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; past the end is allowed, and reads nothing."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._reader.plain_size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at


class Shelf:
    """A few opened segments (the demuxer jumps to and fro), shared by threads."""

    def __init__(self, reader: SegmentReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._turn = threading.Lock()

    def segment(self, index: int) -> bytes:
        """One segment's plaintext."""
        with self._turn:
            if index not in self._kept:
                self._kept[index] = self._reader.segment(index)
            self._kept.move_to_end(index)
            if len(self._kept) > _KEPT_SEGMENTS:
                self._kept.popitem(last=False)
            return self._kept[index]


@dataclass(slots=True)
class Film:
    """An opened film that passed every check which needs no decoding.

    Attributes:
        container: PyAV's.
        picture: its stream of pictures.
        sound: its stream of sound, if any.
        duration: seconds, if it says so.
        bad: how many pieces couldn't be decoded so far.
    """

    container: InputContainer
    picture: VideoStream
    sound: AudioStream | None
    duration: Fraction | None
    bad: int = field(default=0)

    def lasts(self, *, start: Fraction) -> Fraction | None:
        """How long its pictures last, in seconds, if it says so; ``start`` is the time of the first."""
        if self.picture.duration and self.picture.time_base:
            return self.picture.duration * self.picture.time_base
        return self.duration and max(Fraction(0), self.duration - max(Fraction(0), start))  # as Matroska: from zero

    def frames(self) -> Iterator[VideoFrame]:
        """Its pictures from here on, in the order they are shown."""
        for frame in self._decoded(self.picture):
            if isinstance(frame, VideoFrame):
                yield frame

    def sounds(self) -> Iterator[AudioFrame]:
        """Its sound from here on."""
        if self.sound is None:
            return
        for frame in self._decoded(self.sound):
            if isinstance(frame, AudioFrame):
                yield frame

    def _decoded(self, stream: VideoStream | AudioStream) -> Iterator[object]:
        for other in self.container.streams:
            other.discard = Discard.default if other.index == stream.index else Discard.all
        # Packets without a decoding time are decoded too: the last of them flushes what the decoder holds back.
        for packet in self.container.demux(stream):
            try:
                decoded = packet.decode()
            except FFmpegError as error:
                self.bad += 1
                if self.bad > _BAD_PACKETS:
                    code = "film_unreadable"
                    raise Unfit(code) from error
                continue
            yield from decoded


def open_film(reader: SegmentReader, *, shelf: Shelf, bounds: Bounds, threads: int) -> Film:
    """Open a film and check it.

    Args:
        reader: opens its segments.
        shelf: where opened segments are kept.
        bounds: what is allowed.
        threads: for decoding.

    Raises:
        Unfit: it is no film, or out of bounds.
    """
    av.logging.set_level(av.logging.PANIC)
    demuxer = _demuxer_for(SealedFile(reader, shelf=shelf), size=reader.plain_size)
    try:
        container = av.open(
            SealedFile(reader, shelf=shelf),
            mode="r",
            format=demuxer,
            buffer_size=_BUFFER,
            options={"max_pixels": str(bounds.pixels), "threads": "1", "codec_whitelist": _DECODERS},
            container_options={
                "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
                "codec_whitelist": _DECODERS,
                "protocol_whitelist": "none",
                "max_streams": str(8 * bounds.streams),  # so that a film with a few too many is told so
            },
            metadata_errors="replace",
        )
    except (FFmpegError, ValueError) as error:
        code = "film_unreadable"
        raise Unfit(code) from error
    film = Film(container, _picture_of(container, bounds=bounds), _sound_of(container), _duration_of(container))
    if film.duration is not None and film.duration > bounds.duration.total_seconds():
        _refuse("film_too_long")
    film.picture.codec_context.options = {"max_pixels": str(bounds.pixels)}
    film.picture.thread_type = "AUTO"
    film.picture.thread_count = threads
    return film


def moment_of(frame: VideoFrame, *, start: Fraction, after: Fraction) -> Moment[VideoFrame]:
    """A picture and its time.

    Args:
        frame: the picture.
        start: the time of the film's first picture, in seconds.
        after: what to take where it has no time of its own.
    """
    base = frame.time_base or Fraction(0)
    at = frame.pts * base - start if frame.pts is not None else after
    return Moment(at, Fraction(frame.duration or 0) * base, frame)


def matrix_of(frame: VideoFrame) -> tuple[int, ...] | None:
    """Its display matrix, if it has one."""
    data = cast(SideDataContainer, frame.side_data)  # PyAV's stub names only what it gives by another way
    for piece in iter(data):
        if piece.type is Type.DISPLAYMATRIX:
            return struct.unpack("=9i", bytes(piece)[:36])
    return None


def _demuxer_for(file: SealedFile, *, size: int) -> str:
    start = file.read(12)
    if start[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if start[4:8] not in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"} or start[8:12] in _STILLS:
        _refuse("not_a_film")
    _walk_boxes(file, size=size)
    return "mov"


def _walk_boxes(file: SealedFile, *, size: int) -> None:
    """Refuse an MP4 that lost its end: a box that goes on after the file, or no ``moov`` at all."""
    at, seen = 0, set()
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        head = (file.read(16) + bytes(16))[:16]
        length, kind, large = struct.unpack(">I4sQ", head)
        if length == 1:
            length = large
        elif length == 0:
            length = size - at
        if length < 8 or at + length > size:  # noqa: PLR2004 - a box's own header
            if b"moov" in seen and kind not in {b"mdat", b"moof"}:
                break  # some cameras write something of their own after the film
            _refuse("film_truncated" if length >= 8 else "film_unreadable")  # noqa: PLR2004 - likewise
        seen.add(kind)
        at += length
    if b"moov" not in seen:
        _refuse("film_truncated" if b"mdat" in seen else "not_a_film")


def _picture_of(container: InputContainer, *, bounds: Bounds) -> VideoStream:
    if len(container.streams) > bounds.streams:
        _refuse("film_too_many_tracks")
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        _refuse("film_without_picture" if len(container.streams) else "film_unreadable")
    known = [s for s in streams if s.codec_context and s.codec_context.codec.canonical_name in _PICTURE_CODECS]
    if not known:
        _refuse("film_codec_unknown")
    stream = known[0]  # some cameras put a small preview, of another kind, beside the film
    check_size(stream.width, stream.height, bounds=bounds)
    return stream


def check_size(width: int, height: int, *, bounds: Bounds) -> None:
    """Refuse a picture that is out of bounds.

    Raises:
        Unfit: it is.
    """
    if width <= 0 or height <= 0:
        _refuse("film_unreadable")
    if width * height > bounds.pixels or max(width, height) > bounds.side:
        _refuse("film_too_large")


def _sound_of(container: InputContainer) -> AudioStream | None:
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is not None:
            name = context.codec.canonical_name
            if name in _SOUND_CODECS or name.startswith("pcm_"):
                return stream
    if container.streams.audio:  # losing the sound without a word would be worse
        _refuse("sound_codec_unknown")
    return None


def _duration_of(container: InputContainer) -> Fraction | None:
    known = [Fraction(container.duration, av.time_base)] if container.duration else []
    known += [s.duration * s.time_base for s in container.streams if s.duration and s.time_base]
    return max(known, default=None)


def _refuse(code: str) -> NoReturn:
    raise Unfit(code)
