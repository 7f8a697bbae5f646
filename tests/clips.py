"""Test films, made with the bundled ffmpeg: a few seconds, small, made once per run.

Each picture carries its own number as sixteen light or dark columns along the top, and the tone sounds exactly while
``TONE`` pictures show, so that a test can tell from the output alone which frame it sees and whether sound is in step.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, RATE, FRAMES = 320, 180, 30, 75
BITS, BAND = 16, 40
TONE = range(30, 45)
SAMPLE_RATE = 48_000
PLACE = "+51.5072-000.1276/"
Plane = npt.NDArray[np.uint8]


@cache
def phone_mp4() -> bytes:
    """As a phone saves it: H.264 and AAC, the index at the end, the place in its metadata."""
    return _encode(
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "250", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        *("-metadata", f"location={PLACE}", "-metadata", "title=<b>Kitchen</b>\r\n=1+1"),
    )


@cache
def hevc_mov() -> bytes:
    """8-bit HEVC in MOV with the index at the end."""
    return _encode(
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"),
        *("-tag:v", "hvc1", "-c:a", "aac"),
        suffix=".mov",
    )


@cache
def hlg_mov() -> bytes:
    """10-bit HEVC with HLG, as newer phones save it; eight frames."""
    colours = "transfer=arib-std-b67:colorprim=bt2020:colormatrix=bt2020nc"
    return _encode(
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", f"log-level=none:{colours}"),
        *("-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-frames:v", "8", "-an"),
        suffix=".mov",
    )


@cache
def sideways_mp4() -> bytes:
    """Filmed upright: stored on its side with a display matrix that turns it by 90 degrees."""
    return _again(phone_mp4(), "-c", "copy", before=("-display_rotation", "-90"))


@cache
def silent_mp4() -> bytes:
    """Without sound."""
    return _again(phone_mp4(), "-c", "copy", "-an")


@cache
def variable_mov() -> bytes:
    """Variable frame rate: of the second second, only every third picture is there."""
    keep = "select='lt(n,30)+gte(n,60)+not(mod(n,3))'"
    return _encode(
        "-vf", keep, "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", suffix=".mov"
    )


@cache
def late_sound_mov() -> bytes:
    """Sound that begins half a second after the pictures, and stops before they do."""
    return _encode(
        "-af", "atrim=start=0.5:end=1.7", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", suffix=".mov"
    )


@cache
def webm() -> bytes:
    """VP9 and Opus."""
    return _encode("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus", suffix=".webm")


@cache
def huge() -> bytes:
    """One picture of 16 million pixels."""
    return _run(
        *("-f", "lavfi", "-i", "color=c=black:s=4096x4096:r=1", "-frames:v", "1"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        suffix=".mp4",
    )


@cache
def index_first_mp4() -> bytes:
    """With the index first."""
    return _again(phone_mp4(), "-c", "copy", "-movflags", "+faststart")


@cache
def changing_mp4() -> bytes:
    """A second of pictures of one size, then a second of another, in one stream."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder, "stream.h264")
        for size in ("320x180", "640x360"):
            source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={RATE}:d=1")
            part = _run(*source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", suffix=".h264")
            with stream.open("ab") as file:
                file.write(part)
        return _run("-r", str(RATE), "-i", str(stream), "-c", "copy", suffix=".mp4")


def number_in(luma: Plane) -> int:
    """The number that a picture carries.

    Args:
        luma: its Y plane, of any size.
    """
    height, width = luma.shape
    row = luma[height * BAND // HEIGHT // 2]
    return sum(int(row[width * (2 * bit + 1) // (2 * BITS)] > 128) << bit for bit in range(BITS))


def _pictures() -> Iterable[bytes]:
    slope = np.linspace(40, 200, WIDTH, dtype=np.uint8)[None, :].repeat(HEIGHT, axis=0)
    for number in range(FRAMES):
        luma = np.roll(slope, 4 * number, axis=1)
        for bit in range(BITS):
            luma[:BAND, bit * WIDTH // BITS : (bit + 1) * WIDTH // BITS] = 235 if number >> bit & 1 else 16
        yield luma.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)


@cache
def _raw_pictures() -> bytes:
    return b"".join(_pictures())


@cache
def _raw_sound() -> bytes:
    at = np.arange(FRAMES * SAMPLE_RATE // RATE)
    tone = np.sin(2 * np.pi * 1000 * at / SAMPLE_RATE) * 16_000
    step = SAMPLE_RATE // RATE
    tone[(at < TONE.start * step) | (at >= TONE.stop * step)] = 0
    return tone.astype("<i2").tobytes()


def _encode(*arguments: str, suffix: str = ".mp4") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pictures, sound = Path(folder, "pictures"), Path(folder, "sound")
        pictures.write_bytes(_raw_pictures())
        sound.write_bytes(_raw_sound())
        return _run(
            *("-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{WIDTH}x{HEIGHT}"),
            *("-framerate", str(RATE), "-i", str(pictures)),
            *("-f", "s16le", "-sample_rate", str(SAMPLE_RATE), "-ch_layout", "mono", "-i", str(sound)),
            *arguments,
            suffix=suffix,
        )


def _again(film: bytes, *arguments: str, before: tuple[str, ...] = ()) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.mp4")
        source.write_bytes(film)
        return _run(*before, "-i", str(source), *arguments, suffix=".mp4")


def _run(*arguments: str, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, f"out{suffix}")
        program = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run([program, "-loglevel", "error", "-nostdin", *arguments, str(out)], check=True, timeout=60)
        return out.read_bytes()
