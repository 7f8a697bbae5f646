"""How often a range asks a store that lies far away, and what it still notices: it may ask no oftener, nor see less."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from consent import Purpose
from core.db import Database
from core.errors import Damaged
from core.ids import VisitId
from core.segments import HEADER_SIZE, PLAIN_SIZE, SEGMENT_SIZE
from keys import KeyStore
from tests.families import Family
from tests.vault.cinema import Cinema, make_cinema
from tests.vault.stores.test_every_store import put
from vault import DiskStore, ObjectStore
from vault.headers import KEPT_SECONDS, MOST, Headers
from vault.models import ObjectRow, ObjectState
from vault.objects import Part

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KIB_64 = 64 * 1024


class FarAway(DiskStore):
    """A disk that is asked like a bucket, and remembers what it was asked for."""

    stride = 8 * SEGMENT_SIZE

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[int, int]] = []

    def part(self, name: str, *, start: int, length: int) -> Part:
        self.asked.append((start, length))
        return super().part(name, start=start, length=length)

    def size(self, name: str) -> int | None:
        self.asked.append((0, 0))
        return super().size(name)

    def read_at_once(self, name: str, *, start: int, into: memoryview) -> bool:
        del name, start, into
        return False


@pytest.fixture
def store(tmp_path: Path) -> FarAway:
    return FarAway(tmp_path / "store")


@pytest.fixture
def cinema(db: Database, keystore: KeyStore, store: FarAway, family: Family, visit: VisitId) -> Cinema:
    made = make_cinema(db, keystore, store, family, visit)
    store.asked.clear()
    return made


def begun(cinema: Cinema, start: int, end: int) -> bytes:
    """A range as the program answers it: opened before anything is promised."""
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)

    async def answered() -> bytes:
        reading = await cinema.open(cinema.guider, viewing.id, start=start, end=end)
        await reading.begin()
        return b"".join([piece async for piece in reading])

    return asyncio.run(answered())


def changed(store: ObjectStore, cinema: Cinema, *, into: bytes) -> None:
    store.delete(cinema.clip.object_id)
    put(store, into, name=cinema.clip.object_id)


def content(store: ObjectStore, cinema: Cinema) -> bytes:
    return store.read(cinema.clip.object_id, start=0, length=10 * SEGMENT_SIZE)


def test_the_first_byte_takes_one_request_which_tells_header_and_length_as_well(cinema: Cinema, store: FarAway) -> None:
    assert begun(cinema, 0, KIB_64) == cinema.clip.content[:KIB_64]
    assert store.asked == [(0, SEGMENT_SIZE)]


@pytest.mark.parametrize("segments", [1, 2])
def test_a_range_further_on_takes_one_more_for_the_header_at_the_same_time(
    cinema: Cinema, store: FarAway, segments: int
) -> None:
    start = 2 * PLAIN_SIZE - HEADER_SIZE - (KIB_64 // 2 if segments > 1 else KIB_64)
    assert begun(cinema, start, start + KIB_64) == cinema.clip.content[start : start + KIB_64]
    assert sorted(store.asked) == [(0, HEADER_SIZE), (SEGMENT_SIZE, segments * SEGMENT_SIZE)]


def test_a_range_after_that_is_one_request_until_the_header_is_looked_at_once_more(
    cinema: Cinema, store: FarAway
) -> None:
    headers = Headers(monotonic=cinema.ticking)
    cinema.db.info["vault_headers"] = headers
    start = 2 * SEGMENT_SIZE
    begun(cinema, 0, KIB_64)
    store.asked.clear()
    for _ in range(2):
        assert begun(cinema, start, start + KIB_64) == cinema.clip.content[start : start + KIB_64]
    assert store.asked == [(start, SEGMENT_SIZE)] * 2
    cinema.ticking.seconds += KEPT_SECONDS
    begun(cinema, start, start + KIB_64)
    assert (0, HEADER_SIZE) in store.asked
    changed(store, cinema, into=content(store, cinema) + b"x")
    with pytest.raises(Damaged, match="object_damaged"):
        begun(cinema, start, start + KIB_64)
    assert not headers.holds(cinema.clip.object_id)
    for number in range(MOST + 1):
        headers.note(str(number))
    assert (headers.holds("0"), headers.holds("1")) == (False, True)


def test_a_range_that_is_only_described_asks_the_store_nothing(cinema: Cinema, store: FarAway) -> None:
    viewing = cinema.begin(cinema.guider, Purpose.PREPARE)
    assert asyncio.run(cinema.open(cinema.guider, viewing.id)).total == len(cinema.clip.content)
    assert store.asked == []


@pytest.mark.parametrize("start", [0, 2 * SEGMENT_SIZE])
@pytest.mark.parametrize("harm", ["longer", "shorter", "another header"])
def test_what_lies_there_and_is_not_what_was_pinned_is_refused_wherever_one_begins(
    cinema: Cinema, store: FarAway, start: int, harm: str
) -> None:
    was = content(store, cinema)
    into = {"longer": was + b"x", "shorter": was[:-1], "another header": was[:5] + bytes([was[5] ^ 1]) + was[6:]}
    changed(store, cinema, into=into[harm])
    with pytest.raises(Damaged, match="object_damaged"):
        begun(cinema, start, start + KIB_64)
    with cinema.db.read() as session:
        assert session.get_one(ObjectRow, cinema.clip.object_id).state is ObjectState.QUARANTINED


def test_what_is_gone_is_told_as_missing_and_may_come_back(cinema: Cinema, store: FarAway) -> None:
    was = content(store, cinema)
    store.delete(cinema.clip.object_id)
    with pytest.raises(Damaged, match="object_missing"):
        begun(cinema, SEGMENT_SIZE, SEGMENT_SIZE + KIB_64)
    put(store, was, name=cinema.clip.object_id)
    assert begun(cinema, 0, len(cinema.clip.content)) == cinema.clip.content
