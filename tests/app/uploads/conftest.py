"""One served store for all of this package, and guiders with a visit to add film to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.stage import Stage, staged
from tests.app.uploads.depositor import MOST_BYTES, Depositor


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The real server. Nothing that the tests do to it is worth a warning in its log."""
    with staged(tmp_path_factory.mktemp("served"), max_upload_bytes=str(MOST_BYTES)) as made:
        yield made
        written = made.served.log.read_text(encoding="utf-8").splitlines()
        assert [line for line in written if '"level": "info"' not in line] == []


@pytest.fixture
def depositor(stage: Stage) -> Iterator[Depositor]:
    made = Depositor(stage)
    yield made
    made.client.close()
