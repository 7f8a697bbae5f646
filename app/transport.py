"""uvicorn's HTTP protocol with more: a stream can be cut so that nothing else arrives; heads are bounded.

Closing a connection politely would first send what lies in our buffers. After a withdrawal not even that may go out,
so ``abort`` drops the buffers and resets the connection (TCP RST). The send buffer of the socket is kept small for
the same reason: what is in it has left our hands.

``httptools`` takes a head of any length into memory, and waits for it as long as it takes, so ``MOST_HEAD_BYTES`` and
``HEAD_SECONDS`` are ours: else a few thousand connections that say nothing would hold every place. What can't be
parsed is answered here, since no application ever sees it: with a code, and in the same armour as everything else.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.headers import FIXED, HSTS

SEND_BUFFER_BYTES = 132 * 1024
"""The kernel doubles it, so that a segment of 256 KiB just fits: with less, each costs a second write and its wait."""
MOST_HEAD_BYTES = 64 * 1024
"""Of a request's address and headers together."""
HEAD_SECONDS = 20.0
"""How long the head of a request may take: from the connection on, or after a request from the next byte on."""
_LINGER_SECONDS = 1.0
"""How long a refused sender may go on sending, so that the answer isn't lost to a reset."""
_REFUSALS = {
    400: "bad_request: We could not understand that request.\n",
    408: "request_timeout: That request took too long to arrive. Please try again.\n",
    431: "head_too_large: That request's address or cookies are too long. Delete this site's cookies and try again.\n",
}
_EXTENSION = "vault.abort"
_RESET = struct.pack("ii", 1, 0)  # linger on, for zero seconds: RST instead of FIN


class CuttableProtocol(HttpToolsProtocol):
    """Tells the application how to cut the connection."""

    _head_bytes = 0
    _in_head = False
    _refusal = 400
    _is_refused = False
    _head_due: asyncio.TimerHandle | None = None
    head_seconds = HEAD_SECONDS
    also: ClassVar[dict[str, str]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """Note the transport and keep its buffers small."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=SEND_BUFFER_BYTES)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the clock go."""
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes; give up on a head that doesn't end."""
        if self._is_refused:
            return
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()  # empty lines count as well: uvicorn takes them for a sign of life
        super().data_received(data)
        if self._in_head and not self._is_refused:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """Offer ``abort`` to the application with each request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        extensions = cast("dict[str, object]", self.scope.setdefault("extensions", {}))
        extensions[_EXTENSION] = self._abort

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too long."""
        self._in_head = False
        self._forget_head()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD_BYTES:
            self._refusal = 431
            message = "the head is too long"
            raise ValueError(message)  # httptools stops, and uvicorn calls send_400_response
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what couldn't be parsed."""
        del msg  # uvicorn's own words
        self._refuse(self._refusal)

    def _await_head(self) -> None:
        """Start the clock, unless it runs: a byte now and then doesn't stop it."""
        if self._head_due is None:
            self._head_due = self.loop.call_later(self.head_seconds, self._give_up)

    def _forget_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        """A connection that asks for nothing is closed; a head that doesn't end is refused."""
        if self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._is_refused = True
        self._forget_head()
        body = _REFUSALS[status].encode()
        fields = {
            **FIXED,
            **self.also,
            "Cache-Control": "no-store",
            "Connection": "close",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
        }
        head = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _abort(self) -> None:
        handle = self.transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class SecureProtocol(CuttableProtocol):
    """The same where people come over TLS: what is answered here says so too."""

    also: ClassVar[dict[str, str]] = {"Strict-Transport-Security": HSTS}


def protocol_for(origin: str) -> type[CuttableProtocol]:
    """Which of them speaks for a public origin."""
    return SecureProtocol if origin.startswith("https://") else CuttableProtocol


def abort_of(scope: Scope) -> Callable[[], None]:
    """What cuts this request's connection; does nothing under a server that can't (tests without a socket)."""
    return cast("Callable[[], None]", scope.get("extensions", {}).get(_EXTENSION, lambda: None))


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket whose connections hold at most ``SEND_BUFFER_BYTES`` each."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.bind((host, port))
    listener.set_inheritable(True)
    return listener
