"""The life of a process: signals that end it, and an end that comes in bounded time whatever hangs.

The first SIGTERM or SIGINT ends it kindly, a second one within a moment. What can't be ended (a thread that waits for a
database that hangs) goes with the process: SIGKILL loses nothing either, that only means more to take up afterwards.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

GIVES_UP_AFTER = timedelta(seconds=20)
"""After the first signal; more than everything that waits, taken together."""
HURRIES_FOR = timedelta(seconds=3)
"""After the second."""
_LINGER_SECONDS = 1.0
_PR_SET_DUMPABLE = 4
_LOG = logging.getLogger("vault.process")


def hide_memory() -> None:
    """Have no crash write this process's memory to a disk, and no other process of this user look into it."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        _LOG.warning("core dumps can't be forbidden")


def on_signals(first: Callable[[], None], again: Callable[[], None]) -> Callable[[int], None]:
    """Have SIGTERM and SIGINT end this process.

    Args:
        first: begins the end; called once.
        again: hurries it; called at each further signal.

    Returns:
        What a library that catches signals itself hands them to.
    """
    asked: list[int] = []

    def handle(number: int) -> None:
        asked.append(number)
        if len(asked) > 1:
            again()
        else:
            first()
        patience = HURRIES_FOR if len(asked) > 1 else GIVES_UP_AFTER
        watchdog = threading.Timer(patience.total_seconds(), _give_up)
        watchdog.daemon = True
        watchdog.start()

    def handler(number: int, frame: FrameType | None) -> None:
        del frame
        handle(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)
    return handle


def end_now(status: int = 0) -> None:
    """End the process if threads are left that nothing can end; else let Python end it.

    Args:
        status: the exit status.
    """
    main = threading.main_thread()
    for thread in threading.enumerate():
        if thread is not main and not thread.daemon:
            thread.join(_LINGER_SECONDS)
            if thread.is_alive():
                _LOG.warning("ended with work under way")
                _exit(status)


def _give_up() -> None:
    _LOG.error("something would not end")
    _exit(1)


def _exit(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
