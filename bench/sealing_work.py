"""One piece of work for ``bench sealing``, in a process of its own: ``python -m bench.sealing_work WHO ACT FROM TO``.

Everybody reads and writes through pieces of ``PIECE`` bytes, on files that are opened without a buffer of Python's,
and writes a new file. Prints the seconds that the work took, from the first open to the last close, and the most memory
that the process ever held, in KiB.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.ahead import WriteBehind, ahead, plain_buffers
from core.secret import Secret
from core.segments import SegmentReader, SegmentWriter

KEY = Secret(bytes(range(32)))
BOUND = b"vig-vault bench"
PIECE = 256 * 1024


def reader_of(handle: int) -> SegmentReader:
    """A reader of an open sealed file."""
    return SegmentReader(
        KEY,
        associated_data=BOUND,
        size=os.fstat(handle).st_size,
        header=None,
        read_at=lambda start, length: os.pread(handle, length, start),
    )


def _copy(source: io.FileIO, target: io.FileIO) -> None:
    buffer = bytearray(PIECE)
    with memoryview(buffer) as view:
        while count := source.readinto(buffer):
            target.write(view[:count])


def _seal(source: io.FileIO, target: io.FileIO) -> None:
    """As the product seals a film: a second thread writes."""
    with WriteBehind(target.write) as behind:
        _feed(source, SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers()))
        behind.flush()


def _seal_alone(source: io.FileIO, target: io.FileIO) -> None:
    _feed(source, SegmentWriter(KEY, associated_data=BOUND, write=target.write))


def _feed(source: io.FileIO, writer: SegmentWriter) -> None:
    buffer = bytearray(PIECE)
    with memoryview(buffer) as view:
        while count := source.readinto(buffer):
            writer.write(view[:count])
    writer.close()


def _open(source: io.FileIO, target: io.FileIO) -> None:
    """As the product reads a whole film: a second thread reads and opens."""
    reader = reader_of(source.fileno())
    with ahead(reader.views(0, reader.plain_size, buffers=plain_buffers())) as pieces:
        for piece in pieces:
            target.write(piece)


def _open_alone(source: io.FileIO, target: io.FileIO) -> None:
    reader = reader_of(source.fileno())
    for piece in reader.views(0, reader.plain_size, buffers=plain_buffers()):
        target.write(piece)


def _tink_seal(source: io.FileIO, target: io.FileIO) -> None:
    from tests.core.test_segments_tink import tinks  # noqa: PLC0415 - a large import, which only this peer pays

    with tinks(KEY).new_encrypting_stream(target, BOUND) as stream:
        while piece := source.read(PIECE):
            stream.write(piece)


def _tink_open(source: io.FileIO, target: io.FileIO) -> None:
    from tests.core.test_segments_tink import tinks  # noqa: PLC0415 - likewise

    with tinks(KEY).new_decrypting_stream(source, BOUND) as stream:
        while piece := stream.read(PIECE):
            target.write(piece)


ACTS: dict[tuple[str, str], Callable[[io.FileIO, io.FileIO], None]] = {
    ("copy", "seal"): _copy,
    ("copy", "open"): _copy,
    ("ours", "seal"): _seal,
    ("ours", "open"): _open,
    ("alone", "seal"): _seal_alone,
    ("alone", "open"): _open_alone,
    ("tink", "seal"): _tink_seal,
    ("tink", "open"): _tink_open,
}


def peak_kib() -> int:
    """The most memory that this process ever held. Not ``ru_maxrss``: that begins with what its parent held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) if found else 0


def main() -> None:
    who, act, source_path, target_path = sys.argv[1:]
    work = ACTS[who, act]
    if who == "tink":
        __import__("tests.core.test_segments_tink")  # not counted
    begun = time.perf_counter()
    with Path(source_path).open("rb", buffering=0) as source, Path(target_path).open("xb", buffering=0) as target:
        work(source, target)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
