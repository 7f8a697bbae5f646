"""uvicorn's HTTP protocol with one thing more: a stream can be cut so that nothing more arrives.

Closing a connection politely would first send what lies in our buffers. After a withdrawal not even that may go out,
so ``abort`` drops the buffers and resets the connection (TCP RST). The send buffer of the socket is kept small for
the same reason: what is in it has left our hands.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SEND_BUFFER_BYTES = 128 * 1024
_EXTENSION = "vault.abort"
_RESET = struct.pack("ii", 1, 0)  # linger on, for zero seconds: RST instead of FIN


class CuttableProtocol(HttpToolsProtocol):
    """Tells the application how to cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """Note the transport and keep its buffers small."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=SEND_BUFFER_BYTES)

    def on_message_begin(self) -> None:
        """Offer ``abort`` to the application with each request."""
        super().on_message_begin()
        extensions = cast("dict[str, object]", self.scope.setdefault("extensions", {}))
        extensions[_EXTENSION] = self._abort

    def _abort(self) -> None:
        handle = self.transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


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
