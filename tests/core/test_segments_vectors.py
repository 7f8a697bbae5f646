"""The committed vectors: any other reader or writer of the format can be held against them too."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.errors import Damaged
from core.secret import Secret
from core.segments import SEGMENT_SIZE, SegmentReader, SegmentWriter
from tests.core.test_segments_tink import tinks

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "segments.json").read_text())
GOOD = {vector["name"]: vector for vector in VECTORS["good"]}


@dataclass(frozen=True)
class Stored:
    key: Secret[bytes]
    associated_data: bytes
    data: bytes

    def read(self, *, size: int, header: bytes | None) -> bytes:
        """All of it, with the pinned length and header or with its own."""
        reader = SegmentReader(
            self.key,
            associated_data=self.associated_data,
            size=size,
            header=header,
            read_at=lambda at, length: self.data[at : at + length],
        )
        return reader.read(0, reader.plain_size)


def plain_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def sealed(name: str) -> Stored:
    key, bound = Secret(bytes.fromhex(VECTORS["key"])), VECTORS["associated_data"].encode()
    out = io.BytesIO()
    writer = SegmentWriter(key, associated_data=bound, write=out.write, header=bytes.fromhex(VECTORS["header"]))
    writer.write(plain_of(GOOD[name]["plain_size"]))
    writer.close()
    return Stored(key, bound, out.getvalue())


def edited(stored: Stored, edit: dict[str, Any]) -> Stored:
    (kind, what), data = next(iter(edit.items())), stored.data
    pieces = [data[at : at + SEGMENT_SIZE] for at in range(0, len(data), SEGMENT_SIZE)]
    if kind == "key":
        return Stored(Secret(bytes.fromhex(what)), stored.associated_data, data)
    if kind == "associated_data":
        return Stored(stored.key, what.encode(), data)
    if kind == "flip":
        at, bits = what
        data = data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]
    changes = {
        "cut_to": lambda: data[:what],
        "append": lambda: data + bytes.fromhex(what),
        "append_segment": lambda: data + pieces[what],
        "segments": lambda: b"".join(pieces[i] for i in what),
        "flip": lambda: data,
    }
    return Stored(stored.key, stored.associated_data, changes[kind]())


@pytest.mark.parametrize("name", GOOD)
def test_a_good_vector_is_made_and_opened_by_us_and_by_tink(name: str) -> None:
    vector, stored = GOOD[name], sealed(name)
    assert len(stored.data) == vector["ciphertext_size"]
    assert sha256(stored.data).hexdigest() == vector["ciphertext_sha256"]
    assert stored.data.hex() == vector.get("ciphertext", stored.data.hex())
    plain = stored.read(size=vector["ciphertext_size"], header=bytes.fromhex(VECTORS["header"]))
    assert sha256(plain).hexdigest() == vector["plain_sha256"]
    with tinks(stored.key).new_decrypting_stream(io.BytesIO(stored.data), stored.associated_data) as stream:
        assert stream.read() == plain


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_a_bad_vector_is_refused_with_and_without_what_was_pinned(vector: dict[str, Any]) -> None:
    stored = sealed(vector["of"])
    for edit in vector["edits"]:
        stored = edited(stored, edit)
    with pytest.raises(Damaged, match="object_damaged"):
        stored.read(size=len(stored.data), header=None)
    if "append" not in str(vector["edits"]):  # a reader with a pinned length never looks at what was appended
        with pytest.raises(Damaged, match="object_damaged"):
            stored.read(size=GOOD[vector["of"]]["ciphertext_size"], header=bytes.fromhex(VECTORS["header"]))
