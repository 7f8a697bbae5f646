"""Films with a few bits turned, many of them: the decoder never dies, hangs or blames itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.errors import Invalid, TooLarge
from media.refusals import error_for
from tests import clips
from tests.media.hostile.small import film, made
from tests.media.mutants import FINE

ROOT = Path(__file__).parents[2]
EACH = 30


@pytest.fixture(scope="module")
def fates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("films")
    vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
    films = {"phone.mp4": film(), "phone.webm": made(*vp9, suffix=".webm"), "newer.mov": clips.hlg_mov()}
    for name, data in films.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "tests.media.mutants", str(folder), str(EACH)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=250,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_spoilt_film_is_decoded_or_refused_as_the_films_own_fault(fates: dict[str, str]) -> None:
    assert len(fates) == 3 * EACH
    strange = {
        name: fate
        for name, fate in fates.items()
        if fate != FINE and (" " in fate or not isinstance(error_for(fate), Invalid | TooLarge))
    }
    assert strange == {}


def test_the_films_are_spoilt_enough_to_be_refused_in_several_ways_and_some_survive(fates: dict[str, str]) -> None:
    met = Counter(fates.values())
    assert met[FINE] > 0
    assert len(met) >= 4
