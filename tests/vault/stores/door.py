"""A door before a store's server that can be slow, fall shut, answer with an error, or speak Google's dialect.

Google's XML interface is S3's with other names for a few headers, so its client can be tried against an S3 server when
those are translated. What only Google does (its sign-in, its generations) isn't tried by that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Fault = Callable[[str, str], "int | None"]
"""Asked with verb and path before a request is passed on: answer with this status instead, or nothing."""
_HOPS = {"connection", "transfer-encoding", "keep-alive"}


def _none(_verb: str, _path: str) -> int | None:
    return None


class Door:
    """Passes HTTP requests on to a port of this machine.

    Attributes:
        asked: verb and path of each request.
        fault: what goes wrong.
        lose: asked with verb and path: whether the request is passed on and its answer lost.
        shut: while set, an answer that is under way is cut off in the middle, and none is begun.
        slow: while set, nothing is answered.

    Args:
        port: of the server behind it.
        dialect: whose headers are translated: ``google`` or nobody's.
        at: the port to stand at; one that is free.
    """

    def __init__(self, port: int, *, dialect: str = "", at: int = 0) -> None:
        self.port, self.dialect = port, dialect
        self.asked: list[tuple[str, str]] = []
        self.fault: Fault = _none
        self.lose: Callable[[str, str], bool] = lambda _verb, _path: False
        self.shut, self.slow, self.let_go = threading.Event(), threading.Event(), threading.Event()
        handler = type("Handler", (_Passing,), {"door": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", at), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


class _Passing(BaseHTTPRequestHandler):
    """One line from a client."""

    protocol_version = "HTTP/1.1"
    door: Door

    def _do(self) -> None:
        with suppress(OSError, HTTPException):
            self._pass()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _do  # noqa: N815 - as the base class calls them

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.door.asked.append((self.command, self.path))
        if self.door.slow.is_set():
            self.door.let_go.wait()
        if self.door.shut.is_set():
            self.close_connection = True
            return
        status = self.door.fault(self.command, self.path)
        if status is not None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        answer, content = self._asked(body)
        if self.door.lose(self.command, self.path):
            self.close_connection = True
        else:
            self._answer(answer, content)

    def _asked(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOPS}
        if self.door.dialect == "google":
            headers = _from_google(headers)
        with closing(HTTPConnection("127.0.0.1", self.door.port, timeout=30)) as line:
            line.request(self.command, self.path, body=body, headers=headers)
            with closing(line.getresponse()) as answer:
                return answer, answer.read()

    def _answer(self, answer: HTTPResponse, content: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOPS | {"content-length", "date", "server"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.close_connection = self.door.shut.is_set()
            self.wfile.write(content[: len(content) // 2] if self.close_connection else content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _from_google(headers: dict[str, str]) -> dict[str, str]:
    said = {name.lower(): value for name, value in headers.items()}
    said.pop("authorization", None)
    if said.pop("x-goog-if-generation-match", None) == "0":
        said["if-none-match"] = "*"
    return said
