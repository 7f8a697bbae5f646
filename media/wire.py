"""How the parent process and a child talk: small framed messages over a socket pair.

A frame is ``kind (u8) ‖ number (u64) ‖ length (u32)`` and the payload, at most ``MOST_PAYLOAD`` bytes. The parent
believes nothing that it hears: kinds, numbers and lengths are checked, words are JSON of known shape.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

MOST_PAYLOAD = 1 << 20
_FRAME = struct.Struct(">BQI")


class Kind(IntEnum):
    """What a message says. Up to ``GO`` the parent speaks."""

    ORDER = 1
    """What to do, and the keys for it."""
    DATA = 2
    """Ciphertext that was asked for."""
    GO = 3
    """The output may leave."""
    READ = 10
    """Wants ciphertext: number = offset, payload = length."""
    SHAPE = 11
    """What the frames will look like."""
    PROGRESS = 12
    """number = parts of a thousand."""
    KEEP = 13
    """Ciphertext to be kept until the output is whole."""
    KEPT = 14
    """The output is whole and was looked at."""
    GIVE = 15
    """Ciphertext of the output."""
    DONE = 16
    """Finished."""
    PLAN = 18
    """Wants a piece of what to cover, which no order is large enough for: number = offset, payload = length."""
    FAIL = 17
    """payload = a code of ``media.refusals``."""


class BrokenLine(Exception):
    """The other end is gone, or says what it must not."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    kind: Kind
    number: int
    payload: bytes

    def words(self) -> dict[str, Any]:
        """The payload as a JSON object.

        Raises:
            BrokenLine: it isn't one.
        """
        try:
            words = json.loads(self.payload)
        except ValueError as error:
            raise BrokenLine from error
        if not isinstance(words, dict):
            raise BrokenLine
        return words


class Line:
    """One end of a socket pair. Threads may share ``ask``; nothing else."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._turn = threading.Lock()

    def send(self, kind: Kind, *, number: int = 0, payload: bytes | memoryview = b"") -> None:
        """Send a message.

        Raises:
            BrokenLine: the other end is gone or doesn't listen.
        """
        try:
            self.end.sendall(_FRAME.pack(kind, number, len(payload)))
            if payload:
                self.end.sendall(payload)
        except OSError as error:
            raise BrokenLine from error

    def tell(self, kind: Kind, **words: object) -> None:
        """Send words as a JSON object."""
        self.send(kind, payload=json.dumps(words).encode())

    def receive(self) -> Message:
        """Wait for a message.

        Raises:
            BrokenLine: the other end is gone, stopped in mid-message, or sent no such message.
        """
        kind, number, length = _FRAME.unpack(self._exactly(_FRAME.size))
        if length > MOST_PAYLOAD:
            raise BrokenLine
        try:
            return Message(Kind(kind), number, self._exactly(length))
        except ValueError as error:
            raise BrokenLine from error

    def ask(self, offset: int, length: int) -> bytes:
        """From a child: ciphertext at (offset, length) of its source (fewer bytes where it ends)."""
        return self._asked(Kind.READ, offset, length)

    def ask_plan(self, size: int) -> bytes:
        """From a child: the whole of what to cover, of which the order said how many bytes it has.

        Raises:
            BrokenLine: it isn't so long.
        """
        plan = bytearray()
        while len(plan) < size:
            piece = self._asked(Kind.PLAN, len(plan), min(size - len(plan), MOST_PAYLOAD))
            if not piece:
                raise BrokenLine
            plan += piece
        return bytes(plan)

    def _asked(self, kind: Kind, offset: int, length: int) -> bytes:
        with self._turn:
            self.send(kind, number=offset, payload=struct.pack(">I", length))
            return self.expect(Kind.DATA).payload

    def post(self, kind: Kind, *, number: int = 0, payload: bytes | memoryview = b"") -> None:
        """From a child: send while other threads may ``ask``."""
        with self._turn:
            self.send(kind, number=number, payload=payload)

    def expect(self, kind: Kind) -> Message:
        """Wait for a message of this kind and no other."""
        message = self.receive()
        if message.kind is not kind:
            raise BrokenLine
        return message

    def _exactly(self, length: int) -> bytes:
        data = bytearray(length)
        held = 0
        with memoryview(data) as view:
            while held < length:
                try:
                    got = self.end.recv_into(view[held:])
                except OSError as error:
                    raise BrokenLine from error
                if got == 0:
                    raise BrokenLine
                held += got
        return bytes(data)


def length_asked(message: Message) -> int:
    """How many bytes a ``READ`` wants.

    Raises:
        BrokenLine: it isn't well formed, or wants too many.
    """
    try:
        (length,) = struct.unpack(">I", message.payload)
    except struct.error as error:
        raise BrokenLine from error
    if not 0 < length <= MOST_PAYLOAD:
        raise BrokenLine
    return int(length)
