"""SIGKILL at every call that changes a disk: what was told is true, the rest is whole or absent, `fsck` is clean.

Every call's state is checked, and after every sync the least that a power cut leaves; at one in the middle the process
is really killed as well (``python -m bench.crash`` does that at each one, and looks at all states).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.drill import spread
from tests.faults.stories import STORIES

KILLS = 1
STATES = {"a blurred version": 24}
"""Two jobs with a plan between them take long: so many of what its kills may leave are looked at, evenly spread."""
KILLED_EVERYWHERE = "an object"
"""So short that it is really killed at each of its calls."""
FEWEST_CALLS = {
    "an object": 15,
    "a deposit": 300,
    "a clip": 200,
    "a blurred version": 300,
    "a grant and a withdrawal": 100,
    "a disposal": 300,
    "an upgrade": 100,
    "a roll of the epoch": 100,
}
CALLS_THAT_COUNT = {
    "an object": {"fsync", "link", "mkdir", "openat", "unlink", "write"},
    "a deposit": {"fdatasync", "fsync", "pwrite64", "link", "unlink", "write"},
    "a clip": {"fdatasync", "fsync", "pwrite64", "link", "write"},
    "a blurred version": {"fdatasync", "fsync", "pwrite64", "link", "write"},
    "a grant and a withdrawal": {"fdatasync", "pwrite64"},
    "a disposal": {"fdatasync", "fsync", "pwrite64", "rename", "unlink", "write"},
    "an upgrade": {"fdatasync", "pwrite64"},
    "a roll of the epoch": {"fdatasync", "fsync", "pwrite64", "rename", "write"},
}


@pytest.mark.parametrize("story", STORIES)
def test_killed_anywhere_in(story: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.faults.drill", story, str(tmp_path / "drill")]
    kills = 0 if story == KILLED_EVERYWHERE else KILLS
    command += ["--kills", str(kills), "--states", str(STATES.get(story, 0))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["problems"] == [], "\n".join(found["problems"][:3])
    assert found["calls"] >= FEWEST_CALLS[story]
    assert CALLS_THAT_COUNT[story] <= set(found["by_name"])
    assert found["states"] > 3
    assert found["kills"] == (kills or found["calls"])


def test_a_spread_has_the_first_and_the_last_and_no_call_twice() -> None:
    assert spread(10, kills=3) == [0, 4, 9]
    assert spread(3, kills=0) == [0, 1, 2]
    assert spread(2, kills=5) == [0, 1]
    assert spread(9, kills=1) == [4]
