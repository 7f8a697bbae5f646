from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged
from core.secret import Secret
from core.segments import (
    FIRST_PLAIN_SIZE,
    HEADER_SIZE,
    PLAIN_SIZE,
    SEGMENT_SIZE,
    Sealed,
    SegmentReader,
    SegmentWriter,
    ciphertext_size_of,
    plain_size_of,
)

KEY = Secret(bytes(range(32)))
BOUND = b"case object 1"
BORDERS = [FIRST_PLAIN_SIZE + i * PLAIN_SIZE for i in range(3)]
SIZES = sorted({0, 1, 2, *(border + d for border in BORDERS for d in (-1, 0, 1))})
sizes = st.sampled_from(SIZES) | st.integers(0, BORDERS[-1] + 100)


@dataclass(frozen=True)
class Object:
    plain: bytes
    sealed: bytes
    pinned: Sealed

    def reader(self, stored: bytes | None = None, **changed: object) -> SegmentReader:
        data = self.sealed if stored is None else stored
        facts = {
            "key": KEY,
            "associated_data": BOUND,
            "size": self.pinned.ciphertext_size,
            "header": self.pinned.header,
        }
        facts |= changed
        key = facts.pop("key")
        return SegmentReader(key, read_at=lambda at, length: data[at : at + length], **facts)  # type: ignore[arg-type]


def plain_of(size: int, *, seed: int = 1) -> bytes:
    return bytes((i * 31 + seed + (i >> 8)) % 251 for i in range(min(size, 4099))) * (size // 4099 + 1)


def seal(plain: bytes, *, step: int = 100_000, key: Secret[bytes] = KEY, bound: bytes = BOUND) -> Object:
    out = io.BytesIO()
    writer = SegmentWriter(key, associated_data=bound, write=out.write)
    for start in range(0, len(plain), step):
        writer.write(plain[start : start + step])
    pinned = writer.close()
    return Object(plain, out.getvalue(), pinned)


def of_size(size: int) -> Object:
    return seal(plain_of(size)[:size])


def refuses(act: Callable[[], object]) -> bool:
    with pytest.raises(Damaged) as caught:
        act()
    return caught.value.code == "object_damaged"


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_comes_back_at_every_border(size: int) -> None:
    made = of_size(size)
    assert made.reader().read(0, size) == made.plain
    assert made.pinned.plain_size == size == plain_size_of(len(made.sealed))
    assert made.pinned.ciphertext_size == len(made.sealed) == ciphertext_size_of(size)
    assert made.pinned.header == made.sealed[:HEADER_SIZE]


@settings(max_examples=40, deadline=None)
@given(size=sizes, step=st.integers(1, 2 * SEGMENT_SIZE), cut=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_any_range_of_any_size_written_in_any_pieces_is_the_plaintexts_range(
    size: int, step: int, cut: tuple[float, float]
) -> None:
    made = seal(plain_of(size)[:size], step=max(step, size // 50 + 1))
    start, end = sorted(round(c * size) for c in cut)
    assert made.reader().read(start, end) == made.plain[start:end]


@settings(max_examples=30, deadline=None)
@given(size=sizes, cuts=st.lists(st.floats(0, 1), max_size=6))
def test_however_a_plaintext_is_handed_in_the_same_bytes_come_out(size: int, cuts: list[float]) -> None:
    """Large pieces are sealed where they lie, small ones are gathered: nobody may see a difference."""
    plain, whole = plain_of(size)[:size], of_size(size)
    out = io.BytesIO()
    writer = SegmentWriter(KEY, associated_data=BOUND, write=out.write, header=whole.pinned.header)
    ends = [*sorted(round(cut * size) for cut in cuts), size]
    for start, end in zip([0, *ends], ends, strict=False):
        writer.write(memoryview(plain)[start:end])
    assert writer.close() == whole.pinned
    assert out.getvalue() == whole.sealed


def test_a_piece_that_is_sealed_where_it_lies_stays_as_it_was() -> None:
    plain = bytearray(plain_of(BORDERS[2]))
    before = bytes(plain)
    writer = SegmentWriter(KEY, associated_data=BOUND, write=lambda _piece: None)
    writer.write(plain)
    writer.close()
    plain += b"and it can grow again"  # nobody holds on to it
    assert plain.startswith(before)


@settings(max_examples=40, deadline=None)
@given(size=sizes, cut=st.tuples(st.floats(0, 1), st.floats(0, 1)), room=st.integers(1, 3))
def test_views_in_memory_that_is_used_again_show_the_same_as_pieces_of_their_own(
    size: int, cut: tuple[float, float], room: int
) -> None:
    made = of_size(size)
    start, end = sorted(round(c * size) for c in cut)
    buffers = cycle([bytearray(b"\xff" * PLAIN_SIZE) for _ in range(room)])
    shown = [bytes(view) for view in made.reader().views(start, end, buffers=buffers)]
    assert shown == list(made.reader().segments(start, end))


PIECES = st.lists(st.integers(0, 2), min_size=1, max_size=5)
CHANGES = st.one_of(
    PIECES.map(lambda order: lambda data: b"".join(_pieces(data)[i] for i in order)),
    st.integers(0, ciphertext_size_of(BORDERS[1] + 50)).map(lambda at: lambda data: data[:at]),
    st.binary(min_size=1, max_size=40).map(lambda tail: lambda data: data + tail),
    st.tuples(st.floats(0, 0.999999), st.integers(1, 255)).map(lambda flip: lambda data: _flipped(data, *flip)),
)


def _pieces(data: bytes) -> list[bytes]:
    return [data[i * SEGMENT_SIZE : (i + 1) * SEGMENT_SIZE] for i in range(3)]


def _flipped(data: bytes, where: float, bits: int) -> bytes:
    at = int(where * len(data))
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :] if data else data


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(CHANGES, min_size=1, max_size=4))
def test_whatever_is_done_to_an_object_it_is_refused_or_it_is_the_object(
    changes: list[Callable[[bytes], bytes]],
) -> None:
    made, stored = _CHANGED, _CHANGED.sealed
    for change in changes:
        stored = change(stored)
    for header in (None, made.pinned.header):
        try:
            reader = made.reader(stored, size=len(stored), header=header)
            shown = reader.read(0, reader.plain_size)
        except Damaged:
            continue
        assert (stored, shown) == (made.sealed, made.plain)


def test_a_range_read_touches_only_the_segments_it_needs() -> None:
    made = of_size(BORDERS[2])
    asked: list[tuple[int, int]] = []

    def read_at(at: int, length: int) -> bytes:
        asked.append((at, length))
        return made.sealed[at : at + length]

    reader = SegmentReader(
        KEY, associated_data=BOUND, size=len(made.sealed), header=made.pinned.header, read_at=read_at
    )
    assert reader.read(BORDERS[0] + 5, BORDERS[0] + 9) == made.plain[BORDERS[0] + 5 : BORDERS[0] + 9]
    assert asked == [(0, HEADER_SIZE), (SEGMENT_SIZE, SEGMENT_SIZE)]


def test_two_objects_of_the_same_key_and_plaintext_share_no_byte_of_header() -> None:
    one, other = of_size(10), of_size(10)
    assert one.pinned.header[1:33] != other.pinned.header[1:33]
    assert one.pinned.header[33:] != other.pinned.header[33:]


@pytest.mark.parametrize("size", [0, 1, FIRST_PLAIN_SIZE, BORDERS[1], BORDERS[1] + 1])
def test_every_cut_is_refused(size: int) -> None:
    made = of_size(size)
    lengths = {0, 1, HEADER_SIZE, HEADER_SIZE + 16, len(made.sealed) - 1, len(made.sealed) - 16}
    lengths |= {i * SEGMENT_SIZE for i in range(1, 4)} | {i * SEGMENT_SIZE + 16 for i in range(1, 4)}
    for length in lengths:
        if length < len(made.sealed):
            stored = made.sealed[:length]
            assert refuses(lambda stored=stored: made.reader(stored).read(0, size))
            assert refuses(lambda stored=stored: made.reader(stored, size=len(stored)).read(0, size))


@pytest.mark.parametrize("size", [0, 1, FIRST_PLAIN_SIZE, BORDERS[1], BORDERS[1] + 1])
@pytest.mark.parametrize("more", [1, 16, 17, SEGMENT_SIZE])
def test_bytes_appended_are_refused_even_after_a_full_last_segment(size: int, more: int) -> None:
    made = of_size(size)
    for tail in (bytes(more), made.sealed[-more:]):
        stored = made.sealed + tail
        assert refuses(lambda stored=stored: made.reader(stored, size=len(stored)).read(0, size + more))


@settings(max_examples=60, deadline=None)
@given(where=st.integers(0, ciphertext_size_of(BORDERS[0] + 50) - 1), bit=st.integers(0, 7))
def test_every_flipped_bit_is_refused(where: int, bit: int) -> None:
    made = _FLIPPED
    stored = bytearray(made.sealed)
    stored[where] ^= 1 << bit
    assert refuses(lambda: made.reader(bytes(stored)).read(0, len(made.plain)))
    assert refuses(lambda: made.reader(bytes(stored), header=None).read(0, len(made.plain)))


_FLIPPED = of_size(BORDERS[0] + 50)
_CHANGED = of_size(BORDERS[1] + 50)


def test_segments_swapped_doubled_or_dropped_are_refused() -> None:
    made = of_size(BORDERS[2])
    first, second, third = (made.sealed[i * SEGMENT_SIZE : (i + 1) * SEGMENT_SIZE] for i in range(3))
    for name, parts in {
        "swapped": (first, third, second),
        "doubled": (first, second, second),
        "dropped": (first, third),
        "doubled in between": (first, second, second, third),
    }.items():
        stored = b"".join(parts)
        assert refuses(lambda stored=stored: made.reader(stored, size=len(stored)).read(0, BORDERS[2])), name


def test_another_object_in_its_place_is_refused() -> None:
    made, other = seal(b"a" * 100), seal(b"b" * 100)
    assert refuses(lambda: made.reader(other.sealed))
    assert refuses(lambda: made.reader(made.pinned.header + other.sealed[HEADER_SIZE:]).read(0, 100))
    assert refuses(lambda: made.reader(associated_data=b"case object 2").read(0, 100))
    assert refuses(lambda: made.reader(key=Secret(bytes(32))).read(0, 100))


def test_the_pinned_header_counts_even_where_the_object_agrees_with_itself() -> None:
    """Somebody who has the key seals again in place of the object: what the record pinned still refuses it."""
    made, again = seal(b"a" * 100), seal(b"a" * 100)
    assert again.reader(header=None).read(0, 100) == made.plain
    assert refuses(lambda: again.reader(header=made.pinned.header))


def test_a_writer_whose_place_failed_never_writes_again() -> None:
    def full(piece: memoryview) -> None:
        raise OSError

    writer = SegmentWriter(KEY, associated_data=BOUND, write=full)
    with pytest.raises(OSError):  # noqa: PT011 - our own, raised just above
        writer.write(bytes(SEGMENT_SIZE))
    for act in (writer.close, lambda: writer.write(b"other")):
        with pytest.raises(RuntimeError):
            act()


def test_a_closed_writer_takes_nothing_more() -> None:
    writer = SegmentWriter(KEY, associated_data=BOUND, write=lambda _piece: None)
    writer.close()
    with pytest.raises(RuntimeError):
        writer.write(b"more")
    with pytest.raises(RuntimeError):
        writer.close()


def test_a_sink_can_not_keep_the_reused_buffer_by_mistake() -> None:
    kept: list[memoryview] = []
    writer = SegmentWriter(KEY, associated_data=BOUND, write=kept.append)
    writer.write(b"film")
    writer.close()
    with pytest.raises(ValueError, match="released"):
        bytes(kept[0])


def test_threads_that_share_a_reader_each_get_what_they_asked_for() -> None:
    made = seal(plain_of(SIZES[-1]))
    reader = made.reader()

    def read(number: int) -> bool:
        start = number * 7919 % (len(made.plain) - 5000)
        return reader.read(start, start + 5000) == made.plain[start : start + 5000]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(read, range(400)))
