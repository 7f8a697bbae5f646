"""The bench runs and prints its figures. How good they are is nobody's business here: this machine may be busy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.journey
def test_serving_is_measured_and_printed_as_name_and_value(tmp_path: Path) -> None:
    """What is measured on a disk is all in it, too."""
    words = ["serving", "--store", "s3", "--size", "600KiB", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split(": ") for line in done.stdout.splitlines())
    for name in (
        "over_fileresponse",
        "random_64k_over_fileresponse",
        "over_obstore",
        "first_byte_over_obstore",
        "random_64k_over_obstore",
        "first_byte_ms",
    ):
        assert float(figures[f"serving.s3.{name}"]) > 0
    assert list(tmp_path.iterdir()) == []
