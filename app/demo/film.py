"""A film as a phone makes it, for a demonstration without one: H.264, ``moov`` at the end, a place in its metadata."""

from __future__ import annotations

from pathlib import Path

import ffmpeg
from imageio_ffmpeg import get_ffmpeg_exe

SECONDS = 12
PLACE = "+54.9069-001.3838/"
"""A location such as phones write (a park); it must not survive."""


def make_phone_film(path: Path, *, seconds: int = SECONDS) -> None:
    """Write a 720p film with moving shapes and a tone that changes, about 1 MB for each four seconds."""
    picture = ffmpeg.input(f"testsrc2=size=1280x720:rate=30:duration={seconds}", format="lavfi")
    sound = ffmpeg.input(f"sine=frequency=330:beep_factor=4:sample_rate=48000:duration={seconds}", format="lavfi")
    (
        ffmpeg.output(
            picture,
            sound,
            str(path),
            vcodec="libx264",
            preset="ultrafast",
            crf=20,
            pix_fmt="yuv420p",
            acodec="aac",
            metadata=f"location={PLACE}",
            format="mp4",
        )
        .overwrite_output()
        .run(cmd=get_ffmpeg_exe(), quiet=True)
    )


def make_second_film(path: Path) -> None:
    """Write a short film as other phones make it: 8-bit HEVC in a QuickTime file, ``moov`` at the end, no sound."""
    picture = ffmpeg.input("testsrc=size=640x360:rate=25:duration=3", format="lavfi")
    (
        ffmpeg.output(picture, str(path), vcodec="libx265", preset="ultrafast", pix_fmt="yuv420p", format="mov")
        .global_args("-x265-params", "log-level=none")
        .overwrite_output()
        .run(cmd=get_ffmpeg_exe(), quiet=True)
    )
