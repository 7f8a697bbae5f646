"""Starting and ending children: an empty environment, a session of their own, and nothing open but what they need."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from media.sandbox import Role
from media.wire import Line

_BEGIN = "import json, sys; c = json.loads(sys.argv[1]); sys.path[:] = c['path']; from media.child import main; main(c)"
_LINE_PATIENCE = timedelta(seconds=30)
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Child:
    """A running child.

    Attributes:
        role: what it is for.
        process: the process, leader of its own group.
        line: the parent's end of the line; the encoder has none.
        ended: file descriptor that becomes readable when it ends.
    """

    role: Role
    process: subprocess.Popen[bytes]
    line: Line | None
    ended: int

    def kill(self) -> None:
        """End it and whatever belongs to it, now."""
        if self.process.poll() is None:  # else its number may be another's by now
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.ended)
        if self.line:
            self.line.end.close()


def start(role: Role, *, fds: Mapping[str, int], out: int | None = None, command: tuple[str, ...] = ()) -> Child:
    """Start a child.

    Args:
        role: what it is for.
        fds: what it inherits, by name; it gets ``line`` on top unless it is the encoder.
        out: its standard output, if it may have one.
        command: for the encoder: the program and its arguments.
    """
    mine, its = (None, None) if role is Role.ENCODE else socket.socketpair()
    given = dict(fds) | ({"line": its.fileno()} if its else {})
    config = {
        "role": role.value,
        "parent": os.getpid(),
        "path": _import_path(),
        "readable": _readable(role),
        "executable": [ffmpeg(), *_present(_LOADERS)] if role is Role.ENCODE else [],
        "fds": given,
        "command": command,
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
            [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BEGIN, json.dumps(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if out is None else out,
            stderr=subprocess.DEVNULL,
            pass_fds=tuple(given.values()),
            env={"MALLOC_ARENA_MAX": "2"},  # else threads reserve more address space than they may have
            cwd="/",
            start_new_session=True,
        )
    finally:
        if its:
            its.close()
    line = None
    if mine:
        mine.settimeout(_LINE_PATIENCE.total_seconds())
        line = Line(mine)
    return Child(role, process, line, os.pidfd_open(process.pid))


@cache
def ffmpeg() -> str:
    """The encoder's program, which pip brought."""
    return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve())


@cache
def _import_path() -> list[str]:
    paths = sysconfig.get_paths()
    standard = [path for path in sys.path if path.startswith(paths["stdlib"]) and "site-packages" not in path]
    return [*standard, *dict.fromkeys((str(_HERE.parent), paths["purelib"], paths["platlib"]))]


@cache
def _readable(role: Role) -> list[str]:
    libraries = _present(_LIBRARIES)
    if role is Role.ENCODE:
        return libraries
    paths = sysconfig.get_paths()
    own = (str(_HERE), str(_HERE.parent / "core"), paths["stdlib"], paths["platstdlib"])
    return _present(tuple(dict.fromkeys((*own, paths["purelib"], paths["platlib"], *libraries))))


def _present(paths: tuple[str, ...]) -> list[str]:
    return [path for path in paths if Path(path).exists()]
