"""What the walk through the ASVS names as proof is there."""

from __future__ import annotations

import re

from tests.docs.repository import ROOT

TEXT = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_as_proof_exists() -> None:
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`(?!\])", TEXT))
    assert len(named) > 15
    assert named - known == set()


def test_every_number_stands_once() -> None:
    cells = [row.split("|")[1] for row in TEXT.splitlines() if re.match(r"\| \d", row)]
    numbers = [number for cell in cells for number in re.findall(r"\d+\.\d+\.\d+", cell)]
    assert len(numbers) > 80
    assert sorted(set(numbers)) == sorted(numbers)
