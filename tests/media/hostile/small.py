"""A small good film to spoil: twelve pictures with sound, the index at the end; and small films of other kinds."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

import imageio_ffmpeg

PICTURES = 12
SIZE = "160x96"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "6", "-c:a", "aac")


@cache
def film() -> bytes:
    """The good one; without an edit list, which would put many a lie about time right again."""
    return made(*H264, "-shortest", "-use_editlist", "0")


def made(*arguments: str, suffix: str = ".mp4", size: str = SIZE, more: tuple[str, ...] = ()) -> bytes:
    """A film of the test pattern and a tone, encoded so."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, f"out{suffix}")
        source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=24:duration=0.5")
        sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.5")
        _ffmpeg(*source, *sound, *more, *arguments, "-fflags", "+bitexact", str(out))
        return out.read_bytes()


def again(old: bytes, *arguments: str, suffix: str = ".mp4", before: tuple[str, ...] = ()) -> bytes:
    """A film packed anew."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "source.mp4"), Path(folder, f"out{suffix}")
        source.write_bytes(old)
        _ffmpeg(*before, "-i", str(source), "-c", "copy", *arguments, str(out))
        return out.read_bytes()


def _ffmpeg(*arguments: str) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-loglevel", "error", "-nostdin", *arguments], check=True, timeout=60)
