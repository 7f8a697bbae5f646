from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.repository import ROOT, anchors, documents, links

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PICTURES = DOCS / "pictures"


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", documents(), ids=_named)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    astray = []
    for link in links(document):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if target.parent == PICTURES and not PICTURES.exists():
            continue  # they are made by the journey in a browser, which hasn't been run yet
        if not target.exists() or (anchor and anchor not in anchors(target)):
            astray.append(link)
    assert astray == []


def test_every_decision_stands_in_the_list_of_decisions_and_begins_with_its_number() -> None:
    records = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert links(DECISIONS / "README.md") == [path.name for path in records]
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [path.read_text(encoding="utf-8")[:8] for path in records] == [f"# {path.name[:4]}: " for path in records]


def test_every_document_stands_in_the_index() -> None:
    index = set(links(DOCS / "README.md"))
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= index
