"""What lies in the repository: the files that are tracked, and the tables and links of its documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MADE = frozenset({".git", ".venv", "build", "dist", "node_modules", "vendor", "__pycache__"})
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_BLOCK = re.compile(r"(?:^ {4}[^ \n].*\n)+", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def tracked_files() -> list[Path]:
    """The files of a checkout as git knows them (new ones too); outside a checkout, all that nobody made."""
    found = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        names = {ROOT / name for name in found.stdout.split("\0") if name}
        return sorted(path for path in names if path.is_file())
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and _MADE.isdisjoint(path.parts))


def documents() -> list[Path]:
    """The Markdown files."""
    return [path for path in tracked_files() if path.suffix == ".md"]


def links(document: Path) -> list[str]:
    """Where a document's links and pictures lead, other than to other sites."""
    text = _FENCED.sub("", document.read_text(encoding="utf-8"))
    return [target for target in _LINK.findall(text) if "://" not in target and not target.startswith("mailto:")]


def anchors(document: Path) -> set[str]:
    """The names of its headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCED.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-") for heading in headings}


def fenced_and_spans(document: Path) -> list[str]:
    """What stands in code: each indented or fenced block, and each span between back ticks."""
    text = document.read_text(encoding="utf-8")
    return _BLOCK.findall(text) + _SPAN.findall(_FENCED.sub("", text))


def table(document: Path, *, first_heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    lines = document.read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows
