"""Harder films, put together from labelled heads: people who cross fast, come in and leave, or hold a hand up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.leak_films import Clip, Person
from bench.leak_measure import Box
from bench.leak_variants import MOST_VISIBLE, read, scaled, write

SPEEDS = (0.25, 0.4, 0.6)
_SHUTTER, _EXPOSURES = 0.25, 5
_HAND = (  # its outline in the table scene's first picture
    *((390, 1580), (412, 1520), (432, 1480), (465, 1468), (478, 1485), (500, 1475), (515, 1500), (547, 1508)),
    *((566, 1545), (558, 1600), (525, 1670), (515, 1700), (505, 1760), (480, 1800), (445, 1850), (350, 1850)),
    *((350, 1770), (395, 1680), (398, 1620)),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Somebody's head, cut out softly.

    Attributes:
        person: whose.
        patch: with alpha.
        face: within it.
    """

    person: Person
    patch: Image.Image
    face: Box

    def sized(self, width: float) -> Head:
        """With a face of this width."""
        scale = width / self.face.width
        size = (max(2, round(self.patch.width * scale)), max(2, round(self.patch.height * scale)))
        return Head(self.person, self.patch.resize(size, Image.Resampling.LANCZOS), scaled(self.face, scale))


def heads(clip: Clip, chosen: Sequence[tuple[str, int]]) -> list[Head]:
    """The heads of some people, each from one frame."""
    people = {person.name: person for person in clip.people}
    wanted = {frame for _, frame in chosen}
    shown = {number: picture for number, picture in enumerate(read(clip.path)) if number in wanted}
    return [_head(people[name], shown[frame], people[name].faces[frame]) for name, frame in chosen]


def crossing(some: Sequence[Head], room: Image.Image, folder: Path) -> Clip:
    """Each head crosses the room, now to the right and now to the left, each faster than the one before."""
    journeys = []
    for number, head in enumerate(some):
        speed = SPEEDS[number % len(SPEEDS)] * head.face.width
        way, begin = (1, -head.patch.width) if number % 2 == 0 else (-1, room.width)
        steps = math.ceil((room.width + head.patch.width) / speed)
        top = (room.height - head.patch.height) * (0.2 + 0.6 * (number % 3) / 2)
        journeys.append((head, [(begin + way * speed * step, top + 6 * math.sin(step)) for step in range(steps)]))
    return _composed("crossing", journeys, room, folder)


def entering(some: Sequence[Head], room: Image.Image, folder: Path) -> Clip:
    """Each head comes in slowly at the left, stays, and leaves at the bottom."""
    journeys = []
    for number, head in enumerate(some):
        top, step = (room.height - head.patch.height) * 0.4, head.face.width / 12
        far = room.width * (0.2 + 0.25 * (number % 3))
        come = [(x, top) for x in np.arange(-head.patch.width, far, step)]
        gone = [(far, y) for y in np.arange(top, room.height, step)]
        journeys.append((head, [*come, *[(far, top)] * 8, *gone]))
    return _composed("entering", journeys, room, folder)


def hand(clip: Clip, table: Image.Image, folder: Path, *, last: int) -> Clip:
    """The hand of another film comes up before everybody's face, to beneath the eyes, stays, and goes down again."""
    mask = Image.new("L", table.size)
    ImageDraw.Draw(mask).polygon(_HAND, fill=255)
    cutout = table.convert("RGBA")
    cutout.putalpha(mask.filter(ImageFilter.GaussianBlur(2)))
    left, top = (min(point[axis] for point in _HAND) for axis in (0, 1))
    cutout = cutout.crop((left, top, max(point[0] for point in _HAND), max(point[1] for point in _HAND)))
    person = clip.people[0]
    frames = [number for number in range(last + 1) if any(abs(number - at) <= 1 for at in person.faces)]
    faces: dict[int, Box] = {}

    def made() -> Iterator[Image.Image]:
        for number, picture in enumerate(read(clip.path)):
            if number > last:
                return
            face = person.faces[min(person.faces, key=lambda at: abs(at - number))]
            holding = cutout.resize((round(face.width * 1.1), round(face.width * 1.1 * cutout.height / cutout.width)))
            up = min(1.0, 3 * min(number, last - number) / last)
            y = face.y + face.height * (1.1 - 0.55 * up)
            picture.paste(holding, (round(face.x + face.width * 0.1), round(y)), holding)
            if number in frames:
                faces[number] = Box(face.x, face.y, face.width, min(face.height, y - face.y))
            yield picture

    path = folder / f"{clip.name}-hand.mp4"
    write(path, made())
    shown = Person(person.name, (*person.kinds, "occluded"), faces)
    return Clip(path.stem, path, tuple(sorted(faces)), (shown,))


def _composed(
    name: str, journeys: Sequence[tuple[Head, list[tuple[float, float]]]], room: Image.Image, folder: Path
) -> Clip:
    path = folder / f"{name}.mp4"
    people: list[Person] = []
    dice = np.random.default_rng(7)
    frames = 0

    def made() -> Iterator[Image.Image]:
        nonlocal frames
        for head, way in journeys:
            faces: dict[int, Box] = {}
            slight: set[int] = set()
            for number, (x, y) in enumerate(way):
                ahead = way[min(number + 1, len(way) - 1)]
                yield _exposed(head, room, (x, y), ahead, dice)
                face = Box(head.face.x + x, head.face.y + y, head.face.width, head.face.height)
                inside = face.within(*room.size)
                share = inside.width * inside.height / (face.width * face.height) if inside else 0
                if inside and share >= MOST_VISIBLE:
                    faces[frames] = inside
                elif share > 0:
                    slight.add(frames)
                frames += 1
            people.append(Person(f"{head.person.name} {len(people)}", head.person.kinds, faces, frozenset(slight)))

    write(path, made())
    return Clip(name, path, tuple(range(frames)), tuple(people))


def _exposed(
    head: Head, room: Image.Image, at: tuple[float, float], ahead: tuple[float, float], dice: np.random.Generator
) -> Image.Image:
    light = np.zeros((room.height, room.width, 3), np.float32)
    for exposure in range(_EXPOSURES):
        share = _SHUTTER * (exposure / (_EXPOSURES - 1) - 0.5)
        picture = room.copy()
        place = (round(at[0] + share * (ahead[0] - at[0])), round(at[1] + share * (ahead[1] - at[1])))
        picture.paste(head.patch, place, head.patch)
        light += np.asarray(picture, np.float32) / _EXPOSURES
    noise = dice.normal(0, 1, (room.height, room.width, 1)).astype(np.float32)
    return Image.fromarray((light + noise).clip(0, 255).astype(np.uint8))


def _head(person: Person, picture: Image.Image, face: Box) -> Head:
    left, top = round(face.x - 0.35 * face.width), round(face.y - 0.45 * face.height)
    right, bottom = round(face.x + 1.35 * face.width), round(face.y + 1.2 * face.height)
    patch = picture.crop((left, top, right, bottom)).convert("RGBA")
    mask = Image.new("L", patch.size)
    inset = round(0.06 * face.width)
    ImageDraw.Draw(mask).ellipse((inset, inset, patch.width - inset, patch.height - inset), fill=255)
    patch.putalpha(mask.filter(ImageFilter.GaussianBlur(inset / 2)))
    return Head(person, patch, Box(face.x - left, face.y - top, face.width, face.height))
