"""Opening the segments of a film that is sent: at once where they lie in memory, else a few at a time in a thread.

A change of threads costs more than opening a segment. So what the system has in memory is opened where we are, and what
a disk or another machine has to be asked for is opened in a thread, several segments in one go, the next ones while the
last ones are being sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from core.errors import VaultError
from core.segments import Bytes

MOST_AHEAD = 4
"""Segments that are opened in one go, while as many wait to be sent: two MiB of film in memory for each viewer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some segments in clear, and what was in the way of the next one."""

    pieces: Sequence[bytes]
    error: VaultError | None = None


class Ahead:
    """The segments of a range, in order; iterate it once.

    The first batch is one segment, or all of a short range, so that a film begins soon and whoever only looks at a few
    bytes isn't read for in vain.

    Args:
        indexes: the segments.
        at_hand: gives a segment for which nothing need be waited for, or nothing.
        opened: opens some segments; is called in a thread.
        first: how many are opened in the first go.
        begun: the first go, where it is over already.
    """

    def __init__(
        self,
        indexes: range,
        *,
        at_hand: Callable[[int], Bytes | None],
        opened: Callable[[range], Batch],
        first: int = 1,
        begun: Batch | None = None,
    ) -> None:
        self._left, self._at_hand, self._opened = indexes, at_hand, opened
        self._most = first
        self._next: asyncio.Future[Batch] | None = None
        if begun is not None:
            self._left, self._most = indexes[first:], min(2 * first, MOST_AHEAD)
            self._next = asyncio.get_running_loop().create_future()
            self._next.set_result(begun)

    async def __aiter__(self) -> AsyncGenerator[Bytes, None]:
        while (piece := self._take()) is not None or self._next is not None:
            if piece is not None:
                yield piece
                continue
            batch, self._next = await self._awaited(), None
            after = self._take() if batch.error is None else None
            for one in batch.pieces:
                yield one
            if batch.error is not None:
                raise batch.error
            if after is not None:
                yield after

    def forget(self) -> None:
        """Whatever is still being opened is for nobody."""
        if self._next is not None:
            self._next.add_done_callback(_seen)

    def _take(self) -> Bytes | None:
        """The next segment, if it is at hand; else it is on its way from now on."""
        if self._next is not None or not self._left:
            return None
        piece = self._at_hand(self._left[0])
        if piece is not None:
            self._left = self._left[1:]
            return piece
        now, self._left = self._left[: self._most], self._left[self._most :]
        self._most = min(2 * self._most, MOST_AHEAD)
        self._next = asyncio.get_running_loop().run_in_executor(None, self._opened, now)
        return None

    async def _awaited(self) -> Batch:
        assert self._next is not None
        return await self._next


def _seen(done: asyncio.Future[Batch]) -> None:
    if not done.cancelled():
        done.exception()
