"""The committed vectors: any other reader or writer of the format can be held against them too."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import tink
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Damaged
from core.secret import Secret
from core.segments import PLAIN_SIZE, SEGMENT_SIZE, SegmentReader, SegmentWriter
from tests.core.test_segments_tink import tinks

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "segments.json").read_text())
HEADER = bytes.fromhex(VECTORS["header"])
GOOD = {vector["name"]: vector for vector in VECTORS["good"]}


@dataclass(frozen=True)
class Stored:
    key: Secret[bytes]
    associated_data: bytes
    data: bytes

    def reader(self, *, size: int, header: bytes | None) -> SegmentReader:
        return SegmentReader(
            self.key,
            associated_data=self.associated_data,
            size=size,
            header=header,
            read_at=lambda at, length: self.data[at : at + length],
        )


def plain_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def sealed(name: str, *, header: bytes = HEADER) -> Stored:
    key, bound = Secret(bytes.fromhex(VECTORS["key"])), VECTORS["associated_data"].encode()
    out = io.BytesIO()
    writer = SegmentWriter(key, associated_data=bound, write=out.write, header=header)
    writer.write(plain_of(GOOD[name]["plain_size"]))
    writer.close()
    return Stored(key, bound, out.getvalue())


def handmade(stored: Stored, segments: list[tuple[int, int, int, int]]) -> bytes:
    """An object that no writer of ours makes, with the right key and good tags."""
    derived = HKDF(SHA256(), 32, HEADER[1:33], stored.associated_data).derive(stored.key.reveal())
    plain, out = plain_of(max(end for *_, end in segments)), HEADER
    for number, last, start, end in segments:
        nonce = HEADER[33:] + number.to_bytes(4, "big") + bytes([last])
        out += AESGCM(derived).encrypt(nonce, plain[start:end], None)
    return out


def edited(stored: Stored, edit: dict[str, Any], *, of: str) -> Stored:
    (kind, what), data = next(iter(edit.items())), stored.data
    if kind == "key":
        return replace(stored, key=Secret(bytes.fromhex(what)))
    if kind == "associated_data":
        return replace(stored, associated_data=what.encode())
    pieces = [data[at : at + SEGMENT_SIZE] for at in range(0, len(data), SEGMENT_SIZE)]
    changes: dict[str, Callable[[], bytes]] = {
        "cut_to": lambda: data[:what],
        "append": lambda: data + bytes.fromhex(what),
        "append_segment": lambda: data + pieces[what],
        "segments": lambda: b"".join(pieces[i] for i in what),
        "flip": lambda: data[: what[0]] + bytes([data[what[0]] ^ what[1]]) + data[what[0] + 1 :],
        "header": lambda: bytes.fromhex(what) + data[len(HEADER) :],
        "foreign": lambda: with_foreign(data, what[0], sealed(of, header=bytes.fromhex(what[1])).data),
        "sealed": lambda: handmade(stored, what),
    }
    return replace(stored, data=changes[kind]())


def with_foreign(data: bytes, number: int, other: bytes) -> bytes:
    start, end = number * SEGMENT_SIZE, (number + 1) * SEGMENT_SIZE
    return data[:start] + other[start:end] + data[end:]


def bad(vector: dict[str, Any]) -> Stored:
    stored = sealed(vector["of"])
    for edit in vector["edits"]:
        stored = edited(stored, edit, of=vector["of"])
    return stored


def read_as_bytes(reader: SegmentReader) -> bytes:
    return reader.read(0, reader.plain_size)


def read_as_views(reader: SegmentReader) -> bytes:
    buffers: Iterator[bytearray] = cycle([bytearray(PLAIN_SIZE)])
    return b"".join(bytes(view) for view in reader.views(0, reader.plain_size, buffers=buffers))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_vector_is_made_and_opened_by_us_and_by_tink(name: str) -> None:
    vector, stored = GOOD[name], sealed(name)
    assert len(stored.data) == vector["ciphertext_size"]
    assert sha256(stored.data).hexdigest() == vector["ciphertext_sha256"]
    assert stored.data.hex() == vector.get("ciphertext", stored.data.hex())
    for read in (read_as_bytes, read_as_views):
        plain = read(stored.reader(size=vector["ciphertext_size"], header=HEADER))
        assert sha256(plain).hexdigest() == vector["plain_sha256"]
    with tinks(stored.key).new_decrypting_stream(io.BytesIO(stored.data), stored.associated_data) as stream:
        assert stream.read() == plain


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_a_bad_vector_is_refused_with_and_without_what_was_pinned(vector: dict[str, Any]) -> None:
    whole, stored = sealed(vector["of"]), bad(vector)
    assert sha256(stored.data).hexdigest() == vector["ciphertext_sha256"]
    is_longer = stored.data != whole.data and stored.data.startswith(whole.data)
    for read in (read_as_bytes, read_as_views):
        with pytest.raises(Damaged, match="object_damaged"):
            read(stored.reader(size=len(stored.data), header=None))
        if not is_longer:  # a reader with a pinned length never looks at what was appended: whoever opens it does
            with pytest.raises(Damaged, match="object_damaged"):
                read(stored.reader(size=len(whole.data), header=HEADER))


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_tink_refuses_a_bad_vector_too_except_where_it_stops_reading_early(vector: dict[str, Any]) -> None:
    stored = bad(vector)

    def read() -> bytes:
        with tinks(stored.key).new_decrypting_stream(io.BytesIO(stored.data), stored.associated_data) as stream:
            return stream.read()

    if vector.get("tink_lets_pass"):
        assert plain_of(GOOD[vector["of"]]["plain_size"]).startswith(read())
    else:
        with pytest.raises(tink.TinkError):
            read()
