"""A sealed shelf in memory. It loads nothing but what the media room loads, so that a watched program can use it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from core.secret import Secret
from core.segments import SegmentReader, SegmentWriter
from media.launcher import Sink, Source


@dataclass
class Object:
    """A sealed object in memory."""

    key: Secret[bytes] = field(default_factory=lambda: Secret(secrets.token_bytes(32)))
    data: bytearray = field(default_factory=bytearray)
    header: bytes = b""

    @classmethod
    def of(cls, plain: bytes) -> Object:
        made = cls()
        writer = SegmentWriter(made.key, associated_data=b"object", write=made.data.extend)
        writer.write(plain)
        made.header = writer.close().header
        return made

    def source(self) -> Source:
        return Source(len(self.data), self.header, self.key, b"object", self.read)

    def sink(self) -> Sink:
        return Sink(self.key, b"object", self.data.extend)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])

    def plain(self) -> bytes:
        reader = SegmentReader(
            self.key, associated_data=b"object", size=len(self.data), header=self.header, read_at=self.read
        )
        return reader.read(0, reader.plain_size)
