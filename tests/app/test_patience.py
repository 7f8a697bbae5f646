"""Connections that say nothing, or little by little, are given up; whoever is slow for a reason isn't."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.headers import FIXED
from app.transport import CuttableProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
PATIENCE_SECONDS = 30


class Hasty(CuttableProtocol):
    """With less patience than the real one, so that the tests needn't have it."""

    head_seconds = 0.5


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, http=Hasty, ws="none", loop="uvloop", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as made:
        yield made


def answer(line: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(line)
    response.begin()
    return response


def trickle(line: socket.socket, piece: bytes) -> None:
    """Send a piece again and again until nobody listens any more."""
    for _ in range(PATIENCE_SECONDS * 10):
        try:
            line.sendall(piece)
            line.settimeout(0.1)
            if not line.recv(1, socket.MSG_PEEK):
                return
        except TimeoutError:
            continue
        except ConnectionError:
            return
        line.settimeout(PATIENCE_SECONDS)
        return
    pytest.fail("it was listened to for ever")


def test_a_connection_that_says_nothing_is_closed(line: socket.socket) -> None:
    assert line.recv(1) == b""


def test_a_head_that_comes_little_by_little_is_refused(line: socket.socket) -> None:
    line.sendall(HEAD)
    trickle(line, b"X-Slow: yes\r\n")
    response = answer(line)
    assert response.status == 408
    assert {name: response.headers[name] for name in FIXED} == FIXED
    assert response.read().startswith(b"request_timeout: ")
    assert line.recv(1) == b""


def test_empty_lines_are_no_sign_of_life(line: socket.socket) -> None:
    trickle(line, b"\r\n")


def test_a_second_head_that_does_not_end_is_refused_as_well(line: socket.socket) -> None:
    line.sendall(HEAD + b"\r\n")
    assert answer(line).read() == b"0"
    line.sendall(HEAD)
    trickle(line, b"X-Slow: yes\r\n")
    assert answer(line).status == 408


def test_a_body_may_take_its_time(line: socket.socket) -> None:
    line.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n")
    for _ in range(4):
        time.sleep(2 * Hasty.head_seconds / 4)
        line.sendall(b"x")
    assert answer(line).read() == b"4"


def test_a_line_that_is_kept_open_serves_on(line: socket.socket) -> None:
    for _ in range(3):
        line.sendall(HEAD + b"\r\n")
        assert answer(line).read() == b"0"
        time.sleep(0.3)
