"""The layers that a child puts on itself before it sees a byte of film, and can never take off again.

Order: nice, resource limits, die with the parent, not dumpable, no new privileges, Landlock (files), seccomp
(system calls). It runs in the small launcher (``media.child``), never in a ``preexec_fn`` of a threaded server.

Landlock allows reading the interpreter's own files and nothing else; there is no right to write anywhere. seccomp
refuses every call that isn't on the list below: no new sockets, no other process, no signals, no mounts, no
debugging. Only the encoder may still call ``execve``, and Landlock leaves it one program to call.
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
from errno import ENOSYS, EPERM

import landlock
import pyseccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_CLONE_THREAD = 0x10000
_NICE = 10
_MOST_FILES = 64
_GIB = 1 << 30
_READ = landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR
_CALLS = {
    "memory": "brk mmap munmap mremap mprotect madvise membarrier",
    "open files": "read write readv writev pread64 lseek close close_range dup fcntl fstat fstatfs",
    "names": "newfstatat stat lstat statx statfs access faccessat faccessat2 readlink readlinkat getdents64 getcwd",
    "waiting": "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 pipe2",
    "the line": "recvfrom sendto shutdown getsockopt getsockname",
    "threads": "futex futex_waitv set_robust_list rseq set_tid_address arch_prctl sched_yield",
    "processors": "sched_getaffinity sched_getparam sched_getscheduler getcpu",
    "ending": "exit exit_group rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall",
    "time": "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times",
    "itself": "getpid gettid getppid getuid geteuid getgid getegid getpgrp uname sysinfo getrandom getrusage getrlimit",
}


class Role(StrEnum):
    """Which child this is."""

    DECODE = "decode"
    ENCODE = "encode"
    FINISH = "finish"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Cage:
    """What one child may reach.

    Attributes:
        readable: files and folders that may be read.
        executable: programs that may be executed.
        memory: bytes of address space.
        cpu_seconds: of processor time.
    """

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
        parent: process id of the one that must outlive it.
        keep: file descriptors that stay open beside standard input, output and error.

    Raises:
        NoLayer: one of them can't be had on this machine.
    """
    try:
        os.nice(_NICE)
        _limit(cage)
        _tie_to(parent)
        _close_files(cage)
        for fd in set(range(3, _MOST_FILES)).difference(keep):  # the rule set's own, for one
            with contextlib.suppress(OSError):
                os.close(fd)
        _close_calls(cage)
    except (OSError, ValueError, RuntimeError, landlock.LandlockError) as error:
        raise NoLayer from error


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
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_DUMPABLE, 0)):
        if libc.prctl(option, int(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _close_files(cage: Cage) -> None:
    if landlock_abi() < 1:
        raise NoLayer
    rules = landlock.Ruleset()  # handles every access that this kernel knows: what isn't allowed below is refused
    _allow(rules, cage.readable, folder=_READ, file=landlock.FSAccess.READ_FILE)
    program = landlock.FSAccess.EXECUTE | landlock.FSAccess.READ_FILE
    _allow(rules, cage.executable, folder=program, file=program)
    rules.apply()  # sets no_new_privs first


def _allow(
    rules: landlock.Ruleset, paths: Iterable[str], *, folder: landlock.FSAccess, file: landlock.FSAccess
) -> None:
    for path in paths:
        rules.allow(path, rules=folder if os.path.isdir(path) else file)  # noqa: PTH112 - pathlib costs start-up time


def _close_calls(cage: Cage) -> None:
    allow, arg = pyseccomp.ALLOW, pyseccomp.Arg
    calls = pyseccomp.SyscallFilter(pyseccomp.ERRNO(EPERM))
    for name in " ".join(_CALLS.values()).split():
        _rule(calls, allow, name)
    # Reading only, threads but no processes; glibc falls back from clone3, whose flags a filter can't see.
    _rule(calls, allow, "openat", arg(2, pyseccomp.MASKED_EQ, os.O_ACCMODE, os.O_RDONLY))
    _rule(calls, allow, "open", arg(1, pyseccomp.MASKED_EQ, os.O_ACCMODE, os.O_RDONLY))
    _rule(calls, allow, "clone", arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
    _rule(calls, pyseccomp.ERRNO(ENOSYS), "clone3")
    _rule(calls, allow, "prlimit64", arg(0, pyseccomp.EQ, 0))  # its own limits only
    if cage.executable:
        _rule(calls, allow, "execve")
    calls.load()


def _rule(calls: pyseccomp.SyscallFilter, action: int, name: str, *arguments: pyseccomp.Arg) -> None:
    try:
        calls.add_rule(action, name, *arguments)
    except (OSError, ValueError):  # unknown to this processor or library: then it stays refused
        return
