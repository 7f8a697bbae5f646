"""What keeps root keys elsewhere, really running: SoftHSM's tokens, an OpenBao server, and moto's KMS.

moto is no AWS: it implements KMS's protocol with real AES-GCM, and is lenient where AWS is not (a key that waits for
its deletion still decrypts there).
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import httpx
import hvac
import pkcs11
import pytest

from core.ids import new_id
from core.secret import Secret
from keys import Root, Typed, root_from
from keys.roots.given import Given

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
PIN, WRONG_PIN = "246810", "135791"
TOKEN = "dev-only-root"
REGION = "eu-west-2"
_PATIENCE_SECONDS = 60


class Peer(Protocol):
    """Somewhere that keeps root keys."""

    def root(self) -> Root:
        """A root in it, named the same each time."""
        ...

    def other(self) -> Root:
        """A root in it of the same kind, under another name."""
        ...

    def count(self) -> int:
        """How many root keys there are."""
        ...

    @contextmanager
    def away(self) -> Iterator[None]:
        """While it can't be reached."""
        ...


@dataclass
class Tokens:
    """SoftHSM with a folder of its own and two tokens in it."""

    folder: Path
    module: str

    def root(self, *, given: Given | None = None, token: str = "first") -> Root:
        uri = f"pkcs11:token={token};object=vig-vault-root?module-path={self.module}"
        return root_from(uri, given=given or Typed(Secret(PIN)))

    def other(self) -> Root:
        return self.root(token="second")

    def count(self) -> int:
        return sum(len(self.keys(token)) for token in ("first", "second"))

    def keys(self, token: str = "first") -> list[dict[str, Any]]:
        module = pkcs11.lib(self.module)
        names = ("SENSITIVE", "EXTRACTABLE", "NEVER_EXTRACTABLE", "ALWAYS_SENSITIVE", "LOCAL", "TOKEN", "PRIVATE")
        with module.get_token(token_label=token).open(user_pin=PIN) as session:
            found = list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}))
            return [{name: key[pkcs11.Attribute[name]] for name in names} for key in found]

    @contextmanager
    def away(self) -> Iterator[None]:
        (self.folder / "tokens").rename(self.folder / "in a drawer")
        try:
            yield
        finally:
            (self.folder / "in a drawer").rename(self.folder / "tokens")


@contextmanager
def tokens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tokens]:
    """SoftHSM started over in this process, on an empty folder."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None:
        pytest.skip("needs SoftHSM: apt install softhsm2")
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    for label in ("first", "second"):
        words = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
        subprocess.run(words, check=True, capture_output=True)
    library = pkcs11.lib(module)
    library.reinitialize()
    yield Tokens(folder, module)
    library.finalize()


@dataclass
class Bao:
    """An OpenBao server with TLS, its Transit engine on."""

    process: subprocess.Popen[bytes]
    address: str
    ca: Path
    name: str

    def root(self, *, given: Given | None = None, options: str = "&snapshots-kept-days=0", name: str = "") -> Root:
        uri = f"hcvault://{self.address}/transit/keys/{name or self.name}?ca={self.ca}{options}"
        return root_from(uri, given=given or Typed(Secret(TOKEN)))

    def other(self) -> Root:
        return self.root(name=self.name + "-other")

    def count(self) -> int:
        try:
            keys = self.client().secrets.transit.list_keys()["data"]["keys"]
        except hvac.exceptions.InvalidPath:
            return 0
        return len(keys)

    def client(self) -> hvac.Client:
        return hvac.Client(url=f"https://{self.address}", token=TOKEN, verify=str(self.ca))

    @contextmanager
    def away(self) -> Iterator[None]:
        self.client().sys.seal()
        try:
            yield
        finally:
            self.client().sys.submit_unseal_key(self.unseal_key())

    def unseal_key(self) -> str:
        log = (self.ca.parent / "log").read_text(encoding="utf-8")
        return log.partition("Unseal Key: ")[2].split()[0]


@contextmanager
def bao(folder: Path) -> Iterator[Bao]:
    """A server on a free port, in memory."""
    ca = folder / "vault-ca.pem"

    def start(port: int) -> list[str]:
        words = [
            str(Path(sys.executable).with_name("bao")),
            "server",
            "-dev",
            "-dev-tls",
            f"-dev-tls-cert-dir={folder}",
        ]
        return [*words, f"-dev-root-token-id={TOKEN}", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"]

    def answers(port: int, _log: str) -> bool:
        httpx.get(f"https://127.0.0.1:{port}/v1/sys/health", verify=ssl.create_default_context(cafile=ca))
        return True

    with running(start, answers, folder=folder, environment={"HOME": str(folder)}) as (process, port):
        one = Bao(process, f"127.0.0.1:{port}", ca, "vig-vault")
        one.client().sys.enable_secrets_engine("transit")
        yield one


@dataclass
class Kms:
    """moto's server."""

    process: subprocess.Popen[bytes]
    address: str
    name: str

    def root(self, *, options: str = "&waits-days=7", name: str = "") -> Root:
        where = f"?region={REGION}&endpoint=http://{self.address}"
        return root_from(f"aws-kms:alias/{name or self.name}{where}{options}")

    def other(self) -> Root:
        return self.root(name=self.name + "-other")

    def count(self) -> int:
        return len(self.client().list_keys()["Keys"])

    def client(self) -> Any:
        return boto3.Session(region_name=REGION).client("kms", endpoint_url=f"http://{self.address}")

    @contextmanager
    def away(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def kms(folder: Path) -> Iterator[Kms]:
    """A server on a free port, in memory."""

    def start(port: int) -> list[str]:
        return [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]

    def answers(_port: int, log: str) -> bool:
        return "Running on" in log

    with running(start, answers, folder=folder, environment={"PATH": os.environ["PATH"]}) as (process, port):
        yield Kms(process, f"127.0.0.1:{port}", f"vig-{new_id()}")


@contextmanager
def running(
    start: Callable[[int], list[str]],
    answers: Callable[[int, str], bool],
    *,
    folder: Path,
    environment: dict[str, str],
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server on a port that was free: should another have taken it meanwhile, it ends, and the next is tried."""
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(start(port), env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + _PATIENCE_SECONDS
            while process.poll() is None and time.monotonic() < end:
                try:
                    ready = answers(port, (folder / "log").read_text(encoding="utf-8"))
                except (httpx.HTTPError, OSError):
                    ready = False
                if ready:
                    yield process, port
                    return
                time.sleep(0.05)
        finally:
            process.terminate()
            process.wait(10)
    raise AssertionError((folder / "log").read_text(encoding="utf-8"))
