"""The encoder's command: raw frames and samples in through pipes, a fragmented MP4 or one JPEG out.

Composed by ffmpeg-python, run in a sandbox of its own. It never sees compressed input, a file, a key or a name.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ffmpeg

from media.orders import SAMPLE_RATE, Shape
from media.timeline import ticks

MOST_BITS_PER_SECOND = 12_000_000
_SOUND_BITS_PER_SECOND = 128_000
_MOST_THREADS = 8
_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "quiet")
_BT709 = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "range": "tv"}


def film_command(shape: Shape, *, program: str, picture: int, sound: int, threads: int) -> tuple[str, ...]:
    """Program and arguments that encode a film.

    Args:
        shape: of the frames and samples.
        program: ffmpeg's path.
        picture: file descriptor to read frames from.
        sound: file descriptor to read samples from.
        threads: for encoding.
    """
    streams = [_frames(shape, fd=picture).filter("setparams", **_BT709)]
    if shape.channels:
        streams.append(
            ffmpeg.input(
                f"pipe:{sound}",
                format="s16le",
                sample_rate=SAMPLE_RATE,
                ch_layout=_layout(shape),
                protocol_whitelist="pipe",
            )
        )
    time_scale, _ = ticks(shape.rate)
    second = max(1, round(shape.rate))
    output = ffmpeg.output(
        *streams,
        "pipe:1",
        **{
            "format": "mp4",
            "movflags": "+frag_keyframe+empty_moov+default_base_moof",
            "video_track_timescale": time_scale,
            "c:v": "libx264",
            "preset": "veryfast",
            "crf": 21,
            "maxrate": MOST_BITS_PER_SECOND,
            "bufsize": 2 * MOST_BITS_PER_SECOND,
            "profile:v": "high",
            "pix_fmt": "yuv420p",
            "g": second,  # a key frame each second: quick to seek, and what a cut starts from
            "keyint_min": second,
            "sc_threshold": 0,
            "fps_mode": "passthrough",
            "bsf:v": "filter_units=remove_types=6",  # x264's own settings, which it would write into the film
            **({"c:a": "aac", "b:a": _SOUND_BITS_PER_SECOND} if shape.channels else {}),
            **_silent(threads),
        },
    )
    return _arguments(output, program=program)


def picture_command(shape: Shape, *, program: str, picture: int) -> tuple[str, ...]:
    """Program and arguments that encode one JPEG: a poster, or a strip laid out as a grid."""
    frames = _frames(shape, fd=picture).filter("setparams", **_BT709)
    if shape.columns:
        frames = frames.filter("tile", layout=f"{shape.columns}x{shape.rows}", color="white")
    frames = frames.filter("scale", out_color_matrix="bt601", out_range="pc")
    output = ffmpeg.output(
        frames.filter("format", "yuvj420p"),
        "pipe:1",
        **{"format": "image2pipe", "c:v": "mjpeg", "frames:v": 1, "q:v": 4, **_silent(1)},
    )
    return _arguments(output, program=program)


def _frames(shape: Shape, *, fd: int) -> Any:
    return ffmpeg.input(
        f"pipe:{fd}",
        format="rawvideo",
        pixel_format="yuv420p",
        video_size=(shape.width, shape.height),
        framerate=_text(shape.rate),
        protocol_whitelist="pipe",
    )


def _silent(threads: int) -> dict[str, object]:
    return {"map_metadata": -1, "fflags": "+bitexact", "flags": "+bitexact", "threads": min(threads, _MOST_THREADS)}


def _arguments(output: Any, *, program: str) -> tuple[str, ...]:
    return tuple(ffmpeg.compile(output.global_args(*_QUIET), cmd=program))


def _layout(shape: Shape) -> str:
    return "mono" if shape.channels == 1 else "stereo"


def _text(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"
