"""Every film that a phone may make comes out right, as an independent reader sees it."""

from __future__ import annotations

import numpy as np
import pytest

from media.launcher import Cut, Normalise
from tests.media import chart
from tests.media.helpers import Object, make
from tests.media.phones import VARIANTS
from tests.media.reader import read

NEAR_SECONDS = 0.012
NEAR_COLOUR = 12
UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_film_of_any_phone_becomes_a_plain_one_with_all_its_pictures_and_its_sound_in_step(name: str) -> None:
    variant = VARIANTS[name]
    made, result = make(Normalise(), Object.of(variant.make()))
    copy = read(made.plain())

    assert (result.width, result.height, result.fps) == (*variant.size, variant.rate)
    assert {drawn.shape for drawn in copy.pictures} == {(variant.size[1], variant.size[0], 3)}
    assert max(variant.size) <= 1920
    assert min(variant.size) <= 1080
    assert not any(side % 2 for side in variant.size)

    assert result.frames == len(copy.pictures) == len(variant.numbers)
    assert copy.rate == variant.rate
    assert result.duration_ms == round(len(variant.numbers) / variant.rate * 1000)
    wrong = [pair for pair in zip(copy.numbers, variant.numbers, strict=True) if abs(pair[0] - pair[1]) > variant.near]
    assert wrong == []

    found = chart.colours_in(copy.pictures[len(copy.pictures) // 2])
    for place, colour in chart.COLOURS.items():
        assert found[place] == pytest.approx(colour, abs=NEAR_COLOUR), place

    assert result.has_audio == (variant.tone is not None) == (len(copy.sound) > 0)
    if variant.tone:
        assert copy.tone == pytest.approx(variant.tone, abs=NEAR_SECONDS)
        assert len(copy.sound) / chart.SAMPLE_RATE == pytest.approx(
            float(len(variant.numbers) / variant.rate), abs=0.03
        )

    assert copy.top == ("ftyp", "moov", "mdat")
    assert copy.picture.matrix == UPRIGHT
    assert copy.pixel_shape in {None, (1, 1)}
    assert b"pasp" not in made.plain()
    second = round(variant.rate)
    assert copy.picture.keys == tuple(range(1, len(variant.numbers) + 1, second))


def test_two_moments_woven_into_one_picture_are_taken_apart() -> None:
    made, _ = make(Normalise(), Object.of(VARIANTS["interlaced"].make()))
    for drawn in read(made.plain()).pictures:
        number = drawn[4 : chart.HEIGHT // 5 - 4].astype(int)
        assert np.abs(np.diff(number, axis=0)).max() < 40


@pytest.mark.parametrize("name", ["29.97 pictures a second", "59.94 pictures a second", "turned a quarter left"])
def test_a_clip_of_it_has_exactly_its_pictures_and_the_sound_of_that_time(name: str) -> None:
    variant = VARIANTS[name]
    working_copy, _ = make(Normalise(), Object.of(variant.make()))
    first, last = 7, len(variant.numbers) - 2
    made, result = make(Cut(first, last), working_copy)
    copy = read(made.plain())
    assert copy.numbers == list(range(first, last))
    assert (result.frames, copy.rate) == (last - first, variant.rate)
    begin = float(first / variant.rate)
    assert copy.tone == pytest.approx((chart.TONE[0] - begin, chart.TONE[1] - begin), abs=NEAR_SECONDS)
    assert copy.top == ("ftyp", "moov", "mdat")
    assert copy.picture.keys[0] == 1
