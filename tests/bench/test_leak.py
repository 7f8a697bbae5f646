"""The measure of leaks sees what can be recognised, and the command runs. The face is of a photo of NASA's."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.data import astronaut
from skimage.filters import gaussian

from bench import leak_variants
from bench.leak import Score, good, scored
from bench.leak_films import Clip, Person, moments
from bench.leak_measure import COVERED, Box, Luma, lost_share
from bench.leak_variants import scaled

ROOT = Path(__file__).resolve().parents[2]
FACE = Box(178, 76, 92, 102)


@pytest.fixture(scope="module")
def faces() -> list[tuple[Luma, Box]]:
    """One face in several sizes and places, and the other way round."""
    found = []
    photo = Image.fromarray(astronaut()).convert("L").crop((100, 0, 348, 256))
    for width in (92, 70, 48, 30):
        scale = width / FACE.width
        for mirrored in (False, True):
            shown = ImageOps.mirror(photo) if mirrored else photo
            left = photo.width - (FACE.x - 100) - FACE.width if mirrored else FACE.x - 100
            small = shown.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
            box = Box(left * scale, FACE.y * scale, width, FACE.height * scale)
            for moved in (0, 1, 3):
                picture = np.pad(np.asarray(small), ((moved, 0), (moved, 0)), mode="edge")
                found.append((picture, Box(box.x + moved, box.y + moved, box.width, box.height)))
    return found


def mosaic(picture: Luma, box: Box, *, blocks: int) -> Luma:
    size = box.width / blocks
    changed = picture.copy()
    columns = np.round(np.arange(box.x % size, picture.shape[1] + size, size)).astype(int)
    rows = np.round(np.arange(box.y % size, picture.shape[0] + size, size)).astype(int)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            if (block := picture[top:bottom, left:right]).size:
                changed[top:bottom, left:right] = round(block.mean())
    return changed


def blur(picture: Luma, box: Box, *, share: float) -> Luma:
    smooth = gaussian(picture.astype(np.float32), share * box.width, preserve_range=True)
    return smooth.round().astype(np.uint8)


def is_covered(before: Luma, after: Luma, box: Box) -> bool | None:
    share = lost_share(before, after, box)
    return None if share is None else share >= COVERED


def leaking(faces: list[tuple[Luma, Box]], changed: list[Luma]) -> float:
    return 1 - np.mean([is_covered(*pair) for pair in zip(*swap(faces, changed), strict=True)]).item()


def swap(faces: list[tuple[Luma, Box]], changed: list[Luma]) -> tuple[list[Luma], list[Luma], list[Box]]:
    return [picture for picture, _ in faces], changed, [box for _, box in faces]


@pytest.mark.parametrize(("blocks", "least", "most"), [(16, 1.0, 1.0), (10, 1.0, 1.0), (8, 0.75, 1.0), (4, 0.0, 0.2)])
def test_a_fine_mosaic_leaks_and_a_coarse_one_hardly(
    faces: list[tuple[Luma, Box]], blocks: int, least: float, most: float
) -> None:
    assert least <= leaking(faces, [mosaic(*face, blocks=blocks) for face in faces]) <= most


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 1.0, 1.0), (0.03, 1.0, 1.0), (0.15, 0.0, 0.01)])
def test_a_strong_blur_covers_and_a_weak_one_does_not(
    faces: list[tuple[Luma, Box]], share: float, least: float, most: float
) -> None:
    changed = [blur(*face, share=share) if share else face[0] for face in faces]
    assert least <= leaking(faces, changed) <= most


def test_a_face_that_moved_by_a_pixel_or_was_encoded_coarsely_is_not_taken_for_covered(
    faces: list[tuple[Luma, Box]],
) -> None:
    dice = np.random.default_rng(1)
    for picture, box in faces:
        for moved in ((0, 1), (1, 0), (-1, -1)):
            assert is_covered(picture, np.roll(picture, moved, (0, 1)), box) is False
        noisy = (picture + dice.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
        assert is_covered(picture, noisy, box) is False


def test_half_a_face_covered_is_a_leak_and_a_black_bar_over_the_eyes_as_well(faces: list[tuple[Luma, Box]]) -> None:
    for picture, box in faces:
        for top, bottom in ((0.0, 0.45), (0.2, 0.4)):
            changed = picture.copy()
            changed[round(box.y + top * box.height) : round(box.y + bottom * box.height)] = 0
            assert is_covered(picture, changed, box) is False
        assert is_covered(picture, np.zeros_like(picture), box) is True


def test_where_nothing_was_to_be_seen_nothing_is_counted() -> None:
    flat = np.full((80, 80), 90, np.uint8)
    assert is_covered(flat, flat, Box(20, 20, 40, 40)) is None


def walking(folder: Path, *, late: int = 0, covered: bool = False, size: int = 128) -> Clip:
    """Somebody who walks through the picture; her cover may come some frames late."""
    photo = Image.fromarray(astronaut()).resize((size, size), Image.Resampling.LANCZOS)
    face = scaled(FACE, size / 512)
    boxes = {number: Box(face.x + 9 * number, face.y + 16, face.width, face.height) for number in range(12)}

    def picture(number: int) -> Image.Image:
        shown = Image.new("RGB", (2 * size, size + 32), (70, 80, 90))
        shown.paste(photo, (9 * number, 16))
        if covered:
            box = boxes[max(0, number - late)].grown(0.2)
            shown.paste((90, 90, 90), tuple(map(round, (box.x, box.y, box.x + box.width, box.y + box.height))))
        return shown

    path = folder / f"walking-{late}-{covered}.mp4"
    leak_variants.write(path, map(picture, range(12)))
    return Clip("walking", path, tuple(range(12)), (Person("astronaut", ("frontal", "small"), boxes),))


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return walking(tmp_path_factory.mktemp("walk"))


def test_a_cover_that_follows_late_leaks_on_end(walk: Clip, tmp_path: Path) -> None:
    on_time = scored(walk, moments(walk, walking(tmp_path, covered=True).path))
    assert (on_time.leaked, on_time.people_leaked, on_time.faces) == (0, 0, 12)
    late = scored(walk, moments(walk, walking(tmp_path, covered=True, late=2).path))
    assert late.people_leaked == 1
    assert late.longest_run >= 9


def test_an_output_of_another_rate_is_compared_at_the_same_moments(walk: Clip, tmp_path: Path) -> None:
    doubled = tmp_path / "doubled.mp4"
    leak_variants.write(doubled, (one for one in leak_variants.read(walk.path) for _ in range(2)), rate=50)
    assert scored(walk, moments(walk, doubled)).leaked == 12
    slowed = tmp_path / "slowed.mp4"  # every picture once, without regard to time, as deface writes them
    leak_variants.write(slowed, leak_variants.read(walk.path), rate=12)
    assert scored(walk, moments(walk, slowed)).leaked == 12


@pytest.mark.parametrize("make", [leak_variants.half, leak_variants.tilted, leak_variants.dark, leak_variants.blurred])
def test_labels_move_with_a_film_that_is_made_harder(walk: Clip, tmp_path: Path, make: object) -> None:
    assert callable(make)
    harder = make(walk, tmp_path)
    done = scored(harder, moments(harder, harder.path))
    assert done.faces == done.leaked
    if make is leak_variants.half:  # 23 pixels become too few to recognise anybody
        assert harder.people[0].slight == set(range(12))
    else:
        assert done.faces == 12


@pytest.mark.parametrize(("ours", "theirs"), [([], [3]), ([], [])])
def test_it_is_good_where_nobody_is_leaked(ours: list[int], theirs: list[int]) -> None:
    assert good({"film": {"ours": Score(leaks={"man": ours}), "deface": Score(leaks={"man": theirs})}})


@pytest.mark.parametrize(("ours", "theirs"), [([3], [3, 6]), ([3], []), ([3], [3])])
def test_it_is_not_good_where_anybody_is(ours: list[int], theirs: list[int]) -> None:
    assert not good({"film": {"ours": Score(leaks={"man": ours}), "deface": Score(leaks={"man": theirs})}})


def labels_of(clip: Clip, folder: Path) -> Path:
    """Labels as the command reads them."""
    (person,) = clip.people
    labels = {
        "file": clip.path.name,
        "sha256": hashlib.sha256(clip.path.read_bytes()).hexdigest(),
        "frames": 12,
        "part": [0, 11],
        "labelled": list(range(12)),
        "people": [{"name": "astronaut", "kinds": ["small"], "slight": [], "faces": dict(person.faces)}],
    }
    (folder / "walk.json").write_text(json.dumps(labels))
    return folder


def figures_of(*words: str) -> tuple[int, dict[str, str]]:
    """What the command prints, and how it ends."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "leak", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, dict(line.split(": ") for line in done.stdout.splitlines())


def test_where_nobody_blurs_everybody_leaks(walk: Clip, tmp_path: Path) -> None:
    labels = labels_of(walk, tmp_path)
    _, figures = figures_of(str(walk.path.parent), "--labels", str(labels), "--program", "none", "--plain")
    assert figures["leak.none.face_frames"] == figures["leak.none.face_frames_open"] == "12"
    assert figures["leak.none.people_leaked"] == "1"
    assert figures["leak.none.blurred_elsewhere_percent"] == "0.00"


def test_ours_leaks_nobody_who_walks_by_and_shows_whoever_is_kept(tmp_path: Path) -> None:
    clip = walking(tmp_path, size=256)
    labels = labels_of(clip, tmp_path)
    code, figures = figures_of(str(tmp_path), "--labels", str(labels), "--program", "ours", "--plain")
    assert code == 0
    assert figures["leak.ours.face_frames"] == "12"
    assert figures["leak.ours.face_frames_leaked"] == "0"
    assert figures["leak.kept.face_frames"] == "12"
    assert figures["leak.kept.blurred_over"] == "0"
