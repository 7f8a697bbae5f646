"""A process whose every call that changes a disk is seen before it happens, and may be made to fail, or be its last.

The traced process puts a seccomp filter on itself that stops it at such calls (and at no others, so that it runs nearly
at its own speed); its parent looks through ``ptrace``. A process that is killed at a stop has not made that call. Calls
that aren't in the list change nothing that outlives the process: what they change is memory, sockets, pipes. One thing
is left out on purpose: SQLite's ``-shm`` file is written through a mapping. It is an index that the next process makes
anew. Linux on x86-64 only, as the service.

A process with several threads is followed in all of them. One call is made at a time: whoever is stopped waits until
the one before has returned, so what lies on the disk at a stop is what a kill there leaves.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import ClassVar, NoReturn

_CALLS = {
    1: "write", 18: "pwrite64", 20: "writev", 296: "pwritev", 328: "pwritev2", 40: "sendfile", 275: "splice",
    326: "copy_file_range", 74: "fsync", 75: "fdatasync", 277: "sync_file_range", 26: "msync", 76: "truncate",
    77: "ftruncate", 285: "fallocate", 82: "rename", 264: "renameat", 316: "renameat2", 87: "unlink", 263: "unlinkat",
    83: "mkdir", 258: "mkdirat", 84: "rmdir", 86: "link", 265: "linkat", 88: "symlink", 266: "symlinkat", 2: "open",
    257: "openat", 437: "openat2", 85: "creat", 90: "chmod", 91: "fchmod", 268: "fchmodat", 280: "utimensat",
}  # fmt: skip
"""Every call that can change a disk, by its number on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl)."""
_ON_A_HANDLE = frozenset({
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "fsync", "fdatasync", "sync_file_range",
    "ftruncate", "fallocate", "fchmod",
})  # fmt: skip
_BY_NAME = frozenset({"open", "creat", "mkdir", "rmdir", "unlink", "truncate", "chmod", "rename", "link"})
_BY_NAME_IN_A_FOLDER = frozenset({"openat", "mkdirat", "unlinkat", "renameat", "renameat2", "fchmodat", "utimensat"})
_FLAGS = {"open": "rsi", "openat": "rdx"}
_MAKING = os.O_CREAT | os.O_TRUNC

_TRACEME, _CONT, _GETREGS, _SETREGS, _SYSCALL, _SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
_O_TRACECLONE, _O_TRACESECCOMP, _O_EXITKILL = 0x08, 0x80, 0x100000
_EVENT_CLONE, _EVENT_SECCOMP = 3, 7
_WALL = 0x40000000  # threads, too
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class _Registers(ctypes.Structure):
    _names = (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
        "fs_base gs_base ds es fs gs"
    )
    _fields_: ClassVar = [(name, ctypes.c_ulonglong) for name in _names.split()]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to be made: its name, and what it is made on where that is an open file."""

    name: str
    path: str


class Then(Enum):
    """What is to become of a call."""

    GO_ON = auto()
    KILL = auto()


Decide = Callable[[Call], Then | int]
"""Asked at every call on the folder: go on, die before it, or (a number of ``errno``) have it fail so."""


def run(act: Callable[[], object], *, folder: Path, decide: Decide) -> int | None:
    """Run something in a process of its own and be asked at each of its calls that change a folder.

    Args:
        act: what to do; its return is the process's clean end.
        folder: calls on files elsewhere are let through unasked.
        decide: asked before each call.

    Returns:
        The process's exit status: 0 when ``act`` returned, 1 when it raised; nothing where it was killed.
    """
    pid = os.fork()
    if pid == 0:
        _be_traced(act)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSTOPPED(status), "the traced process didn't stop: may this machine use ptrace?"
    _ptrace(_SETOPTIONS, pid, data=_O_TRACECLONE | _O_TRACESECCOMP | _O_EXITKILL)
    _ptrace(_CONT, pid)
    known = {pid}
    while True:
        thread, status = os.waitpid(-1, _WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if thread == pid:  # the last to go
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            continue
        event, passed_on = status >> 8, 0
        if event == signal.SIGTRAP | _EVENT_SECCOMP << 8:
            then = _ask(thread, folder=folder, decide=decide)
            if then is Then.KILL:
                os.kill(pid, signal.SIGKILL)
                continue
            if then is not None and not _made(thread):
                continue
        elif event != signal.SIGTRAP | _EVENT_CLONE << 8 and thread in known:
            passed_on = os.WSTOPSIG(status)
        known.add(thread)  # which begins with a stop that is no signal of anybody's
        with suppress(ProcessLookupError):  # killed meanwhile
            _ptrace(_CONT, thread, data=passed_on)


def _made(thread: int) -> bool:
    """Let a thread make its call, and wait until it has returned; no where it didn't live to see that."""
    _ptrace(_SYSCALL, thread)
    _, status = os.waitpid(thread, _WALL)
    return os.WIFSTOPPED(status)


def _ask(pid: int, *, folder: Path, decide: Decide) -> Then | int | None:
    """What is to become of a thread's call; nothing where nobody need be asked."""
    registers = _Registers()
    _ptrace(_GETREGS, pid, data=ctypes.addressof(registers))
    call = _call(pid, registers, folder=folder)
    if call is None:
        return None
    then = decide(call)
    if isinstance(then, int):
        registers.orig_rax = 2**64 - 1  # no such call: it is skipped, and answers what stands in rax
        registers.rax = 2**64 - then
        _ptrace(_SETREGS, pid, data=ctypes.addressof(registers))
    return then


def _call(pid: int, registers: _Registers, *, folder: Path) -> Call | None:
    """The call, unless it changes nothing in the folder. What it is made on is the first name where it has two."""
    name = _CALLS[registers.orig_rax]
    if name in _FLAGS and not getattr(registers, _FLAGS[name]) & _MAKING:
        return None
    if name in _ON_A_HANDLE:
        path = _handle(pid, registers.rsi if name == "sendfile" else registers.rdi)
    elif name in _BY_NAME:
        path = _text(pid, registers.rdi)
    elif name in _BY_NAME_IN_A_FOLDER:
        path = _text(pid, registers.rsi)
    else:
        return Call(name, "")
    elsewhere = path.startswith("/") and not f"{path}/".startswith(f"{folder}/")
    return None if elsewhere else Call(name, path)


def _handle(pid: int, number: int) -> str:
    """What an open file is; pipes and sockets are nowhere."""
    try:
        path = str(Path(f"/proc/{pid}/fd/{ctypes.c_int(number).value}").readlink())
    except OSError:
        return "/"
    return path if path.startswith("/") else "/"


def _text(pid: int, address: int) -> str:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return os.fsdecode(memory.read(4096).split(b"\0")[0])


def _be_traced(act: Callable[[], object]) -> NoReturn:
    try:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _filter()
        act()
    except BaseException:  # noqa: BLE001 - the parent is told by the status
        import traceback  # noqa: PLC0415 - only where something went wrong

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _filter() -> None:
    """Stop at each call of the list."""
    steps = [struct.pack("HBBI", _LOAD, 0, 0, 0)]
    for left, number in zip(range(len(_CALLS), 0, -1), _CALLS, strict=True):
        steps.append(struct.pack("HBBI", _JUMP_IF_EQUAL, left, 0, number))
    steps += [struct.pack("HBBI", _RETURN, 0, 0, _ALLOW), struct.pack("HBBI", _RETURN, 0, 0, _TRACE)]
    code = ctypes.create_string_buffer(b"".join(steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    for option, value, extra in (
        (_PR_SET_NO_NEW_PRIVS, 1, None),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program)),
    ):
        if _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_void_p(extra), 0, 0):
            raise OSError(ctypes.get_errno(), "no filter")


def _ptrace(request: int, pid: int, *, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) == -1:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")  # ESRCH is a ProcessLookupError
