"""Sealing in the format of ``core.segments`` (PURE): a writer of one object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

from core.memory import aligned, roomy
from core.secret import Secret
from core.segment_layout import (
    FIRST_PLAIN_SIZE,
    HEADER_SIZE,
    MOST_SEGMENTS,
    PLAIN_SIZE,
    SEGMENT_SIZE,
    TAG_SIZE,
    Buffer,
    Bytes,
    cipher_of,
    fresh_header,
    nonce_of,
    too_large,
)

Write = Callable[[memoryview], object]
"""Takes the next piece of ciphertext; the view is void when the call returns, so copy what must be kept."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What to pin about a sealed object, in a record kept apart from its bytes.

    Attributes:
        header: its first 40 bytes.
        ciphertext_size: bytes, header included.
        plain_size: bytes of plaintext.
    """

    header: bytes
    ciphertext_size: int
    plain_size: int


class SegmentWriter:
    """Seals one plaintext, given in pieces of any size; holds one segment in memory.

    ``close`` says that the plaintext is whole. A writer that is dropped before has made nothing that opens. Large
    pieces are sealed where they lie: only what may still become the last segment is copied.

    Args:
        key: the object's own key, 32 bytes.
        associated_data: what the object is bound to (``keys.object_binding``).
        write: takes the ciphertext, in order. If it raises, the writer is dead: begin anew with a new key.
        header: only for test vectors; drawn anew otherwise.
        buffers: gives the buffer of ``SEGMENT_SIZE`` that the next segment is sealed into; else it is always the same.
    """

    def __init__(
        self,
        key: Secret[bytes],
        *,
        associated_data: bytes,
        write: Write,
        header: bytes | None = None,
        buffers: Iterator[Buffer] | None = None,
    ) -> None:
        self._header = header or fresh_header()
        self._cipher = cipher_of(key, header=self._header, associated_data=associated_data)
        self._write = write
        self._buffers: Iterator[Buffer] = buffers or repeat(aligned(roomy(SEGMENT_SIZE)))
        self._plain = bytearray(PLAIN_SIZE)
        self._held = 0
        self._index = 0
        self._plain_size = 0
        self._ciphertext_size = 0
        self._open = True

    def write(self, data: Bytes) -> None:
        """Take the next piece of plaintext.

        Raises:
            TooLarge: an object can't hold so much (a pebibyte).
        """
        self._claim()
        with memoryview(data).cast("B") as piece:
            taken = 0
            while rest := len(piece) - taken:
                room = PLAIN_SIZE if self._index else FIRST_PLAIN_SIZE
                if self._held == room:  # full, and more has come: so this one isn't the last
                    self._seal_held(last=0)
                    continue
                if not self._held and rest > room:  # more than a segment: it isn't the last, and needs no copy
                    with piece[taken : taken + room] as straight:
                        self._seal(straight, last=0)
                    taken += room
                    continue
                size = min(room - self._held, rest)
                self._plain[self._held : self._held + size] = piece[taken : taken + size]
                self._held += size
                taken += size
        self._open = True

    def close(self) -> Sealed:
        """Seal the last segment: the plaintext is whole.

        Returns:
            What to pin.
        """
        self._claim()
        self._seal_held(last=1)
        return Sealed(self._header, self._ciphertext_size, self._plain_size)

    def _claim(self) -> None:
        # Open again only when the step has succeeded: sealing other bytes under a nonce already used would be fatal.
        if not self._open:
            message = "this writer has ended"
            raise RuntimeError(message)
        self._open = False

    def _seal_held(self, *, last: int) -> None:
        with memoryview(self._plain) as plain, plain[: self._held] as held:
            self._seal(held, last=last)
        self._held = 0

    def _seal(self, plain: memoryview, *, last: int) -> None:
        if self._index >= MOST_SEGMENTS - 1:
            raise too_large()
        start = 0 if self._index else HEADER_SIZE
        end = start + len(plain) + TAG_SIZE
        with memoryview(next(self._buffers)) as sealed:
            if start:
                sealed[:start] = self._header
            with sealed[start:end] as out:
                self._cipher.encrypt_into(nonce_of(self._header, index=self._index, last=last), plain, b"", out)
            with sealed[:end] as piece:
                self._write(piece)
        self._ciphertext_size += end
        self._plain_size += len(plain)
        self._index += 1
