"""The rules about time and shape, as tables."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.refusals import Unfit
from media.still import check
from media.timeline import (
    Moment,
    begin_of,
    choose_rate,
    constant_rate,
    fit,
    grid_of,
    samples_until,
    spread,
    ticks,
    turns,
)

F = Fraction


@pytest.mark.parametrize(
    ("average", "base", "rate"),
    [
        (F(30), F(30), F(30)),
        (F(30000, 1001), F(30000, 1001), F(30000, 1001)),
        (F("26.4"), F(30), F(30)),  # a phone in poor light
        (F("11.3"), F(30), F(30)),  # in hardly any light
        (F("25"), F(50), F(25)),
        (F("29.99"), F(90000), F(30)),  # a base rate that means nothing
        (F("29.971"), F(90000), F(30000, 1001)),
        (F(10), F(10), F(10)),
        (F(240), F(240), F(60)),
        (F("24.7"), F(600), F(25)),
        (F("0.5"), F("0.5"), F(5)),
        (None, F(25), F(25)),
        (None, None, F(25)),
        (F(0), F(0), F(25)),
    ],
)
def test_the_rate_is_the_cameras_own(average: Fraction | None, base: Fraction | None, rate: Fraction) -> None:
    assert choose_rate(average=average, base=base) == rate


def shown(times: list[str], *, last: str = "0.1", rate: int = 10) -> list[tuple[int, int]]:
    moments = [Moment(F(at), F(last), number) for number, at in enumerate(times)]
    return list(constant_rate(moments, rate=F(rate)))


@pytest.mark.parametrize(
    ("times", "frames"),
    [
        (["0", "0.1", "0.2"], [0, 1, 2]),
        (["0", "0.3"], [0, 0, 0, 1]),  # a gap is filled with what was there
        (["0", "0.01", "0.1"], [0, 2]),  # two on one frame: the first is shown
        (["0", "0.01", "0.3"], [0, 1, 1, 2]),  # but the gap after them shows the last
        (["0", "0.14", "0.16"], [0, 1, 2]),  # the nearest frame
        (["0", "0.2", "0.1", "0.3"], [0, 0, 1, 3]),  # a time that goes back is left out
        ([], []),
    ],
)
def test_each_frame_shows_the_picture_of_its_moment(times: list[str], frames: list[int]) -> None:
    found = shown(times)
    assert [what for _, what in found] == frames
    assert [number for number, _ in found] == list(range(len(frames)))


def test_a_film_keeps_its_length_when_its_last_picture_stays() -> None:
    assert len(shown(["0", "0.1"], last="0.5")) == 6


@pytest.mark.parametrize(
    ("times", "last", "frames"),
    [
        (["0", "0.05", "0.1", "0.15"], "0.05", [0, 1]),  # twice as many pictures as frames
        (["0", "0.025", "0.05", "0.075", "0.1", "0.125", "0.15", "0.175"], "0.025", [0, 2]),
        (["0", "0.1", "0.2"], "0.001", [0, 1, 2]),  # the last of a film that doesn't know how long that stays
        (["-0.06", "0.1"], "0.1", [0, 1]),  # one from before the beginning
    ],
)
def test_a_film_lasts_as_long_as_it_did(times: list[str], last: str, frames: list[int]) -> None:
    assert [what for _, what in shown(times, last=last)] == frames


@pytest.mark.parametrize(
    ("times", "begin"),
    [
        (["0", "0.1", "0.2", "0.3", "0.4"], "0"),
        (["5", "5.16", "5.26", "5.36", "5.46"], "5.06"),  # the first is held for the padding of the sound
        (["0", "0.2", "0.3", "0.4", "0.5"], "0"),  # a picture is missing
        (["0", "0.16", "0.27", "0.35", "0.49"], "0"),  # no two steps alike
        (["0", "0.46", "0.56", "0.66", "0.76"], "0"),  # too long for padding
        (["0", "0.06", "0.16", "0.26", "0.36"], "0"),
        (["0", "0.16"], "0"),
        (["3"], "3"),
    ],
)
def test_a_film_begins_with_its_first_picture_unless_that_was_held_for_the_sound(times: list[str], begin: str) -> None:
    assert begin_of([F(at) for at in times], rate=F(10)) == F(begin)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_frames_follow_one_another_and_never_drift_by_more_than_one_frame(steps: list[int]) -> None:
    times = [F(sum(steps[:number]), 100) for number in range(len(steps))]
    moments = [Moment(at, F(1, 10), at) for at in times]
    found = list(constant_rate(moments, rate=F(10)))
    assert [number for number, _ in found] == list(range(len(found)))
    for number, at in found:
        later = [t for t in times if t > at]
        assert at <= F(number, 10) + F(1, 20)
        assert not later or later[0] > F(number, 10) - F(1, 20)


ONE = 1 << 16


@pytest.mark.parametrize(
    ("abcd", "steps"),
    [
        ((ONE, 0, 0, ONE), ()),
        ((0, ONE, -ONE, 0), ("transpose=clock",)),
        ((-ONE, 0, 0, -ONE), ("hflip", "vflip")),
        ((0, -ONE, ONE, 0), ("transpose=cclock",)),
        ((-ONE, 0, 0, ONE), ("hflip",)),
        ((46341, 46341, -46341, 46341), ()),  # 45 degrees: no camera stands so
    ],
)
def test_the_display_matrix_says_which_way_is_up(abcd: tuple[int, ...], steps: tuple[str, ...]) -> None:
    a, b, c, d = abcd
    assert turns((a, b, 0, c, d, 0, 0, 0, 1 << 30)) == steps


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((1080, 1920), (1080, 1920)),
        ((2560, 1920), (1440, 1080)),
        ((641, 361), (640, 360)),
        ((1, 1), (2, 2)),
        ((4000, 10), (1920, 4)),
    ],
)
def test_pictures_fit_1080_lines_and_are_even(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit(size, long_side=1920, short_side=1080) == fitted


def test_small_rules() -> None:
    assert ticks(F(30000, 1001)) == (30000, 1001)
    assert F(*ticks(F(25))) == 25
    assert ticks(F(25, 2))[0] >= 10_000
    assert samples_until(30, fps=F(30000, 1001), rate=48_000) == 48_048
    assert spread(4, frames=8) == [1, 3, 5, 7]
    assert spread(3, frames=1) == [0, 0, 0]
    assert (grid_of(7), grid_of(25)) == ((7, 1), (10, 3))


JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\xff\x00\x34\xff\xd9"
)


def test_a_plain_jpeg_passes_the_last_look() -> None:
    check(JPEG, size=(32, 16))


@pytest.mark.parametrize(
    "picture",
    [
        JPEG + b"\0",
        JPEG + JPEG,
        JPEG[2:],
        JPEG[:-2],
        JPEG.replace(b"\xff\xc0", b"\xff\xe1\x00\x08Exif\0\0\xff\xc0"),
        JPEG.replace(b"\xff\xc0", b"\xff\xfe\x00\x06note\xff\xc0"),
        JPEG.replace(b"\x12\xff\x00", b"\x12\xff\xe1"),
        JPEG.replace(b"\x00\x10\x00\x20", b"\x00\x10\x00\x21"),
    ],
)
def test_a_jpeg_with_anything_else_in_it_does_not(picture: bytes) -> None:
    with pytest.raises((Unfit, IndexError)):
        check(picture, size=(32, 16))
