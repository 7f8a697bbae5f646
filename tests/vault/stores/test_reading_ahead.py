"""Reading on in an object far away: fewer requests than segments, the first byte at once, nothing read wrongly."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import Unavailable
from core.segments import SEGMENT_SIZE
from vault import DiskStore, errors
from vault.stretches import ReadAhead, reader

CONTENT = random.Random(1).randbytes(3_000_000)  # noqa: S311 - filler
STRIDE = 4 * SEGMENT_SIZE


class FarAway(DiskStore):
    """Remembers what it was asked for; fails or waits when told."""

    stride = STRIDE

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.fails = False
        self.go_on = threading.Event()
        self.go_on.set()

    def read(self, name: str, *, start: int, length: int) -> bytes:
        assert name == "x"
        self.asked.append((start, length))
        if start:
            self.go_on.wait()
        if self.fails:
            raise errors.store_unavailable()
        return CONTENT[start : start + length]


@pytest.fixture
def store() -> Iterator[FarAway]:
    far = FarAway()
    yield far
    far.go_on.set()


def test_a_film_read_from_start_to_end_takes_a_fraction_of_the_requests(store: FarAway) -> None:
    read = ReadAhead(store, "x")
    read(0, 40)
    pieces = [read(start, SEGMENT_SIZE) for start in range(0, len(CONTENT), SEGMENT_SIZE)]
    assert b"".join(pieces) == CONTENT
    assert len(store.asked) <= 1 + 2 + 1 + len(CONTENT) // STRIDE + 1
    assert len(pieces) == 12


def test_a_single_range_fetches_nothing_else(store: FarAway) -> None:
    read = ReadAhead(store, "x")
    for start in (0, 40, 1_000_000, 5_000, 2_000_000):
        assert read(start, 100_000) == CONTENT[start : start + 100_000]
    assert store.asked == [(start, 100_000) for start in (0, 40, 1_000_000, 5_000, 2_000_000)]


def test_the_first_byte_does_not_wait_for_what_comes_after_it(store: FarAway) -> None:
    store.go_on.clear()
    assert ReadAhead(store, "x")(0, SEGMENT_SIZE) == CONTENT[:SEGMENT_SIZE]


def test_a_store_that_fails_on_the_way_is_told_once_and_asked_again_afterwards(store: FarAway) -> None:
    read = ReadAhead(store, "x")
    read(0, SEGMENT_SIZE)
    read(SEGMENT_SIZE, SEGMENT_SIZE)
    store.fails = True
    with pytest.raises(Unavailable, match="store_unavailable"):
        for number in range(2, 12):
            read(number * SEGMENT_SIZE, SEGMENT_SIZE)
    store.fails = False
    start = 9 * SEGMENT_SIZE
    assert read(start, SEGMENT_SIZE) == CONTENT[start : start + SEGMENT_SIZE]


def test_threads_that_share_a_reader_each_get_what_they_asked_for(store: FarAway) -> None:
    read, chance = ReadAhead(store, "x"), random.Random(7)  # noqa: S311 - which ranges is no secret
    runs = [[chance.randrange(0, 11) * SEGMENT_SIZE + step * 70_000 for step in range(3)] for _ in range(60)]
    ranges = [(start, 70_000) for run in runs for start in run]
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda asked: read(*asked), ranges))
    assert got == [CONTENT[start : start + length] for start, length in ranges]


def test_a_disk_is_asked_for_what_is_wanted_and_no_more(store: FarAway) -> None:
    store.stride = 0
    read = reader(store, "x")
    for start in range(0, 1_000_000, 100_000):
        read(start, 100_000)
    assert len(store.asked) == 10
