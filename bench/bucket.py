"""A real S3 server for one bench, and what ``obstore`` alone takes to read an object in it."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import obstore

from core.segments import SEGMENT_SIZE
from tests.vault.stores.servers import BUCKET, S3_CREDENTIALS, seaweed
from vault.addresses import Address
from vault.asking import Remote
from vault.remotes import remote

_PREFIX = "vault"
_PIECE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that is served.

    Attributes:
        settings: what a store needs to keep its objects there.
        remote: the same place, as ``obstore`` knows it.
    """

    settings: dict[str, str]
    remote: Remote


@dataclass(slots=True)
class Alone:
    """``obstore.get_range`` on a sealed object: no ticket, no decision, no log, no cipher, no server of ours.

    Attributes:
        seconds: of each round, the whole object.
        first_byte: of each round: its first segment, which must be whole before a byte of it is known to be true.
        ranges: of each round, the median of its ranges.
    """

    remote: Remote
    name: str
    seconds: list[float] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    ranges: list[float] = field(default_factory=list)

    def serve(self, size: int) -> None:
        """Read the whole object, in pieces as large as the vault's own."""
        begun = time.perf_counter()
        self._read(0, min(SEGMENT_SIZE, size))
        self.first_byte.append(time.perf_counter() - begun)
        for start in range(SEGMENT_SIZE, size, _PIECE):
            self._read(start, min(_PIECE, size - start))
        self.seconds.append(time.perf_counter() - begun)

    def serve_ranges(self, size: int, *, length: int, count: int) -> None:
        """Read ranges at random places."""
        found = []
        for _ in range(count):
            start = random.randrange(size - length)  # noqa: S311 - no secret
            begun = time.perf_counter()
            self._read(start, length)
            found.append(time.perf_counter() - begun)
        self.ranges.append(statistics.median(found))

    def _read(self, start: int, length: int) -> None:
        if len(obstore.get_range(self.remote, self.name, start=start, length=length)) != length:
            message = "the bucket gave another range"
            raise RuntimeError(message)


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """SeaweedFS's S3, its data in a folder that is made."""
    folder.mkdir()
    with tempfile.TemporaryDirectory(prefix="vig") as near, seaweed(_linked(Path(near), folder)) as port:
        credentials = folder / "credentials"
        credentials.touch(mode=0o600)
        credentials.write_text("".join(f"{name} = {value}\n" for name, value in S3_CREDENTIALS.items()))
        address = f"s3://{BUCKET}/{_PREFIX}?endpoint=http://127.0.0.1:{port}"
        settings = {"objects": address, "objects_credentials": str(credentials)}
        yield Bucket(settings, remote(Address.parsed(address), S3_CREDENTIALS))


def _linked(near: Path, folder: Path) -> Path:
    """Another name of the folder, short enough for the sockets in it (108 bytes)."""
    link = near / "s3"
    link.symlink_to(folder.absolute())
    return link
