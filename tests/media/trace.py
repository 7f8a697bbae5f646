"""Reading what ``strace`` saw: what processes asked the kernel for once they had put themselves into the sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from media import spawn

ROOT = Path(__file__).parents[2]
_CALLS = (
    "open,openat,openat2,creat,execve,execveat,fork,vfork,clone,clone3,socket,connect,bind,listen,accept,accept4,"
    "unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,symlink,symlinkat,link,linkat,mknod,mknodat,truncate,"
    "chmod,fchmod,fchmodat,chown,fchownat,kill,tkill,tgkill,pidfd_open,pidfd_send_signal,pidfd_getfd,ptrace,"
    "process_vm_readv,process_vm_writev,mount,umount2,pivot_root,chroot,unshare,setns,bpf,io_uring_setup,memfd_create,"
    "keyctl,prctl,exit,exit_group"
)
_LINE = re.compile(r"(?P<task>\d+)<(?P<program>[^>]*)> +(?P<call>.*)")
_ENTERED = "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER"
_OPEN = re.compile(r'openat?\((?:AT_FDCWD, )?"(?P<path>[^"]*)", (?P<flags>[A-Z_|]+)(?:, \d+)?\) += (?P<result>-?\d+)')
_KILLING = "pidfd_send_signal("
"""``strace`` repeats the killer's call under the names of those whom it kills; a real one would be answered."""
_END = "+++"
_UNREADABLE = re.compile(
    r"(\?\?\?\([^=]*|clone3\(0x[^=]*|openat?\((AT_FDCWD, )?0x[0-9a-f]+, O_RDONLY(\|O_CLOEXEC)?\)? *)"
    r"(= \?( <unavailable>)?)?"
)
"""What ``strace`` writes, unanswered, where the kernel no longer lets it read the call or its arguments."""
_PROBES = ("/proc/self/cgroup", "/proc/stat", "/proc/sys/vm/", "/sys/devices/system/cpu/", "/etc/ssl/", "/opt/pyca/")
"""What libraries look for when they are loaded, and must not find."""


def traced(command: Iterable[str], *, into: Path) -> list[str]:
    """A command under ``strace``, which follows every process of it; what is refused is seen too, but it costs much."""
    names = ",".join(f"?{name}" for name in _CALLS.split(","))  # some processors have no such call
    ends_are_told = ("--quiet=attach,personality,path-resolution,thread-execve", "-e", "signal=KILL")
    options = ("-f", "-Y", *ends_are_told, "-e", f"trace={names}", "-o", str(into))
    return ["strace", *options, *command]


def traced_cheaply(command: Iterable[str], *, into: Path) -> list[str]:
    """Likewise, but what the sandbox's own filter refuses isn't seen (the kernel asks the stricter filter first)."""
    return ["strace", "--seccomp-bpf", *traced(command, into=into)[1:]]


def can_trace() -> bool:
    """Whether ``strace`` is installed and new enough, and the kernel lets it watch."""
    try:
        command = traced_cheaply(["true"], into=Path(os.devnull))
        tried = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def surprises(trace: Path, *, after: str) -> list[str]:
    """Each call of a process in the sandbox that it has no need of.

    Args:
        trace: what ``strace`` wrote.
        after: lines count from the first that has this in it.
    """
    calls = list(_whole_calls(trace))
    programs = {task for task, _, call in calls if call.startswith("execve(")}
    last_moments = _last_moments(calls)
    inside, begun, found = set(), False, []
    for number, (task, program, call) in enumerate(calls):
        begun = begun or after in call
        if call.startswith(_ENTERED):
            inside.add(task)
            continue
        is_thread = task not in programs and program != "bwrap"
        if begun and (task in inside or is_thread) and not _is_needed(call) and number not in last_moments:
            found.append(call)
    assert begun
    assert inside
    return found


def _whole_calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    """Task, its program and call; what another task interrupted is put together again."""
    begun: dict[str, tuple[str, str]] = {}
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.fullmatch(line)
        assert match, line
        task, program, call = match["task"], match["program"], match["call"]
        if call.startswith("<... "):
            call = begun.pop(task, ("", ""))[1] + call.partition(" resumed>")[2]
        else:
            yield from _unanswered(task, begun)
        if call.endswith("<unfinished ...>"):
            begun[task] = program, call.removesuffix("<unfinished ...>").rstrip()
            continue
        yield task, program, call
    for task in list(begun):  # watched no longer
        yield from _unanswered(task, begun)


def _unanswered(task: str, begun: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """The call in the middle of which a task was killed, if it was in one."""
    program, call = begun.pop(task, ("", _KILLING))
    if not call.startswith(_KILLING):
        yield task, program, call


def _last_moments(calls: list[tuple[str, str, str]]) -> set[int]:
    """Where a task was killed so early in a call that nobody can read which: its end follows, and nothing between.

    Whoever ends by himself asks for that, so an end without asking is that of a task, or of its whole process, that
    was killed. A call that can't be read and after which the task goes on isn't among these.
    """
    found, latest = set(), dict[str, int]()
    for number, (task, _, call) in enumerate(calls):
        before = latest.get(task)
        if call.startswith(_END) and before is not None and _UNREADABLE.fullmatch(calls[before][2]):
            found.add(before)
        latest[task] = number
    return found


def _is_needed(call: str) -> bool:
    match re.split(r"[( ]", call)[0]:
        case "exit" | "exit_group" | "+++":
            return True
        case "open" | "openat":
            return _may_be_opened(call)
        case "clone" | "clone3":
            return "CLONE_THREAD" in call
        case "execve":  # the encoder becomes its program
            return call.startswith(f'execve("{spawn.ffmpeg()}"')
        case "prctl":  # a thread's name, which is refused
            return "PR_SET_NAME" in call
    return False


def _may_be_opened(call: str) -> bool:
    match = _OPEN.match(call)
    if not match:  # killed before it was answered
        return '"' in call and "O_RDONLY" in call and call.split('"')[1].startswith(_allowed())
    if "O_RDONLY" not in match["flags"] or "O_CREAT" in match["flags"]:
        return False
    path = match["path"]
    return path.startswith(_allowed()) or (path.startswith(_PROBES) and match["result"] == "-1")


@cache
def _allowed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    ours = (str(ROOT / "media"), str(ROOT / "core"))
    system = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/etc/ld.so.cache", str(Path(sys.base_prefix, "lib")))
    return (*ours, *(paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")), *system)
