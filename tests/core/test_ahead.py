"""A second thread reads ahead and writes behind: nothing is lost, mixed up, or written after its time."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import pytest

from core import ahead as module
from core.ahead import BUFFERS, WriteBehind, ahead, plain_buffers
from core.errors import Damaged
from core.segments import PLAIN_SIZE, SEGMENT_SIZE, SegmentReader, SegmentWriter
from tests.core.test_segments import BORDERS, BOUND, KEY, Object, of_size, plain_of


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def written_behind(size: int, *, slow: bool = False) -> Object:
    plain, out = plain_of(size)[:size], io.BytesIO()

    def write(piece: memoryview) -> None:
        if slow:
            time.sleep(0.002)
        out.write(piece)

    with WriteBehind(write) as behind:
        writer = SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers())
        for start in range(0, size, 300_000):
            writer.write(plain[start : start + 300_000])
        pinned = writer.close()
        behind.flush()
    return Object(plain, out.getvalue(), pinned)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("size", [0, 1, BORDERS[0], BORDERS[2] + 1, BORDERS[0] + 3 * BUFFERS * PLAIN_SIZE])
def test_what_is_written_behind_is_the_same_object(size: int, slow: bool) -> None:  # noqa: FBT001 - a parameter
    made = written_behind(size, slow=slow)
    assert len(made.sealed) == made.pinned.ciphertext_size
    assert made.reader().read(0, size) == made.plain


def test_what_is_read_ahead_is_the_plaintext_however_slowly_it_is_taken() -> None:
    made = of_size(BORDERS[0] + 3 * BUFFERS * PLAIN_SIZE)
    reader, taken = made.reader(), b""
    with ahead(reader.views(5, reader.plain_size - 5, buffers=plain_buffers())) as pieces:
        for piece in pieces:
            time.sleep(0.002)  # time enough to overwrite it, were its buffer free
            taken += piece
    assert taken == made.plain[5:-5]


def test_no_more_is_begun_than_there_are_buffers() -> None:
    begun = []

    def source() -> Iterator[int]:
        for number in range(100):
            begun.append(number)
            yield number

    with ahead(source()) as numbers:
        for number in numbers:
            time.sleep(0.001)
            assert len(begun) <= number + BUFFERS
    assert begun == list(range(100))


def test_damage_is_told_at_its_place_and_nothing_of_it_is_given_out() -> None:
    made = of_size(BORDERS[2])
    stored = bytearray(made.sealed)
    stored[SEGMENT_SIZE + 5] ^= 1
    reader, taken = made.reader(bytes(stored)), b""
    with (
        pytest.raises(Damaged, match="object_damaged"),
        ahead(reader.views(0, BORDERS[2], buffers=plain_buffers())) as pieces,
    ):
        for piece in pieces:
            taken += piece
    assert taken == made.plain[: BORDERS[0]]


def test_who_stops_taking_stops_the_reading() -> None:
    reads = []

    def read_at(at: int, length: int) -> bytes:
        reads.append(at)
        return made.sealed[at : at + length]

    made = of_size(BORDERS[0] + 6 * BUFFERS * PLAIN_SIZE)
    reader = SegmentReader(
        KEY, associated_data=BOUND, size=len(made.sealed), header=made.pinned.header, read_at=read_at
    )
    with ahead(reader.views(0, reader.plain_size, buffers=plain_buffers())) as pieces:
        next(pieces)
    assert len(reads) <= 2 + BUFFERS + 1


def test_a_place_that_fails_ends_the_writer_and_gets_nothing_more() -> None:
    tried = []

    def write(piece: memoryview) -> None:
        tried.append(len(piece))
        raise OSError(28, "no room")

    with pytest.raises(OSError, match="no room"), WriteBehind(write) as behind:
        writer = SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers())
        for _ in range(100):
            writer.write(bytes(PLAIN_SIZE))
    assert tried == [SEGMENT_SIZE]
    with pytest.raises(RuntimeError):
        writer.write(b"more")


def test_a_place_that_fails_last_is_told_by_flush() -> None:
    def write(piece: memoryview) -> None:
        raise OSError(28, "no room")

    with WriteBehind(write) as behind:
        writer = SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers())
        writer.write(b"film")
        writer.close()
        with pytest.raises(OSError, match="no room"):
            behind.flush()


def test_nothing_is_written_once_the_block_is_left() -> None:
    """What was written to is closed then, and its number may already be another file's."""
    is_open, late = True, []

    def write(piece: memoryview) -> None:
        time.sleep(0.005)
        late.extend([] if is_open else [len(piece)])

    def seal_some() -> None:
        with WriteBehind(write) as behind:
            writer = SegmentWriter(KEY, associated_data=BOUND, write=behind.write, buffers=behind.buffers())
            writer.write(bytes(3 * SEGMENT_SIZE))
            raise Damaged("object_damaged", "on the way")

    with pytest.raises(Damaged):
        seal_some()
    is_open = False
    time.sleep(0.02)
    assert late == []


def test_memory_does_not_grow_with_the_film() -> None:
    assert sum(len(buffer) for _, buffer in zip(range(BUFFERS), plain_buffers(), strict=False)) < 2 * 2**20
    first = [next(ring) for ring in [plain_buffers()] for _ in range(2 * BUFFERS)]
    assert len({id(buffer) for buffer in first}) == BUFFERS
    assert module.BUFFERS <= 8
