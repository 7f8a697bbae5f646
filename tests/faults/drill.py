"""A crash drill: what every SIGKILL in the middle of something leaves, and what the next process makes of it.

``python -m tests.faults.drill STORY FOLDER --kills N --states M`` prints what it found as JSON.

The story's act runs once in a traced process (``tests.faults.tracer``). Whenever it is about to change the disk it
stands still, and what lies on the disk is what a SIGKILL at this call leaves: it is copied. Copies in which the same
files lie and SQLite recovers the same pages are one state (most calls of a transaction change nothing that counts until
its last); each state is opened as a new process would, checked, carried to its end and checked again. Beside that the
process is really killed at ``N`` calls (0: at every one), which must lead to the same. And after each sync, what a
power cut leaves at worst (``tests.faults.plug``) is one state more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.faults.plug import Plug
from tests.faults.tracer import Call, Then, run

_LOG, _INDEX = "-wal", "-shm"
Acknowledge = Callable[[str], object]


class Story(Protocol):
    """Something that is done, and what must be true of it whatever happens."""

    def prepare(self, folder: Path) -> None:
        """Make the store that it begins with."""
        ...

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """Do it, in a new process; say what somebody was told was done."""
        ...

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """After a crash, as the next process finds it: whole or absent, and all that was told is true."""
        ...

    def recover(self, folder: Path) -> None:
        """What the service and its users then do by themselves."""
        ...

    def check_end(self, folder: Path) -> None:
        """It has happened once, whole, and nothing is left over."""
        ...


@dataclass(slots=True)
class Drill:
    """One story's drill.

    Attributes:
        calls: how often the disk was about to be changed.
        states: what a kill may leave: digest to the copy's folder, the call before which it was taken, what was told.
        cuts: what a power cut may leave at worst, where that isn't one of those states; in the same form.
        problems: where something wasn't as it must be.
    """

    story: Story
    folder: Path
    calls: list[Call] = field(default_factory=list)
    states: dict[str, tuple[Path, int, list[str]]] = field(default_factory=dict)
    cuts: dict[str, tuple[Path, int, list[str]]] = field(default_factory=dict)
    kills: int = 0
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Run the act once and copy each state that it passes through."""
        base, live = self._prepared()
        look, plug = _Look(live), Plug(live)
        told, reader, acknowledge = _line()

        def decide(call: Call) -> Then:
            told.extend(reader())
            self._keep(look, told)
            if self.calls and plug.after(self.calls[-1]):
                self._unplug(plug, told)
            self.calls.append(call)
            look.changed(call)
            return Then.GO_ON

        status = run(lambda: self.story.act(live, acknowledge), folder=live, decide=decide)
        told.extend(reader())
        self._keep(look, told)
        plug.after(self.calls[-1])
        self._unplug(plug, told)
        if status != 0:
            self.problems.append(f"the act itself ended with {status}")
        shutil.rmtree(live)
        del base

    def check_states(self, *, most: int) -> None:
        """Open so many states as a new process would; 0 means all."""
        for how, states in (("killed", self.states), ("power cut", self.cuts)):
            checked = set(spread(len(states), kills=most))
            for number, (copy, index, told) in enumerate(states.values()):
                if number in checked:
                    self._check(copy, told=told, where=f"{how} before call {index}, {self._name(index)}")
                shutil.rmtree(copy)

    def kill(self, at: int) -> None:
        """Really kill the process at one call."""
        live = self.folder / f"kill-{at}"
        shutil.copytree(self.folder / "base", live)
        told, reader, acknowledge = _line()
        left = at

        def decide(_call: Call) -> Then:
            nonlocal left
            left -= 1
            return Then.KILL if left < 0 else Then.GO_ON

        status = run(lambda: self.story.act(live, acknowledge), folder=live, decide=decide)
        told.extend(reader())
        if status is not None and left < 0:
            self.problems.append(f"not killed at call {at}")
        self.kills += left < 0
        self._check(live, told=told, where=f"SIGKILL at call {at}")
        shutil.rmtree(live)

    def _prepared(self) -> tuple[Path, Path]:
        base, live = self.folder / "base", self.folder / "live"
        base.mkdir(parents=True)
        self.story.prepare(base)
        shutil.copytree(base, live)
        return base, live

    def _keep(self, look: _Look, told: list[str]) -> None:
        digest = look.digest(told)
        if digest not in self.states:
            copy = self.folder / f"state-{len(self.states)}"
            shutil.copytree(look.folder, copy, ignore=shutil.ignore_patterns(f"*{_INDEX}"))
            self.states[digest] = (copy, len(self.calls), list(told))

    def _unplug(self, plug: Plug, told: list[str]) -> None:
        copy = self.folder / f"cut-{len(self.cuts)}"
        plug.leave(copy)
        digest = _Look(copy).digest(told)
        if digest in self.cuts or digest in self.states:
            shutil.rmtree(copy)
        else:
            self.cuts[digest] = (copy, len(self.calls), list(told))

    def _check(self, folder: Path, *, told: Sequence[str], where: str) -> None:
        try:
            self.story.check(folder, told)
            self.story.recover(folder)
            self.story.check_end(folder)
        except Exception:  # noqa: BLE001 - told as a problem of this state; the others are looked at too
            self.problems.append(f"{where}, told {list(told)}:\n{traceback.format_exc(limit=-6)}")

    def _name(self, index: int) -> str:
        if index == len(self.calls):
            return "the end"
        call = self.calls[index]
        return f"{call.name} {Path(call.path).name}"


class _Look:
    """What a folder holds, as far as a new process would notice; looks only at what a call may have changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, str] = {}
        self._databases: dict[Path, str] = {}
        self._changed: Path | None = None

    def changed(self, call: Call) -> None:
        """This call is about to be made."""
        self._changed = Path(call.path)

    def digest(self, told: Sequence[str]) -> str:
        """Of the files and their content, of the pages that SQLite would find, and of what was told."""
        found = [path for path in self.folder.rglob("*") if path.is_file() and not path.name.endswith(_INDEX)]
        plain = [path for path in found if path.suffix != ".db" and not path.name.endswith(_LOG)]
        self._files = {
            path: self._files[path] if path in self._files and path != self._changed else _hash(path.read_bytes())
            for path in plain
        }
        for path in found:
            log = path.with_name(path.name + _LOG)
            if path.suffix == ".db" and (path not in self._databases or self._changed in {path, log}):
                self._databases[path] = _hash(_recovered(path, log))
        whole = {**self._files, **self._databases}
        lines = sorted(f"{path.relative_to(self.folder)} {digest}" for path, digest in whole.items())
        return _hash("\n".join([*lines, *told]).encode())


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _recovered(path: Path, log: Path) -> bytes:
    """A database as the next process would find it: with every whole transaction of its log, and nothing of others."""
    copy = path.with_name(f"{path.stem}.look")
    try:
        shutil.copyfile(path, copy)
        if log.exists():
            shutil.copyfile(log, copy.with_name(copy.name + _LOG))
        with closing(sqlite3.connect(copy)) as connection:
            try:
                return connection.serialize()
            except (sqlite3.DatabaseError, SystemError):  # nothing in it yet
                return b""
    finally:
        for left in copy.parent.glob(f"{copy.name}*"):
            left.unlink()


def _line() -> tuple[list[str], Callable[[], list[str]], Acknowledge]:
    """A pipe on which the act says what it has told somebody: what was said, how to read more, how to say it."""
    out, into = os.pipe()
    os.set_blocking(out, False)

    def read() -> list[str]:
        try:
            return os.read(out, 4096).decode().split()
        except BlockingIOError:
            return []

    return [], read, lambda word: os.write(into, f"{word}\n".encode())


def spread(count: int, *, kills: int) -> list[int]:
    """So many calls, evenly, the first and the last among them; one is the one in the middle; 0 means all."""
    if kills == 0 or kills >= count:
        return list(range(count))
    if kills == 1:
        return [count // 2]
    return sorted({round(index * (count - 1) / (kills - 1)) for index in range(kills)})


def drill(story: Story, folder: Path, *, kills: int, states: int = 0) -> dict[str, object]:
    """Carry out a drill, with so many kills and so many states looked at; 0 means all.

    Returns:
        What was done, and the problems.
    """
    one, begun = Drill(story, folder), time.process_time()
    one.watch()
    one.check_states(most=states)
    for at in spread(len(one.calls), kills=kills):
        one.kill(at)
    names = [call.name for call in one.calls]
    return {
        "calls": len(one.calls),
        "by_name": {name: names.count(name) for name in sorted(set(names))},
        "states": len(one.states),
        "cuts": len(one.cuts),
        "kills": one.kills,
        "cpu_seconds": round(time.process_time() - begun, 1),
        "problems": one.problems,
    }


def main(arguments: Sequence[str]) -> None:
    """Run one story's drill and print what it found."""
    from tests.faults import stories  # noqa: PLC0415 - they know this module

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("story", choices=stories.STORIES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--states", type=int, default=0)
    asked = parser.parse_args(arguments)
    sys.stdout.write(
        json.dumps(
            drill(stories.STORIES[asked.story](), asked.folder, kills=asked.kills, states=asked.states), indent=1
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
