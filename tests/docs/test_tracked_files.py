from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.repository import ROOT, tracked_files

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".ico", ".woff2", ".mp4", ".mov"})
MACHINE = {
    "somebody's own folder": r"(?<![\w.])/(?:home|Users|root)/\w",
    "the place where this was built": r"(?<![\w.])/(?:work|workspace|builds)/",
    "a folder beside the repository": r"\.\./shared/",
    "the address of a package registry": (
        r"https?://[^\s\"'<>]*(?:py[p]i\.org|python[h]osted\.org|registry\.[\w.-]+|np[m]js\.|artifactory|nexus|/simple\b)"
    ),
    "another registry than the default": r"(?:^|\s)--?(?:extra-)?index-url|^registry\s*=",
}


def _texts() -> list[Path]:
    return [path for path in tracked_files() if path.suffix not in PICTURES and path != Path(__file__)]


@pytest.mark.parametrize(("what", "pattern"), MACHINE.items(), ids=MACHINE)
def test_no_tracked_file_names_a_machine(what: str, pattern: str) -> None:
    searched = re.compile(pattern, re.MULTILINE)
    found = [
        f"{path.relative_to(ROOT)}: {hit.group().strip()}"
        for path in _texts()
        if (hit := searched.search(path.read_text(encoding="utf-8", errors="replace"))) is not None
    ]
    assert found == [], what


def test_a_lock_names_versions_and_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "web/package-lock.json", "tests/vault/stores/azurite/package-lock.json"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "sha" in text
        assert '"resolved"' not in text
        assert not re.search(r"^\S+ @ ", text, re.MULTILINE)
