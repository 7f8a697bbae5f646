"""Where the service could have left something: its folders, temporary and open files, what the kernel shows of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.canary.needles import Needles

SHARED = (Path("/tmp"), Path("/dev/shm"))  # noqa: S108 - searched, not written
LARGEST_BYTES = 256 * 2**20
ALL_SEEN_EVERY_SECONDS = 0.05
State = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be somewhere, and why.

    Attributes:
        where: a folder or a file.
        names: of needles; empty means anything.
        why: in a sentence.
    """

    where: Path
    names: frozenset[str]
    why: str

    def covers(self, path: Path, name: str) -> bool:
        """Whether this was to be expected there."""
        return path.is_relative_to(self.where) and (not self.names or name in self.names)


@dataclass(slots=True)
class Search:
    """Looks through files, wherever the service could write one."""

    needles: Needles
    folders: list[Path]
    allowed: list[Allowed]
    bytes_read: int = 0
    _seen: dict[Path, State] = field(default_factory=dict)
    _old: dict[Path, State] = field(default_factory=dict)
    _strangers: frozenset[Path] = field(default_factory=lambda: frozenset(_tops()))

    def pass_over(self) -> None:
        """Take what lies about now as seen: it was there before anything happened."""
        for path in self._files():
            with suppress(OSError):
                self._old[path] = _state_of(path)
        self._seen = dict(self._old)

    def look_again(self) -> list[str]:
        """As ``look``, in what hasn't changed too: there may be more to look for by now."""
        self._seen = dict(self._old)
        return self.look()

    def look(self) -> list[str]:
        """Everything in new and changed files that has no business there, as sentences."""
        found = []
        for path in self._files():
            names = self.needles.find(os.fsencode(path)) | self._in(path)
            found += [f"{name} in {path}" for name in names if not self._is_allowed(path, name)]
        return found

    def look_at_open_files(self, process: psutil.Process) -> list[str]:
        """What a process and its children hold open although no folder shows it any more."""
        found = []
        for one in family_of(process):
            for handle in _listed(Path(f"/proc/{one.pid}/fd")):
                with suppress(OSError):
                    target = str(handle.readlink())
                    if target.endswith(" (deleted)") and not target.startswith("/memfd:"):
                        names = self.needles.find(handle.read_bytes())
                        found += [f"{name} in {target}" for name in names]
        return found

    def _is_allowed(self, path: Path, name: str) -> bool:
        return any(one.covers(path, name) for one in self.allowed)

    def _files(self) -> Iterator[Path]:
        for folder in self.folders:
            for parent, _, names in os.walk(folder):  # it minds no folder that goes meanwhile
                yield from (path for name in names if _is_file(path := Path(parent, name)))
        for path in _tops() - self._strangers:  # whoever made them: ours must not be among them
            if _is_file(path):
                yield path

    def _in(self, path: Path) -> set[str]:
        try:
            state = _state_of(path)
            if self._seen.get(path) == state or state[1] > LARGEST_BYTES:
                return set()
            self._seen[path] = state
            data = path.read_bytes()
        except OSError:
            return set()  # gone meanwhile
        self.bytes_read += len(data)
        return self.needles.find(data)


@dataclass(slots=True)
class Onlooker:
    """Writes down what any program on the machine can read of the service's processes, for as long as they run.

    Attributes:
        shown: command lines and environments.
        programs: how many processes were seen.
        dumping: processes whose memory could be written to a disk when they crash.
    """

    shown: set[bytes] = field(default_factory=set)
    programs: set[int] = field(default_factory=set)
    dumping: set[str] = field(default_factory=set)
    _process: psutil.Process | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """Watch a process and its children from now on."""
        self._process = psutil.Process(pid)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(ALL_SEEN_EVERY_SECONDS):
            for one in family_of(self._process) if self._process else ():
                with suppress(OSError, psutil.Error):
                    self._note(one)

    def _note(self, one: psutil.Process) -> None:
        folder = Path(f"/proc/{one.pid}")
        self.programs.add(one.pid)
        for name in ("cmdline", "environ"):
            with suppress(PermissionError):  # so much the better
                self.shown.add((folder / name).read_bytes())
        if one.create_time() < time.time() - 1:  # it has had time to forbid it
            limits = (folder / "limits").read_text(encoding="ascii")
            line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
            if line.split()[4:6] != ["0", "0"]:
                self.dumping.add(" ".join(one.cmdline())[:200])


def family_of(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its children that live."""
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _state_of(path: Path) -> State:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _listed(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _tops() -> set[Path]:
    return {path for folder in SHARED for path in _listed(folder)}
