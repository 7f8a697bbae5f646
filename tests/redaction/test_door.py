"""The room's door: what follows lazily is the thing of that name, whatever was imported before."""

from __future__ import annotations

from importlib.util import find_spec

import redaction
import redaction.whole


def test_nothing_that_follows_lazily_is_called_like_a_module_of_the_room() -> None:
    """Importing that module would put it in the place of what the door offers by its name."""
    lazily = set(redaction.whole.__all__) - set(redaction.__all__)
    assert [name for name in sorted(lazily) if find_spec(f"redaction.{name}")] == []


def test_the_door_offers_all_that_it_names() -> None:
    assert all(hasattr(redaction, name) for name in redaction.whole.__all__)
    assert not hasattr(redaction, "no_such_name")
