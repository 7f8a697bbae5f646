from __future__ import annotations

from app.settings import described
from tests.docs.repository import ROOT, table


def test_every_setting_is_in_the_operations_document_with_its_default_and_what_it_does() -> None:
    expected = []
    for name, default, doc in described():
        shown = default.removesuffix(", 0:00:00")
        expected.append([f"`{name}`", f"`{shown}`" if shown else "", doc])
    assert table(ROOT / "docs" / "operations.md", first_heading="setting") == expected
