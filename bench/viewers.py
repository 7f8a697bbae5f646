"""Viewers for ``cutoff``: each a player on a bare socket and a page that listens to its events."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.app.stage import cookie_of
from tests.families import Someone

PATIENCE_SECONDS = 60
_BITE = 64 * 1024
_SLOW_BUFFER = 64 * 1024
_SLOW_BYTES_PER_SECOND = 1_000_000 / 8
_SLOW_BITE = 12_500
_GONE = select.POLLERR | select.POLLHUP
_SILENT = "the film fell silent and wasn't reset"
_WHOLE = "the film ended as if it were whole"
_CLOSED = "the server closed without a word"


class NotStopped(Exception):
    """A viewing didn't go as it must: there is nothing to measure."""


class Pace(StrEnum):
    """How fast a viewer's line is."""

    FAST = "fast"
    SLOW = "slow"  # 1 Mbit/s


@dataclass(slots=True)
class Viewer:
    """Somebody who watches: begins with ``start``; ``wait_until_over`` gives the times at which it ended.

    Attributes:
        origin: of the server process that they look at.
        viewing: their ticket.
        reset_at: when the film's connection was reset. The server's kernel sends nothing after that.
        dark_at: when the page was told to go dark.
        bites: when how many bytes of film were read.
    """

    origin: str
    viewing: str
    watcher: Someone
    pace: Pace
    reset_at: float = 0.0
    dark_at: float = 0.0
    bites: list[tuple[float, int]] = field(default_factory=list)
    _ready: threading.Barrier = field(default_factory=lambda: threading.Barrier(3), repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)
    _faults: list[str] = field(default_factory=list, repr=False)

    def start(self) -> None:
        """Open the events, then the film; returns when both flow."""
        for what in (self._play, self._listen):
            thread = threading.Thread(target=self._run, args=(what,), daemon=True)
            thread.start()
            self._threads.append(thread)
        try:
            self._ready.wait(PATIENCE_SECONDS)
        except threading.BrokenBarrierError:
            raise NotStopped(self._faults or "the film never began") from None

    def wait_until_over(self) -> None:
        """Wait until the film was reset and the page is dark."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        if self._faults or not (self.reset_at and self.dark_at):
            raise NotStopped(self._faults or "a viewer was never stopped")

    def late_bytes(self, since: float) -> int:
        """How many bytes were read after a moment, those included that lay in the reader's own buffer."""
        return sum(count for at, count in self.bites if at > since)

    def _run(self, what: Callable[[], None]) -> None:
        try:
            what()
        except (OSError, NotStopped, threading.BrokenBarrierError) as error:
            self._faults.append(f"{what.__name__}: {error}")
            self._ready.abort()

    def _play(self) -> None:
        with self._asked(f"/media/{self.viewing}") as line:
            line.setblocking(False)
            self._ready.wait(PATIENCE_SECONDS)
            eye = select.poll()
            begun, count = time.monotonic(), 0
            while True:
                due = begun + count / _SLOW_BYTES_PER_SECOND if self.pace is Pace.SLOW else 0.0
                while (rest := due - time.monotonic()) > 0:
                    eye.register(line, 0)  # only what is always told: error and hang-up
                    if eye.poll(rest * 1000):
                        break
                eye.register(line, select.POLLIN)
                told = eye.poll(PATIENCE_SECONDS * 1000)
                if not told:
                    raise NotStopped(_SILENT)
                if told[0][1] & _GONE:
                    self.reset_at = time.time()
                    self._drain(line)
                    return
                bite = line.recv(_SLOW_BITE if self.pace is Pace.SLOW else _BITE)
                if not bite:
                    raise NotStopped(_WHOLE)
                count += len(bite)
                self.bites.append((time.time(), len(bite)))

    def _drain(self, line: socket.socket) -> None:
        """Read what lies on this side already: a reset hasn't taken that away."""
        try:
            while bite := line.recv(_BITE):
                self.bites.append((self.reset_at, len(bite)))
        except OSError:
            return

    def _listen(self) -> None:
        with self._asked(f"/events/{self.viewing}") as line:
            heard = b""
            while b"event: beat" not in heard:
                heard += self._more(line)
            self._ready.wait(PATIENCE_SECONDS)
            while b"event: dark" not in heard:
                heard = heard[-len(b"event: dark") :] + self._more(line)
            self.dark_at = time.time()

    def _asked(self, path: str) -> socket.socket:
        """A connection on which something was asked for and granted."""
        host, _, port = self.origin.removeprefix("http://").rpartition(":")
        line = socket.socket()
        if self.pace is Pace.SLOW:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
        line.settimeout(PATIENCE_SECONDS)
        line.connect((host, int(port)))
        cookie = cookie_of(self.watcher)["Cookie"]
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # byte by byte, so that nothing of the body is taken with it
            head += self._more(line, most=1)
        if b" 200 " not in head.splitlines()[0]:
            raise NotStopped(head.splitlines()[0].decode())
        return line

    def _more(self, line: socket.socket, *, most: int = _BITE) -> bytes:
        piece = line.recv(most)
        if not piece:
            raise NotStopped(_CLOSED)
        return piece
