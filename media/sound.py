"""Sound in step with the pictures: 16-bit samples at 48 kHz that begin with the first frame and end with the last.

What starts late, stops early or has gaps is filled with silence; what overlaps is dropped. A small wobble of time
stamps is left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from fractions import Fraction

import av
from av.audio.frame import AudioFrame

from media.orders import SAMPLE_RATE

_WOBBLE = SAMPLE_RATE // 20
_BYTES = 2
_SILENCE = bytes(1 << 16)
_AHEAD = SAMPLE_RATE
_PATIENCE = 0.05


class Metronome:
    """How far the pictures are, told by the thread that makes them to the one that makes the sound."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._samples = 0
        self._last: int | None = None

    def beat(self, samples: int) -> None:
        """Pictures up to this sample are out."""
        with self._changed:
            self._samples = samples
            self._changed.notify()

    def stop(self, samples: int) -> None:
        """There are no pictures after this sample."""
        with self._changed:
            self._last = samples
            self._changed.notify()

    def wait(self, *, beyond: int) -> tuple[int, int | None]:
        """Wait a moment for pictures beyond a sample; gives how far they are, and where they end if known."""
        with self._changed:
            if self._samples <= beyond and self._last is None:
                self._changed.wait(_PATIENCE)
            return self._samples, self._last


class Track:
    """Lays sound on the time line of the output and hands it on.

    Args:
        start: the sample of the film at which the output begins.
        end: the first sample that isn't in it any more, if known beforehand.
        channels: 1 or 2.
        write: takes bytes.
    """

    def __init__(self, *, start: int, end: int | None, channels: int, write: Callable[[bytes], None]) -> None:
        self._start = start
        self._end = end
        self._width = channels * _BYTES
        self._write = write
        self._unwanted = 0
        self.at = 0

    def lay(self, data: bytes) -> None:
        """Put samples where the track is; what lies before the start or after the end is dropped."""
        doubled = min(self._unwanted, len(data) // self._width)
        self._unwanted -= doubled
        data = data[doubled * self._width :]
        samples = len(data) // self._width
        first = max(0, self._start - self.at)
        last = samples if self._end is None else min(samples, self._end - self.at)
        if first < last:
            self._write(data[first * self._width : last * self._width])
        self.at += samples

    def skip(self, samples: int) -> None:
        """Drop the next so many samples: there is sound at their place already."""
        self._unwanted += samples

    def hush(self, until: int) -> None:
        """Silence up to a sample."""
        if self.at < self._start:
            self.at = min(until, self._start)
        while self.at < until and (self._end is None or self.at < self._end):
            self.lay(_SILENCE[: (until - self.at) * self._width])


def play(sounds: Iterable[AudioFrame], *, film_start: Fraction, track: Track, channels: int, end: int | None) -> None:
    """Lay a film's sound on a track, each piece at its time.

    Args:
        sounds: decoded sound, from anywhere at or before the track's start.
        film_start: the time of the film's first picture, in seconds.
        track: where to.
        channels: 1 or 2.
        end: the sample after which nothing is wanted, if known.
    """
    resampler, kind = _resampler(channels), None
    expected: Fraction | None = None
    for frame in sounds:
        at = frame.pts * frame.time_base - film_start if frame.pts is not None and frame.time_base else expected
        if expected is None or (at is not None and abs(at - expected) * SAMPLE_RATE > _WOBBLE):
            expected = at or Fraction(0)
            _move(track, to=round(expected * SAMPLE_RATE))
        expected += Fraction(frame.samples, frame.sample_rate)
        frame.pts = None
        if kind not in {None, (frame.format.name, frame.layout.name, frame.sample_rate)}:  # it changes within the film
            _lay(track, resampler.resample(None), channels=channels)
            resampler = _resampler(channels)
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        _lay(track, resampler.resample(frame), channels=channels)
        if end is not None and track.at >= end:
            return
    _lay(track, resampler.resample(None), channels=channels)


def _resampler(channels: int) -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono" if channels == 1 else "stereo", rate=SAMPLE_RATE)


def _move(track: Track, *, to: int) -> None:
    if to >= track.at:
        track.hush(to)
    else:
        track.skip(track.at - to)


def _lay(track: Track, pieces: Iterable[AudioFrame], *, channels: int) -> None:
    for piece in pieces:
        track.lay(bytes(piece.planes[0])[: piece.samples * channels * _BYTES])


def keep_step(track: Track, metronome: Metronome) -> None:
    """After the last sound: silence for as long as pictures come, a second ahead so that the encoder never waits."""
    while True:
        samples, last = metronome.wait(beyond=track.at - _AHEAD)
        if last is not None:
            track.hush(last)
            return
        track.hush(samples + _AHEAD)


class Player(threading.Thread):
    """Makes the sound beside the pictures.

    Args:
        play: makes all of it.
        close: there is no more; also after a failure, so that the encoder doesn't wait for ever.
    """

    def __init__(self, play: Callable[[], None], *, close: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._play = play
        self._close = close
        self._failure: Exception | None = None

    def run(self) -> None:
        """Play to the end."""
        try:
            self._play()
        except Exception as error:  # noqa: BLE001 - handed to the main thread, which raises it
            self._failure = error
        finally:
            self._close()

    def finish(self) -> None:
        """Wait for the end; raises what went wrong."""
        self.join()
        if self._failure:
            raise self._failure
