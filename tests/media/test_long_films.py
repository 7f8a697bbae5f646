"""Long films: bounded memory, no drift."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from media.launcher import Normalise, run
from tests.media import chart
from tests.media.helpers import Object, make
from tests.media.reader import read

NTSC = Fraction(30000, 1001)
MOST_BYTES = 256 << 20


class Peaks:
    """The most memory that each child held, as far as it was seen."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}

    def look(self, _: int) -> None:
        """Look at every process below this one."""
        families = [Path("/proc/self")]
        while families:
            for listed in families.pop().glob("task/*/children"):
                try:
                    below = [Path("/proc", number) for number in listed.read_text().split()]
                    self.bytes |= {child.name: _peak_of(child) for child in below}
                except OSError:  # it has ended
                    continue
                families += below


def _peak_of(process: Path) -> int:
    facts = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return int(facts.get("VmHWM", "0 kB").split()[0]) * 1024


def test_an_hour_long_film_is_worked_on_within_bounded_memory() -> None:
    source = ("-f", "lavfi", "-i", "color=c=gray:s=96x64:r=1:d=3600")
    film = Object.of(chart.run(*source, *chart.H264, "-g", "600", suffix=".mp4"))
    made, peaks = Object(), Peaks()
    result = run(Normalise(), source=film.source(), sink=made.sink(), on_progress=peaks.look)
    assert (result.frames, result.fps, result.duration_ms) == (18_000, 5, 3_600_000)
    assert len(peaks.bytes) >= 3
    assert max(peaks.bytes.values()) < MOST_BYTES


def test_sound_is_still_in_step_after_a_minute_at_a_crooked_rate() -> None:
    frames = 60 * 30
    film = chart.film(
        *("-vf", f"loop=loop=-1:size=1,trim=end_frame={frames},setpts=N/(30000/1001)/TB"),
        *("-af", f"adelay={round(frames / NTSC * 1000) - 1000}", *chart.H264, *chart.AAC),
        rate=NTSC,
        size=(96, 64),
    )
    made, result = make(Normalise(), Object.of(film))
    copy = read(made.plain())
    assert (result.frames, result.fps, len(copy.pictures)) == (frames, NTSC, frames)
    end = float(frames / NTSC)
    assert copy.tone == pytest.approx((end - 1 + chart.TONE[0], end - 1 + chart.TONE[1]), abs=0.012)
    assert copy.picture.duration / copy.picture.scale == pytest.approx(end, abs=0.0001)
