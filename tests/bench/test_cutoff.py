"""The bench runs and prints its figures. How good they are is nobody's business here: this machine may be busy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.cutoff import percentile

ROOT = Path(__file__).resolve().parents[2]


def test_a_percentile_is_a_value_that_occurred() -> None:
    values = [float(number) for number in range(1, 201)]
    assert percentile(values, 99) == 198.0
    assert percentile(values, 50) == 100.0
    assert percentile([7.0], 99) == 7.0


@pytest.mark.journey
def test_the_cutoff_is_measured_and_printed_as_name_and_value() -> None:
    words = ["cutoff", "--viewers", "4", "--rounds", "1", "--database", "sqlite", "--chromium", ""]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split(": ") for line in done.stdout.splitlines())
    assert figures["cutoff.samples"] == "4"
    for pace in ("fast", "slow"):
        assert float(figures[f"cutoff.sqlite.{pace}.p99_ms"]) > 0
    assert 0 < float(figures["cutoff.p50_ms"]) <= float(figures["cutoff.p99_ms"])
