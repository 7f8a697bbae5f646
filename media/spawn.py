"""Starting and ending children: an empty environment, a session of their own, and nothing open but what they need."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from media import bubblewrap, calls
from media.sandbox import Role
from media.wire import Line

_BEGIN = "import json, sys; c = json.loads(sys.argv[1]); sys.path[:] = c['path']; from media.child import main; main(c)"
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",  # else threads reserve more address space than they may have
    "OPENBLAS_NUM_THREADS": "1",  # numpy's own threads would only stand in the way of the decoder's
}
_LINE_PATIENCE = timedelta(seconds=30)
_END_PATIENCE = timedelta(seconds=10)
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Walls:
    """Which layers a child is started behind.

    Attributes:
        bubblewrap: where ``bwrap`` lies, if the child starts inside it.
        landlock: whether it closes files off with Landlock.
        seccomp: whether it closes system calls off with seccomp.
    """

    bubblewrap: str | None
    landlock: bool
    seccomp: bool

    @property
    def enough(self) -> bool:
        """Whether a film may be opened behind them: system calls are closed off, and files at least once."""
        return self.seccomp and (self.landlock or self.bubblewrap is not None)


@dataclass(frozen=True, slots=True)
class Child:
    """A running child.

    Attributes:
        role: what it is for.
        process: the process that was started, leader of its own group: the child, or ``bwrap`` around it.
        line: the parent's end of the line; the encoder has none.
        ended: file descriptor that becomes readable when it ends.
        inside: for a child inside bubblewrap, the first process of its namespace.
    """

    role: Role
    process: subprocess.Popen[bytes]
    line: Line | None
    ended: int
    inside: int | None = None

    def kill(self) -> None:
        """End it and whatever belongs to it, now."""
        if self.process.poll() is None:  # else its number may be another's by now
            if self.inside is not None:
                self._end_namespace(self.inside)
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        os.close(self.ended)
        if self.inside is not None:
            os.close(self.inside)
        if self.line:
            self.line.end.close()

    def _end_namespace(self, first: int) -> None:
        """End what is inside, first: ``bwrap`` then takes leave of it and ends as well, and leaves nothing behind."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        watch = select.poll()
        watch.register(first, select.POLLIN)
        if watch.poll(_END_PATIENCE.total_seconds() * 1000):  # now nothing in the namespace runs any more
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=1)


def start(
    role: Role,
    *,
    walls: Walls,
    fds: Mapping[str, int],
    out: int | None = None,
    errors: int | None = None,
    command: tuple[str, ...] = (),
) -> Child:
    """Start a child.

    Args:
        role: what it is for.
        walls: the layers around it; only the self-test may do with fewer than enough.
        fds: what it inherits, by name; it gets ``line`` on top unless it is the encoder or the detector.
        out: its standard output, if it may have one.
        errors: its standard error, if it may have one.
        command: for the encoder: the program and its arguments; for the detector: its order.

    Raises:
        ValueError: the walls aren't enough for a film.
    """
    if role is not Role.TEST and not walls.enough:
        message = "no film is opened behind fewer walls"
        raise ValueError(message)
    with ExitStack() as stack:
        mine, its = (None, None) if role in {Role.ENCODE, Role.DETECT} else socket.socketpair()
        given = dict(fds)
        if its:
            stack.enter_context(its)
            given["line"] = its.fileno()
        read_end, write_end = os.pipe()
        about = stack.enter_context(os.fdopen(read_end, "rb"))
        telling = stack.enter_context(os.fdopen(write_end, "wb"))
        words = _command(role, walls=walls, given=given, command=command)
        inherited = set(given.values())
        if walls.bubblewrap:
            visible = (*_readable(Role.DECODE), *_executable(role), _interpreter(), *_loaded_libraries())
            words = bubblewrap.wrapped(words, program=walls.bubblewrap, visible=visible, about=telling.fileno())
            inherited.add(telling.fileno())
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if out is None else out,
            stderr=subprocess.DEVNULL if errors is None else errors,
            pass_fds=tuple(inherited),
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        telling.close()
        inside = bubblewrap.first_process(about.read())
    line = None
    if mine:
        mine.settimeout(_LINE_PATIENCE.total_seconds())
        line = Line(mine)
    return Child(role, process, line, os.pidfd_open(process.pid), inside)


@cache
def ffmpeg() -> str:
    """The encoder's program, which pip brought."""
    return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve())


def _command(role: Role, *, walls: Walls, given: Mapping[str, int], command: tuple[str, ...]) -> list[str]:
    listed = calls.allowed_with_execve if role is Role.ENCODE else calls.allowed
    config = {
        "role": role.value,
        "parent": bubblewrap.OUTSIDE if walls.bubblewrap else os.getpid(),
        "path": _import_path(),
        "landlock": walls.landlock,
        "calls": listed() if walls.seccomp else "",
        "readable": _readable(role),
        "executable": _executable(role),
        "fds": dict(given),
        "command": command,
    }
    return [_interpreter(), "-I", "-S", "-B", "-X", "utf8", "-c", _BEGIN, json.dumps(config)]


@cache
def _interpreter() -> str:
    """The interpreter behind the virtual environment: it finds its library by itself, wherever it is bound."""
    return str(Path(getattr(sys, "_base_executable", "") or sys.executable).resolve())


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


@cache
def _executable(role: Role) -> list[str]:
    return [ffmpeg(), *_present(_LOADERS)] if role is Role.ENCODE else []


@cache
def _loaded_libraries() -> list[str]:
    """The shared libraries of this very interpreter; some lie beside it and not where the system keeps its own."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if ".so" in line}
    return _present(tuple(sorted(paths)))


def _present(paths: tuple[str, ...]) -> list[str]:
    return [path for path in paths if Path(path).exists()]
