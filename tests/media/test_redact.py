"""What a redacted clip shows, read back from its own bytes: nothing under a cover, everything else as it was."""

from __future__ import annotations

import io

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.frame import AudioFrame
from PIL import Image

from core.errors import Invalid
from media.covers import Cover, Covers, CoverShape, CoverStyle
from media.launcher import Crop, Cut, Normalise, Redact, Result, Sheet
from tests import clips
from tests.media.helpers import Object, make, numbers_of, tone_of

NEAR = 0.006
FIRST, LAST = 10, 50
PLACE = Cover(101, 61, 90, 100)
Sound = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def working_copy() -> Object:
    made, _ = make(Normalise(), Object.of(clips.phone_mp4()))
    return made


def covers(*, mutes: tuple[tuple[int, int], ...] = ()) -> Covers:
    """One cover in every second frame; the frames between say that they have none."""
    frames = [(PLACE,) if number % 2 else () for number in range(FIRST, LAST)]
    return Covers.of(frames, width=clips.WIDTH, height=clips.HEIGHT, first_frame=FIRST, mutes=mutes)


def lumas(film: bytes) -> list[npt.NDArray[np.int16]]:
    with av.open(io.BytesIO(film)) as container:
        return [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]


def lumas_of_frames(film: Object, numbers: tuple[int, ...]) -> list[npt.NDArray[np.uint8]]:
    shown = lumas(film.plain())
    return [shown[number].astype(np.uint8) for number in numbers]


def sound_of(film: bytes) -> Sound:
    with av.open(io.BytesIO(film)) as container:
        pieces = [f.to_ndarray().mean(axis=0) for f in container.decode(audio=0) if isinstance(f, AudioFrame)]
    return np.asarray(np.concatenate(pieces), np.float64)


@pytest.fixture(scope="module")
def redacted(working_copy: Object) -> tuple[Object, Result]:
    return make(Redact(FIRST, LAST, covers(mutes=((35, 40),))), working_copy)


def test_each_frame_is_covered_as_its_own_plan_says_and_shows_the_rest(
    working_copy: Object, redacted: tuple[Object, Result]
) -> None:
    plain, _ = make(Cut(FIRST, LAST), working_copy)
    made, result = redacted
    assert (result.frames, result.width, result.height) == (LAST - FIRST, clips.WIDTH, clips.HEIGHT)
    assert numbers_of(made.plain()) == list(range(FIRST, LAST))
    inside = np.s_[PLACE.y + 25 : PLACE.y + 75, PLACE.x + 20 : PLACE.x + 70]
    outside = np.s_[:, : PLACE.x - 24]
    for number, (was, now) in enumerate(zip(lumas(plain.plain()), lumas(made.plain()), strict=True), start=FIRST):
        assert np.abs(now[outside] - was[outside]).mean() < 2
        if number % 2 == 0:
            assert np.abs(now[inside] - was[inside]).mean() < 2
    assert made.header


def test_the_sound_is_silent_for_exactly_the_frames_that_are_muted(redacted: tuple[Object, Result]) -> None:
    sound = np.abs(sound_of(redacted[0].plain()))
    assert tone_of(redacted[0].plain())[0] == pytest.approx((clips.TONE.start - FIRST) / 30, abs=NEAR)
    at = [round(frame / 30 * clips.SAMPLE_RATE) for frame in (35 - FIRST, 40 - FIRST)]
    assert sound[at[0] + 1200 : at[1] - 1200].max() < 0.002  # what AAC spreads around an edge is no longer than that
    assert sound[at[0] - 2400 : at[0] - 1200].max() > 0.2
    assert sound[at[1] + 1200 : at[1] + 2400].max() > 0.2


def test_covers_for_another_size_are_refused_and_nothing_comes_out(working_copy: Object) -> None:
    other = Covers.of([()] * 5, width=clips.WIDTH, height=clips.HEIGHT + 2)
    made = Object()
    with pytest.raises(Invalid) as caught:
        make(Redact(0, 5, other), working_copy)
    assert caught.value.code == "covers_unfit"
    assert not made.data


def test_covers_for_more_frames_than_there_are_are_refused_and_nothing_comes_out(working_copy: Object) -> None:
    made = Object()
    more = Covers.of([()] * 6, width=clips.WIDTH, height=clips.HEIGHT, first_frame=70)
    with pytest.raises(Invalid) as caught:
        make(Redact(70, 76, more), working_copy)
    assert caught.value.code == "beyond_end"
    assert not made.data


def test_a_sheet_shows_each_face_in_its_own_frame_and_in_the_order_asked_for(working_copy: Object) -> None:
    crops = tuple(Crop(frame, 300 * part, 0, 20, 20) for frame, part in ((60, 0), (0, 1), (60, 1), (30, 0)))
    made, result = make(Sheet(crops, side=64), working_copy)
    with Image.open(io.BytesIO(made.plain())) as picture:
        drawn = np.asarray(picture.convert("L"), np.int16)
    assert (result.frames, drawn.shape) == (4, (64, 256))
    assert result.grid is not None
    assert (result.grid.columns, result.grid.rows, result.grid.count) == (4, 1, 4)
    # The lowest bits of a frame's number are at its left, the highest, which are dark in all, at its right.
    left = [clips.number_in(one) & 3 for one in lumas_of_frames(working_copy, (60, 30))]
    assert left == [0, 2]
    assert drawn[2:20, 2:20].mean() < 40
    assert drawn[2:20, 64:128].mean() < 40
    assert drawn[2:20, 128:192].mean() < 40
    assert np.abs(drawn[2:20, 192:256] - drawn[2:20, 0:64]).max() > 120


@pytest.mark.parametrize("span", [(0, 40), (10, 49), (11, 51)])
def test_covers_for_another_span_are_refused_at_once(span: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as caught:
        Redact(*span, covers())
    assert caught.value.code == "covers_unfit"


@pytest.mark.parametrize("shape", CoverShape)
@pytest.mark.parametrize("style", CoverStyle)
def test_a_cover_may_reach_over_every_edge(working_copy: Object, shape: CoverShape, style: CoverStyle) -> None:
    everything = Cover(-50, -50, 500, 400, shape, style)
    corner = Cover(clips.WIDTH - 3, clips.HEIGHT - 3, 101, 99, shape, style)
    plan = Covers.of([(everything, corner)] * 3, width=clips.WIDTH, height=clips.HEIGHT)
    _, result = make(Redact(0, 3, plan), working_copy)
    assert result.frames == 3
