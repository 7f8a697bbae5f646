"""The decoder's work: one sealed film in, bounded raw frames and sound out. It never sees the output's key.

Pictures and sound are demuxed separately, each by a thread of its own, so that no way of interleaving them in the
film can make the encoder wait for one while the other is stuck.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import groupby, islice
from typing import NoReturn

from av.error import FFmpegError
from av.video.frame import VideoFrame

from core.errors import VaultError
from core.segments import SegmentReader
from media.covers import Covers
from media.crops import cut_out
from media.film import Film, Shelf, moment_of, open_film
from media.jobs import Crop, Cut, Detect, Job, Normalise, Poster, Redact, Sheet, Strip
from media.orders import SAMPLE_RATE, DecodeOrder, Shape
from media.picture import Painter, upright_size
from media.refusals import OBJECT_DAMAGED, PROCESS_FAILED, Unfit
from media.rendering import Bare, Covered, Renderer
from media.sound import Metronome, Player, Track, keep_step, play
from media.timeline import (
    LOOKED_AT,
    Moment,
    begin_of,
    choose_rate,
    constant_rate,
    fit,
    grid_of,
    samples_until,
    spread,
    whole_cells,
)
from media.wire import BrokenLine, Kind, Line

_TELL_EVERY = 0.2
_PREROLL = Fraction(1, 4)
_NEARLY_ALL = Fraction(9, 10)
_PARTS = 1000


def main(fds: dict[str, int]) -> None:
    """Carry out one order.

    Args:
        fds: ``line``, ``picture`` and ``sound``: where to ask, and where frames and samples go.
    """
    line = Line(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fds["line"]))
    try:
        order = DecodeOrder.of(line.expect(Kind.ORDER).words(), plan=line.ask_plan)
        frames = _Work(order, line=line, picture=fds["picture"], sound=fds["sound"]).carry_out()
        line.post(Kind.DONE, number=frames)
    except Unfit as error:
        _fail(line, error.code)
    except VaultError:  # a segment that doesn't authenticate
        _fail(line, OBJECT_DAMAGED)
    except FFmpegError:
        _fail(line, "film_unreadable")
    except BrokenLine:
        os._exit(1)
    except (MemoryError, OSError, ArithmeticError, ValueError, LookupError):
        _fail(line, PROCESS_FAILED)


def _fail(line: Line, code: str) -> NoReturn:
    line.post(Kind.FAIL, payload=code.encode())
    os._exit(1)


@dataclass(frozen=True, slots=True)
class _Span:
    """Which frames of the constant-rate film are wanted: ``[first, last)``, to its end where last is None."""

    first: int
    last: int | None


class _Work:
    """One film being decoded for one order."""

    def __init__(self, order: DecodeOrder, *, line: Line, picture: int, sound: int) -> None:
        self._order = order
        self._line = line
        self._picture = picture
        self._sound = sound
        self._reader = SegmentReader(
            order.seal.key,
            associated_data=order.seal.associated_data,
            size=order.size,
            header=order.header,
            read_at=line.ask,
        )
        self._shelf = Shelf(self._reader)
        self._film = self._open()
        self._told = 0.0
        beginning = list(islice(self._film.frames(), LOOKED_AT))
        if not beginning:
            _refuse("film_unreadable" if self._film.bad else "film_empty")
        self._first = beginning[0]
        stream = self._film.picture
        self._rate = min(choose_rate(average=stream.average_rate, base=stream.base_rate), Fraction(order.bounds.rate))
        times = [moment_of(frame, start=Fraction(0), after=Fraction(0)).at for frame in beginning]
        self._start = begin_of(times, rate=self._rate)
        self._lasts = self._film.lasts(start=self._start)
        self._length = max(1, round(self._lasts * self._rate)) if self._lasts else 0

    def carry_out(self) -> int:  # noqa: PLR0911 - one for each kind of job
        """Emit everything; gives the number of frames."""
        job: Job = self._order.job
        match job:
            case Normalise():
                return self._emit_film(_Span(0, None))
            case Cut(first_frame=first, last_frame=last):
                return self._emit_film(_Span(first, last))
            case Redact(first_frame=first, last_frame=last, covers=covers):
                return self._emit_film(_Span(first, last), covers=covers)
            case Poster(frame=frame, side=side):
                return self._emit_pictures([frame], side=side, grid=(0, 0))
            case Strip(count=count, side=side):
                frames = spread(count, frames=max(1, self._length))
                return self._emit_pictures(frames, side=side, grid=grid_of(count))
            case Sheet(crops=crops, side=side):
                return self._emit_crops(crops, side=side)
            case Detect(side=side):
                return self._emit_small(side)

    def _open(self) -> Film:
        order = self._order
        return open_film(self._reader, shelf=self._shelf, bounds=order.bounds, threads=order.threads)

    def _size(self, *, long_side: int, short_side: int) -> tuple[int, int]:
        aspect = self._film.picture.sample_aspect_ratio
        return upright_size(self._first, aspect=aspect, long_side=long_side, short_side=short_side)

    # Film

    def _emit_film(self, span: _Span, *, covers: Covers | None = None) -> int:
        bounds = self._order.bounds
        width, height = self._size(long_side=bounds.long_side, short_side=bounds.short_side)
        painter = Painter(width, height, bounds=bounds, threads=self._order.threads)
        renderer: Renderer = Covered(painter, covers=covers) if covers else Bare(painter)
        expected = self._length if span.last is None else span.last - span.first
        if covers is None and span.last is not None and self._length and span.last > self._length:  # a plan counted
            _refuse("beyond_end")
        shape = Shape(width, height, self._rate, expected, self._channels(), 0, 0)
        self._line.tell(Kind.SHAPE, **shape.words())
        metronome = Metronome()
        player = None
        if shape.channels:
            mutes = covers.mutes if covers else ()
            player = Player(lambda: self._sing(span, metronome, mutes=mutes), close=lambda: os.close(self._sound))
            player.start()
        else:
            os.close(self._sound)
        emitted = 0
        for number, frame in self._frames(span):
            for piece in renderer.render(number, frame):
                _write(self._picture, piece)
            emitted += 1
            metronome.beat(self.samples(number + 1))
            self._tell(emitted, of=expected)
        os.close(self._picture)
        metronome.stop(self.samples(span.first + emitted))
        if player:
            player.finish()
        self._check_whole(emitted, span=span)
        return emitted

    def _frames(self, span: _Span) -> Iterator[tuple[int, VideoFrame]]:
        film = self._seek(self._film, Fraction(span.first) / self._rate)
        for number, frame in constant_rate(self._moments(film), rate=self._rate):
            if number < span.first:
                continue
            if span.last is not None and number >= span.last:
                return
            yield number, frame

    def _moments(self, film: Film) -> Iterator[Moment[VideoFrame]]:
        longest = Fraction(self._order.bounds.duration.total_seconds())
        after = Fraction(0)
        for frame in film.frames():
            moment = moment_of(frame, start=self._start, after=after)
            if moment.at + moment.lasts > longest:
                _refuse("film_too_long")
            after = moment.at + 1 / self._rate
            yield moment if self._stays(moment) else replace(moment, lasts=1 / self._rate)

    def _stays(self, moment: Moment[VideoFrame]) -> bool:
        """Whether a picture's own length can be believed, should it be the last."""
        end = moment.at + 1 if self._lasts is None else self._lasts + 1 / self._rate
        return 0 < moment.lasts <= end - moment.at

    def _check_whole(self, emitted: int, *, span: _Span) -> None:
        if emitted == 0 and span.last is None:
            _refuse("film_empty")
        if span.last is not None and emitted < span.last - span.first:
            _refuse("beyond_end")
        if span.last is None and emitted < self._length * _NEARLY_ALL - self._rate:
            _refuse("film_truncated")

    def _channels(self) -> int:
        return 0 if self._film.sound is None else min(2, max(1, self._film.sound.codec_context.channels))

    def _emit_small(self, side: int) -> int:
        """Every frame of the film, small, for the detector, which wants sides that are multiples of 32."""
        os.close(self._sound)
        bounds = self._order.bounds
        film = self._size(long_side=bounds.long_side, short_side=bounds.short_side)
        width, height = whole_cells(film, long_side=side)
        shape = Shape(width, height, self._rate, self._length, 0, 0, 0, *film)
        self._line.tell(Kind.SHAPE, **shape.words())
        painter = Painter(width, height, bounds=bounds, threads=1, kernel="area")
        renderer, emitted = Bare(painter), 0
        for _, frame in self._frames(_Span(0, None)):
            for plane in renderer.render(emitted, frame):
                _write(self._picture, plane)
            emitted += 1
            self._tell(emitted, of=self._length)
        os.close(self._picture)
        self._check_whole(emitted, span=_Span(0, None))
        return emitted

    # Pictures

    def _emit_pictures(self, numbers: list[int], *, side: int, grid: tuple[int, int]) -> int:
        os.close(self._sound)
        full = self._order.bounds
        size = self._size(long_side=full.long_side, short_side=full.short_side)
        width, height = fit(size, long_side=side, short_side=side)
        self._line.tell(Kind.SHAPE, **Shape(width, height, self._rate, len(numbers), 0, *grid).words())
        painter = Painter(width, height, bounds=full, threads=self._order.threads)
        for done, number in enumerate(numbers, start=1):
            _write(self._picture, painter.paint(self._frame(number)))
            self._tell(done, of=len(numbers))
        os.close(self._picture)
        return len(numbers)

    def _emit_crops(self, crops: tuple[Crop, ...], *, side: int) -> int:
        os.close(self._sound)
        full = self._order.bounds
        width, height = self._size(long_side=full.long_side, short_side=full.short_side)
        shape = Shape(side, side, self._rate, len(crops), 0, *grid_of(len(crops)))
        self._line.tell(Kind.SHAPE, **shape.words())
        painter = Painter(width, height, bounds=full, threads=self._order.threads)
        cut: dict[Crop, bytes] = {}
        for number, here in groupby(sorted(crops, key=lambda crop: crop.frame), key=lambda crop: crop.frame):
            upright = painter.upright(self._frame(number))
            cut |= {crop: cut_out(upright, crop, side=side) for crop in here}
            self._tell(len(cut), of=len(crops))
        for crop in crops:
            _write(self._picture, cut[crop])
        os.close(self._picture)
        return len(crops)

    def _frame(self, number: int) -> VideoFrame:
        film = self._seek(self._film, Fraction(number) / self._rate)
        for at, frame in constant_rate(self._moments(film), rate=self._rate):
            if at >= number:
                return frame
        return _refuse("beyond_end")

    # Both

    def samples(self, frame: int) -> int:
        """Samples of sound before a frame."""
        return samples_until(frame, fps=self._rate, rate=SAMPLE_RATE)

    def _sing(self, span: _Span, metronome: Metronome, *, mutes: tuple[tuple[int, int], ...]) -> None:
        """Emit the sound of a span; for the player's thread, on a film of its own."""
        film = self._open()
        channels = self._channels()
        start, end = self.samples(span.first), None if span.last is None else self.samples(span.last)
        write: Callable[[bytes], None] = partial(_write, self._sound)
        if mutes:
            from media.muting import Mute  # noqa: PLC0415 - numpy's start is paid for only where something is muted

            stretches = [(self.samples(first) - start, self.samples(last) - start) for first, last in mutes]
            write = Mute(stretches, channels=channels, write=write).write
        track = Track(start=start, end=end, channels=channels, write=write)
        film = self._seek(film, Fraction(span.first) / self._rate - _PREROLL)
        play(film.sounds(), film_start=self._start, track=track, channels=channels, end=end)
        keep_step(track, metronome)

    def _seek(self, film: Film, at: Fraction) -> Film:
        # To a key frame at or before it; a film without an index is opened again and read from its start.
        base = film.picture.time_base or Fraction(1, 1000)
        try:
            film.container.seek(int((max(Fraction(0), at) + self._start) / base), stream=film.picture, backward=True)
        except FFmpegError:
            return self._open()
        return film

    def _tell(self, done: int, *, of: int) -> None:
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            self._line.post(Kind.PROGRESS, number=min(_PARTS - 1, done * _PARTS // max(1, of)))


def _write(fd: int, data: bytes | memoryview) -> None:
    with memoryview(data) as view:
        at = 0
        while at < len(view):
            at += os.write(fd, view[at:])


def _refuse(code: str) -> NoReturn:
    raise Unfit(code)
