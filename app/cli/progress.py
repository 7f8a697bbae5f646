"""A bar on the terminal, where there is one, and how long it will still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from vault import MIB

STEPS = 1000


class Progress:
    """Told how much of how much is done; knows what is left.

    Args:
        show: told likewise.
    """

    def __init__(self, show: Callable[[int, int], object] = lambda _done, _of: None) -> None:
        self._show = show
        self._first: tuple[int, float] | None = None
        self._done = self._of = 0
        self._at = 0.0

    def __call__(self, done: int, of: int) -> None:
        """So much is done."""
        now = time.monotonic()
        if self._first is None or done < self._done:  # it goes on where it was, or another pass begins
            self._first = done, now
        self._done, self._of, self._at = done, of, now
        self._show(done, of)

    @property
    def left(self) -> int:
        """How much isn't done."""
        return self._of - self._done

    @property
    def seconds_left(self) -> int | None:
        """How long that takes at the pace so far; nothing where no pace was seen."""
        if self.left == 0:
            return 0
        begun, since = self._first or (0, 0.0)
        if self._done == begun:
            return None
        return max(1, round(self.left * (self._at - since) / (self._done - begun)))


def left(progress: Progress) -> list[str]:
    """What is left, in words; none where nothing is."""
    if progress.left == 0:
        return []
    seconds = progress.seconds_left
    said = "" if seconds is None else f", about {max(1, round(seconds / 60))} min at this pace"
    return [f"{progress.left / MIB:.0f} MiB are left{said}."]


@contextmanager
def shown(label: str) -> Iterator[Progress]:
    """Give what is to be told how much of how much is done; on a terminal it shows that, with the time left."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    with typer.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:
        yield Progress(lambda done, of: bar.update(max(0, STEPS * done // max(of, 1) - bar.pos)))
