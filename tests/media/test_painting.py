"""Nothing can be told of what lay under a cover, wherever it lies."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import painting
from media.covers import Cover, CoverShape, CoverStyle
from media.painting import Canvas

WIDTH, HEIGHT = 96, 64
Plane = npt.NDArray[np.uint8]
POINTS = np.linspace(0.02, 0.98, 7)

anywhere = st.builds(
    Cover,
    st.integers(-40, WIDTH + 10),
    st.integers(-40, HEIGHT + 10),
    st.integers(1, 120),
    st.integers(1, 120),
    st.sampled_from(CoverShape),
    st.sampled_from(CoverStyle),
)


def painted(pixels: Plane, *covers: Cover) -> tuple[Plane, Plane]:
    """Brightness, and the two planes of colour, after covering."""
    canvas = Canvas(width=WIDTH, height=HEIGHT)
    canvas.take_raw(pixels.tobytes())
    canvas.cover(covers)
    raw = np.frombuffer(bytes(canvas.raw), np.uint8)
    luma = WIDTH * HEIGHT
    return raw[:luma].reshape(1, HEIGHT, WIDTH), raw[luma:].reshape(2, HEIGHT // 2, WIDTH // 2)


def noise(seed: int) -> Plane:
    return np.random.default_rng(seed).integers(0, 256, WIDTH * HEIGHT * 3 // 2, np.uint8)


def touched(cover: Cover, *, step: int) -> npt.NDArray[np.bool_]:
    """Which pixels a cover touches, found point by point."""
    found = np.zeros((HEIGHT // step, WIDTH // step), bool)
    across, down = np.arange(WIDTH // step), np.arange(HEIGHT // step)
    for right, below in product(POINTS, POINTS):
        x = ((across + right) * step - cover.x) / cover.width * 2 - 1
        y = ((down + below) * step - cover.y) / cover.height * 2 - 1
        match cover.shape:
            case CoverShape.BOX:
                found |= np.logical_and.outer(np.abs(y) <= 1, np.abs(x) <= 1)
            case CoverShape.ELLIPSE:
                found |= np.add.outer(y**2, x**2) <= 1
    return found


@settings(max_examples=60)
@given(anywhere, st.integers(0, 50))
def test_every_pixel_that_a_cover_touches_is_replaced_in_brightness_and_colour(cover: Cover, seed: int) -> None:
    solid = Cover(cover.x, cover.y, cover.width, cover.height, cover.shape, CoverStyle.SOLID)
    light, colour = painted(noise(seed), solid)
    assert (light[:, touched(cover, step=1)] == 64).all()
    assert (colour[:, touched(cover, step=2)] == 128).all()


@settings(max_examples=60)
@given(anywhere, st.integers(0, 50))
def test_a_blur_leaves_no_detail(cover: Cover, seed: int) -> None:
    blurred = Cover(cover.x, cover.y, cover.width, cover.height, cover.shape, CoverStyle.BLUR)
    # Stripes of one, two and four pixels on a level that differs from cell to cell: what remains may only be the level.
    for period in (2, 4, 8):
        stripes = np.zeros((HEIGHT * 3 // 2, WIDTH), np.uint8)
        stripes[:, (np.arange(WIDTH) % period) < period // 2] = 255
        light, colour = painted(stripes.reshape(-1), blurred)
        for planes, step in ((light, 1), (colour, 2)):
            inside = touched(cover, step=step)
            beside = inside[:, 1:] & inside[:, :-1]
            jumps = np.abs(np.diff(planes.astype(int), axis=2))[:, beside]
            wide_enough = min(cover.width, cover.height) / 3 / step >= 2 * period
            assert not wide_enough or jumps.size == 0 or jumps.max() < 60


@pytest.mark.parametrize("place", [(20, 10, 45, 47), (21, 11, 44, 46), (-13, -9, 60, 50), (70, 40, 61, 51)])
def test_what_differs_within_a_cell_is_gone_and_not_hidden(place: tuple[int, int, int, int]) -> None:
    """Two pictures whose cells have the same means can't be told from each other any more."""
    cover = Cover(*place, CoverShape.BOX)
    fine = np.indices((HEIGHT * 3 // 2, WIDTH)).sum(axis=0) % 2
    one, other = (np.asarray(100 + 50 * pattern, np.uint8) for pattern in (fine, 1 - fine))
    for a, b, step in zip(painted(one.reshape(-1), cover), painted(other.reshape(-1), cover), (1, 2), strict=True):
        inside = touched(cover, step=step)
        assert np.abs(a.astype(int) - b)[:, inside].max() <= 50 * 0.25


@settings(max_examples=40)
@given(anywhere, anywhere, st.integers(0, 50))
def test_a_cover_never_uncovers_another(first: Cover, second: Cover, seed: int) -> None:
    solid = Cover(first.x, first.y, first.width, first.height, first.shape, CoverStyle.SOLID)
    light, colour = painted(noise(seed), solid, second)
    again, tint = painted(noise(seed + 1), solid, second)
    both = touched(first, step=1) & ~touched(Cover(second.x - 40, second.y - 40, 200, 200, CoverShape.BOX), step=1)
    assert (light[:, both] == again[:, both]).all()
    both = touched(first, step=2) & ~touched(Cover(second.x - 40, second.y - 40, 200, 200, CoverShape.BOX), step=2)
    assert (colour[:, both] == tint[:, both]).all()


@given(anywhere, st.integers(0, 50))
@settings(max_examples=20)
def test_a_cover_that_is_painted_some_rows_at_a_time_is_the_same(cover: Cover, seed: int) -> None:
    at_once = painted(noise(seed), cover)
    with pytest.MonkeyPatch.context() as patch:
        painting._stamp.cache_clear()
        patch.setattr(painting, "_FEW", 0)
        patch.setattr(painting, "_AT_ONCE", 5 * WIDTH)
        by_rows = painted(noise(seed), cover)
    painting._stamp.cache_clear()
    for one, other in zip(at_once, by_rows, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("shape", CoverShape)
def test_the_largest_cover_covers_all(shape: CoverShape) -> None:
    light, colour = painted(noise(1), Cover(-30_000, -32_000, 60_000, 60_000, shape, CoverStyle.SOLID))
    assert (light == 64).all()
    assert (colour == 128).all()


def test_what_is_far_from_every_cover_stays_as_it_was() -> None:
    pixels = noise(3)
    light, colour = painted(pixels, Cover(10, 10, 30, 30))
    was, tint = painted(pixels)
    assert (light[:, 48:] == was[:, 48:]).all()
    assert (light[:, :, 48:] == was[:, :, 48:]).all()
    assert (colour[:, :, 24:] == tint[:, :, 24:]).all()


@given(anywhere, st.integers(0, 50))
@settings(max_examples=20)
def test_the_same_cover_on_the_same_picture_is_the_same(cover: Cover, seed: int) -> None:
    for one, other in zip(painted(noise(seed), cover), painted(noise(seed), cover), strict=True):
        assert (one == other).all()
