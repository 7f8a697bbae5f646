"""A process that does what one does at a time, until it is killed: ``python -m … address task``."""

from __future__ import annotations

import sys
import time

from core.alone import Task, alone
from core.clock import SystemClock
from core.db import connect

if __name__ == "__main__":
    with alone(connect(sys.argv[1], clock=SystemClock()), Task(sys.argv[2])):
        print("held", flush=True)  # noqa: T201 - for whoever started it
        time.sleep(600)
