"""Ways to look at what came out."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
from av.audio.frame import AudioFrame

from media.launcher import Job, Result, run
from tests import clips
from tests.media.shelf import Object

__all__ = ["Object", "boxes_of", "make", "numbers_of", "tone_of"]


def make(job: Job, source: Object, *, on_progress: Callable[[int], object] = lambda _: None) -> tuple[Object, Result]:
    """Carry out a job; gives the sealed output and the result."""
    made = Object()
    result = run(job, source=source.source(), sink=made.sink(), on_progress=on_progress)
    made.header = result.sealed.header
    return made, result


def numbers_of(film: bytes) -> list[int]:
    """The numbers that a film's pictures carry, in order; the picture must be upright."""
    with av.open(io.BytesIO(film)) as container:
        return [clips.number_in(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


def tone_of(film: bytes) -> tuple[float, float, float]:
    """When the tone begins and ends in a film, and how long its sound is, in seconds."""
    with av.open(io.BytesIO(film)) as container:
        samples = np.concatenate(
            [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0) if isinstance(frame, AudioFrame)]
        )
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    return loud[0] / clips.SAMPLE_RATE, loud[-1] / clips.SAMPLE_RATE, len(samples) / clips.SAMPLE_RATE


def boxes_of(film: bytes) -> list[str]:
    """The names of all boxes in an MP4, as paths."""
    found: list[str] = []
    _walk(film, 0, len(film), "", found)
    return found


def _walk(film: bytes, at: int, end: int, path: str, found: list[str]) -> None:
    while at < end:
        size, name = int.from_bytes(film[at : at + 4], "big"), film[at + 4 : at + 8].decode("latin-1")
        head = 8
        if size == 1:
            size, head = int.from_bytes(film[at + 8 : at + 16], "big"), 16
        found.append(f"{path}{name}")
        if name in {"moov", "trak", "edts", "mdia", "minf", "dinf", "stbl"}:
            _walk(film, at + head, at + size, f"{path}{name}.", found)
        at += size
