"""The bench runs and prints its figures. How good they are is nobody's business here: this machine may be busy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.sealing import size_of

ROOT = Path(__file__).resolve().parents[2]


def test_sizes_are_read_as_people_write_them() -> None:
    assert [size_of(text) for text in ("64KiB", "512MiB", "4GiB")] == [2**16, 2**29, 2**32]


def test_sealing_is_measured_and_printed_as_name_and_value(tmp_path: Path) -> None:
    words = ["sealing", "--size", "600KiB", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split(": ") for line in done.stdout.splitlines())
    for name in ("encrypt_over_plain_copy", "decrypt_over_plain_copy", "encrypt_over_tink", "random_64k_over_pread"):
        assert float(figures[f"sealing.{name}"]) > 0
    assert 5 < float(figures["sealing.peak_mib"]) < 500
    assert list(tmp_path.iterdir()) == []
