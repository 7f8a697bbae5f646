"""Sending film: whole answers to ranges, paced, checked segment by segment, cut without a goodbye."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.transport import abort_of
from core.errors import VaultError

AHEAD_SECONDS = 8.0
"""How much film a professional's player may hold beyond what it should have played."""
_STEP_SECONDS = 0.1


class Pace:
    """How fast a film may be sent: at once what plays in ``AHEAD_SECONDS``, then as fast as it plays.

    Args:
        bytes_per_second: the film's own rate.
    """

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = max(bytes_per_second, 1.0)
        self._sent = 0
        self._begun = time.monotonic()

    async def before(self, length: int) -> None:
        """Wait until the next ``length`` bytes may go."""
        self._sent += length
        while self._sent > self._rate * (AHEAD_SECONDS + time.monotonic() - self._begun) + length:  # noqa: ASYNC110 - time passes, nothing tells
            await asyncio.sleep(_STEP_SECONDS)


class FilmResponse(Response):
    """An answer whose connection is reset as soon as its source refuses to go on.

    Args:
        source: plaintext pieces; raises ``VaultError`` where the viewing has ended.
        length: bytes that are announced.
        status: 200 or 206.
        headers: further headers.
    """

    def __init__(self, source: AsyncIterator[bytes], *, length: int, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status_code=status, headers={**headers, "Content-Length": str(length)})
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, or cut."""
        del receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self._source:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except VaultError:
            abort_of(scope)()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
