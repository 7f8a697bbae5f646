"""High range and wide colour come out as the ordinary colours that they stand for."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from media import colour
from media.colour import Transfer
from media.launcher import Normalise, Poster
from tests.media import chart
from tests.media.helpers import Object, make
from tests.media.reader import read

DIM = 0.8  # below where brightness is rolled off
WHITE = 203.0  # cd/m²
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
NAMES = {Transfer.HLG: "arib-std-b67", Transfer.PQ: "smpte2084", Transfer.ORDINARY: "bt2020-10"}
Light = npt.NDArray[np.float64]


def hlg_of(light: Light) -> Light:
    """What a camera with HLG stores for what a screen of 1,000 cd/m² shows (ITU-R BT.2100, tables 5 and 9)."""
    light = light / 1000
    luminance = light @ [0.2627, 0.6780, 0.0593]
    scene = light * np.where(luminance > 0, luminance, 1)[..., None] ** (1 / 1.2 - 1)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper))


def pq_of(light: Light) -> Light:
    """What PQ stores for light (ITU-R BT.2100, table 4)."""
    power = (light / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def ordinary_of(light: Light) -> Light:
    """What a film of ordinary range stores."""
    return np.asarray((light / WHITE).clip(0, 1) ** (1 / 2.4))


STORED = {Transfer.HLG: hlg_of, Transfer.PQ: pq_of, Transfer.ORDINARY: ordinary_of}


def wide_film(transfer: Transfer, *, turn: str = "null") -> bytes:
    """The chart, a little dimmed, as ten-bit HEVC in BT.2020; ``turn`` is how it lies in the film."""

    def signal(drawn: chart.Picture) -> chart.Signal:
        light = WHITE * (drawn / 255.0 * DIM) ** 2.4 @ TO_2020.T
        return np.asarray(np.rint(STORED[transfer](light).clip(0, 1) * 65535), "<u2")

    told = f"log-level=none:transfer={NAMES[transfer]}:colorprim=bt2020:colormatrix=bt2020nc"
    return chart.film(
        *("-vf", f"{turn},scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le", "-c:v", "libx265"),
        *("-preset", "ultrafast", "-crf", "14", "-x265-params", told, "-tag:v", "hvc1", "-an"),
        frames=6,
        suffix=".mov",
        signal=signal,
    )


def is_the_chart(drawn: chart.Picture) -> bool:
    """Whether a picture shows the dimmed colours, each in its place."""
    found = chart.colours_in(drawn)
    for place, meant in chart.COLOURS.items():
        assert found[place] == pytest.approx([part * DIM for part in meant], abs=10), place
    return True


@pytest.mark.parametrize("transfer", Transfer)
def test_a_wide_film_shows_the_colours_that_it_stands_for(transfer: Transfer) -> None:
    made, result = make(Normalise(), Object.of(wide_film(transfer)))
    copy = read(made.plain())
    assert copy.numbers == list(range(6))
    assert result.frames == 6
    assert is_the_chart(copy.pictures[3])


def test_a_wide_film_taken_upright_stands_upright_in_its_colours() -> None:
    stored = wide_film(Transfer.HLG, turn="transpose=cclock")
    film = chart.again(stored, "-c", "copy", before=("-display_rotation", "-90"), suffix=".mov")
    made, result = make(Normalise(), Object.of(film))
    copy = read(made.plain())
    assert (result.width, result.height) == (chart.WIDTH, chart.HEIGHT)
    assert copy.numbers == list(range(6))
    assert is_the_chart(copy.pictures[3])


def test_its_poster_shows_them_too() -> None:
    copy, _ = make(Normalise(), Object.of(wide_film(Transfer.HLG)))
    made, _ = make(Poster(2), copy)
    assert is_the_chart(np.asarray(Image.open(io.BytesIO(made.plain())).convert("RGB")))


STEPS = colour.LEVEL**2


def cube(transfer: Transfer) -> Light:
    """The table as colours, by blue, green and red of the signal."""
    return np.frombuffer(colour.table(transfer), np.uint16).reshape(STEPS, STEPS, STEPS, 3) / colour.TOP


@pytest.mark.parametrize("transfer", Transfer)
def test_grey_stays_grey_and_brighter_is_never_darker(transfer: Transfer) -> None:
    table = cube(transfer)
    grey = table[range(STEPS), range(STEPS), range(STEPS)]
    assert np.ptp(grey, axis=1).max() < 0.004
    assert (np.diff(grey[:, 0]) >= 0).all()
    assert grey[0, 0] == 0
    assert grey[-1, 0] == pytest.approx(1, abs=0.002)
    assert (table >= 0).all()
    assert (table <= 1).all()


def test_white_paper_stays_bright_and_what_is_brighter_still_differs_from_it() -> None:
    signals = np.linspace(0, 1, STEPS)
    grey = cube(Transfer.HLG)[range(STEPS), range(STEPS), range(STEPS), 0]
    paper, lamp = np.interp([0.75, 0.9], signals, grey)
    assert 0.85 < paper < 0.95
    assert paper < lamp - 0.03 < 1
