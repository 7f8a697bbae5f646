"""The bench runs and prints its figures, on a handful of cases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.journey
def test_the_cost_of_keys_is_measured_and_printed_as_name_and_value() -> None:
    words = [
        "keys",
        "--cases",
        "300",
        "--watched",
        "300",
        "--objects",
        "5",
        "--seconds",
        "0.01",
        "--rounds",
        "1",
        "--database",
        "sqlite",
    ]
    words += ["--root", "local", "--root", "hcvault"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = {name: float(value) for name, value in (line.split(": ") for line in done.stdout.splitlines())}
    for name in (
        "keys.wraps_per_s.local",
        "keys.wraps_per_s.epoch",
        "keys.wraps_per_s.hcvault",
        "keys.epoch_roll_s.sqlite",
        "keys.case_roll_ms.sqlite",
        "keys.viewer_pause_ms.sqlite",
        "keys.viewer_pause_ms.sqlite.baseline",
        "keys.viewer_pause_ms.sqlite.ratio",
    ):
        assert figures[name] > 0
