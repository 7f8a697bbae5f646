"""How fast a sealed film is served, against nginx and Starlette's ``FileResponse`` serving the plaintext file.

Ours is the real server, with everything that it does for a parent who watches at home (nobody is paced there): in each
round the page is asked for, on which the decision and its entry in the log are made and committed, then the film by the
page's ticket. The others are asked for the file alone. Each is read over one loopback connection by a bare socket.
Rounds are interleaved, and a ratio is the median over the rounds.

* ``over_nginx``, ``over_nginx_sendfile``, ``over_fileresponse``: their seconds / ours; higher is faster.
* ``cpu_over_nginx``: processor time of the server's processes for the film, its decision included, ours / nginx's;
  lower is better. What the page took is ``page_cpu_ms``.
* ``random_64k_over_nginx``: the median time of a range of 64 KiB at a random place on a connection that is kept, ours /
  theirs (lower is better), the median over the rounds. Each of ours looks at session and ticket and decides, in the
  database.
* ``first_byte_ms``: from the film's request to its first byte; ``page_ms`` is what came before it.

With ``--store s3`` the sealed film lies in a bucket (SeaweedFS, a process of its own on this machine; the others go on
serving the plaintext from the disk), and every figure says so: ``serving.s3.…``. Beside it the same object is read
there by ``obstore.get_range`` alone:

* ``s3.first_byte_over_obstore``: our first byte / its first segment, which must be whole before any byte of it is true;
* ``s3.random_64k_over_obstore``: lower is better; ``s3.over_obstore``: the whole object, its seconds / ours.

*nginx* is nginx with its own defaults, which reads the file and writes it to the connection, as it must wherever it
speaks TLS. *nginx_sendfile* has the kernel send the file's own pages (``sendfile on``): its program sees no byte, which
nobody who opens a cipher can do. Both with one worker and no log; ``FileResponse`` under the very settings of our
server. The film lies in a folder on a disk and is in the system's memory by then, for everybody.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import consent
from bench.bucket import Alone, bucket
from bench.peers import cpu_seconds, nginx, plain
from bench.sealing import size_of
from consent import Audience, Purpose
from core.ids import PersonId
from core.segments import ciphertext_size_of
from tests.app.stage import Stage, cookie_of, staged
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import Clip, add_clip, add_footage
from vault import attest, facts_for

READ_SIZE = 64 * 1024
_NGINX = "/usr/sbin/nginx"
_BITE = 1024 * 1024
_FILM = re.compile(rb'data-film="(/media/[0-9a-f]{32})"')
_RANDOM_AT_ONCE = 20


@dataclass(slots=True)
class Peer:
    """Somebody who serves.

    Attributes:
        origin: address.
        pid: of its first process.
        page: what is asked for first, if anything; the film's address is in it.
        film: address of the film where it needs no page.
        headers: sent with everything.
        seconds: of each round, page and film.
        cpu: processor seconds of each round's film; ``page_cpu`` of its page.
        first_byte: seconds of each round.
        pages: seconds of each round's page.
        ranges: of each round, the median of its ranges' seconds.
    """

    origin: str
    pid: int
    page: str = ""
    film: str = "/film.mp4"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    page_cpu: list[float] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    ranges: list[float] = field(default_factory=list)

    def serve(self, size: int) -> None:
        """Ask for the whole film, and note how long that took."""
        buffer = bytearray(_BITE)
        with self._line() as line:
            before, begun = cpu_seconds(self.pid), time.perf_counter()
            if self.page:
                self._ask_page(line)
            cpu, asked = cpu_seconds(self.pid), time.perf_counter()
            self.page_cpu.append(cpu - before)
            self.pages.append(asked - begun)
            answer = self._ask(line, self.film)
            count = answer.readinto(memoryview(buffer)[:1])
            self.first_byte.append(time.perf_counter() - asked)
            while more := answer.readinto(buffer):
                count += more
            self.seconds.append(time.perf_counter() - begun)
            self.cpu.append(cpu_seconds(self.pid) - cpu)
        if count != size:
            message = f"{self.origin} gave {count} bytes of {size}"
            raise RuntimeError(message)

    def serve_ranges(self, size: int) -> None:
        """Ask for ranges at random places."""
        found = []
        with self._line() as line:
            if self.page:
                self._ask_page(line)
            for _ in range(_RANDOM_AT_ONCE):
                start = random.randrange(size - READ_SIZE)  # noqa: S311 - no secret
                begun = time.perf_counter()
                answer = self._ask(line, self.film, {"Range": f"bytes={start}-{start + READ_SIZE - 1}"})
                if len(answer.read()) != READ_SIZE:
                    message = f"{self.origin} gave another range"
                    raise RuntimeError(message)
                found.append(time.perf_counter() - begun)
        self.ranges.append(statistics.median(found))

    def _ask_page(self, line: HTTPConnection) -> None:
        found = _FILM.search(self._ask(line, self.page, {"Accept": "text/html"}).read())
        if found is None:
            message = "nothing is played on that page"
            raise RuntimeError(message)
        self.film = found[1].decode()

    def _ask(self, line: HTTPConnection, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
        line.request("GET", path, headers=self.headers | (headers or {}))
        answer = line.getresponse()
        if answer.status not in {200, 206}:
            message = f"{self.origin}{path} answered {answer.status}"
            raise RuntimeError(message)
        return answer

    @contextmanager
    def _line(self) -> Iterator[HTTPConnection]:
        address = urlsplit(self.origin)
        line = HTTPConnection(address.hostname or "", address.port, timeout=120)
        try:
            yield line
        finally:
            line.close()


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--size", default="512MiB", help="of the film")
    command.add_argument("--rounds", type=int, default=9)
    command.add_argument("--folder", type=Path, help="on a disk; takes two such films")
    command.add_argument("--store", choices=("disk", "s3"), default="disk", help="where the sealed film lies")
    command.add_argument("--nginx", default=shutil.which("nginx") or _NGINX, help="its program")


def run(asked: argparse.Namespace) -> None:
    size = size_of(asked.size)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=asked.folder, prefix="vig-vault-bench-")))
        far = stack.enter_context(bucket(folder / "bucket")) if asked.store == "s3" else None
        settings = far.settings if far else {}
        stage = stack.enter_context(staged(folder / "store", "--no-worker", demo_clock="", **settings))
        films = folder / "films"
        films.mkdir()
        content = os.urandom(size)
        (films / "film.mp4").write_bytes(content)
        family, clip = _clip_at_home(stage, content)
        del content
        alone = Alone(far.remote, clip.object_id) if far else None
        page = f"/your-clips/{clip.rendition_id}"
        peers = {"ours": Peer(stage.served.origin, stage.served.pid, page=page, headers=cookie_of(family.mother))}
        peers["fileresponse"] = Peer(*stack.enter_context(plain(films)))
        for name, sendfile in (("nginx", "off"), ("nginx_sendfile", "on")) if Path(asked.nginx).exists() else ():
            server = nginx(asked.nginx, folder / name, films=films, sendfile=sendfile)
            peers[name] = Peer(*stack.enter_context(server))
        for _ in range(asked.rounds):
            for peer in peers.values():
                peer.serve(size)
            for peer in peers.values():
                peer.serve_ranges(size)
            if alone:
                alone.serve(ciphertext_size_of(size))
                alone.serve_ranges(ciphertext_size_of(size), length=READ_SIZE, count=_RANDOM_AT_ONCE)
    where = "s3." if far else ""
    for name, value in _figures(peers, alone, size=size).items():
        print(f"serving.{where}{name}: {value:.2f}")


def _figures(peers: dict[str, Peer], alone: Alone | None, *, size: int) -> dict[str, float]:
    ours = peers.pop("ours")
    found: dict[str, float] = defaultdict(float)
    for name, peer in peers.items():
        found[f"over_{name}"] = _median_of_ratios(peer.seconds, ours.seconds)
        found[f"cpu_over_{name}"] = _median_of_ratios(ours.cpu, peer.cpu)
        found[f"random_64k_over_{name}"] = _median_of_ratios(ours.ranges, peer.ranges)
    if alone:
        found["over_obstore"] = _median_of_ratios(alone.seconds, ours.seconds)
        found["first_byte_over_obstore"] = _median_of_ratios(ours.first_byte, alone.first_byte)
        found["random_64k_over_obstore"] = _median_of_ratios(ours.ranges, alone.ranges)
    found["mib_s"] = size / 2**20 / statistics.median(ours.seconds)
    found["cpu_us_per_mib"] = statistics.median(ours.cpu) * 1e6 / (size / 2**20)
    found["page_ms"] = statistics.median(ours.pages) * 1000
    found["page_cpu_ms"] = statistics.median(ours.page_cpu) * 1000
    found["first_byte_ms"] = statistics.median(ours.first_byte) * 1000
    found["random_64k_ms"] = statistics.median(ours.ranges) * 1000
    return found


def _median_of_ratios(upper: list[float], lower: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(upper, lower, strict=True))


def _clip_at_home(stage: Stage, content: bytes) -> tuple[Family, Clip]:
    """A clip that the mother may watch at home, since the father agrees to that."""
    family, service = stage.family(), stage.service
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, service.store, family, stage.visit(family))
    clip = add_clip(service.db, service.keystore, service.store, family, footage, content=content)
    with service.db.begin() as session:
        shown = facts_for(session, clip.rendition_id).persons_shown
        by = family.staff.colleague.id
        attest(session, clip.rendition_id, persons=shown, by=by, at=service.db.clock.now())
    with service.db.read() as session:
        facts = facts_for(session, clip.rendition_id)
    consent.ask(
        service.db,
        actor=family.staff.guider.actor,
        rendition=facts,
        purpose=Purpose.FAMILY_REVIEW,
        audience=Audience(person=PersonId(family.mother.id)),
    )
    questions = consent.questions_for(service.db, actor=family.father.actor)
    asked = [one for one in questions if one.purpose is Purpose.FAMILY_REVIEW]
    consent.grant(
        service.db,
        actor=family.father.actor,
        questions=[one.id for one in asked],
        page_version=max(one.page_version for one in asked),
        notice=asked[0].notice.id,
    )
    return family, clip
