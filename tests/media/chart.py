"""Test films as phones make them: every picture says its number, which way is up, and what its colours were.

The top fifth of a picture is its number as sixteen light or dark columns; below stand red and green above blue and
yellow. A tone sounds from 0.4 to 0.7 seconds. All of it is made here, with the bundled ffmpeg; a film lasts a second.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 160, 120
BITS = 16
SAMPLE_RATE = 48_000
TONE = (0.4, 0.7)
COLOURS = {
    "top left": (200, 40, 40),
    "top right": (40, 170, 60),
    "bottom left": (50, 60, 190),
    "bottom right": (210, 190, 50),
}
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-tag:v", "hvc1")
AAC = ("-c:a", "aac")
Picture = npt.NDArray[np.uint8]
Signal = npt.NDArray[np.uint16]


def picture(number: int, *, width: int, height: int) -> Picture:
    """One picture as red, green and blue."""
    drawn = np.zeros((height, width, 3), np.uint8)
    for place, (rows, columns) in _places(width, height).items():
        drawn[rows, columns] = COLOURS[place]
    for bit in range(BITS):
        columns = slice(bit * width // BITS, (bit + 1) * width // BITS)
        drawn[: height // 5, columns] = 220 if number >> bit & 1 else 20
    return drawn


def _places(width: int, height: int) -> dict[str, tuple[slice, slice]]:
    top, middle, centre = height // 5, height * 3 // 5, width // 2
    return {
        "top left": (slice(top, middle), slice(0, centre)),
        "top right": (slice(top, middle), slice(centre, width)),
        "bottom left": (slice(middle, height), slice(0, centre)),
        "bottom right": (slice(middle, height), slice(centre, width)),
    }


def number_in(drawn: Picture) -> int:
    """The number of an upright picture, of any size."""
    height, width, _ = drawn.shape
    row = drawn[height // 10].mean(axis=1)
    return sum(int(row[width * (2 * bit + 1) // (2 * BITS)] > 128) << bit for bit in range(BITS))


def colours_in(drawn: Picture) -> dict[str, tuple[int, int, int]]:
    """The colour in the middle of each quarter of an upright picture."""
    height, width, _ = drawn.shape
    found = {}
    for place, (rows, columns) in _places(width, height).items():
        deep, wide = (rows.stop - rows.start) // 4, (columns.stop - columns.start) // 4
        middle = drawn[rows.start + deep : rows.stop - deep, columns.start + wide : columns.stop - wide]
        red, green, blue = (round(float(part)) for part in middle.reshape(-1, 3).mean(axis=0))
        found[place] = (red, green, blue)
    return found


def film(
    *arguments: str,
    rate: Fraction | int = 30,
    frames: int = 30,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    suffix: str = ".mp4",
    signal: Callable[[Picture], Signal] | None = None,
) -> bytes:
    """Encode a film with the given arguments for the output; its sound lasts as long as its pictures.

    Args:
        arguments: for ffmpeg, before the output.
        rate: pictures a second.
        frames: how many pictures.
        size: width and height.
        suffix: of the output, which says what container it is.
        signal: what stands for a picture's colours in the film, 16 bits each; the colours themselves if not given.
    """
    with tempfile.TemporaryDirectory() as folder:
        pictures, sound = Path(folder, "pictures"), Path(folder, "sound")
        drawn = (picture(number, width=size[0], height=size[1]) for number in range(frames))
        pictures.write_bytes(b"".join((signal(each) if signal else each).tobytes() for each in drawn))
        sound.write_bytes(tone(frames / Fraction(rate)))
        return run(
            *(
                "-f",
                "rawvideo",
                "-pixel_format",
                "rgb48le" if signal else "rgb24",
                "-video_size",
                f"{size[0]}x{size[1]}",
            ),
            *("-framerate", str(rate), "-i", str(pictures)),
            *("-f", "s16le", "-sample_rate", str(SAMPLE_RATE), "-ch_layout", "mono", "-i", str(sound)),
            *arguments,
            suffix=suffix,
        )


@cache
def plain() -> bytes:
    """H.264 and AAC in MP4, the index at the end; what many of the others are made from."""
    return film(*H264, *AAC)


def again(source: bytes, *arguments: str, before: tuple[str, ...] = (), suffix: str = ".mp4") -> bytes:
    """Another film from a film."""
    with on_disk(source) as path:
        return run(*before, "-i", path, *arguments, suffix=suffix)


@contextmanager
def on_disk(source: bytes) -> Iterator[str]:
    """A film as a file for a while."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "source")
        path.write_bytes(source)
        yield str(path)


def tone(seconds: Fraction) -> bytes:
    """The tone, and silence around it, as 16-bit samples."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * 1000 * at) * 16_000
    wave[(at < TONE[0]) | (at >= TONE[1])] = 0
    return wave.astype("<i2").tobytes()


def run(*arguments: str, suffix: str) -> bytes:
    """Run ffmpeg; gives what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, f"out{suffix}")
        program = imageio_ffmpeg.get_ffmpeg_exe()
        command = [program, "-loglevel", "error", "-nostdin", *arguments, str(out)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return out.read_bytes()
