"""Silence over stretches of sound: exact to the sample, with nothing of what was there left in it.

The sound fades out before a stretch and in after it, so that neither end clicks; the stretch itself is all zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from media.orders import SAMPLE_RATE

_FADE = SAMPLE_RATE // 200
_BYTES = 2


class Mute:
    """Passes sound on, silenced where it must be.

    Args:
        stretches: from which sample of the output up to which (exclusive), in order.
        channels: 1 or 2.
        write: takes the samples, 16 bits each.
    """

    def __init__(self, stretches: Sequence[tuple[int, int]], *, channels: int, write: Callable[[bytes], None]) -> None:
        self._stretches = stretches
        self._channels = channels
        self._write = write
        self._at = 0

    def write(self, data: bytes) -> None:
        """Take the next samples."""
        first, last = self._at, self._at + len(data) // (_BYTES * self._channels)
        self._at = last
        for start, end in self._stretches:
            if first < end + _FADE and start - _FADE < last:
                data = self._silenced(data, first=first, stretch=(start, end))
        self._write(data)

    def _silenced(self, data: bytes, *, first: int, stretch: tuple[int, int]) -> bytes:
        samples = np.frombuffer(data, np.int16).reshape(-1, self._channels)
        at = np.arange(first, first + len(samples))
        distance = np.maximum(stretch[0] - at, at - stretch[1] + 1)  # 1 for the samples next to it, 0 or less within
        share = np.clip(distance / _FADE, 0, 1)
        return bytes(np.asarray(samples * share[:, None], np.int16).tobytes())
