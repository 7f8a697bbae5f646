"""The format of a sealed object (PURE): Google Tink's AES256-GCM-HKDF streaming AEAD with 256 KiB segments.

Specification: https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming and ``docs/file-format.md``.

1. Header: ``0x28``, 32 bytes of salt, 7 bytes of nonce prefix. HKDF-SHA256 (key, salt, info = associated data) gives
   the object's AES-256-GCM key.
2. Segment *i* has the nonce: prefix, *i* as four bytes (big-endian), 1 for the last segment or else 0. Segment 0 is
   shorter by the header. A plaintext that fills its last segment exactly gets no empty one after it.
3. Header and key are drawn anew for every object, and a writer that failed is dead: a nonce never seals two things.
   (The parts of one upload share its key; each has a salt of its own, so each has its own AES key.)
4. A reader is told the ciphertext's length and header from a record kept elsewhere (*pinned*), so what it hands out
   belongs to that object, at that place in it. Cut, swapped, doubled, appended to, flipped: ``Damaged``.

Nothing here opens a file: callers hand in functions that write ciphertext or read a range of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Damaged, TooLarge
from core.secret import Secret

KEY_SIZE = 32
PREFIX_SIZE = 7
HEADER_SIZE = 1 + KEY_SIZE + PREFIX_SIZE
TAG_SIZE = 16
SEGMENT_SIZE = 256 * 1024
"""Bytes of ciphertext in each segment but the last; the header counts towards the first."""

FIRST_PLAIN_SIZE = SEGMENT_SIZE - HEADER_SIZE - TAG_SIZE
PLAIN_SIZE = SEGMENT_SIZE - TAG_SIZE
_MOST_SEGMENTS = 2**32

Write = Callable[[memoryview], object]
"""Takes the next piece of ciphertext; the view is void when the call returns, so copy what must be kept."""
ReadAt = Callable[[int, int], bytes]
"""Gives the ciphertext at (offset, length): exactly so many bytes, or fewer where the store has no more."""


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


def plain_size_of(ciphertext_size: int) -> int:
    """Bytes of plaintext in an object of this many bytes of ciphertext.

    Raises:
        Damaged: no object has this length.
    """
    segments = _segments_of(ciphertext_size)
    return ciphertext_size - HEADER_SIZE - TAG_SIZE * segments


def ciphertext_size_of(plain_size: int) -> int:
    """Bytes of ciphertext that a plaintext of this many bytes becomes."""
    segments = 1 + max(0, -(-(plain_size - FIRST_PLAIN_SIZE) // PLAIN_SIZE))
    return plain_size + HEADER_SIZE + TAG_SIZE * segments


def fresh_header() -> bytes:
    """A header with a salt and a nonce prefix that nobody used before."""
    return bytes([HEADER_SIZE]) + secrets.token_bytes(KEY_SIZE + PREFIX_SIZE)


class SegmentWriter:
    """Seals one plaintext, given in pieces of any size; holds one segment in memory.

    ``close`` says that the plaintext is whole. A writer that is dropped before has made nothing that opens.

    Args:
        key: the object's own key, 32 bytes.
        associated_data: what the object is bound to (``keys.object_binding``).
        write: takes the ciphertext, in order. If it raises, the writer is dead: begin anew with a new key.
        header: only for test vectors; drawn anew otherwise.
    """

    def __init__(
        self, key: Secret[bytes], *, associated_data: bytes, write: Write, header: bytes | None = None
    ) -> None:
        self._header = header or fresh_header()
        self._cipher = _cipher(key, header=self._header, associated_data=associated_data)
        self._write = write
        self._plain = bytearray(PLAIN_SIZE)
        self._sealed = bytearray(SEGMENT_SIZE)
        self._held = 0
        self._index = 0
        self._plain_size = 0
        self._ciphertext_size = 0
        self._open = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next piece of plaintext.

        Raises:
            TooLarge: an object can't hold so much (a pebibyte).
        """
        self._claim()
        with memoryview(data).cast("B") as piece:
            taken = 0
            while taken < len(piece):
                room = self._room()
                if self._held == room:  # full, and more has come: so this one isn't the last
                    self._flush(last=0)
                    continue
                size = min(room - self._held, len(piece) - taken)
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
        self._flush(last=1)
        return Sealed(self._header, self._ciphertext_size, self._plain_size)

    def _claim(self) -> None:
        # Open again only when the step has succeeded: sealing other bytes under a nonce already used would be fatal.
        if not self._open:
            message = "this writer has ended"
            raise RuntimeError(message)
        self._open = False

    def _room(self) -> int:
        return PLAIN_SIZE if self._index else FIRST_PLAIN_SIZE

    def _flush(self, *, last: int) -> None:
        if self._index >= _MOST_SEGMENTS - 1:
            raise _too_large()
        start = 0
        if self._index == 0:
            self._sealed[:HEADER_SIZE] = self._header
            start = HEADER_SIZE
        end = start + self._held + TAG_SIZE
        with memoryview(self._plain) as plain, memoryview(self._sealed) as sealed:
            nonce = _nonce(self._header, index=self._index, last=last)
            with plain[: self._held] as data, sealed[start:end] as out:
                self._cipher.encrypt_into(nonce, data, b"", out)
            with sealed[:end] as piece:
                self._write(piece)
        self._ciphertext_size += end
        self._plain_size += self._held
        self._index += 1
        self._held = 0


class SegmentReader:
    """Opens any range of one sealed object, authenticating each segment that it touches; threads may share it.

    Args:
        key: the object's own key.
        associated_data: what the object is bound to.
        size: its ciphertext length in bytes, from the record (compare the store's length with it at the store).
        header: its header from the record; only a reader of a format test lets the object speak for itself.
        read_at: reads ciphertext.

    Raises:
        Damaged: the length is none that an object has, or the header isn't the pinned one.
    """

    def __init__(
        self, key: Secret[bytes], *, associated_data: bytes, size: int, header: bytes | None, read_at: ReadAt
    ) -> None:
        self.plain_size = plain_size_of(size)
        self.segment_count = _segments_of(size)
        self._size = size
        self._read_at = read_at
        self._header = self._fetch(0, HEADER_SIZE)
        if self._header[0] != HEADER_SIZE or (header is not None and self._header != header):
            raise damaged()
        self._cipher = _cipher(key, header=self._header, associated_data=associated_data)

    def read(self, start: int, end: int) -> bytes:
        """The plaintext from ``start`` up to ``end`` (exclusive, at most ``plain_size``).

        Raises:
            Damaged: a segment in it fails.
        """
        return b"".join(self.segments(start, end))

    def segments(self, start: int, end: int) -> Iterator[bytes]:
        """The plaintext from ``start`` up to ``end`` (exclusive), one segment at a time.

        Raises:
            Damaged: when the segment that fails is reached; nothing of it is given out.
        """
        for index in self.indexes(start, end):
            base = plain_offset_of(index)
            piece = self.segment(index)[max(0, start - base) : max(0, end - base)]
            if piece:
                yield piece

    def indexes(self, start: int, end: int) -> range:
        """Which segments hold the plaintext from ``start`` up to ``end``; an empty object is its one segment."""
        end = min(end, self.plain_size)
        if start < 0 or (start >= end and self.plain_size):
            return range(0)
        return range(index_of(start), index_of(max(start, end - 1)) + 1)

    def segment(self, index: int) -> bytes:
        """The whole plaintext of one segment.

        Raises:
            Damaged: it isn't the segment that was sealed there.
        """
        if not 0 <= index < self.segment_count:
            raise damaged()
        start = index * SEGMENT_SIZE if index else HEADER_SIZE
        end = min((index + 1) * SEGMENT_SIZE, self._size)
        nonce = _nonce(self._header, index=index, last=int(index == self.segment_count - 1))
        try:
            return self._cipher.decrypt(nonce, self._fetch(start, end - start), b"")
        except InvalidTag:
            raise damaged() from None

    def _fetch(self, offset: int, length: int) -> bytes:
        data = self._read_at(offset, length)
        if len(data) != length:
            raise damaged()
        return data


def index_of(position: int) -> int:
    """The segment that holds the plaintext byte at ``position``."""
    return 0 if position < FIRST_PLAIN_SIZE else 1 + (position - FIRST_PLAIN_SIZE) // PLAIN_SIZE


def plain_offset_of(index: int) -> int:
    """Where a segment's plaintext begins in the whole."""
    return FIRST_PLAIN_SIZE + (index - 1) * PLAIN_SIZE if index else 0


def damaged() -> Damaged:
    """The one answer to bytes that aren't what was sealed."""
    return Damaged("object_damaged", "This film is damaged and can't be shown. Please tell your administrator.")


def _too_large() -> TooLarge:
    return TooLarge("object_too_large", "That is too large to keep in one piece.")


def _segments_of(ciphertext_size: int) -> int:
    if ciphertext_size < HEADER_SIZE + TAG_SIZE:
        raise damaged()
    count = -(-ciphertext_size // SEGMENT_SIZE)
    if count > 1 and ciphertext_size - (count - 1) * SEGMENT_SIZE <= TAG_SIZE:
        raise damaged()  # a last segment without a byte in it, which no writer makes
    if count >= _MOST_SEGMENTS:
        raise damaged()
    return count


def _cipher(key: Secret[bytes], *, header: bytes, associated_data: bytes) -> AESGCM:
    secret = key.reveal()
    if len(secret) != KEY_SIZE or len(header) != HEADER_SIZE:
        message = "an object key has 32 bytes, a header 40"
        raise ValueError(message)
    derived = HKDF(SHA256(), KEY_SIZE, header[1 : 1 + KEY_SIZE], associated_data).derive(secret)
    return AESGCM(derived)


def _nonce(header: bytes, *, index: int, last: int) -> bytes:
    return header[1 + KEY_SIZE :] + index.to_bytes(4, "big") + bytes([last])
