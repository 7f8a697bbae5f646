"""Films go through the real sandboxes and come out as promised."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256

import av
import numpy as np
import pytest
from PIL import Image

from core.errors import Invalid
from media.launcher import Cut, Normalise, Poster, Strip
from tests import clips
from tests.media.helpers import Object, boxes_of, make, numbers_of, tone_of

NEAR = 0.006


@pytest.fixture(scope="session")
def working_copy() -> Object:
    made, _ = make(Normalise(), Object.of(clips.phone_mp4()))
    return made


@pytest.mark.parametrize("film", [clips.phone_mp4, clips.hevc_mov, clips.webm, clips.index_first_mp4])
def test_a_phone_film_becomes_a_working_copy_with_every_picture_and_sound_in_step(film: Callable[[], bytes]) -> None:
    told: list[int] = []
    made, result = make(Normalise(), Object.of(film()), on_progress=told.append)
    plain = made.plain()
    assert (result.width, result.height, result.fps, result.frames) == (320, 180, Fraction(30), clips.FRAMES)
    assert (result.duration_ms, result.has_audio, result.media_type) == (2500, True, "video/mp4")
    assert (result.plain_sha256, result.sealed.plain_size) == (sha256(plain).hexdigest(), len(plain))
    assert result.sealed.ciphertext_size == len(made.data)
    assert numbers_of(plain) == list(range(clips.FRAMES))
    assert tone_of(plain) == (pytest.approx(1.0, abs=NEAR), pytest.approx(1.5, abs=NEAR), pytest.approx(2.5, abs=0.03))
    assert told == sorted(told)
    assert all(0 <= parts < 1000 for parts in told)


def test_the_working_copy_is_h264_and_aac_in_bt709_with_its_index_first_and_nothing_else_in_it(
    working_copy: Object,
) -> None:
    plain = working_copy.plain()
    with av.open(io.BytesIO(plain)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range) == (1, 1, 1, 1)
        assert (sound.codec_context.name, picture.start_time, sound.start_time) == ("aac", 0, 0)
        assert picture.duration == clips.FRAMES * picture.time_base.denominator // clips.RATE
        keys = [packet.pts * packet.time_base for packet in container.demux(picture) if packet.is_keyframe]
    assert keys == [0, 1, 2]
    names = boxes_of(plain)
    assert [name for name in names if "." not in name] == ["ftyp", "moov", "mdat"]
    assert not {name.rpartition(".")[2] for name in names} & {"udta", "uuid", "meta", "free", "skip", "moof"}
    assert clips.PLACE.encode() not in plain
    assert b"Kitchen" not in plain
    assert b"x264" not in plain
    assert b"Lavc" not in plain


def test_a_film_taken_upright_stands_upright() -> None:
    made, result = make(Normalise(), Object.of(clips.sideways_mp4()))
    assert (result.width, result.height) == (180, 320)
    with av.open(io.BytesIO(made.plain())) as container:
        luma = next(container.decode(video=0)).to_ndarray(format="gray")
    assert luma[:, 160:].mean() < 30  # the band of picture 0 is dark, and was the top before it was turned clockwise


def test_a_film_without_sound_stays_without() -> None:
    made, result = make(Normalise(), Object.of(clips.silent_mp4()))
    assert not result.has_audio
    assert numbers_of(made.plain()) == list(range(clips.FRAMES))


def test_a_variable_rate_becomes_constant_and_keeps_its_length() -> None:
    made, result = make(Normalise(), Object.of(clips.variable_mov()))
    numbers = numbers_of(made.plain())
    assert (result.fps, result.frames, len(numbers)) == (Fraction(30), clips.FRAMES, clips.FRAMES)
    assert numbers[:30] + numbers[60:] == [*range(30), *range(60, clips.FRAMES)]
    assert all(abs(shown - at) <= 2 for at, shown in enumerate(numbers))
    assert tone_of(made.plain())[0] == pytest.approx(1.0, abs=NEAR)


def test_sound_that_starts_late_and_stops_early_keeps_its_time() -> None:
    made, _ = make(Normalise(), Object.of(clips.late_sound_mov()))
    begins, ends, length = tone_of(made.plain())
    assert (begins, ends) == (pytest.approx(1.0, abs=NEAR), pytest.approx(1.5, abs=NEAR))
    assert length == pytest.approx(2.5, abs=0.03)


def test_pictures_that_change_their_size_within_a_film_all_come_out_at_one_size() -> None:
    _, result = make(Normalise(), Object.of(clips.changing_mp4()))
    assert (result.width, result.height, result.frames) == (320, 180, 60)


def test_ten_bit_high_dynamic_range_becomes_eight_bit_bt709() -> None:
    made, result = make(Normalise(), Object.of(clips.hlg_mov()))
    assert (result.frames, result.has_audio) == (8, False)
    assert numbers_of(made.plain()) == list(range(8))


@pytest.mark.parametrize(("first", "last"), [(0, 1), (29, 31), (40, 75), (10, 50)])
def test_a_cut_has_exactly_its_frames_and_the_sound_of_that_time(working_copy: Object, first: int, last: int) -> None:
    made, result = make(Cut(first, last), working_copy)
    plain = made.plain()
    assert numbers_of(plain) == list(range(first, last))
    assert (result.frames, result.duration_ms) == (last - first, round((last - first) / 30 * 1000))
    if first <= clips.TONE.start and last >= clips.TONE.stop:
        begins, ends, _ = tone_of(plain)
        assert begins == pytest.approx((clips.TONE.start - first) / 30, abs=NEAR)
        assert ends == pytest.approx((clips.TONE.stop - first) / 30, abs=NEAR)


def test_a_cut_that_goes_beyond_the_end_is_refused_and_nothing_comes_out(working_copy: Object) -> None:
    made = Object()
    with pytest.raises(Invalid) as caught:
        made, _ = make(Cut(70, 76), working_copy)
    assert caught.value.code == "beyond_end"
    assert not made.data


def test_a_clip_that_ends_before_it_starts_is_refused_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        Cut(10, 10)
    assert caught.value.code == "clip_end_before_start"


def test_a_poster_shows_the_frame_that_was_asked_for(working_copy: Object) -> None:
    made, result = make(Poster(42, side=160), working_copy)
    picture = Image.open(io.BytesIO(made.plain()))
    assert (result.media_type, result.frames, result.width, result.height) == ("image/jpeg", 1, 160, 90)
    assert (picture.format, picture.size, len(picture.getexif())) == ("JPEG", (160, 90), 0)
    assert clips.number_in(_grey(picture)) == 42


def test_a_strip_shows_the_film_at_even_distances(working_copy: Object) -> None:
    made, result = make(Strip(12), working_copy)
    grid = result.grid
    assert grid is not None
    assert (grid.columns, grid.rows, grid.width, grid.height, grid.count) == (10, 2, 160, 90, 12)
    sheet = Image.open(io.BytesIO(made.plain()))
    assert sheet.size == (1600, 180)
    shown = []
    for number in range(12):
        left, top = number % 10 * 160, number // 10 * 90
        shown.append(clips.number_in(_grey(sheet.crop((left, top, left + 160, top + 90)))))
    assert shown == [3, 9, 15, 21, 28, 34, 40, 46, 53, 59, 65, 71]


def _grey(picture: Image.Image) -> clips.Plane:
    return np.asarray(picture.convert("L"))
