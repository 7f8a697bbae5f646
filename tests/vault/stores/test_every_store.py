"""What every object store does alike: the disk, S3 (SeaweedFS), Azure (Azurite), Google's client on S3."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import Conflict, Damaged, Invalid
from core.ids import new_id
from tests.vault.stores.conftest import Opener, address_of, credentials_of, port_of
from vault import ObjectStore
from vault.objects import Part
from vault.putting import PIECE_BYTES

LARGE = PIECE_BYTES + 100_000
"""More than one piece."""
SIZES = {"nothing": 0, "a little": 10, "a piece exactly": PIECE_BYTES, "more than a piece": LARGE}


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - filler


def put(store: ObjectStore, content: bytes, *, name: str = "") -> str:
    name = name or new_id()
    with store.writer(name) as writer:
        for start in range(0, len(content), 262_144):
            writer.write(memoryview(content)[start : start + 262_144])
        assert writer.commit() == len(content)
    return name


def names(store: ObjectStore) -> set[str]:
    return {stored.name for stored in store.names()}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_an_object_comes_back_as_it_was_put(store: ObjectStore, again: Opener, size: int) -> None:
    content = noise(size)
    name = put(store, content)
    other = again()
    assert other.size(name) == size
    assert other.read(name, start=0, length=size) == content
    assert [(stored.name, stored.size_bytes) for stored in other.names()] == [(name, size)]


def test_a_range_is_what_was_asked_for_and_ends_where_the_object_ends(store: ObjectStore) -> None:
    name = put(store, b"0123456789")
    ranges = {(0, 10): b"0123456789", (3, 4): b"3456", (8, 100): b"89", (10, 1): b"", (50, 5): b"", (4, 0): b""}
    assert {asked: store.read(name, start=asked[0], length=asked[1]) for asked in ranges} == ranges
    parts = {asked: store.part(name, start=asked[0], length=asked[1]) for asked in ranges if asked[1]}
    assert parts == {asked: Part(content, 10) for asked, content in ranges.items() if asked[1]}


@pytest.mark.parametrize("size", [100, LARGE])
def test_an_object_whose_writer_failed_was_never_there(store: ObjectStore, size: int) -> None:
    name = new_id()
    with suppress(ZeroDivisionError), store.writer(name) as writer:
        writer.write(noise(size))
        _ = 1 / 0
    assert (store.size(name), names(store)) == (None, set())
    put(store, b"the name is free", name=name)


def test_an_object_is_not_there_before_it_is_committed(store: ObjectStore) -> None:
    name = new_id()
    with store.writer(name) as writer:
        writer.write(noise(LARGE))
        assert (store.size(name), names(store)) == (None, set())
        writer.commit()
    assert names(store) == {name}


@pytest.mark.parametrize("second", [5, LARGE])
def test_a_name_is_given_once_and_what_has_it_stays(store: ObjectStore, second: int) -> None:
    name = put(store, b"first")
    with pytest.raises(Conflict, match="object_exists"):
        put(store, noise(second), name=name)
    assert store.read(name, start=0, length=100) == b"first"


def test_of_two_writers_of_one_name_at_once_one_is_refused_and_the_other_is_whole(store: ObjectStore) -> None:
    name = new_id()
    contents = [bytes([number]) * 200_000 for number in range(4)]

    def attempt(content: bytes) -> bytes | None:
        try:
            put(store, content, name=name)
        except Conflict:
            return None
        return content

    with ThreadPoolExecutor(4) as pool:
        kept = [content for content in pool.map(attempt, contents) if content]
    assert kept == [store.read(name, start=0, length=300_000)]


def test_what_is_deleted_is_gone_and_deleting_it_again_is_fine(store: ObjectStore) -> None:
    name, other = put(store, b"x"), put(store, b"y")
    store.delete(name)
    store.delete(name)
    assert (store.size(name), names(store)) == (None, {other})
    with pytest.raises(Damaged, match="object_missing"):
        store.read(name, start=0, length=1)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "a" * 31, f"{'a' * 31}\n"])
def test_a_name_that_is_not_an_id_never_reaches_the_store(store: ObjectStore, name: str) -> None:
    for act in (store.writer, store.size, store.delete, lambda name: store.read(name, start=0, length=1)):
        with pytest.raises(Invalid, match="bad_object_name"):
            act(name)


def test_more_objects_than_a_page_holds_are_all_listed(store: ObjectStore, kind: str) -> None:
    count = 1_050 if kind == "s3" else 7
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: put(store, b"x"), range(count)))
    assert names(store) == made


WRITER = """
import sys
from pathlib import Path
from vault import Address, open_store
address, credentials, spool, name = sys.argv[1:]
store = open_store(Address.parsed(address), spool=Path(spool), credentials=Path(credentials) if credentials else None)
writer = store.writer(name)
for _ in range(3):
    writer.write(bytes(%d))
print("half", flush=True)
sys.stdin.read()
"""


def test_an_object_whose_writer_was_killed_is_not_there(
    store: ObjectStore, kind: str, prefix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name, credentials, address = new_id(), Path(), str(tmp_path / "store")
    if kind != "disk":
        endpoint = f"http://127.0.0.1:{port_of(kind, request)}"
        address = address_of(kind, prefix=prefix, endpoint=endpoint)
        credentials = credentials_of(kind, tmp_path, endpoint=endpoint)
    spoken = [address, str(credentials) if kind != "disk" else "", str(tmp_path / "spool"), name]
    command = [sys.executable, "-c", WRITER % PIECE_BYTES, *spoken]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        os.kill(process.pid, signal.SIGKILL)
    assert (store.size(name), names(store)) == (None, set())
    put(store, b"the name is free", name=name)
