"""Which layers this machine can put around a film, proved by children that try what each of them must refuse.

A film may be opened only behind seccomp (system calls) and behind at least one of bubblewrap and Landlock (files); a
child is always put behind as many as are to be had. Nothing is taken from a version number or a setting: each layer is
put around a child alone, and then all of them together.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from media import bubblewrap, calls, spawn
from media.attempts import ATTEMPTS, CANARY, DOOR, Target
from media.sandbox import Role, landlock_abi
from media.spawn import Child, Walls
from media.wire import BrokenLine, Kind

_MOST_REASON = 300


class Layer(StrEnum):
    """Something that stands between a film and this machine."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


class State(StrEnum):
    """What was found out about a layer."""

    HELD = "held"
    """It refused everything that it must."""
    ABSENT = "absent"
    """This machine doesn't have it."""
    REFUSED = "refused"
    """It is there, but can't be put on, or it lets something through."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One layer.

    Attributes:
        layer: which.
        state: whether it holds.
        why: in words, for an administrator; empty where it holds.
    """

    layer: Layer
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """What stands between a film and this machine.

    Attributes:
        findings: one for each layer.
        walls: those that hold, as children are put behind them.
        proved: whether a child behind all of them worked, and was refused everything.
        allowed: names of forbidden things that a child behind all of them managed to do, sorted.
    """

    findings: tuple[Finding, ...]
    walls: Walls
    proved: bool
    allowed: tuple[str, ...] = ()

    @property
    def hold(self) -> bool:
        """Whether media jobs may start."""
        return self.proved and not self.allowed and self.walls.enough

    @property
    def held(self) -> tuple[Layer, ...]:
        """The layers that hold."""
        return tuple(found.layer for found in self.findings if found.state is State.HELD)


MUST_REFUSE: Mapping[Layer, frozenset[str]] = {
    Layer.BUBBLEWRAP: frozenset(ATTEMPTS) - {"fork", "make_memory_file", "make_namespace", "change_mode"},
    Layer.LANDLOCK: frozenset(
        {
            *("read_passwords", "read_file", "list_folder", "open_file_to_write", "make_file", "remove_file"),
            *("read_other_environment", "execute"),
        }
    ),
    Layer.SECCOMP: frozenset(ATTEMPTS) - {"read_passwords", "read_file", "list_folder", "read_other_environment"},
}
"""What each layer must refuse even where it is the only one."""


def prove() -> Layers:
    """Put each layer around a child, then all that hold around another, and let them try.

    Where not even that can be tried (no folder for temporary files, no more processes), no layer is held.
    """
    try:
        return _prove()
    except OSError as error:
        why = f"it couldn't be tried: {error.strerror or type(error).__name__}"
        return Layers(tuple(Finding(layer, State.REFUSED, why) for layer in Layer), _walls(set()), proved=False)


def _prove() -> Layers:
    findings: dict[Layer, Finding] = {}
    with ExitStack() as stack:
        running: dict[Layer, Trial] = {}
        for layer in reversed(Layer):
            if missing := _missing(layer):
                findings[layer] = Finding(layer, State.ABSENT, missing)
            else:
                running[layer] = stack.enter_context(trial(_walls({layer})))
        hoped = _walls(set(running))
        together = stack.enter_context(trial(hoped)) if hoped.enough else None  # meanwhile, as all of them mostly hold
        for layer, begun in running.items():
            findings[layer] = _judge(layer, begun.outcome())
        held = {layer for layer, finding in findings.items() if finding.state is State.HELD}
        walls = _walls(held)
        found = Layers(tuple(findings[layer] for layer in Layer), walls, proved=False)
        if not walls.enough:
            return found
        if together is None or walls != hoped:
            together = stack.enter_context(trial(walls))
        outcome = together.outcome()
        allowed = sorted((frozenset(ATTEMPTS) - outcome.refused) | set(outcome.inherited))
        return replace(found, proved=outcome.ended_well, allowed=tuple(allowed) if outcome.ended_well else ())


def _missing(layer: Layer) -> str:
    """Why this machine hasn't got a layer; empty where it may have it."""
    match layer:
        case Layer.BUBBLEWRAP:
            return "" if bubblewrap.program() else "the program bwrap isn't installed (Debian package bubblewrap)"
        case Layer.LANDLOCK:
            return "" if landlock_abi() > 0 else "this kernel has no Landlock, or it is switched off (lsm=)"
        case Layer.SECCOMP:
            try:
                calls.allowed()
            except calls.NoLibrary:
                return "libseccomp.so.2 isn't installed (Debian package libseccomp2)"
            return ""


def _walls(layers: set[Layer]) -> Walls:
    return Walls(
        bubblewrap=bubblewrap.program() if Layer.BUBBLEWRAP in layers else None,
        landlock=Layer.LANDLOCK in layers,
        seccomp=Layer.SECCOMP in layers,
    )


def _judge(layer: Layer, outcome: Outcome) -> Finding:
    if not outcome.ended_well:
        return Finding(layer, State.REFUSED, outcome.reason or "the child behind it ended without a word")
    if through := sorted(MUST_REFUSE[layer] - outcome.refused):
        return Finding(layer, State.REFUSED, f"it lets through: {', '.join(through)}")
    return Finding(layer, State.HELD)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child fared that tried everything.

    Attributes:
        ended_well: whether it could put its layers on, and reported.
        refused: the attempts that were refused.
        inherited: files and variables that it should not have had.
        reason: what it, or ``bwrap``, said when it failed.
    """

    ended_well: bool
    refused: frozenset[str] = frozenset()
    inherited: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A child that is about to try everything."""

    child: Child
    target: Target
    errors: int

    def outcome(self) -> Outcome:
        """Let it try, and hear what it managed."""
        line = self.child.line
        try:
            if line is None:
                return Outcome(ended_well=False)
            line.tell(Kind.ORDER, **self.target.words())
            words = line.expect(Kind.DONE).words()
            return Outcome(
                ended_well=True, refused=frozenset(words["refused"]), inherited=tuple(map(str, words["inherited"]))
            )
        except (BrokenLine, LookupError, TypeError):
            with suppress(subprocess.TimeoutExpired):
                self.child.process.wait(timeout=1)  # it may still be saying why
            return Outcome(ended_well=False, reason=_told(self.errors))


@contextmanager
def trial(walls: Walls) -> Iterator[Trial]:
    """A child of the self-test behind these walls, and something for it to try to reach.

    Args:
        walls: any, even none: then it must manage everything, or the self-test would prove nothing.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        door = stack.enter_context(socket.socket(socket.AF_UNIX))
        door.bind(str(Path(folder, DOOR)))
        door.listen()
        Path(folder, CANARY).write_text(secrets.token_hex(8))
        errors, given = os.pipe()
        stack.callback(os.close, errors)
        try:
            child = spawn.start(Role.TEST, walls=walls, fds={}, errors=given)
        finally:
            os.close(given)
        stack.callback(child.kill)
        # Inside bubblewrap low numbers are processes of its own, so the other one there is bwrap as seen from here.
        other = child.process.pid if walls.bubblewrap else os.getpid()
        yield Trial(child, Target(folder, port.getsockname()[1], other), errors)


def _told(errors: int) -> str:
    os.set_blocking(errors, False)
    try:
        said = os.read(errors, 1 << 16).decode("utf-8", "replace")
    except BlockingIOError:
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())[-_MOST_REASON:]
