"""Work that one process does at a time: the second is refused, and a killed one is in nobody's way."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.alone import Task, alone
from core.clock import SystemClock
from core.db import Database, connect
from core.errors import Unavailable

PATIENCE_SECONDS = 60


def test_a_second_process_is_refused_until_the_first_has_ended_even_by_a_kill(empty_database_url: str) -> None:
    db = connect(empty_database_url, clock=SystemClock())
    command = [sys.executable, "-m", "tests.core.holding", empty_database_url, Task.SCRUB.value]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match="already_running") as refused, alone(db, Task.SCRUB):
            pass
        assert "`vig-vault scrub` runs" in refused.value.sentence
        with alone(db, Task.MOVE):  # other work goes on beside it
            pass
        first.kill()
    _until_free(db)
    with alone(db, Task.SCRUB), pytest.raises(Unavailable, match="already_running"), alone(db, Task.SCRUB):
        pass
    with alone(db, Task.SCRUB):
        pass
    db.engine.dispose()


def _until_free(db: Database) -> None:
    """A server needs a moment to see that somebody's connection has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with alone(db, Task.SCRUB):
                return
        except Unavailable:
            assert time.monotonic() < end
            time.sleep(0.05)
