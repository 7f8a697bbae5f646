"""A plan of what to cover speaks of every frame, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Damaged, Invalid, TooLarge
from media import covers as module
from media.covers import Cover, Covers, CoverShape, CoverStyle

places = st.builds(
    Cover,
    st.integers(-32_000, 32_000),
    st.integers(-32_000, 32_000),
    st.integers(1, 60_000),
    st.integers(1, 60_000),
    st.sampled_from(CoverShape),
    st.sampled_from(CoverStyle),
)
ONE = Cover(3, -4, 50, 60, CoverShape.BOX, CoverStyle.SOLID)
PLAN = Covers.of([(ONE,), (), (ONE, ONE)], width=320, height=180, first_frame=7, mutes=[(8, 9)])


@given(st.lists(st.lists(places, max_size=3), min_size=1, max_size=6), st.integers(0, 1000))
def test_a_plan_comes_out_of_its_byte_form_as_it_went_in(frames: list[list[Cover]], first: int) -> None:
    made = Covers.of(frames, width=640, height=360, first_frame=first, mutes=[(first, first + 1)])
    read = Covers.from_bytes(made.to_bytes())
    assert read == made
    assert list(read) == [tuple(covers) for covers in frames]
    assert (len(read), read.last_frame) == (len(frames), first + len(frames))


def test_a_frame_of_which_a_plan_does_not_speak_has_no_answer_and_an_empty_one_has() -> None:
    assert PLAN.at(8) == ()
    assert PLAN.at(9) == (ONE, ONE)
    for frame in (6, 10, -1):
        with pytest.raises(LookupError):
            PLAN.at(frame)


@pytest.mark.parametrize("end", range(len(PLAN.to_bytes())))
def test_a_plan_that_was_cut_off_is_refused(end: int) -> None:
    with pytest.raises(Damaged, match="covers_damaged"):
        Covers.from_bytes(PLAN.to_bytes()[:end])


@given(st.integers(0, len(PLAN.to_bytes()) - 1), st.integers(1, 255))
def test_a_plan_of_which_a_byte_was_changed_is_refused_or_still_speaks_of_whole_frames(at: int, flip: int) -> None:
    changed = bytearray(PLAN.to_bytes())
    changed[at] ^= flip
    try:
        read = Covers.from_bytes(bytes(changed))
    except Damaged:
        return
    assert len(list(read)) == len(PLAN)
    assert read.to_bytes() == bytes(changed)


def test_a_plan_with_something_after_it_is_refused() -> None:
    with pytest.raises(Damaged):
        Covers.from_bytes(PLAN.to_bytes() + b"\0")


@pytest.mark.parametrize(
    ("place", "cover"),
    [
        ((10.2, 20.9, 5.0, 5.0), (10, 20, 6, 6)),
        ((-0.5, 0.0, 0.1, 0.1), (-1, 0, 1, 1)),
        ((3.0, 4.0, 5.0, 6.0), (3, 4, 5, 6)),
    ],
)
def test_a_cover_around_a_place_is_never_smaller_than_it(place: tuple[float, ...], cover: tuple[int, ...]) -> None:
    made = Cover.around(*place)
    assert (made.x, made.y, made.width, made.height) == cover


@pytest.mark.parametrize("place", [(float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (1e9, 0, 1, 1), (0, 0, -9, 1e9)])
def test_a_place_that_is_none_has_no_cover(place: tuple[float, float, float, float]) -> None:
    with pytest.raises(Invalid):
        Cover.around(*place)


def test_no_frames_are_no_plan() -> None:
    with pytest.raises(Invalid):
        Covers.of([], width=320, height=180)


def test_a_plan_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COVERS_IN_A_FRAME", 1)
    with pytest.raises(TooLarge, match="covers_too_many"):
        Covers.of([(ONE, ONE)], width=320, height=180)


def test_ten_minutes_with_five_faces_are_a_megabyte() -> None:
    plan = Covers.of([(ONE,) * 5] * 18_000, width=1280, height=720)
    assert len(plan.to_bytes()) < 1 << 20
