"""The self-test's child: really tries what the layers must refuse, and says which attempts were refused.

Each attempt succeeds in a process without layers, where the machine's own rules let it; any failure counts as refused.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.wire import Kind, Line

CANARY, DOOR = "canary", "door"
_PTRACE_SEIZE = 0x4206
_ENVIRONMENT = frozenset({"MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "LC_CTYPE", "PWD"})


@dataclass(frozen=True, slots=True)
class Target:
    """What the parent laid out to be reached.

    Attributes:
        folder: a folder of the parent's, with a file (``CANARY``) and a socket where it listens (``DOOR``).
        port: where it listens on 127.0.0.1.
        process: another process of the same owner.
    """

    folder: str
    port: int
    process: int

    def words(self) -> dict[str, Any]:
        """As JSON."""
        return {"folder": self.folder, "port": self.port, "process": self.process}

    @property
    def canary(self) -> Path:
        """A file that no child may see."""
        return Path(self.folder, CANARY)

    @property
    def door(self) -> Path:
        """A local socket that no child may reach."""
        return Path(self.folder, DOOR)


ATTEMPTS: Mapping[str, Callable[[Target], object]] = {
    "read_passwords": lambda _: Path("/etc/passwd").read_bytes(),
    "read_file": lambda target: target.canary.read_bytes(),
    "list_folder": lambda target: list(Path(target.folder).iterdir()),
    "open_file_to_write": lambda target: os.close(os.open(target.canary, os.O_WRONLY)),
    "make_file": lambda target: Path(target.folder, "made").touch(exist_ok=False),
    "read_other_environment": lambda target: Path(f"/proc/{target.process}/environ").read_bytes(),
    "connect_internet": lambda target: socket.create_connection(("127.0.0.1", target.port), timeout=5).close(),
    "connect_local": lambda target: _call(target.door),
    "signal_other": lambda target: os.kill(target.process, 0),
    "trace_other": lambda target: _libc("ptrace", _PTRACE_SEIZE, target.process, 0, 0),
    "fork": lambda _: _forked(lambda: None),
    "execute": lambda _: _execute(),
    "make_memory_file": lambda _: os.close(os.memfd_create("x")),
    "make_namespace": lambda _: _libc("unshare", 0),
    "change_mode": lambda _: os.fchmod(0, stat.S_IMODE(os.fstat(0).st_mode)),  # stands for every call not on the list
    "remove_file": lambda target: target.canary.unlink(),
}
"""By name, in the order in which they are tried."""


def main(fds: dict[str, int]) -> None:
    """Try everything and report.

    Args:
        fds: ``line``, and what else it was given.
    """
    line = Line(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fds["line"]))
    target = Target(**line.expect(Kind.ORDER).words())
    refused = [name for name, attempt in ATTEMPTS.items() if _refused(attempt, target)]
    strange = [f"file {fd}" for fd in _open_files(keep=set(fds.values()))]
    strange += [f"variable {name}" for name in sorted(set(os.environ) - _ENVIRONMENT)]
    _work()
    line.tell(Kind.DONE, refused=refused, inherited=strange)


def _refused(attempt: Callable[[Target], object], target: Target) -> bool:
    try:
        attempt(target)
    except OSError:
        return True
    return False


def _call(door: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.connect(str(door))


def _execute() -> None:
    """Become another program; where processes may be made, in one of those, so that this one can tell of it."""
    try:
        _forked(_become_another)
    except PermissionError:
        _become_another()  # if it succeeds, this child is gone, and the parent hears no report


def _become_another() -> None:
    os.execve("/bin/true", ["/bin/true"], {})  # noqa: S606 - it must be refused


def _forked(do: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        try:
            do()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if number := os.waitstatus_to_exitcode(status):
        raise OSError(number, os.strerror(abs(number)))


def _libc(function: str, *arguments: int) -> None:
    words = (ctypes.c_long(word) for word in arguments)
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*words) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _open_files(*, keep: set[int]) -> list[int]:
    """What is open beside standard input, output and error and what was given."""
    found = []
    for fd in set(range(3, 64)) - keep:
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def _work() -> None:
    """What a decoder needs must still go: threads and memory. If it doesn't, the child ends, and no layer is held."""
    thread = threading.Thread(target=lambda: mmap.mmap(-1, 1 << 20).close())
    thread.start()
    thread.join()
