"""Places for root keys that really run: one OpenBao and one moto for a file's tests, SoftHSM anew for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.db import Database
from core.ids import new_id
from tests.fakes import HandClock
from tests.keys.rolling import fresh_database
from tests.keys.roots.peers import Bao, Kms, Peer, Tokens, bao, kms, tokens


@pytest.fixture(scope="module")
def bao_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with bao(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest.fixture(scope="module")
def kms_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kms]:
    with kms(tmp_path_factory.mktemp("kms")) as server:
        yield server


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tokens]:
    with tokens(tmp_path / "softhsm", monkeypatch) as found:
        yield found


@pytest.fixture
def transit(bao_server: Bao) -> Bao:
    """With a name of the test's own."""
    return replace(bao_server, name=f"vig-{new_id()}")


@pytest.fixture
def aws(kms_server: Kms, monkeypatch: pytest.MonkeyPatch) -> Kms:
    """With a name of the test's own, and somebody who may ask."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return replace(kms_server, name=f"vig-{new_id()}")


@pytest.fixture(params=["hsm", "transit", "aws"])
def peer(request: pytest.FixtureRequest) -> Peer:
    """Each of them."""
    found: Peer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def keys_db(tmp_path: Path, clock: HandClock) -> Iterator[Database]:
    """SQLite only: the root knows nothing of the database."""
    with fresh_database(tmp_path / "keys.db", clock) as db:
        yield db
