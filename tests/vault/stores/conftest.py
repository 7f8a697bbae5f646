from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.ids import new_id
from tests.vault.stores.door import Door
from tests.vault.stores.servers import AZURE_ACCOUNT, AZURE_KEY, BUCKET, S3_CREDENTIALS, azurite, seaweed
from vault import Address, ObjectStore, open_store

KINDS = ("disk", "s3", "az", "gs")
REMOTE = KINDS[1:]

Opener = Callable[..., ObjectStore]
"""Opens the same store again, as another process would; ``endpoint`` is another way to its server."""


@pytest.fixture(scope="session")
def seaweed_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as port:
        yield port


@pytest.fixture(scope="session")
def azurite_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with azurite(tmp_path_factory.mktemp("azurite")) as port:
        yield port


@pytest.fixture(scope="session")
def google_port(seaweed_port: int) -> Iterator[int]:
    with Door(seaweed_port, dialect="google") as door:
        yield int(door.address.rpartition(":")[2])


def port_of(kind: str, request: pytest.FixtureRequest) -> int:
    names = {"s3": "seaweed_port", "az": "azurite_port", "gs": "google_port"}
    port: int = request.getfixturevalue(names[kind])
    return port


def address_of(kind: str, *, prefix: str, endpoint: str) -> str:
    if kind == "az":
        return f"az://{BUCKET}/{prefix}?endpoint={endpoint}/{AZURE_ACCOUNT}"
    return f"{kind}://{BUCKET}/{prefix}?endpoint={endpoint}"


def credentials_of(kind: str, folder: Path, *, endpoint: str) -> Path:
    """A file as an administrator would write it."""
    file = folder / f"{kind}-{endpoint.rpartition(':')[2]}.credentials"
    if kind == "gs":
        empty = {"client_email": "", "private_key": "", "private_key_id": ""}
        file.write_text(json.dumps({"gcs_base_url": endpoint, "disable_oauth": True, **empty}))
    else:
        lines = S3_CREDENTIALS if kind == "s3" else {"account_name": AZURE_ACCOUNT, "account_key": AZURE_KEY}
        file.write_text("# ours\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()))
    file.chmod(0o600)
    return file


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def prefix() -> str:
    return f"vault/{new_id()}"


@pytest.fixture
def again(kind: str, prefix: str, tmp_path: Path, request: pytest.FixtureRequest) -> Opener:
    if kind == "disk":
        return lambda: open_store(Address.parsed(str(tmp_path / "store")), spool=tmp_path / "unused")
    own = f"http://127.0.0.1:{port_of(kind, request)}"

    def open_again(*, endpoint: str = own) -> ObjectStore:
        return open_store(
            Address.parsed(address_of(kind, prefix=prefix, endpoint=endpoint)),
            spool=tmp_path / "spool",
            credentials=credentials_of(kind, tmp_path, endpoint=endpoint),
        )

    return open_again


@pytest.fixture
def store(again: Opener) -> ObjectStore:
    return again()
