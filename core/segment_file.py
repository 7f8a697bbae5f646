"""A sealed object as a seekable binary file of its plaintext (PURE), for a demuxer that jumps about."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from typing import Any

from core.segments import SegmentReader, plain_offset_of


class SegmentFile(io.RawIOBase):
    """Reads through a ``SegmentReader`` and keeps the last few opened segments.

    Args:
        reader: the object.
        keep: how many opened segments to keep (a ``.mov`` with its index at the end goes to and fro between three).
    """

    def __init__(self, reader: SegmentReader, *, keep: int = 8) -> None:
        super().__init__()
        self._reader = reader
        self._keep = keep
        self._opened: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0
        self._lock = threading.Lock()

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to ``offset`` from the start, from here or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.plain_size}[whence]
        if base + offset < 0:
            message = "before the beginning"
            raise ValueError(message)
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill ``buffer``; fewer bytes only at the end."""
        with memoryview(buffer).cast("B") as out, self._lock:
            end = min(self._at + len(out), self._reader.plain_size)
            filled = 0
            for index in self._reader.indexes(self._at, end):
                base = plain_offset_of(index)
                piece = self._segment(index)[max(0, self._at - base) : end - base]
                out[filled : filled + len(piece)] = piece
                filled += len(piece)
                self._at += len(piece)
            return filled

    def _segment(self, index: int) -> bytes:
        if index not in self._opened:
            self._opened[index] = self._reader.segment(index)
            if len(self._opened) > self._keep:
                self._opened.popitem(last=False)
        self._opened.move_to_end(index)
        return self._opened[index]
