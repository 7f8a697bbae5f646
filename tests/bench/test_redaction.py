"""The bench runs and prints its figures. How good they are is nobody's business here: this machine may be busy."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from bench.redaction import Spent, length_of, made_clip, piece_of, projected
from bench.redaction_floor import floor_command

ROOT = Path(__file__).resolve().parents[2]


def test_the_floor_encodes_with_the_settings_that_our_own_encoder_is_given(tmp_path: Path) -> None:
    film = made_clip(tmp_path / "film.mp4", seconds=0.2, size=(320, 180))
    words = floor_command(film, tmp_path / "out.mp4")
    given = dict(pairwise(words))
    assert (given["-c:v"], given["-preset"], given["-crf"], given["-c:a"]) == ("libx264", "veryfast", "21", "aac")
    assert (given["-i"], words.count("-i")) == (str(film), 1)
    assert given["-threads"].isdecimal()
    subprocess.run(words, check=True, timeout=60)
    assert (tmp_path / "out.mp4").stat().st_size > 1000


def test_what_deface_takes_for_a_film_follows_from_two_pieces_of_it(tmp_path: Path) -> None:
    film = made_clip(tmp_path / "film.mp4", seconds=0.6, size=(320, 180))
    piece = piece_of(film, tmp_path / "piece.mp4", seconds=0.3)
    assert abs(length_of(piece) - 0.3) < 0.07
    whole = projected(Spent(5, 8, 100), Spent(9, 14, 120), lengths=[1, 3], to=30)
    assert whole == Spent(63, 95, 120)  # three seconds to start, and two for each second of film


def test_redaction_is_measured_and_printed_as_name_and_value() -> None:
    words = ["redaction", "--seconds", "0.4", "--runs", "1", "--lines", "180", "--deface", "", "--long", "0.4"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split(": ") for line in done.stdout.splitlines())
    for name in ("over_floor", "reexport_over_floor", "peak_mib", "astronaut.180p.again_s", "peak_mib.0.4s"):
        assert float(figures[f"redaction.{name}"]) > 0
