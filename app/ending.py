"""A process that ends: no new requests, streams are cut at once, slow senders have a moment, and then it is over.

Nothing is lost by being cut: an upload keeps what came and goes on from its offset elsewhere, a player asks again. What
is *begun* is told by ``begin``; ``press`` says that the moment is over. Both may be called from a signal handler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.transport import abort_of

ASKED_BY_MACHINES = frozenset({"/healthz", "/readyz"})
_RETRY_AFTER_SECONDS = 5
_SEEN_SECONDS = 0.2
_GONE: Message = {"type": "http.disconnect"}


class Stage(IntEnum):
    """How far the end is."""

    OPEN = 0
    ENDING = 1
    PRESSED = 2


class Ending:
    """One process's end, and how many requests are still being answered."""

    def __init__(self) -> None:
        self.stage = Stage.OPEN
        self.answering = 0
        self._waiting: dict[Stage, set[asyncio.Future[None]]] = {Stage.ENDING: set(), Stage.PRESSED: set()}

    def begin(self) -> None:
        """End: doing it again does nothing."""
        self._reach(Stage.ENDING)

    def press(self) -> None:
        """The moment is over."""
        self._reach(Stage.PRESSED)

    @contextmanager
    def told(self, stage: Stage) -> Iterator[asyncio.Future[None]]:
        """A future that is done when the end has come so far."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[stage].add(waiting)
        if self.stage >= stage:
            waiting.set_result(None)
        try:
            yield waiting
        finally:
            self._waiting[stage].discard(waiting)

    def _reach(self, stage: Stage) -> None:
        self.stage = max(self.stage, stage)
        for reached in (one for one in Stage if Stage.OPEN < one <= self.stage):
            for waiting in list(self._waiting[reached]):
                waiting.get_loop().call_soon_threadsafe(_finish, waiting)


class Draining:
    """The middleware that keeps to it.

    Args:
        app: what it wraps.
        ending: this process's.
    """

    def __init__(self, app: ASGIApp, *, ending: Ending) -> None:
        self._app = app
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless this process ends."""
        if scope["type"] != "http" or scope["path"] in ASKED_BY_MACHINES:
            await self._app(scope, receive, send)
            return
        if self._ending.stage > Stage.OPEN:
            text = "closing: The service is starting again. Please try again in a moment.\n"
            headers = {"Retry-After": str(_RETRY_AFTER_SECONDS), "Connection": "close"}
            await PlainTextResponse(text, status_code=503, headers=headers)(scope, receive, send)
            return
        self._ending.answering += 1
        try:
            await self._drained(scope, receive, send)
        finally:
            self._ending.answering -= 1

    async def _drained(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; a stream is told that its reader went away when the end begins, a sender when it is pressed."""
        has_begun, has_ended = False, False

        async def noting(message: Message) -> None:
            nonlocal has_begun, has_ended
            has_begun = True
            has_ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        with self._ending.told(Stage.ENDING) as begun, self._ending.told(Stage.PRESSED) as pressed:

            async def watched() -> Message:
                over = begun if has_begun else pressed
                if over.done():
                    return _GONE
                taking = asyncio.ensure_future(receive())
                awaited: set[asyncio.Future[Any]] = {taking, over}
                try:
                    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                    return taking.result() if taking.done() else _GONE
                finally:
                    taking.cancel()

            await self._app(scope, watched, noting)
        if has_begun and not has_ended and self._ending.stage > Stage.OPEN:
            abort_of(scope)()  # so that nobody takes half an answer for a whole one
            await asyncio.sleep(_SEEN_SECONDS)  # then the server knows that the rest isn't owed


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
