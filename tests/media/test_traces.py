"""Where a family lives, what phone they have and when they were filmed never leaves the original."""

from __future__ import annotations

import pytest

from media.launcher import Cut, Job, Normalise, Poster, Strip
from tests.media.helpers import Object, make
from tests.media.marked import DEVICE, SINCE_1904, TRACES, marked_film
from tests.media.reader import read

MADE: dict[str, Job] = {
    "clip": Cut(6, 24),
    "poster": Poster(3),
    "strip": Strip(5),
}


@pytest.fixture(scope="module")
def original() -> bytes:
    return marked_film()


@pytest.fixture(scope="module")
def working_copy(original: bytes) -> Object:
    made, result = make(Normalise(), Object.of(original))
    assert (result.frames, result.has_audio) == (30, True)
    return made


def traces_in(plain: bytes) -> list[str]:
    """Which traces are in some bytes, as any text would be written."""
    return [trace for trace in TRACES for code in ("utf-8", "utf-16-le", "utf-16-be") if trace.encode(code) in plain]


def test_the_film_of_this_test_tells_everything(original: bytes) -> None:
    assert set(traces_in(original)) == set(TRACES)
    assert original.count(SINCE_1904) >= 3
    assert original.count(DEVICE.encode()) >= 6


def test_a_working_copy_tells_nothing(working_copy: Object) -> None:
    plain = working_copy.plain()
    copy = read(plain)
    assert traces_in(plain) == []
    assert SINCE_1904 not in plain
    assert {time for track in copy.tracks for time in track.times} == {0}
    assert [track.kind for track in copy.tracks] == [b"vide", b"soun"]
    assert copy.numbers == list(range(30))


@pytest.mark.parametrize("name", MADE)
def test_nothing_made_of_it_tells_anything(working_copy: Object, name: str) -> None:
    made, _ = make(MADE[name], working_copy)
    assert traces_in(made.plain()) == []
    assert SINCE_1904 not in made.plain()


@pytest.mark.parametrize("name", MADE)
def test_not_even_what_would_be_made_of_the_original_itself(original: bytes, name: str) -> None:
    made, _ = make(MADE[name], Object.of(original))
    assert traces_in(made.plain()) == []
    assert SINCE_1904 not in made.plain()
