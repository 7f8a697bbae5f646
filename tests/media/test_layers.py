"""Each layer holds by itself, what a machine hasn't got is named, and without enough of them nothing starts.

A kernel that refuses is a real one: a process puts a filter on itself that refuses what an old kernel, a container or
an administrator would, and then asks for the layers.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from media import spawn
from media.attempts import ATTEMPTS
from media.launcher import Layer, Layers, State, layers, self_test
from media.layers import trial
from media.sandbox import Role
from media.spawn import Walls
from tests import clips

ROOT = Path(__file__).parents[2]
BARE = Walls(bubblewrap=None, landlock=False, seccomp=False)
REFUSING = """
import json, os, sys, pyseccomp
calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
for name, number, word, value in json.loads(sys.argv[1]):
    test = () if word is None else (pyseccomp.Arg(word, pyseccomp.MASKED_EQ, value, value),)
    calls.add_rule(pyseccomp.ERRNO(number), name, *test)
calls.load()
from core.errors import VaultError
from media.launcher import Normalise, layers, run, self_test
from tests.media.helpers import Object
found = layers()
answer = {"hold": found.hold}
answer |= {finding.layer: [finding.state, finding.why] for finding in found.findings}
made = Object()
try:
    result = run(Normalise(), source=Object.of(sys.stdin.buffer.read()).source(), sink=made.sink())
    answer["outcome"] = result.frames
except VaultError as error:
    answer["outcome"] = error.code
answer["written"] = len(made.data)
print(json.dumps(answer))
"""
NEW_USER_NAMESPACE = 0x10000000
NO_NAMESPACES = [
    ["clone", errno.EPERM, 0, NEW_USER_NAMESPACE],
    ["unshare", errno.EPERM, 0, NEW_USER_NAMESPACE],
    ["clone3", errno.ENOSYS, None, 0],
]
NO_LANDLOCK = [["landlock_create_ruleset", errno.ENOSYS, None, 0]]
NO_SECCOMP = [["seccomp", errno.ENOSYS, None, 0], ["prctl", errno.EINVAL, 0, 22]]


def answer_of(*, refused: list[list[object]], path: str | None = None) -> dict[str, object]:
    """What the media room makes of a machine that refuses these calls, and of a film there."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSING, json.dumps(refused)],
        cwd=ROOT,
        input=clips.silent_mp4(),
        capture_output=True,
        check=True,
        env=None if path is None else {"PATH": path},
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def found() -> Layers:
    return layers()


def state(found: Layers, layer: Layer) -> State:
    return next(finding.state for finding in found.findings if finding.layer is layer)


def test_a_film_is_opened_behind_every_layer_that_holds_and_a_child_behind_them_is_refused_everything(
    found: Layers,
) -> None:
    assert (found.proved, found.allowed, found.hold) == (True, (), True)
    assert {Layer.LANDLOCK, Layer.SECCOMP} <= set(found.held)
    assert (found.walls.landlock, found.walls.seccomp) == (True, True)
    assert bool(found.walls.bubblewrap) == (Layer.BUBBLEWRAP in found.held)
    assert self_test().walls == found.walls


def test_each_layer_that_is_not_held_is_named_with_its_reason(found: Layers) -> None:
    assert [finding.layer for finding in found.findings] == list(Layer)
    assert all((finding.why == "") == (finding.state is State.HELD) for finding in found.findings)


def test_without_any_layer_a_child_manages_everything_so_that_the_self_test_proves_something() -> None:
    with trial(BARE) as bare:
        outcome = bare.outcome()
    assert outcome.ended_well
    elsewhere = {"trace_other", "make_namespace"}  # what some kernels (yama) and containers refuse to everybody
    assert outcome.refused - elsewhere == set()


def test_a_child_is_started_with_nothing_open_and_nothing_in_its_environment_but_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_SECRET", "x")
    with (tmp_path / "secret").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        with trial(self_test().walls) as child:
            outcome = child.outcome()
    assert (outcome.ended_well, outcome.inherited, outcome.refused) == (True, (), frozenset(ATTEMPTS))


def test_no_film_is_opened_behind_fewer_walls() -> None:
    for walls in (BARE, Walls(None, landlock=True, seccomp=False), Walls(None, landlock=False, seccomp=True)):
        with pytest.raises(ValueError, match="fewer walls"):
            spawn.start(Role.DECODE, walls=walls, fds={})


def test_where_bubblewrap_is_not_installed_landlock_and_seccomp_hold_alone() -> None:
    answer = answer_of(refused=[], path="/nonexistent")
    assert answer["bubblewrap"] == ["absent", "the program bwrap isn't installed (Debian package bubblewrap)"]
    assert (answer["landlock"], answer["seccomp"]) == (["held", ""], ["held", ""])
    assert (answer["hold"], answer["outcome"]) == (True, clips.FRAMES)


def test_where_user_namespaces_are_refused_bubblewrap_says_so_and_the_others_hold_alone() -> None:
    answer = answer_of(refused=NO_NAMESPACES)
    bubblewrap = answer["bubblewrap"]
    assert isinstance(bubblewrap, list)
    if shutil.which("bwrap"):
        assert bubblewrap[0] == "refused"
        assert "namespace" in bubblewrap[1]
    else:
        assert bubblewrap[0] == "absent"
    assert (answer["hold"], answer["outcome"]) == (True, clips.FRAMES)


def test_on_a_kernel_without_landlock_bubblewrap_closes_the_files_off_or_nothing_starts(found: Layers) -> None:
    answer = answer_of(refused=NO_LANDLOCK)
    assert answer["landlock"] == ["absent", "this kernel has no Landlock, or it is switched off (lsm=)"]
    if state(found, Layer.BUBBLEWRAP) is State.HELD:
        assert (answer["hold"], answer["outcome"]) == (True, clips.FRAMES)
    else:
        assert (answer["hold"], answer["outcome"], answer["written"]) == (False, "media_sandbox_missing", 0)


def test_where_nothing_can_be_tried_no_layer_is_held_and_it_is_said_why() -> None:
    program = (
        "import resource; from media.launcher import layers\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "found = layers(); print(found.hold, {f.why for f in found.findings})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.startswith("False {\"it couldn't be tried: ")


def test_with_neither_bubblewrap_nor_landlock_no_film_is_touched() -> None:
    answer = answer_of(refused=NO_LANDLOCK, path="/nonexistent")
    assert answer["seccomp"] == ["held", ""]
    assert (answer["hold"], answer["outcome"], answer["written"]) == (False, "media_sandbox_missing", 0)


def test_where_system_calls_cannot_be_closed_off_no_film_is_touched() -> None:
    answer = answer_of(refused=NO_SECCOMP)
    seccomp = answer["seccomp"]
    assert isinstance(seccomp, list)
    assert seccomp[0] == "refused"
    assert (answer["hold"], answer["outcome"], answer["written"]) == (False, "media_sandbox_missing", 0)


@pytest.mark.parametrize("walls", ["all", "bubblewrap", "landlock"])
def test_the_encoder_can_become_its_own_program_and_none_of_the_systems(found: Layers, walls: str) -> None:
    """The encoder alone may call ``execve``; the layers around files leave it nothing of the system's to become."""
    behind = {
        "all": found.walls,
        "bubblewrap": Walls(found.walls.bubblewrap, landlock=False, seccomp=True),
        "landlock": Walls(None, landlock=True, seccomp=True),
    }[walls]
    if not behind.enough:
        assert state(found, Layer.BUBBLEWRAP) is not State.HELD
        return
    ends = {}
    for program in (spawn.ffmpeg(), "/bin/true", "/bin/sh"):
        child = spawn.start(Role.ENCODE, walls=behind, fds={}, command=(program, "-version"))
        ends[program] = child.process.wait(timeout=30)
        child.kill()
    assert ends.pop(spawn.ffmpeg()) == 0
    assert 0 not in ends.values()
