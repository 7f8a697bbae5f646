"""Silence is exact to the sample, and holds nothing of what was there."""

from __future__ import annotations

import numpy as np
import pytest

from media.muting import Mute

LENGTH = 4000


@pytest.mark.parametrize("size", [1, 7, 256, LENGTH])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_stretch_is_all_zeros_however_the_sound_comes(size: int, channels: int) -> None:
    sound = np.random.default_rng(1).integers(-30_000, 30_000, (LENGTH, channels)).astype(np.int16)
    heard: list[bytes] = []
    mute = Mute([(1000, 1500), (2500, 2600)], channels=channels, write=heard.append)
    for at in range(0, LENGTH, size):
        mute.write(sound[at : at + size].tobytes())
    out = np.frombuffer(b"".join(heard), np.int16).reshape(-1, channels)
    assert len(out) == LENGTH
    assert not out[1000:1500].any()
    assert not out[2500:2600].any()
    for kept in (slice(0, 760), slice(1740, 2260), slice(2840, LENGTH)):
        assert (out[kept] == sound[kept]).all()
    assert np.abs(out[990:1000]).max() < 0.06 * 30_000  # it fades, on both sides
    assert np.abs(out[1500:1510]).max() < 0.06 * 30_000
    assert np.abs(out[800:900]).max() > 0.1 * 30_000


def test_the_fade_of_one_stretch_brings_nothing_back_into_the_next() -> None:
    heard: list[bytes] = []
    mute = Mute([(100, 200), (210, 300)], channels=1, write=heard.append)
    mute.write(np.full(600, 20_000, np.int16).tobytes())
    out = np.frombuffer(b"".join(heard), np.int16)
    assert not out[100:200].any()
    assert not out[210:300].any()
    assert np.abs(out[200:210]).max() < 1500
