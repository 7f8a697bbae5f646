"""Films of people who were never filmed together: a portrait in the public domain, cut out and moved about."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import skimage.data
import skimage.transform

from media.detections import Face

WIDTH, HEIGHT, RATE = 640, 352, 25
Image = npt.NDArray[np.uint8]


@cache
def _portrait() -> Image:
    """Head and shoulders: NASA's photograph of Eileen Collins, as scikit-image ships it."""
    picture: Image = skimage.data.astronaut()[10:330, 80:380]
    return picture


_FACE = (0.33, 0.20, 0.34, 0.42)
"""Where the face is in the portrait: x, y, width and height, as parts of it."""


@dataclass(frozen=True)
class Visitor:
    """Somebody in a film.

    Attributes:
        at: where the portrait's left upper corner is in a frame, in pixels; None where they aren't there.
        size: of the portrait, in pixels (the face is about 0.4 of it).
    """

    at: Callable[[int], tuple[float, float] | None]
    size: int = 160

    def face(self, frame: int) -> Face | None:
        """Where the face is."""
        place = self.at(frame)
        if place is None:
            return None
        x, y, width, height = (part * self.size for part in _FACE)
        return Face(place[0] + x, place[1] + y, width, height, 1)

    def is_in(self, frame: int) -> bool:
        """Whether all of the face is in the picture."""
        face = self.face(frame)
        return (
            face is not None
            and face.x >= 0
            and face.y >= 0
            and face.x + face.width <= WIDTH
            and face.y + face.height <= HEIGHT
        )


@cache
def _scaled(size: int) -> Image:
    scaled = skimage.transform.resize(_portrait(), (size, size), anti_aliasing=True)
    return np.asarray(scaled * 255, np.uint8)


@cache
def _room(shade: int) -> Image:
    """A wall with a pattern that is nobody."""
    across, down = np.meshgrid(np.linspace(0, 9, WIDTH), np.linspace(0, 5, HEIGHT))
    pattern = 90 + shade + 30 * np.sin(across) * np.cos(down)
    return np.stack([pattern, pattern * 0.9, pattern * 0.8], axis=2).clip(0, 255).astype(np.uint8)


def pictures(*visitors: Visitor, frames: int, shade: Callable[[int], int] = lambda _: 0) -> Iterator[Image]:
    """Each frame with everybody in it, the last in front."""
    for number in range(frames):
        picture = _room(shade(number)).copy()
        for visitor in visitors:
            place = visitor.at(number)
            if place is not None:
                _paste(picture, _scaled(visitor.size), x=round(place[0]), y=round(place[1]))
        yield picture


def film(shown: Iterable[Image]) -> bytes:
    """A film of these pictures, as a working copy is made."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24"]
    command += ["-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(RATE), "-i", "pipe:0", "-c:v", "libx264"]
    command += ["-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov"]
    raw = b"".join(picture.tobytes() for picture in shown)
    return subprocess.run([*command, "-f", "mp4", "pipe:1"], input=raw, capture_output=True, check=True).stdout


def _paste(picture: Image, portrait: Image, *, x: int, y: int) -> None:
    size = len(portrait)
    left, top, right, bottom = max(0, x), max(0, y), min(WIDTH, x + size), min(HEIGHT, y + size)
    if left < right and top < bottom:
        picture[top:bottom, left:right] = portrait[top - y : bottom - y, left - x : right - x]
