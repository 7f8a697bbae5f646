"""How fast a film is taken in by tus, sealed as it comes, against the same kind of server writing the bytes plain.

In each round a film is sent over loopback twice: to the real server by tus (an announcement and one ``PATCH``; each
8 MiB are sealed, synced, and counted in the database before the next), and to ``bench.plain`` under the same settings,
which writes the body to a file and syncs it once. Then the deposit's job does its first step as the worker does it:
every part is opened, length and SHA-256 are looked at, and the one final object is sealed and synced; beside it the
film is copied plain, with one sync.

* ``over_plain``: the plain server's seconds / ours, the median over the rounds; higher is faster.
* ``peak_mib``: the most memory that the server's process held while it took the films, beyond what it held before;
  ``process_mib`` is all of it, with the interpreter and every library of the service.
* ``finish_mib_s``, ``finish_over_plain_copy``: the rate of that step, and the plain copy's seconds / its seconds.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from bench.peers import plain
from bench.sealing import size_of
from core import jobs
from core.ids import FootageId, JobId
from tests.app.stage import Stage, cookie_of, staged
from tests.families import Family
from vault import finishing
from vault.making import Work
from vault.models import FootageRow, UploadRow

_PIECE = 1024 * 1024
_TUS = {"Tus-Resumable": "1.0.0"}
_HEAD = b"\x00\x00\x00\x18ftypisom"


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--size", default="2GiB", help="of the film")
    command.add_argument("--rounds", type=int, default=3)
    command.add_argument("--folder", type=Path, help="on a disk; takes four such films")


def run(asked: argparse.Namespace) -> None:
    size = size_of(asked.size)
    found: dict[str, list[float]] = {"tus": [], "plain": [], "finish": [], "copy": []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=asked.folder, prefix="vig-vault-bench-")))
        stage = stack.enter_context(staged(folder / "store", "--no-worker", demo_clock=""))
        (folder / "films").mkdir()
        origin, _ = stack.enter_context(plain(folder / "films"))
        before = _memory_mib(stage.served.pid, "VmRSS")
        Path(f"/proc/{stage.served.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
        for _ in range(asked.rounds):
            family = stage.family()
            begun = time.perf_counter()
            footage_id = _deposit(stage, family, size=size)
            found["tus"].append(time.perf_counter() - begun)
            found["plain"].append(_timed(lambda: _send(origin, "PUT", "/film.mp4", _film(size), size=size)))
            found["finish"].append(_timed(lambda: _finish(stage, family, footage_id)))  # noqa: B023 - called at once
            found["copy"].append(_timed(lambda: _copy(folder / "films" / "film.mp4", folder / "films" / "copy.mp4")))
        peak = _memory_mib(stage.served.pid, "VmHWM")
    figures = {
        "over_plain": _median_of_ratios(found["plain"], found["tus"]),
        "mib_s": size / 2**20 / statistics.median(found["tus"]),
        "peak_mib": peak - before,
        "process_mib": peak,
        "finish_over_plain_copy": _median_of_ratios(found["copy"], found["finish"]),
        "finish_mib_s": size / 2**20 / statistics.median(found["finish"]),
    }
    for name, value in figures.items():
        print(f"deposit.{name}: {value:.2f}")


def _film(size: int) -> Iterator[bytes]:
    """Bytes that begin like a film."""
    piece = os.urandom(_PIECE)
    yield (_HEAD + piece)[: min(_PIECE, size)]
    for start in range(_PIECE, size, _PIECE):
        yield piece[: size - start]


def _deposit(stage: Stage, family: Family, *, size: int) -> FootageId:
    """Announce and send a film; gives the footage that it becomes."""
    visit = stage.visit(family)
    with stage.client(family.staff.guider) as client:
        place = f"/cases/{family.case_id}/visits/{visit}/uploads"
        made = client.post(place, headers=_TUS | {"Upload-Length": str(size)})
        made.raise_for_status()
    address = urlsplit(made.headers["location"]).path
    headers = _TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    headers |= cookie_of(family.staff.guider) | {"Origin": stage.served.origin}
    _send(stage.served.origin, "PATCH", address, _film(size), size=size, headers=headers)
    with stage.service.db.read() as session:
        return FootageId(session.get_one(UploadRow, address.rpartition("/")[2]).footage_id or "")


def _send(
    origin: str, method: str, path: str, film: Iterator[bytes], *, size: int, headers: dict[str, str] | None = None
) -> None:
    address = urlsplit(origin)
    line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=600)
    try:
        line.request(method, path, body=film, headers={"Content-Length": str(size), **(headers or {})})
        answer = line.getresponse()
        said = answer.read()
        if answer.status != http.client.NO_CONTENT:
            message = f"{method} {path} was answered {answer.status} {said!r}"
            raise RuntimeError(message)
    finally:
        line.close()


def _finish(stage: Stage, family: Family, footage_id: FootageId) -> None:
    """The first step of the deposit's job, as the worker does it."""
    service = stage.service
    with service.db.begin() as session:
        job = JobId(session.get_one(FootageRow, footage_id).job_id)
        lease = jobs.take(session, job, at=service.db.clock.now())
    if lease is None:
        message = "somebody else has the job"
        raise RuntimeError(message)
    work = Work(service.db, keystore=service.keystore, store=service.store, lease=lease, case_id=family.case_id)
    finishing._assemble(work, footage_id)  # noqa: SLF001 - one step of the job, measured by itself


def _copy(source: Path, target: Path) -> None:
    buffer = bytearray(_PIECE)
    with source.open("rb", buffering=0) as one, target.open("wb", buffering=0) as other, memoryview(buffer) as view:
        while count := one.readinto(buffer):
            other.write(view[:count])
        os.fsync(other.fileno())


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _memory_mib(pid: int, name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _median_of_ratios(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(their / our for their, our in zip(theirs, ours, strict=True))
