"""What the doctor says about one thing: how it is, one sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.errors import VaultError


class State(StrEnum):
    """How something is."""

    FINE = "fine"
    WARNING = "warning"
    """It works, and is less safe or less lasting than it could be."""
    FAULT = "fault"
    """It doesn't work, or isn't safe."""
    LEFT_OUT = "left_out"
    """It couldn't be looked at, or nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: a word of ours, stable.
        state: how it is.
        sentence: what was found. No secret, no name.
        advice: what to do; empty where nothing is to be done.
    """

    name: str
    state: State
    sentence: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def fine(name: str, sentence: str) -> Finding:
    """It is as it should be."""
    return Finding(name, State.FINE, sentence)


def warning(name: str, sentence: str, advice: str) -> Finding:
    """It could be better."""
    return Finding(name, State.WARNING, sentence, advice)


def fault(name: str, sentence: str, advice: str) -> Finding:
    """It has to be put right."""
    return Finding(name, State.FAULT, sentence, advice)


def left_out(name: str, sentence: str, advice: str = "") -> Finding:
    """It wasn't looked at."""
    return Finding(name, State.LEFT_OUT, sentence, advice)


def run(name: str, check: Check) -> Iterator[Finding]:
    """Look, whatever happens: a check that stumbles is a finding too."""
    try:
        yield from check()
    except VaultError as error:
        yield fault(name, f"{error.sentence} ({error.code})", "docs/operations.md lists what the codes mean.")
    except Exception as error:  # noqa: BLE001 - its text may quote a setting; its kind is enough to begin with
        yield fault(name, f"This couldn't be looked at ({type(error).__name__}).", "Look at it by hand.")
