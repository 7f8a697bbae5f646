"""A small real film, made once for a run: moving pictures and a tone."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

import imageio_ffmpeg


@cache
def small_film(seconds: int = 2) -> bytes:
    """An H.264 MP4 of 160 by 120 pixels, 25 frames a second."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error",
        "-f", "lavfi", "-i", f"testsrc2=size=160x120:rate=25:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "film.mp4")
        subprocess.run([*command, made], check=True)
        return made.read_bytes()
