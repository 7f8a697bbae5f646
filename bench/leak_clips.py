"""The films that are measured: the labelled ones of a folder, and harder ones made from them.

To make them takes minutes, and to look through them takes longer. Given a folder to stay in, both are done once: films
as long as the labels and the code that makes them are the same, what was found in them as long as ``media`` is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench import leak_heads, leak_variants
from bench.leak_films import Clip, clip_of, person_of, read_labels
from bench.leak_measure import Box

_HERE = Path(__file__).resolve().parent
_MEDIA = _HERE.parent / "media"


def clips(asked: argparse.Namespace, folder: Path) -> Iterator[Clip]:
    """The labelled films of a folder, and what is made of them; each is made when it is its turn.

    Args:
        asked: ``folder`` of the films, ``labels``, and whether only ``plain`` ones.
        folder: where those are that are made; what is there already is taken as it is.
    """
    listed = folder / f"films-{_key((_HERE.glob('leak_*.py'), asked.labels.glob('*.json')))}.json"
    if listed.exists():
        known = [_read(one, asked=asked, folder=folder) for one in json.loads(listed.read_text())]
        yield from (clip for clip in known if clip.path.exists() and not (asked.plain and is_harder(clip, folder)))
        return
    done = []
    for clip in _made(asked, folder):
        done.append(clip)
        yield clip
    if not asked.plain:
        listed.write_text(json.dumps([_words(clip) for clip in done]))


def found_in(clip: Clip, folder: Path) -> Path:
    """Where it is kept what was found in a film, as long as neither the film nor what looks for faces has changed."""
    return folder / f"{clip.name}-{_key(([clip.path],))}-{_looks()}.detections"


def made_by(program: str, clip: Clip, folder: Path) -> Path:
    """Where that is kept which somebody else's program made of a film."""
    return folder / f"{clip.name}-{_key(([clip.path],))}-{program}.mp4"


def is_harder(clip: Clip, folder: Path) -> bool:
    """Whether a film was made, and isn't a mere part of one."""
    return clip.path.parent == folder and not clip.name.endswith("-part")


def _made(asked: argparse.Namespace, folder: Path) -> Iterator[Clip]:
    plain: dict[str, Clip] = {}
    for labels in read_labels(asked.labels):
        if not (asked.folder / labels["file"]).exists():
            sys.stderr.write(f"{labels['file']} isn't there\n")
            continue
        clip = clip_of(labels, asked.folder)
        first, last = labels["part"]
        if (first, last) != (0, labels["frames"] - 1):
            clip = leak_variants.cut(clip, folder, first=first, last=last)
        plain[labels["file"]] = clip
        yield clip
    if asked.plain:
        return
    for variants in (_street, _table):
        yield from variants(plain, folder)


def _street(plain: dict[str, Clip], folder: Path) -> Iterator[Clip]:
    street, empty = plain.get("facenet_video.mp4"), plain.get("intel_onebyone.mp4")
    if street is None:
        return
    smaller = leak_variants.shrunk(street, folder, scale=2 / 3, name="720p")
    for make in (leak_variants.blurred, leak_variants.dark, leak_variants.tilted):
        yield make(smaller, folder)
    yield leak_variants.half(street, folder)
    region = Box(820, 560, 440, 300)
    yield leak_variants.turning(street, folder, region=region, first=24, last=51, scale=1.6)
    if empty is None:
        return
    room = next(leak_variants.read(empty.path))
    names = [("white hair", 54), ("red youth", 24), ("dark youth", 102), ("black jacket", 60), ("old man", 12)]
    some = leak_heads.heads(street, names)
    sized = [head.sized(width) for head, width in zip(some, (90, 70, 110, 60, 44), strict=True)]
    yield leak_heads.crossing(sized, room, folder)
    yield leak_heads.entering(sized[:3], room, folder)


def _table(plain: dict[str, Clip], folder: Path) -> Iterator[Clip]:
    table, one = plain.get("egoblur2_face.mp4"), plain.get("pyfeat_face_noface.mov")
    if table and one:
        yield leak_heads.hand(one, next(leak_variants.read(table.path)), folder, last=69)


def _words(clip: Clip) -> dict[str, object]:
    people = [
        {"name": one.name, "kinds": one.kinds, "slight": sorted(one.slight), "faces": dict(one.faces)}
        for one in clip.people
    ]
    return {"name": clip.name, "file": clip.path.name, "labelled": clip.labelled, "people": people}


def _read(words: Mapping[str, Any], *, asked: argparse.Namespace, folder: Path) -> Clip:
    made = folder / words["file"]
    path = made if made.exists() else asked.folder / words["file"]
    return Clip(words["name"], path, tuple(words["labelled"]), tuple(map(person_of, words["people"])))


@cache
def _looks() -> str:
    return _key((_MEDIA.rglob("*.py"), _MEDIA.rglob("*.onnx")))


def _key(files: Iterable[Iterable[Path]]) -> str:
    known = hashlib.sha256()
    for path in sorted(path for some in files for path in some):
        known.update(hashlib.sha256(path.read_bytes()).digest())
    return known.hexdigest()[:12]
