"""A PostgreSQL server's door that can fall shut: at a COMMIT, before or after the server has done it, or for good."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum, auto
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

_COMMIT = b"COMMIT\0"
_READY = b"Z\0\0\0\x05"
"""How the server's word that it is ready for the next query begins."""


class Cut(Enum):
    """When the line goes dead."""

    BEFORE = auto()
    """The server never hears of the commit."""
    AFTER = auto()
    """It has committed, and its answer is lost."""


class Proxy:
    """Passes a server's protocol on, one thread a direction; counts commits.

    Args:
        address: SQLAlchemy's, of the database behind it.
    """

    def __init__(self, address: str) -> None:
        self._url = make_url(address)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._cut: tuple[Cut, int] | None = None
        self.commits = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """SQLAlchemy address of the same database, through here."""
        host, port = self._listener.getsockname()
        url = self._url.set(host=host, port=port, query={"sslmode": "disable", "gssencmode": "disable"})
        return url.render_as_string(hide_password=False)

    def cut(self, when: Cut, *, at: int) -> None:
        """Have the line go dead at a commit, counted from 0 and from now."""
        self._cut, self.commits = (when, at), 0

    def shut(self) -> None:
        """The server is gone: every line is dead, and no new one comes."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            lines = list(self._open)
        for line in lines:
            _end(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._to_server()
            with self._lock:
                self._open |= {client, server}
            answer = _Answer(client, server)
            for work in (answer.pass_on, lambda c=client, a=answer: self._ask(c, a)):
                threading.Thread(target=work, daemon=True).start()

    def _to_server(self) -> socket.socket:
        host = self._url.host or str(self._url.query["host"])
        port = self._url.port or int(str(self._url.query.get("port", 5432)))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _ask(self, client: socket.socket, answer: _Answer) -> None:
        """Pass on what the client says, unless the line is to go dead now."""
        with suppress(OSError):
            while data := client.recv(65536):
                if _COMMIT in data and self._cuts(Cut.BEFORE):
                    break
                if _COMMIT in data and self._cuts(Cut.AFTER):
                    answer.lose.set()
                self.commits += _COMMIT in data
                answer.server.sendall(data)
        answer.end()

    def _cuts(self, when: Cut) -> bool:
        return self._cut == (when, self.commits)


class _Answer:
    """The way back of one line."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.lose = threading.Event()

    def pass_on(self) -> None:
        """Pass on what the server says; once it is to be lost, only wait until the server is done."""
        with suppress(OSError):
            while data := self.server.recv(65536):
                if self.lose.is_set():
                    if _READY in data:
                        break
                    continue
                self.client.sendall(data)
        self.end()

    def end(self) -> None:
        """Both ends are dead."""
        _end(self.client)
        _end(self.server)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
