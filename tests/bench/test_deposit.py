"""The bench runs and prints its figures. How good they are is nobody's business here: this machine may be busy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.journey
def test_a_deposit_is_measured_and_printed_as_name_and_value(tmp_path: Path) -> None:
    words = ["deposit", "--size", "600KiB", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {"deposit.over_plain", "deposit.finish_over_plain_copy"} <= figures.keys()
    for name in ("mib_s", "process_mib", "finish_mib_s"):
        assert float(figures[f"deposit.{name}"]) > 0
    assert list(tmp_path.iterdir()) == []
