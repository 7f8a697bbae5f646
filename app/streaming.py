"""Sending film: whole answers to ranges, paced, checked segment by segment, cut without a goodbye.

A segment is decided on when it is read and handed on, but it leaves only as fast as the player takes it. So beside
the sending somebody keeps an eye on the viewing all the time: when that ends, the connection is reset at once, and what
lies in our buffers never goes out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from itertools import cycle

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.transport import abort_of
from core.errors import VaultError
from core.segments import Bytes

AHEAD_SECONDS = 8.0
"""How much film a professional's player may hold beyond what it should have played."""
_PARTING_SECONDS = 0.2
_STEP_SECONDS = 0.1
_AT_ONCE = 4
"""Pieces that are sent before others have their turn, where the connection takes them at once: a mebibyte of film."""
_LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}

Until = Callable[[], Awaitable[None]]


async def paced(source: AsyncGenerator[Bytes, None], *, bytes_per_second: float) -> AsyncGenerator[Bytes, None]:
    """Give on at once what plays in ``AHEAD_SECONDS``, then as fast as it plays; nothing is sent before its time.

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


class FilmResponse(Response):
    """An answer whose connection is reset as soon as its source refuses to go on, or the viewing ends meanwhile.

    Args:
        source: plaintext pieces; raises ``VaultError`` where the viewing has ended.
        until: returns, or raises ``VaultError``, when the viewing has ended.
        length: bytes that are announced.
        status: 200 or 206.
        headers: further headers.
    """

    def __init__(
        self,
        source: AsyncGenerator[Bytes, None],
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
        async with aclosing(self._source) as source:
            sending = asyncio.ensure_future(self._send(source, send))
            gone = asyncio.ensure_future(_disconnect(receive))
            ended = asyncio.ensure_future(_end_of(self._until))
            try:
                await asyncio.wait({sending, gone, ended}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done() and not sending.done():
                    cut()
                    ended.result()
                    await asyncio.wait({gone}, timeout=_PARTING_SECONDS)  # then the server knows no answer is owed
                elif sending.done():
                    await self._finish(sending, gone, cut=cut)
            finally:  # where the player is gone, nothing more is read for nobody
                for task in (sending, gone, ended):
                    task.cancel()
                await asyncio.wait({sending})
                if not sending.cancelled():
                    sending.exception()  # seen, whether or not it was the reason

    async def _send(self, source: AsyncGenerator[Bytes, None], send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        turns = cycle(range(_AT_ONCE))
        async for piece in source:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not next(turns):
                await asyncio.sleep(0)  # sending to nobody waits for nothing: let it be heard that the player is gone
        await send(_LAST)

    @staticmethod
    async def _finish(sending: asyncio.Future[None], gone: asyncio.Future[None], *, cut: Callable[[], None]) -> None:
        """Everything was sent, or it could not be."""
        try:
            sending.result()
        except VaultError:
            cut()
            await asyncio.wait({gone}, timeout=_PARTING_SECONDS)
        except Exception:
            cut()
            raise


async def _end_of(until: Until) -> None:
    try:
        await until()
    except VaultError:
        return


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
