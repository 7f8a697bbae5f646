"""The outermost layer, where the machine has it: a child that starts in an empty world of its own.

Own namespaces for users, processes, network, host name and message queues; a root folder that holds what was bound
into it read-only and nothing else, no ``/proc``, ``/dev``, ``/tmp`` or home; no capability; a session of its own. When
the server dies so does ``bwrap``, and with it the child, which is the first process of its namespace: with that one the
kernel ends every other.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import PurePosixPath

OUTSIDE = 0
"""What a child in a namespace of its own calls its parent: no number that it could know."""
_CLOSED = (
    "--unshare-user",  # these fail where they are refused; none of them is only tried
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",  # except this one: containers often show no control groups
    "--die-with-parent",
    "--as-pid-1",
    "--new-session",
    "--cap-drop",
    "ALL",
)


def program() -> str | None:
    """Where ``bwrap`` lies; None where it isn't installed."""
    return shutil.which("bwrap")


def wrapped(command: Iterable[str], *, program: str, visible: Iterable[str], about: int) -> list[str]:
    """A command that starts another one inside bubblewrap. Its environment is the caller's: give it an empty one.

    Args:
        command: what to start, with a path that is visible inside.
        program: where ``bwrap`` lies.
        visible: files and folders that are bound read-only, each at its own place.
        about: file descriptor that ``bwrap`` inherits, to tell about what it started.
    """
    binds = [word for path in _outermost(visible) for word in ("--ro-bind", path, path)]
    return [program, *_CLOSED, "--info-fd", str(about), *binds, "--remount-ro", "/", "--chdir", "/", "--", *command]


def first_process(about: bytes) -> int | None:
    """A file descriptor of the first process inside, from what ``bwrap`` told; None where it started nothing."""
    try:
        return os.pidfd_open(int(json.loads(about)["child-pid"]))
    except (ValueError, LookupError, TypeError, OSError):
        return None


def _outermost(paths: Iterable[str]) -> list[str]:
    """Each path once, without those that lie in another one."""
    found: list[str] = []
    for path in sorted(set(paths)):
        if not any(PurePosixPath(path).is_relative_to(outer) for outer in found):
            found.append(path)
    return found
