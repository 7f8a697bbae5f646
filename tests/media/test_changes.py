"""What shows something new is never taken for what was looked at: that rule decides where nobody looks for faces."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.changes import BLOCK, Changes
from media.small import Picture

WIDTH, HEIGHT = 320, 192
SMALLEST = 14
"""The side of the smallest face that is found, in pixels."""
Plane = npt.NDArray[np.uint8]


@cache
def room(*, shade: int = 110, across: int = 0, down: int = 0, noise: float = 0, seed: int = 0) -> Plane:
    """A wall with a pattern, seen by a camera that may shake, with a grainy sensor."""
    x, y = np.meshgrid(np.arange(WIDTH) - across, np.arange(HEIGHT) - down)
    wall = shade + shade * 0.25 * np.sin(x / 11) * np.cos(y / 17)
    grain = np.random.default_rng(seed).normal(0, noise, wall.shape)
    plane: Plane = (wall + grain).clip(0, 255).astype(np.uint8)
    plane.setflags(write=False)
    return plane


def picture(y: Plane) -> Picture:
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Picture(y, grey, grey)


def face(side: int, *, contrast: float) -> npt.NDArray[np.float64]:
    """Eyes and a mouth, and a bright skin; the contrast is against grey of 0."""
    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    skin = np.where(x**2 + y**2 < 1, 1.0, 0)
    for at_x, at_y in ((-0.4, -0.3), (0.4, -0.3), (0, 0.5)):
        skin -= 1.6 * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 0.05)
    return skin * contrast


def with_face(y: Plane, *, at: tuple[int, int], side: int, contrast: float) -> Plane:
    made = y.astype(np.float64)
    left, top = at
    made[top : top + side, left : left + side] += face(side, contrast=contrast)
    return made.clip(0, 255).astype(np.uint8)


def looked_at(y: Plane) -> Changes:
    changes = Changes()
    changes.new_in(picture(y))
    changes.looked([(0, 0, WIDTH, HEIGHT)])
    return changes


def is_new(changes: Changes, y: Plane, *, at: tuple[int, int], side: int) -> bool:
    """Whether one of the parts at a place shows something new."""
    left, top = at
    parts, _ = changes.new_in(picture(y))
    there = parts[top // BLOCK : (top + side) // BLOCK + 1, left // BLOCK : (left + side) // BLOCK + 1]
    return bool(there.any())


def test_all_of_the_first_picture_of_a_scene_is_new() -> None:
    changes = Changes()
    assert changes.new_in(picture(room()))[0].all()
    changes.looked([(0, 0, WIDTH, HEIGHT)])
    changes.forget()
    assert changes.new_in(picture(room()))[0].all()


@given(
    left=st.integers(0, WIDTH - 64),
    top=st.integers(0, HEIGHT - 64),
    side=st.integers(SMALLEST, 64),
    contrast=st.sampled_from([-60, -25, 25, 60]),
    shake=st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
    noise=st.sampled_from([0.0, 3.0]),
)
@settings(max_examples=40, deadline=None)
def test_a_face_that_is_suddenly_there_is_new_wherever_it_is_however_the_camera_shakes(
    left: int, top: int, side: int, contrast: float, shake: tuple[int, int], noise: float
) -> None:
    changes = looked_at(room(noise=noise, seed=1))
    now = room(across=shake[0], down=shake[1], noise=noise, seed=2)
    now = with_face(now, at=(left, top), side=side, contrast=contrast)
    assert is_new(changes, now, at=(left, top), side=side)


def test_a_face_that_comes_so_slowly_that_nothing_changes_from_picture_to_picture_is_new_in_time() -> None:
    place = (140, 70)
    changes = looked_at(room())
    came = [
        is_new(changes, with_face(room(), at=place, side=32, contrast=level / 4), at=place, side=32)
        for level in range(4 * 14)  # by when it is hardly to be made out
    ]
    assert not came[0]
    assert came[-1]


@pytest.mark.parametrize("flicker", [0, 4, -4, 9])
def test_a_face_in_a_dark_flickering_picture_is_new(flicker: int) -> None:
    changes = looked_at(room(shade=28, noise=2, seed=1))
    now = with_face(room(shade=28 + flicker, noise=2, seed=2), at=(100, 100), side=24, contrast=18)
    assert is_new(changes, now, at=(100, 100), side=24)


def test_a_face_where_nothing_moved_for_long_is_new_at_once() -> None:
    changes = looked_at(room(noise=3))
    for seed in range(1, 30):
        assert not changes.new_in(picture(room(noise=3, seed=seed)))[0].any()
    now = with_face(room(noise=3, seed=70), at=(33, 97), side=SMALLEST, contrast=40)
    assert is_new(changes, now, at=(33, 97), side=SMALLEST)


def test_what_was_not_looked_at_stays_new_and_what_was_does_not() -> None:
    changes = looked_at(room())
    now = with_face(with_face(room(), at=(40, 40), side=20, contrast=50), at=(240, 130), side=20, contrast=50)
    assert is_new(changes, now, at=(40, 40), side=20)
    changes.looked([(32, 32, 96, 96)])
    assert not is_new(changes, now, at=(40, 40), side=20)
    assert is_new(changes, now, at=(240, 130), side=20)


def test_who_leaves_and_shows_somebody_behind_them_is_noticed() -> None:
    before = with_face(room(), at=(100, 60), side=60, contrast=70)
    behind = with_face(room(), at=(120, 70), side=24, contrast=-50)
    assert is_new(looked_at(before), behind, at=(120, 70), side=24)


def test_a_shaking_camera_and_a_grainy_sensor_show_nothing_new_but_at_the_edges() -> None:
    changes = looked_at(room(noise=2))
    for seed, (across, down) in enumerate([(2, 0), (3, -2), (5, -4), (4, -6)], start=1):
        parts, moved = changes.new_in(picture(room(across=across, down=down, noise=2, seed=seed)))
        assert not parts[1:-1, 1:-1].any()
        assert max(map(abs, moved)) <= 2  # since the picture before
        changes.looked([])


def test_what_a_camera_turns_to_is_new() -> None:
    turned = with_face(room(across=-36), at=(WIDTH - 34, 60), side=32, contrast=40)
    assert is_new(looked_at(room()), turned, at=(WIDTH - 34, 60), side=32)
