"""The layers that a child puts on itself before it sees a byte of film, and can never take off again.

Order: nice, resource limits, die with the parent, not dumpable, no new privileges, Landlock (files), seccomp
(system calls). It runs in the small launcher (``media.child``), never in a ``preexec_fn`` of a threaded server; where
bubblewrap can be had, the launcher is inside it already (``media.bubblewrap``).

Landlock allows reading the interpreter's own files and nothing else; there is no right to write anywhere. seccomp
refuses every call that isn't on the list of ``media.calls``: no new sockets, no other process, no signals, no mounts,
no debugging. Only the encoder may still call ``execve``: Landlock leaves it one program to call, bubblewrap that one
and the interpreter.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

import landlock

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_INSTRUCTION = 8
_NICE = 10
_MOST_FILES = 64
_GIB = 1 << 30
_READ = landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR


class Role(StrEnum):
    """Which child this is."""

    DECODE = "decode"
    ENCODE = "encode"
    DETECT = "detect"
    FINISH = "finish"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Cage:
    """What one child may reach, and which layers it puts on itself.

    Attributes:
        landlock: whether to close files off with Landlock.
        calls: the allowed system calls as a BPF program in hexadecimal; empty only in a self-test of other layers.
        readable: files and folders that may be read.
        executable: programs that may be executed.
        memory: bytes of address space.
        cpu_seconds: of processor time.
    """

    landlock: bool
    calls: str
    readable: tuple[str, ...]
    executable: tuple[str, ...] = ()
    memory: int = 4 * _GIB
    cpu_seconds: int = 24 * 60 * 60


class NoLayer(Exception):
    """A layer can't be put on here; the child ends."""


def enter(cage: Cage, *, parent: int, keep: Collection[int]) -> None:
    """Put all layers on this process, for good.

    Args:
        cage: what it may reach.
        parent: process id of the one that must outlive it, as this one sees it.
        keep: file descriptors that stay open beside standard input, output and error.

    Raises:
        NoLayer: one of them can't be had on this machine.
    """
    try:
        os.nice(_NICE)
        _limit(cage)
        _tie_to(parent)
        if cage.landlock:
            _close_files(cage)
        for fd in set(range(3, _MOST_FILES)).difference(keep):  # the rule set's own, for one
            with contextlib.suppress(OSError):
                os.close(fd)
        if cage.calls:
            _close_calls(bytes.fromhex(cage.calls))
    except (OSError, ValueError, RuntimeError, landlock.LandlockError) as error:
        raise NoLayer(str(error)) from error


def landlock_abi() -> int:
    """The Landlock version of this kernel; 0 where there is none."""
    try:
        return int(landlock.landlock_abi_version())
    except (OSError, landlock.LandlockError):
        return 0


def _limit(cage: Cage) -> None:
    for what, most in (
        (resource.RLIMIT_AS, cage.memory),
        (resource.RLIMIT_CPU, cage.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (most, most))


def _tie_to(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _prctl(option: int, value: int, address: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *(ctypes.c_ulong(word) for word in (value, address, 0, 0))) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _close_files(cage: Cage) -> None:
    if landlock_abi() < 1:
        raise NoLayer
    rules = landlock.Ruleset()  # handles every access that this kernel knows: what isn't allowed below is refused
    _allow(rules, cage.readable, folder=_READ, file=landlock.FSAccess.READ_FILE)
    program = landlock.FSAccess.EXECUTE | landlock.FSAccess.READ_FILE
    _allow(rules, cage.executable, folder=program, file=program)
    rules.apply()


def _allow(
    rules: landlock.Ruleset, paths: Iterable[str], *, folder: landlock.FSAccess, file: landlock.FSAccess
) -> None:
    for path in paths:
        rules.allow(path, rules=folder if os.path.isdir(path) else file)  # noqa: PTH112 - pathlib costs start-up time


class _Program(ctypes.Structure):
    """``struct sock_fprog`` of seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _close_calls(program: bytes) -> None:
    instructions = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // _INSTRUCTION, ctypes.addressof(instructions))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(given))
