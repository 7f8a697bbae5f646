"""What nobody can be faster than: ffmpeg decodes a film and encodes it with the settings of ``media.encode``."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av

from media import encode, spawn
from media.orders import Shape


def floor_command(film: Path, out: Path) -> list[str]:
    """The command; its options for the output are those that our own encoder is given, word for word."""
    with av.open(str(film)) as opened:
        picture = opened.streams.video[0]
        rate = picture.average_rate or Fraction(25)
        channels = 2 if opened.streams.audio else 0
        shape = Shape(picture.width, picture.height, rate, 0, channels, 0, 0)
    ours = encode.film_command(shape, program=spawn.ffmpeg(), picture=0, sound=3, threads=os.cpu_count() or 1)
    options = list(ours[ours.index("-f", len(ours) - ours[::-1].index("-i")) :])
    while "-map" in options:
        at = options.index("-map")
        del options[at : at + 2]
    options[options.index("pipe:1")] = str(out)
    return [spawn.ffmpeg(), "-y", "-i", str(film), *options]
