"""A calm film for journeys and pictures: a drawn parent holds out a spoon, a drawn child reaches. Nobody real."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 960, 540, 25
SECONDS = 8
FRAMES = RATE * SECONDS

Point = tuple[float, float]
Picture = NDArray[np.float32]

WALL, FLOOR, WINDOW, FRAME = (236, 226, 208), (190, 160, 128), (176, 210, 224), (250, 250, 246)
TABLE, BOWL, SPOON = (158, 112, 74), (70, 120, 140), (212, 214, 216)
PARENT, CHILD, HAIR, FAIR = (52, 104, 108), (206, 122, 72), (62, 44, 36), (120, 82, 48)
SKIN, DARK, CHEEK = (226, 178, 146), (40, 34, 32), (226, 148, 128)


def make_calm_film(path: Path) -> None:
    """Write 8 seconds of 540p with a soft tone, as a phone makes them: H.264, ``moov`` at the end, under 300 KB."""
    picture = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{WIDTH}x{HEIGHT}", framerate=RATE)
    sound = ffmpeg.input(f"sine=frequency=220:sample_rate=48000:duration={SECONDS}", format="lavfi")
    process = (
        ffmpeg.output(
            picture, sound, str(path), vcodec="libx264", preset="veryfast", crf=24, pix_fmt="yuv420p", acodec="aac"
        )
        .overwrite_output()
        .run_async(cmd=get_ffmpeg_exe(), pipe_stdin=True, quiet=True)
    )
    still = _room()
    for number in range(FRAMES):
        process.stdin.write(_frame(still, number / FRAMES).astype(np.uint8).tobytes())
    process.communicate()
    assert process.returncode == 0


def _room() -> Picture:
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = WALL
    picture[430:] = FLOOR
    picture[50:240, 400:600] = FRAME
    picture[62:228, 412:588] = WINDOW
    picture[62:228, 494:506] = FRAME
    picture[138:148, 412:588] = FRAME
    return picture


def _frame(room: Picture, at: float) -> Picture:
    """The room at a moment from 0 to 1."""
    picture = room.copy()
    near = 0.5 - 0.5 * math.cos(2 * math.pi * at)
    nod = 4 * math.sin(4 * math.pi * at)
    spoon = (430 + 150 * near, 318 - 26 * near)
    hand = (spoon[0] - 92, spoon[1] + 16)
    reach = (700 - 52 * near, 366 - 52 * near)
    _person(picture, head=(250, 190 + nod), size=74, shirt=PARENT, hair=HAIR, looks=10, smile=18)
    _person(picture, head=(748, 262 - nod), size=58, shirt=CHILD, hair=FAIR, looks=-9, smile=10 + 8 * near)
    _line(picture, (0, 450), (WIDTH, 450), 26, TABLE)
    picture[455:] = TABLE
    _line(picture, (560, 418), (640, 418), 20, BOWL)
    _line(picture, (556, 404), (644, 404), 7, FRAME)
    _line(picture, (285, 352), hand, 24, PARENT)
    _line(picture, hand, hand, 24, SKIN)
    _line(picture, (hand[0] + 6, hand[1] - 3), spoon, 4, SPOON)
    _line(picture, (spoon[0] - 8, spoon[1] + 2), (spoon[0] + 8, spoon[1] - 2), 11, SPOON)
    _line(picture, (724, 392), reach, 18, CHILD)
    _line(picture, reach, reach, 18, SKIN)
    return picture


def _person(
    picture: Picture,
    *,
    head: Point,
    size: float,
    shirt: tuple[int, int, int],
    hair: tuple[int, int, int],
    looks: float,
    smile: float,
) -> None:
    x, y = head
    _line(picture, (x, y + size * 2.1), (x, y + size * 3.2), size * 0.95, shirt)
    _line(picture, (x, y + size), (x, y + size * 1.3), size * 0.3, SKIN)
    _line(picture, (x, y - size * 0.14), (x, y - size * 0.14), size * 1.08, hair)
    _line(picture, (x + looks / 2, y + 6), (x + looks / 2, y + 10), size * 0.92, SKIN)
    for side in (-1, 1):
        eye = (x + looks + side * size * 0.34, y - 2)
        _line(picture, eye, eye, size * 0.09, DARK)
        cheek = (x + looks + side * size * 0.5, y + size * 0.34)
        _line(picture, cheek, cheek, size * 0.14, CHEEK)
    bent = [
        (x + looks + step * size * 0.09, y + size * 0.42 + smile * (1 - (step / 4) ** 2) * 0.6) for step in range(-4, 5)
    ]
    for one, other in pairwise(bent):
        _line(picture, one, other, size * 0.045, DARK)


def _line(picture: Picture, start: Point, end: Point, radius: float, colour: tuple[int, int, int]) -> None:
    """A line with round ends, smooth at its edges: every shape here is one."""
    left = max(math.floor(min(start[0], end[0]) - radius - 1), 0)
    right = min(math.ceil(max(start[0], end[0]) + radius + 2), WIDTH)
    top = max(math.floor(min(start[1], end[1]) - radius - 1), 0)
    bottom = min(math.ceil(max(start[1], end[1]) + radius + 2), HEIGHT)
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    along: Any = (end[0] - start[0], end[1] - start[1])
    squared = along[0] ** 2 + along[1] ** 2
    where = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / squared if squared else np.zeros_like(x)
    where = np.clip(where, 0, 1)
    away = np.hypot(x - start[0] - where * along[0], y - start[1] - where * along[1])
    cover = np.clip(radius + 0.5 - away, 0, 1)[..., None]
    picture[top:bottom, left:right] += cover * (np.array(colour, np.float32) - picture[top:bottom, left:right])
