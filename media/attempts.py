"""The self-test's child: tries what the layers must refuse, and says which attempts were refused."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from media.wire import Kind, Line


def main(fds: dict[str, int]) -> None:
    """Try everything and report.

    Args:
        fds: ``line``.
    """
    line = Line(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fds["line"]))
    words = line.expect(Kind.ORDER).words()
    attempts: dict[str, Callable[[], object]] = {
        "read_passwd": lambda: _read("/etc/passwd"),
        "read_canary": lambda: _read(words["canary"]),
        "list_root": lambda: list(Path("/").iterdir()),
        "read_own_environment": lambda: _read("/proc/self/environ"),
        "write_temporary": lambda: _create(words["folder"]),
        "open_canary_to_write": lambda: os.open(words["canary"], os.O_WRONLY),
        "remove_canary": lambda: Path(words["canary"]).unlink(),
        "internet_socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "local_socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "execute": lambda: os.execve("/bin/true", ["/bin/true"], {}),  # noqa: S606 - it must be refused
        "fork": _fork,
        "signal_parent": lambda: os.kill(os.getppid(), 0),
        "trace_others": _trace,
        "memory_file": lambda: os.memfd_create("x"),
        "gain_privileges": _gain,
    }
    refused = {name: _refused(attempt) for name, attempt in attempts.items()}
    refused["inherit_files"] = not _open_files(keep=fds["line"])
    refused["inherit_environment"] = set(os.environ) <= {"MALLOC_ARENA_MAX", "LC_CTYPE"}
    line.tell(Kind.DONE, refused=refused, threads=_threads_work())


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _create(folder: str) -> None:
    Path(folder, "made-by-the-sandbox").write_bytes(b"x")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _trace() -> None:
    # PTRACE_ATTACH to nobody: allowed, it finds no such process; only a refusal is a PermissionError.
    if ctypes.CDLL(None, use_errno=True).ptrace(16, -1, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _gain() -> None:
    with Path("/dev/null").open("rb") as file:
        os.fchmod(file.fileno(), 0o777)  # stands for every call that isn't on the list


def _open_files(*, keep: int) -> list[int]:
    """What is open beside standard input and output and the line; only /dev/null may stand there."""
    found = []
    for fd in range(64):
        if fd in {0, 1, 2, keep}:
            continue
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def _threads_work() -> bool:
    """Whether the list still lets a decoder work as it must."""
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return True
