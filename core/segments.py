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

Nothing here opens a file or starts a thread: callers hand in functions that write ciphertext or read a range of it.
``core.ahead`` does both on a second thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag

from core.secret import Secret
from core.segment_layout import (
    FIRST_PLAIN_SIZE,
    HEADER_SIZE,
    KEY_SIZE,
    PLAIN_SIZE,
    SEGMENT_SIZE,
    TAG_SIZE,
    Buffer,
    Bytes,
    cipher_of,
    ciphertext_size_of,
    damaged,
    index_of,
    nonce_of,
    plain_offset_of,
    plain_size_of,
    segments_in,
)
from core.segment_writer import Sealed, SegmentWriter, Write

__all__ = [
    "FIRST_PLAIN_SIZE",
    "HEADER_SIZE",
    "KEY_SIZE",
    "PLAIN_SIZE",
    "SEGMENT_SIZE",
    "TAG_SIZE",
    "Buffer",
    "Bytes",
    "ReadAt",
    "Sealed",
    "SegmentReader",
    "SegmentWriter",
    "Write",
    "ciphertext_size_of",
    "damaged",
    "index_of",
    "plain_offset_of",
    "plain_size_of",
]

ReadAt = Callable[[int, int], Bytes]
"""Gives the ciphertext at (offset, length): exactly so many bytes, or fewer where the store has no more."""


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
        self.segment_count = segments_in(size)
        self._size = size
        self._read_at = read_at
        self._header = bytes(self._fetch(0, HEADER_SIZE))
        if self._header[0] != HEADER_SIZE or (header is not None and self._header != header):
            raise damaged()
        self._cipher = cipher_of(key, header=self._header, associated_data=associated_data)
        self._spare: deque[memoryview] = deque(maxlen=1)

    def read(self, start: int, end: int) -> bytes:
        """The plaintext from ``start`` up to ``end`` (exclusive, at most ``plain_size``).

        Raises:
            Damaged: a segment in it fails.
        """
        indexes = self.indexes(start, end)
        if len(indexes) == 1:
            return self._part(indexes[0], start, end)
        return b"".join([self._part(index, start, end) for index in indexes])

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

    def views(self, start: int, end: int, *, buffers: Iterator[Buffer]) -> Iterator[memoryview]:
        """The same in memory that is used again: each segment is opened into the next buffer, of ``PLAIN_SIZE``.

        A view is void as soon as its buffer comes round again.

        Raises:
            Damaged: when the segment that fails is reached; nothing of it is given out.
        """
        for index in self.indexes(start, end):
            base, buffer = plain_offset_of(index), next(buffers)
            count = self.segment_into(index, buffer)
            piece = memoryview(buffer)[max(0, start - base) : min(count, max(0, end - base))]
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
        return self._opened(index, self._fetch(*self.place(index)))

    def together(self, indexes: range) -> list[bytes]:
        """The whole plaintext of each of some segments that lie side by side, read in one go.

        Raises:
            Damaged: one of them isn't what was sealed there; nothing of any of them is given out.
        """
        places = [self.place(index) for index in indexes]
        first = places[0][0]
        with memoryview(self._fetch(first, sum(length for _, length in places))) as sealed:
            return [
                self._opened(index, sealed[start - first : start - first + length])
                for index, (start, length) in zip(indexes, places, strict=True)
            ]

    def place(self, index: int) -> tuple[int, int]:
        """Where a segment's ciphertext begins, and how many bytes it has.

        Raises:
            Damaged: there is no such segment.
        """
        if not 0 <= index < self.segment_count:
            raise damaged()
        start = index * SEGMENT_SIZE if index else HEADER_SIZE
        return start, min((index + 1) * SEGMENT_SIZE, self._size) - start

    def segment_into(self, index: int, buffer: Buffer) -> int:
        """Open one segment into a buffer of ``PLAIN_SIZE``; gives how many bytes it has.

        Raises:
            Damaged: it isn't the segment that was sealed there; what the buffer holds then is nobody's.
        """
        with memoryview(buffer) as view:
            return self.opened_into(index, self._fetch(*self.place(index)), view)

    def opened_into(self, index: int, sealed: Bytes, buffer: memoryview) -> int:
        """The same for a segment whose ciphertext somebody has read already.

        Raises:
            Damaged: it isn't the segment that was sealed there; what the buffer holds then is nobody's.
        """
        with buffer[: len(sealed) - TAG_SIZE] as out:
            try:
                return self._cipher.decrypt_into(self._nonce(index), sealed, b"", out)
            except InvalidTag:
                raise damaged() from None

    def _opened(self, index: int, sealed: Bytes) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(index), sealed, b"")
        except InvalidTag:
            raise damaged() from None

    def _part(self, index: int, start: int, end: int) -> bytes:
        # Opened into memory that is used again: fresh memory for each read costs more than the cipher.
        try:
            buffer = self._spare.pop()
        except IndexError:  # the first read, or another thread has it
            buffer = memoryview(bytearray(PLAIN_SIZE))
        base, count = plain_offset_of(index), self.opened_into(index, self._fetch(*self.place(index)), buffer)
        piece = bytes(buffer[max(0, start - base) : min(count, max(0, end - base))])
        self._spare.append(buffer)
        return piece

    def _nonce(self, index: int) -> bytes:
        return nonce_of(self._header, index=index, last=int(index == self.segment_count - 1))

    def _fetch(self, offset: int, length: int) -> Bytes:
        data = self._read_at(offset, length)
        if len(data) != length:
            raise damaged()
        return data
