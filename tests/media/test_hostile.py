"""Whatever somebody deposits: a clear sentence or a clean film, within bounds, and nothing else is touched.

The whole set goes through the media room once, under ``strace``, and all tests look at that one run. What names another
file or an address is watched closely, so that even an attempt would be seen; the rest cheaply.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import TooLarge
from media import refusals
from tests import clips
from tests.media import trace
from tests.media.helpers import boxes_of
from tests.media.hostile.disguises import BOMB_NAME, disguises
from tests.media.hostile.indexes import indexes
from tests.media.hostile.streams import SECRETS, streams
from tests.media.parade import BEGIN

pytestmark = pytest.mark.timeout(600)  # the first test waits for the whole run
MOST_MEMORY = 1 << 30
FINE = "fine"
TRACES = (b"<script", b"%PDF", b"PK\3\4", b"\x7fELF", BOMB_NAME.encode(), b"Lavc", b"Lavf", b"x264")


@dataclass(frozen=True)
class Parade:
    """How all of them fared.

    Attributes:
        folder: has a ``.film`` for each in a folder of its own, and an ``.out`` beside those that came out.
        expected: by number, name and the code that must be met.
        outcomes: by number, what ``tests.media.parade`` wrote.
        visited: whether somebody called at the address that some of them name.
    """

    folder: Path
    expected: dict[str, tuple[str, str]]
    outcomes: dict[str, dict[str, Any]]
    visited: bool

    def fine(self) -> list[tuple[str, bytes]]:
        """Names and bytes of the films that came out."""
        return [(self.expected[out.stem][0], out.read_bytes()) for out in sorted(self.folder.glob("*/*.out"))]

    def traces(self) -> list[Path]:
        """What ``strace`` wrote; without it a test of that is skipped."""
        found = sorted(self.folder.glob("*/trace"))
        if not found:
            pytest.skip("needs strace (Debian package strace) and leave to trace one's own processes")
        return found


@pytest.fixture(scope="module")
def parade(tmp_path_factory: pytest.TempPathFactory) -> Parade:
    """Held once, also where several processes share the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "hostile"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "report.json").exists():
            _hold(folder)
    report = json.loads((folder / "report.json").read_text())
    return Parade(folder, report["expected"], report["outcomes"], report["visited"])


def _hold(folder: Path) -> None:
    decoy = folder / "of-another-family.mp4"
    decoy.write_bytes(clips.phone_mp4())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        every = {**disguises(decoy, port=port), **indexes(decoy), **streams()}
        expected = {f"{number:03}": (name, code) for number, (name, (_, code)) in enumerate(every.items())}
        for part in ("close", "cheap"):
            (folder / part).mkdir(exist_ok=True)
        for number, (make, _) in enumerate(every.values()):
            film = make()
            names_another = decoy.name.encode() in film or b"127.0.0.1" in film
            (folder / ("close" if names_another else "cheap") / f"{number:03}.film").write_bytes(film)
        outcomes = _run(folder / "close", traced=trace.traced) | _run(folder / "cheap", traced=trace.traced_cheaply)
        visited = _was_visited(server)
    report = {"expected": expected, "outcomes": outcomes, "visited": visited}
    (folder / "report.json").write_text(json.dumps(report))


def _run(folder: Path, *, traced: Callable[..., list[str]]) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.media.parade", str(folder)]
    if trace.can_trace():
        command = traced(command, into=folder / "trace")
    subprocess.run(command, cwd=trace.ROOT, check=True, timeout=250)
    outcomes: dict[str, dict[str, Any]] = json.loads((folder / "outcomes.json").read_text())
    return outcomes


def _was_visited(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_each_meets_the_code_that_it_must(parade: Parade) -> None:
    met = {name: parade.outcomes[number]["code"] for number, (name, _) in parade.expected.items()}
    assert met == dict(parade.expected.values())


def test_each_refusal_says_what_to_do_and_is_the_films_fault_not_ours(parade: Parade) -> None:
    for outcome in parade.outcomes.values():
        if outcome["code"] == FINE:
            continue
        error = refusals.error_for(outcome["code"])
        assert (outcome["kind"], outcome["sentence"]) == (type(error).__name__, error.sentence)
        assert outcome["kind"] in {"Invalid", TooLarge.__name__}
        assert outcome["written"] == 0


def test_none_leaves_a_process_behind_or_takes_much_memory(parade: Parade) -> None:
    assert {outcome["left"] for outcome in parade.outcomes.values()} == {0}
    assert max(outcome["memory"] for outcome in parade.outcomes.values()) < MOST_MEMORY


def test_of_what_stands_around_the_pictures_nothing_comes_out(parade: Parade) -> None:
    films = parade.fine()
    assert films
    for name, film in films:
        for secret in (*SECRETS, *TRACES):
            assert secret not in film, name
        allowed = {"ftyp", "moov", "mdat"}
        assert {box.partition(".")[0] for box in boxes_of(film)} == allowed, name
        assert not {"udta", "meta", "uuid", "free"} & {box.rpartition(".")[2] for box in boxes_of(film)}, name


def test_nobody_calls_at_an_address_that_a_film_names(parade: Parade) -> None:
    assert not parade.visited


def test_no_process_in_the_sandbox_asks_for_anything_but_its_own_libraries(parade: Parade) -> None:
    for seen in parade.traces():
        assert trace.surprises(seen, after=BEGIN) == []


def test_another_familys_film_next_to_a_playlist_is_never_looked_at(parade: Parade) -> None:
    for seen in parade.traces():
        assert "of-another-family" not in seen.read_text(encoding="utf-8", errors="replace")


def test_reading_a_trace_finds_what_must_not_be_there(tmp_path: Path) -> None:
    seen = tmp_path / "trace"
    needed = [
        '7<python> openat(AT_FDCWD, "x/begins", O_WRONLY|O_CREAT, 0666) = 3',
        '8<python> execve("python", [], 0x0) = 0',
        '8<python> openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3',
        "8<python> prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0x0) = 0",
        '8<python> openat(AT_FDCWD, "/usr/lib/libz.so", O_RDONLY|O_CLOEXEC) = 3',
        '7<python> execve("strace", [], 0x0) = 0',
    ]
    seen.write_text("\n".join(needed))
    assert trace.surprises(seen, after="begins") == []
    for task, call in (
        (8, 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = -1 EACCES (Permission denied)'),
        (8, 'openat(AT_FDCWD, "/usr/lib/libz.so", O_WRONLY) = -1 EPERM (Operation not permitted)'),
        (8, 'openat(AT_FDCWD, "of-another-family.mp4", O_RDONLY <unfinished ...>'),
        (9, 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3'),
        (8, "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = -1 EPERM (Operation not permitted)"),
        (8, 'execve("/bin/sh", [], 0x0) = -1 EPERM (Operation not permitted)'),
        (8, "clone(child_stack=NULL, flags=SIGCHLD) = -1 EPERM (Operation not permitted)"),
        (8, 'memfd_create("x", MFD_CLOEXEC) = -1 EPERM (Operation not permitted)'),
    ):
        seen.write_text("\n".join([*needed, f"{task}<python> {call}"]))
        assert len(trace.surprises(seen, after="begins")) == 1, call


def test_only_of_a_task_that_is_just_being_killed_an_unreadable_call_is_passed_over(tmp_path: Path) -> None:
    seen = tmp_path / "trace"
    before = [
        '7<python> execve("python", [], 0x0) = 0',
        '7<python> openat(AT_FDCWD, "x/begins", O_WRONLY|O_CREAT, 0666) = 3',
        "8<python> prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0x0) = 0",
    ]
    unreadable, killed = "8<python> ???( <unfinished ...>", "8<python> +++ killed by SIGKILL +++"
    for after in (
        [unreadable, killed],
        [unreadable, '7<python> execve("strace", [], 0x0) = 0', killed],
        [unreadable, "8<python> <... ??? resumed>)        = ?", killed],
        [unreadable, "8<python> <... ??? resumed>)        = ?", "8<python> +++ exited with 0 +++"],
        ["8<python> ???()        = ? <unavailable>", killed],
        ["8<python> openat(AT_FDCWD, 0x7f8000000000, O_RDONLY|O_CLOEXEC <unfinished ...>", killed],
        ["8<python> clone3(0x7f8000000000, 88 <unfinished ...>", killed],
    ):
        seen.write_text("\n".join([*before, *after]))
        assert trace.surprises(seen, after="begins") == [], after
    for after in (
        [unreadable],
        ["8<python> openat(AT_FDCWD, 0x7f8000000000, O_RDONLY|O_CREAT <unfinished ...>", killed],
        [unreadable, '8<python> openat(AT_FDCWD, "/usr/lib/libz.so", O_RDONLY) = 3', killed],
        [unreadable, "8<python> exit_group(0) = ?", "8<python> +++ exited with 0 +++"],
        [unreadable, "8<python> <... ??? resumed>)        = 3", killed],
        [unreadable, "9<python> +++ killed by SIGKILL +++"],
        ["8<python> openat(AT_FDCWD, 0x7f8000000000, O_WRONLY <unfinished ...>", killed],
        ['8<python> openat(AT_FDCWD, "/etc/passwd", O_RDONLY <unfinished ...>', killed],
        ["8<python> socket(AF_INET, SOCK_STREAM, IPPROTO_IP <unfinished ...>", killed],
    ):
        seen.write_text("\n".join([*before, *after]))
        assert len(trace.surprises(seen, after="begins")) == 1, after
