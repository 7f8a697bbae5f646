"""Sending film: whole answers to ranges, paced, checked segment by segment, cut without a goodbye.

A segment is decided on when it is read, but it leaves only as fast as the player takes it. So whatever takes longer
than a moment (a reader that is slow or has stopped, the pace) is waited for with an eye on the viewing: when that ends,
the connection is reset at once, and what lies in our buffers never goes out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.transport import abort_of
from core.errors import VaultError

AHEAD_SECONDS = 8.0
"""How much film a professional's player may hold beyond what it should have played."""
STALL_SECONDS = 0.2
"""How long a segment may be on its way before the viewing is looked at again."""
_STEP_SECONDS = 0.1
_LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}

Result = TypeVar("Result")
Until = Callable[[], Awaitable[None]]


async def paced(source: AsyncGenerator[bytes, None], *, bytes_per_second: float) -> AsyncGenerator[bytes, None]:
    """Give on at once what plays in ``AHEAD_SECONDS``, then as fast as it plays; nothing is read before its time.

    Args:
        source: pieces of film.
        bytes_per_second: the film's own rate.
    """
    rate, sent, begun = max(bytes_per_second, 1.0), 0, time.monotonic()
    async with aclosing(source):
        async for piece in source:
            yield piece
            sent += len(piece)
            while sent > rate * (AHEAD_SECONDS + time.monotonic() - begun):  # noqa: ASYNC110 - time passes, nothing tells
                await asyncio.sleep(_STEP_SECONDS)


class _Ended(Exception):
    """The viewing may not go on."""


class _Gone(Exception):
    """The player closed the connection."""


class FilmResponse(Response):
    """An answer whose connection is reset as soon as its source refuses to go on, or the viewing ends meanwhile.

    Args:
        source: plaintext pieces; raises ``VaultError`` where the viewing has ended.
        until: returns, or raises ``VaultError``, when the viewing has ended; asked only where something takes long.
        length: bytes that are announced.
        status: 200 or 206.
        headers: further headers.
    """

    def __init__(
        self,
        source: AsyncGenerator[bytes, None],
        *,
        until: Until,
        length: int,
        status: int,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(status_code=status, headers={**headers, "Content-Length": str(length)})
        self._source, self._until = source, until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, or cut: before anything is closed or noted, since that waits for a disk."""
        cut = abort_of(scope)
        gone = asyncio.ensure_future(_disconnect(receive))
        async with aclosing(self._source) as source:
            try:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                while (piece := await self._watched(anext(source, None), gone, cut=cut)) is not None:
                    body: Message = {"type": "http.response.body", "body": piece, "more_body": True}
                    await self._watched(send(body), gone, cut=cut)
                await self._watched(send(_LAST), gone, cut=cut)
            except _Gone:
                return  # nothing more is read for nobody
            except _Ended:
                await asyncio.wait({gone}, timeout=STALL_SECONDS)  # then the server knows that no answer is owed
            except VaultError:
                cut()
                await asyncio.wait({gone}, timeout=STALL_SECONDS)
            except Exception:
                cut()
                raise
            finally:
                gone.cancel()

    async def _watched(self, step: Awaitable[Result], gone: asyncio.Future[None], *, cut: Callable[[], None]) -> Result:
        """Do a step; where it takes long, only for as long as the viewing holds."""
        doing = asyncio.ensure_future(step)
        awaited: set[asyncio.Future[Any]] = {doing, gone}
        ended: asyncio.Future[None] | None = None
        try:
            await asyncio.wait(awaited, timeout=STALL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done() and not gone.done():
                ended = asyncio.ensure_future(_end_of(self._until))
                await asyncio.wait({*awaited, ended}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise _Gone
            if ended is not None and ended.done():
                cut()
                ended.result()
                raise _Ended
            return doing.result()
        finally:
            if ended is not None:
                ended.cancel()
            doing.cancel()
            await asyncio.wait({doing})
            if not doing.cancelled():
                doing.exception()  # seen, whether or not it was the reason


async def _end_of(until: Until) -> None:
    try:
        await until()
    except VaultError:
        return


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
