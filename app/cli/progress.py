"""A bar on the terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

STEPS = 1000


@contextmanager
def shown(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how much of how much is done."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    with typer.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:

        def advance(done: int, of: int) -> None:
            bar.update(max(0, STEPS * done // max(of, 1) - bar.pos))

        yield advance
