"""The detector's work: small raw frames in, ``media.detections`` out. It never sees compressed film, a key or a name.

It has a sandbox of its own between the decoder and the finisher, in the encoder's place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from media import detector
from media.centerface import CenterFace, Faces, Picture
from media.detections import MOST_FACES, Face, pack, pack_faces
from media.watching import Watch

_OUT = 1
_FAILED = 1


def main(fds: dict[str, int], *, words: str) -> None:
    """Carry out one order.

    Args:
        fds: ``picture``: where frames come from. What was found goes to standard output.
        words: the order.
    """
    order = detector.Order.of_text(words)
    network = CenterFace(detector.MODEL)
    watch = Watch(lambda picture, least: network.look(picture, least=least), step=order.step, threads=order.threads)
    frames = 0
    for picture in _pictures(fds["picture"], order=order):
        watch.take(frames, picture)
        frames += 1
    watch.close()
    packed = {number: _packed(faces, order=order) for number, faces in watch.seen.items()}
    film = (order.film_width, order.film_height)
    _write(pack(*film, fps=order.fps, frames=frames, packed=packed, cuts=watch.cuts))


def _pictures(fd: int, *, order: detector.Order) -> Iterator[Picture]:
    size = 3 * order.width * order.height
    while True:
        raw = bytearray(size)
        held = 0
        with memoryview(raw) as view:
            while held < size:
                got = os.readv(fd, [view[held:]])
                if got == 0:
                    break
                held += got
        if held == 0:
            return
        if held < size:  # the decoder has failed, and says so itself
            os._exit(_FAILED)
        yield np.frombuffer(raw, np.uint8).reshape(3, order.height, order.width)


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
