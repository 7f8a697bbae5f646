"""Harder films, made from the labelled ones with their own pixels; the labels move along.

* *blurred*: as if the camera had shaken sideways. *dark*: a quarter of the light, and noise. *half*: half the size.
  *tilted*: turned by eight degrees.
* *turning*: people who turn away and back: a piece of the footage, forwards and then backwards.
* *crossing*, *entering* and *hand* (bench/leak_heads.py): labelled heads cut out and carried across an empty room at a
  quarter to six tenths of their width a frame, with the blur of an open shutter; heads that come in at one edge and
  leave at another; and a hand from one film before the face in another, up to beneath the eyes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from bench.leak_films import Clip, Person
from bench.leak_measure import Box

LEAST_WIDTH = 20
RATE = 25
TILT = 8.0
MOST_VISIBLE = 0.6


def read(path: Path) -> Iterator[Image.Image]:
    """A film's pictures in colour."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_image()


def write(path: Path, pictures: Iterable[Image.Image], *, rate: Fraction | int = RATE) -> tuple[int, tuple[int, int]]:
    """Make a film of these pictures, with hardly any loss; give how many they were, and their size."""
    frames = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "14", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            if not frames:
                stream.width, stream.height = picture.size
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
            frames += 1
        container.mux(stream.encode(None))
        return frames, (stream.width, stream.height)


def cut(clip: Clip, folder: Path, *, first: int, last: int) -> Clip:
    """A part of a film; its frames are counted from 0 again."""
    frames = range(first, last + 1)
    return _moved(clip, folder, "part", order=frames, change=lambda picture: picture, place=lambda box: box)


def blurred(clip: Clip, folder: Path) -> Clip:
    """Shaken sideways by a hundredth of the picture's width."""

    def change(picture: Image.Image) -> Image.Image:
        length = max(3, picture.width // 100)
        padded = np.pad(np.asarray(picture, np.float32), ((0, 0), (length, 0), (0, 0)), mode="edge").cumsum(axis=1)
        return Image.fromarray(((padded[:, length:] - padded[:, :-length]) / length).clip(0, 255).astype(np.uint8))

    return _moved(clip, folder, "blurred", change=change, place=lambda box: box)


def dark(clip: Clip, folder: Path) -> Clip:
    """A quarter of the light, and a sensor's noise."""
    dice = np.random.default_rng(5)

    def change(picture: Image.Image) -> Image.Image:
        light = np.asarray(picture, np.float32) / 4
        noise = dice.normal(0, 3, (*light.shape[:2], 1)).astype(np.float32)
        return Image.fromarray((light + noise).clip(0, 255).astype(np.uint8))

    return _moved(clip, folder, "dark", change=change, place=lambda box: box)


def half(clip: Clip, folder: Path) -> Clip:
    """Half the size."""
    return shrunk(clip, folder, scale=0.5, name="half")


def shrunk(clip: Clip, folder: Path, *, scale: float, name: str) -> Clip:
    """A smaller size."""

    def change(picture: Image.Image) -> Image.Image:
        size = (round(picture.width * scale / 2) * 2, round(picture.height * scale / 2) * 2)
        return picture.resize(size, Image.Resampling.LANCZOS)

    return _moved(clip, folder, name, change=change, place=lambda box: scaled(box, scale))


def tilted(clip: Clip, folder: Path) -> Clip:
    """Turned about its middle, against the clock."""
    width, height = next(read(clip.path)).size
    cosine, sine = math.cos(math.radians(TILT)), math.sin(math.radians(TILT))

    def place(box: Box) -> Box:
        right, down = box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2
        x, y = cosine * right + sine * down + width / 2, cosine * down - sine * right + height / 2
        return Box(x - box.width / 2, y - box.height / 2, box.width, box.height)

    def change(picture: Image.Image) -> Image.Image:
        return picture.rotate(TILT, Image.Resampling.BICUBIC)

    return _moved(clip, folder, "tilted", change=change, place=place)


def turning(clip: Clip, folder: Path, *, region: Box, first: int, last: int, scale: float) -> Clip:
    """A piece of a film, enlarged, forwards and then backwards."""
    area = tuple(round(at) for at in (region.x, region.y, region.x + region.width, region.y + region.height))
    size = (round(region.width * scale / 2) * 2, round(region.height * scale / 2) * 2)

    def change(picture: Image.Image) -> Image.Image:
        return picture.crop(area).resize(size, Image.Resampling.LANCZOS)

    def place(box: Box) -> Box:
        return scaled(Box(box.x - region.x, box.y - region.y, box.width, box.height), scale)

    order = [*range(first, last + 1), *range(last - 1, first - 1, -1)]
    return _moved(clip, folder, "turning", order=order, change=change, place=place)


def _moved(
    clip: Clip,
    folder: Path,
    name: str,
    *,
    change: Callable[[Image.Image], Image.Image],
    place: Callable[[Box], Box],
    order: Sequence[int] | None = None,
) -> Clip:
    path = folder / f"{clip.name}-{name}.mp4"
    with av.open(str(clip.path)) as container:
        rate = container.streams.video[0].average_rate or RATE
    frames, (width, height) = write(path, _in_order(clip.path, change, order), rate=rate)
    numbers = list(enumerate(order if order is not None else range(frames)))
    labelled = tuple(new for new, old in numbers if old in clip.labelled)
    people = []
    for person in clip.people:
        faces, slight = {}, {new for new, old in numbers if old in person.slight}
        for new, old in numbers:
            if old not in person.faces:
                continue
            box = place(person.faces[old])
            inside = box.within(width, height)
            if inside is None:
                continue
            share = inside.width * inside.height / (box.width * box.height)
            if share < MOST_VISIBLE or inside.width < LEAST_WIDTH:
                slight.add(new)
            else:
                faces[new] = inside
        people.append(Person(person.name, person.kinds, faces, frozenset(slight)))
    return Clip(path.stem, path, labelled, tuple(people))


def _in_order(
    path: Path, change: Callable[[Image.Image], Image.Image], order: Sequence[int] | None
) -> Iterator[Image.Image]:
    if order is None:
        yield from map(change, read(path))
        return
    wanted = set(order)
    shown = {number: change(picture) for number, picture in enumerate(read(path)) if number in wanted}
    yield from (shown[number] for number in order)


def scaled(box: Box, scale: float) -> Box:
    """In a picture of another size."""
    return Box(box.x * scale, box.y * scale, box.width * scale, box.height * scale)
