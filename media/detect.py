"""The detector's work: small raw frames in, ``media.detections`` out. It never sees compressed film, a key or a name.

It has a sandbox of its own between the decoder and the finisher, in the encoder's place.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from media import detector
from media.centerface import CenterFace, Faces
from media.detections import MOST_FACES, Face, pack, pack_faces
from media.small import Picture, Rect, Size
from media.watching import Watch

_OUT = 1
_FAILED = 1
_AHEAD = 6
_LONGEST = Fraction(4, 5)
"""Seconds after which all of a picture is looked at, whatever is new in it."""


def main(fds: dict[str, int], *, words: str) -> None:
    """Carry out one order.

    Args:
        fds: ``picture``: where frames come from. What was found goes to standard output.
        words: the order.
    """
    order = detector.Order.of_text(words)
    network = CenterFace(detector.MODEL)

    def look(picture: Picture, rect: Rect, size: Size, least: float) -> Faces:
        return network.look(picture, rect, size=size, least=least)

    longest = round(order.fps * _LONGEST)
    watch = Watch(look, step=order.step, longest=longest, threads=order.threads)
    frames = 0
    for picture in _pictures(fds["picture"], order=order, held=watch.holds):
        watch.take(frames, picture)
        frames += 1
    watch.close()
    packed = {number: _packed(faces, order=order) for number, faces in watch.seen.items()}
    film = (order.film_width, order.film_height)
    _write(pack(*film, fps=order.fps, frames=frames, packed=packed, cuts=watch.cuts))


def _pictures(fd: int, *, order: detector.Order, held: int) -> Iterator[Picture]:
    """The frames; each stays as it is until so many more were asked for.

    A thread reads ahead, so that the decoder works on while somebody is looked for, and always into the same memory:
    for a system that gives out fresh memory and takes it back it is more work than reading.
    """
    size = order.width * order.height * 3 // 2
    room = [np.empty(size, np.uint8) for _ in range(held + _AHEAD + 1)]
    ready: queue.Queue[bool] = queue.Queue(maxsize=_AHEAD)

    def read() -> None:
        number = 0
        while _filled(fd, room[number % len(room)]):
            number += 1
            ready.put(True)
        ready.put(False)

    threading.Thread(target=read, daemon=True).start()
    number = 0
    while ready.get():
        yield Picture.of(room[number % len(room)], width=order.width, height=order.height)
        number += 1


def _filled(fd: int, raw: npt.NDArray[np.uint8]) -> bool:
    held = 0
    with raw.data as view:
        while held < len(view):
            got = os.readv(fd, [view[held:]])
            if got == 0:
                break
            held += got
    if 0 < held < len(raw):  # the decoder has failed, and says so itself
        os._exit(_FAILED)
    return held > 0


def _packed(faces: Faces, *, order: detector.Order) -> bytes:
    if len(faces) > MOST_FACES:  # to leave any out would leave somebody uncovered
        os._exit(_FAILED)
    across, down = order.film_width / order.width, order.film_height / order.height
    return pack_faces(
        Face(x * across, y * down, width * across, height * down, min(1.0, score))
        for x, y, width, height, score in faces.tolist()
    )


def _write(data: bytes) -> None:
    with memoryview(data) as view:
        at = 0
        while at < len(view):
            at += os.write(_OUT, view[at:])
