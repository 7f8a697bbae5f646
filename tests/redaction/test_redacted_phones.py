"""Films of every phone keep their frames, length, sound, turn and colours when they are redacted.

Each goes through as it comes from the phone (as `vig-vault redact` takes it), some through their working copy too (as
the service takes them). What is looked at is the output file, by the reader of the tests of normalising.
"""

from __future__ import annotations

import numpy as np
import pytest

import redaction
from media.covers import CoverStyle
from media.detections import Detections
from media.launcher import Detect, Normalise, Redact, Result
from redaction import Box, Choices, Keyframe, Region
from tests.media import chart
from tests.media.helpers import Object, make
from tests.media.phones import VARIANTS, Variant
from tests.media.reader import Copy, read

NEAR_SECONDS = 0.012
NEAR_COLOUR = 12
GREY = 56
WORKING_COPIES = ("poor light, variable rate", "turned a quarter left", "29.97 pictures a second", "sound begins late")


def redacted(film: Object) -> tuple[Detections, Object, Result]:
    """Found, planned and covered: whoever is in it, and a place in the middle."""
    found = Detections.from_bytes(make(Detect(), film)[0].plain())
    side = found.height / 10
    box = Box((found.width - side) / 2, found.height * 0.6 - side / 2, side, side)
    choices = Choices(regions=(Region(1, (Keyframe(0, box), *_last(found, box))),), style=CoverStyle.SOLID)
    covers = redaction.plan(found, choices, first_frame=0, last_frame=found.frames)
    return found, *make(Redact(0, found.frames, covers), film)


def _last(found: Detections, box: Box) -> tuple[Keyframe, ...]:
    return (Keyframe(found.frames - 1, box),) if found.frames > 1 else ()


def is_right(copy: Copy, result: Result, variant: Variant) -> bool:
    """Whether a redacted film is what it must be."""
    count = len(variant.numbers)
    assert (result.width, result.height, result.fps) == (*variant.size, variant.rate)
    assert {drawn.shape for drawn in copy.pictures} == {(variant.size[1], variant.size[0], 3)}
    assert result.frames == len(copy.pictures) == count
    assert copy.rate == variant.rate
    assert result.duration_ms == round(count / variant.rate * 1000)
    wrong = [pair for pair in zip(copy.numbers, variant.numbers, strict=True) if abs(pair[0] - pair[1]) > variant.near]
    assert wrong == []
    found = chart.colours_in(copy.pictures[count // 2])
    for place, colour in chart.COLOURS.items():
        assert found[place] == pytest.approx(colour, abs=NEAR_COLOUR), place
    assert result.has_audio == (variant.tone is not None) == (len(copy.sound) > 0)
    if variant.tone:
        assert copy.tone == pytest.approx(variant.tone, abs=NEAR_SECONDS)
        assert len(copy.sound) / chart.SAMPLE_RATE == pytest.approx(float(count / variant.rate), abs=0.03)
    for drawn in copy.pictures:
        height, width, _ = drawn.shape
        middle = drawn[height * 3 // 5 - 2 : height * 3 // 5 + 2, width // 2 - 2 : width // 2 + 2]
        assert np.abs(middle.astype(int) - GREY).max() < 25
    return True


@pytest.mark.parametrize("name", VARIANTS)
def test_a_film_of_any_phone_is_redacted_with_all_its_pictures_and_its_sound_in_step(name: str) -> None:
    variant = VARIANTS[name]
    _, made, result = redacted(Object.of(variant.make()))
    assert is_right(read(made.plain()), result, variant)


@pytest.mark.parametrize("name", WORKING_COPIES)
def test_a_working_copy_is_redacted_as_the_film_that_it_was_made_from(name: str) -> None:
    variant = VARIANTS[name]
    copy, _ = make(Normalise(), Object.of(variant.make()))
    found, made, result = redacted(copy)
    assert found.frames == len(variant.numbers)
    assert is_right(read(made.plain()), result, variant)
