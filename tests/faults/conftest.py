"""What the drills put in the place of something real is put back before anybody else's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from media import launcher


@pytest.fixture(scope="module", autouse=True)
def _the_real_sandbox_afterwards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "run", launcher.run)
        yield
