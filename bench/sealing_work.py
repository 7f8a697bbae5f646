"""One piece of work for ``bench sealing``, in a process of its own: ``python -m bench.sealing_work WHO ACT FROM TO``.

Everybody writes a new file. All but ``tink`` read and write through pieces of ``PIECE`` bytes that begin at a cache
line (the plain copy too, which that makes a fifth faster), on files that are opened without a buffer of Python's.
``tink`` is used as the example that comes with it uses it: files opened with Python's buffer, pieces of 1 MiB;
``tuned`` is the same library fed as we feed ourselves. Prints the seconds that the work took, from the first open to
the last close, and the most memory that the process ever held, in KiB.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.ahead import WriteBehind, ahead, plain_buffers
from core.memory import aligned, roomy
from core.secret import Secret
from core.segments import SEGMENT_SIZE, TAG_SIZE, SegmentReader, SegmentWriter

KEY = Secret(bytes(range(32)))
BOUND = b"vig-vault bench"
PIECE = 256 * 1024
TINK_PIECE = 1024 * 1024
"""As in https://github.com/tink-crypto/tink-py/blob/main/examples/streaming_aead/streaming_aead_cli.py."""


def reader_of(handle: int) -> SegmentReader:
    """A reader of an open sealed file, for one thread: like the service, it reads into memory that is used again."""
    view = aligned(roomy(SEGMENT_SIZE))

    def read_at(start: int, length: int) -> memoryview:
        return view[: os.preadv(handle, [view[:length]], start)]

    size = os.fstat(handle).st_size
    return SegmentReader(KEY, associated_data=BOUND, size=size, header=None, read_at=read_at)


def bare_of(handle: int) -> Callable[[int], object]:
    """Reads a segment's length at the next place where one may begin, and puts it through AES-GCM: no format at all."""
    sealed, clear = aligned(roomy(SEGMENT_SIZE)), aligned(roomy(SEGMENT_SIZE))
    cipher, nonce = AESGCM(KEY.reveal()), bytes(12)
    last = max(0, os.fstat(handle).st_size // SEGMENT_SIZE - 1)

    def read(at: int) -> int:
        os.preadv(handle, [sealed], min(at // SEGMENT_SIZE, last) * SEGMENT_SIZE)
        return cipher.encrypt_into(nonce, sealed[:-TAG_SIZE], None, clear)

    return read


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    target.writelines(_pieces(source))


def _seal(source: BinaryIO, target: BinaryIO) -> None:
    """As the product seals a film: a second thread writes."""
    with WriteBehind(target.write) as behind:
        _feed(source, SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers()))
        behind.flush()


def _seal_alone(source: BinaryIO, target: BinaryIO) -> None:
    _feed(source, SegmentWriter(KEY, associated_data=BOUND, write=target.write))


def _feed(source: BinaryIO, writer: SegmentWriter) -> None:
    for piece in _pieces(source):
        writer.write(piece)
    writer.close()


def _pieces(source: BinaryIO) -> Iterator[memoryview]:
    """What a raw file holds, in memory that is used again."""
    view, handle = aligned(roomy(PIECE)), source.fileno()
    while count := os.readv(handle, [view]):
        yield view[:count]


def _open(source: BinaryIO, target: BinaryIO) -> None:
    """As the product reads a whole film: a second thread reads and opens."""
    reader = reader_of(source.fileno())
    with ahead(reader.views(0, reader.plain_size, buffers=plain_buffers())) as pieces:
        target.writelines(pieces)


def _open_alone(source: BinaryIO, target: BinaryIO) -> None:
    reader = reader_of(source.fileno())
    target.writelines(reader.views(0, reader.plain_size, buffers=plain_buffers()))


def _tink_seal(source: BinaryIO, target: BinaryIO, *, piece_bytes: int = TINK_PIECE) -> None:
    from tests.core.test_segments_tink import tinks  # noqa: PLC0415 - a large import, which only this peer pays

    with tinks(KEY).new_encrypting_stream(target, BOUND) as stream:
        while piece := source.read(piece_bytes):
            stream.write(piece)


def _tink_open(source: BinaryIO, target: BinaryIO, *, piece_bytes: int = TINK_PIECE) -> None:
    from tests.core.test_segments_tink import tinks  # noqa: PLC0415 - likewise

    with tinks(KEY).new_decrypting_stream(source, BOUND) as stream:
        while piece := stream.read(piece_bytes):
            target.write(piece)


ACTS: dict[tuple[str, str], Callable[[BinaryIO, BinaryIO], None]] = {
    ("copy", "seal"): _copy,
    ("copy", "open"): _copy,
    ("ours", "seal"): _seal,
    ("ours", "open"): _open,
    ("alone", "seal"): _seal_alone,
    ("alone", "open"): _open_alone,
    ("tink", "seal"): _tink_seal,
    ("tink", "open"): _tink_open,
    ("tuned", "seal"): partial(_tink_seal, piece_bytes=PIECE),
    ("tuned", "open"): partial(_tink_open, piece_bytes=PIECE),
}


def peak_kib() -> int:
    """The most memory that this process ever held. Not ``ru_maxrss``: that begins with what its parent held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) if found else 0


def main() -> None:
    who, act, source_path, target_path = sys.argv[1:]
    work = ACTS[who, act]
    if who in {"tink", "tuned"}:
        __import__("tests.core.test_segments_tink")  # not counted
    buffering = -1 if who == "tink" else 0
    begun = time.perf_counter()
    with (
        open(source_path, "rb", buffering=buffering) as source,  # noqa: PTH123 - by a number that is known only now
        open(target_path, "xb", buffering=buffering) as target,  # noqa: PTH123 - likewise
    ):
        work(source, target)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
