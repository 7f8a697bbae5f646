"""The system calls that a child may make, compiled once by libseccomp in the parent.

The child only hands the finished program to the kernel (``media.sandbox``): it needs neither libseccomp nor the
programs that Python would start to look for it.
"""

from __future__ import annotations

import os
from errno import ENOSYS, EPERM
from functools import cache
from typing import Any

_CLONE_THREAD = 0x10000
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


class NoLibrary(Exception):
    """libseccomp isn't installed, or can't compile the list."""


@cache
def allowed() -> str:
    """What the decoder, the finisher and the self-test may call: a BPF program in hexadecimal.

    Raises:
        NoLibrary: libseccomp can't be used here.
    """
    return _compiled(())


@cache
def allowed_with_execve() -> str:
    """Likewise for the encoder, which becomes another program.

    Raises:
        NoLibrary: libseccomp can't be used here.
    """
    return _compiled(("execve",))


def _compiled(more: tuple[str, ...]) -> str:
    try:
        import pyseccomp  # noqa: PLC0415 - it looks for the library when imported; without it the service still starts
    except (ImportError, OSError, RuntimeError) as error:
        raise NoLibrary from error
    allow, arg = pyseccomp.ALLOW, pyseccomp.Arg
    calls = pyseccomp.SyscallFilter(pyseccomp.ERRNO(EPERM))

    def rule(action: int, name: str, *arguments: Any) -> None:
        try:
            calls.add_rule(action, name, *arguments)
        except (OSError, ValueError):  # unknown to this processor or library: then it stays refused
            return

    for name in (*" ".join(_CALLS.values()).split(), *more):
        rule(allow, name)
    # Reading only, threads but no processes; glibc falls back from clone3, whose flags a filter can't see.
    rule(allow, "openat", arg(2, pyseccomp.MASKED_EQ, os.O_ACCMODE, os.O_RDONLY))
    rule(allow, "open", arg(1, pyseccomp.MASKED_EQ, os.O_ACCMODE, os.O_RDONLY))
    rule(allow, "clone", arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
    rule(pyseccomp.ERRNO(ENOSYS), "clone3")
    rule(allow, "prlimit64", arg(0, pyseccomp.EQ, 0))  # its own limits only
    file = os.memfd_create("calls")
    try:
        with open(file, "r+b", closefd=False) as program:
            calls.export_bpf(program)
            program.seek(0)
            return program.read().hex()
    except (OSError, ValueError) as error:
        raise NoLibrary from error
    finally:
        os.close(file)
