"""A child that hangs, lies or dies harms nothing, and none is ever left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from core.errors import Conflict, Invalid, Unavailable
from media import launcher
from media.launcher import Bounds, Cut, Normalise, run, self_test
from media.orders import Output, Shape
from media.sandbox import Role
from media.spawn import Walls
from media.wire import BrokenLine
from tests import clips
from tests.media.helpers import Object

ROOT = Path(__file__).parents[2]


def running() -> list[psutil.Process]:
    """Every process of the children: ``bwrap`` where it is used, and what runs inside."""
    return psutil.Process().children(recursive=True)


@pytest.fixture(params=["every layer", "Landlock and seccomp"])
def behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Behind all that this machine has, and as where there is no bubblewrap."""
    if request.param != "every layer":
        walls = Walls(bubblewrap=None, landlock=True, seccomp=True)
        monkeypatch.setattr(launcher, "_proved", replace(self_test(), walls=walls))
    return str(request.param)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_film_that_is_refused_leaves_no_file_open_and_no_process(behind: str) -> None:
    self_test()
    before = open_files()
    with pytest.raises(Invalid):
        run(Normalise(), source=Object.of(b"not a film").source(), sink=Object().sink())
    assert (open_files(), running()) == (before, [])


def test_a_child_loads_neither_the_database_nor_the_web() -> None:
    program = (
        "import sys, media.decode, media.finish; print(sorted({'sqlalchemy', 'fastapi', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_no_key_is_in_any_childs_arguments_or_environment() -> None:
    film = Object.of(clips.phone_mp4())
    made = Object()
    seen: list[str] = []

    def look(_: int) -> None:
        if not seen:
            seen.extend(" ".join(child.cmdline()) + repr(child.environ()) for child in running())

    run(Normalise(), source=film.source(), sink=made.sink(), on_progress=look)
    assert len(seen) >= 3
    for text in seen:
        assert film.key.reveal().hex() not in text
        assert made.key.reveal().hex() not in text
        assert not re.search(r"PATH=|HOME|SECRET", text)


def test_work_that_is_stopped_leaves_no_child_and_no_byte_behind(behind: str) -> None:
    made = Object()
    with pytest.raises(Conflict) as caught:
        run(Normalise(), source=Object.of(clips.phone_mp4()).source(), sink=made.sink(), cancelled=lambda: True)
    assert (caught.value.code, len(made.data), running()) == ("media_cancelled", 0, [])


@pytest.mark.parametrize("role", [Role.DECODE, Role.ENCODE, Role.FINISH])
def test_a_child_that_dies_ends_the_job_and_trying_again_is_offered(role: Role) -> None:
    film, made = Object.of(clips.phone_mp4()), Object()
    killed: list[int] = []
    seen: list[psutil.Process] = []

    def kill(_: int) -> None:
        # The decoder starts first, then the finisher, then the encoder.
        order = [Role.DECODE, Role.FINISH, Role.ENCODE]
        started = sorted(psutil.Process().children(), key=lambda child: child.create_time())
        if not killed and len(started) == 3:
            child = started[order.index(role)]
            seen.extend(running())
            inside = child.children(recursive=True)
            killed.append((inside or [child])[-1].pid)
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(Unavailable) as caught:
        run(Normalise(), source=film.source(), sink=made.sink(), on_progress=kill)
    assert killed
    assert not any(child.is_running() for child in seen)
    assert (caught.value.code, len(made.data), running()) == ("media_process_failed", 0, [])


def test_a_child_that_hangs_is_killed(behind: str) -> None:
    stopped: list[psutil.Process] = []

    def stop(_: int) -> None:
        if not stopped:
            stopped.extend(running())
            for child in stopped:
                child.suspend()

    with pytest.raises(Unavailable) as caught:
        run(
            Normalise(),
            source=Object.of(clips.phone_mp4()).source(),
            sink=Object().sink(),
            on_progress=stop,
            bounds=Bounds(stall=timedelta(seconds=1)),
        )
    assert (caught.value.code, running()) == ("media_process_hung", [])
    _, alive = psutil.wait_procs(stopped, timeout=10)
    assert alive == []


def test_a_store_that_fails_ends_the_job_with_its_own_error() -> None:
    class StoreGone(Exception):
        pass

    film = Object.of(clips.phone_mp4())

    def fail(offset: int, length: int) -> bytes:
        if offset > 0:
            raise StoreGone
        return film.read(offset, length)

    source = film.source()
    with pytest.raises(StoreGone):
        run(
            Cut(0, 1),
            source=type(source)(source.size, source.header, source.key, b"object", fail),
            sink=Object().sink(),
        )
    assert running() == []


@pytest.mark.parametrize("path", [os.environ.get("PATH", ""), "/nonexistent"], ids=["every layer", "no bubblewrap"])
def test_children_die_with_the_server(path: str) -> None:
    program = (
        "import os, signal, sys; from tests import clips; from tests.media.helpers import Object\n"
        "from media.launcher import Normalise, run\n"
        "import psutil\n"
        "def die(_):\n"
        "    print(*[c.pid for c in psutil.Process().children(recursive=True)], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "film = sys.stdin.buffer.read()\n"
        "run(Normalise(), source=Object.of(film).source(), sink=Object().sink(), on_progress=die)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        input=clips.phone_mp4(),
        capture_output=True,
        check=False,
        env={"PATH": path},
    )
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) >= 3
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)
    assert alive == []


SHAPE = {
    "width": 320,
    "height": 180,
    "rate": [30, 1],
    "frames": 75,
    "channels": 2,
    "columns": 0,
    "rows": 0,
    "film_width": 0,
    "film_height": 0,
}


@pytest.mark.parametrize(
    "lie",
    [
        {"width": 4000},
        {"width": 321},
        {"height": 0},
        {"rate": [1000, 1]},
        {"rate": [30, 0]},
        {"frames": -1},
        {"channels": 6},
        {"width": "320"},
        {"width": True},
        {"frames": 1e9},
        {"film_width": 4000},
        {"film_height": -1},
    ],
)
def test_a_decoder_that_lies_about_its_frames_is_not_believed(lie: dict[str, object]) -> None:
    Shape.of(SHAPE, bounds=Bounds())
    with pytest.raises(BrokenLine):
        Shape.of(SHAPE | lie, bounds=Bounds())


@pytest.mark.parametrize("lie", [{"header": "00"}, {"sha256": "x" * 64}, {"plain_size": -1}, {"ciphertext_size": None}])
def test_a_finisher_that_lies_about_its_output_is_not_believed(lie: dict[str, object]) -> None:
    words = {"header": "28" * 40, "sha256": "0" * 64, "plain_size": 10, "ciphertext_size": 66}
    Output.of(words)
    with pytest.raises(BrokenLine):
        Output.of(words | lie)
