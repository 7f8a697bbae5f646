"""Bounds, and sealed bytes that aren't what they were; what is hostile by itself is in ``test_hostile``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import Damaged, VaultError
from media.launcher import Bounds, Normalise, Source, run
from tests import clips
from tests.media.helpers import Object


def attempt(film: Object, *, source: Source | None = None, bounds: Bounds | None = None) -> tuple[VaultError, int]:
    """The error that a film meets, and how many bytes came out."""
    made = Object()
    with pytest.raises(VaultError) as caught:
        run(Normalise(), source=source or film.source(), sink=made.sink(), bounds=bounds)
    return caught.value, len(made.data)


def test_a_film_longer_than_allowed_is_refused_before_it_is_decoded() -> None:
    error, _ = attempt(Object.of(clips.silent_mp4()), bounds=Bounds(duration=timedelta(seconds=2)))
    assert error.code == "film_too_long"


def test_a_film_with_more_pixels_than_allowed_is_refused() -> None:
    error, _ = attempt(Object.of(clips.silent_mp4()), bounds=Bounds(pixels=320 * 180 - 1))
    assert error.code == "film_too_large"


@pytest.mark.parametrize("place", [50, 5000, -10])
def test_a_sealed_film_with_one_bit_turned_is_damaged_not_guessed_at(place: int) -> None:
    film = Object.of(clips.silent_mp4())
    film.data[place] ^= 1
    error, written = attempt(film)
    assert isinstance(error, Damaged)
    assert (error.code, written) == ("object_damaged", 0)


def test_a_film_under_another_objects_key_is_damaged() -> None:
    film, other = Object.of(clips.silent_mp4()), Object.of(clips.silent_mp4())
    error, _ = attempt(film, source=Source(len(film.data), film.header, other.key, b"object", film.read))
    assert error.code == "object_damaged"


def test_noise_in_the_middle_of_a_film_never_hangs_or_leaks_a_traceback() -> None:
    film = bytearray(clips.phone_mp4())
    start = film.index(b"mdat") + 2000
    film[start : start + 8000] = bytes(range(256)) * 31 + bytes(64)
    made = Object()
    try:
        result = run(Normalise(), source=Object.of(bytes(film)).source(), sink=made.sink())
    except VaultError as error:
        assert error.code in {"film_unreadable", "film_truncated"}  # noqa: PT017 - either end is right
    else:
        assert result.frames == clips.FRAMES
