from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import Damaged, Invalid, OutOfRoom, Unavailable
from core.ids import new_id
from vault.disk import Calls, DiskStore
from vault.objects import Bytes


def put(store: DiskStore, content: bytes) -> str:
    name = new_id()
    with store.writer(name) as writer:
        writer.write(content)
        assert writer.commit() == len(content)
    return name


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_object_comes_back_whole_and_in_ranges(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    name = put(store, b"0123456789")
    assert store.size(name) == 10
    assert store.read(name, start=0, length=10) == b"0123456789"
    assert store.read(name, start=3, length=4) == b"3456"
    assert store.read(name, start=8, length=100) == b"89"
    assert [stored.name for stored in DiskStore(tmp_path).names()] == [name]


def test_an_object_that_was_not_committed_was_never_there(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    name = new_id()
    with store.writer(name) as writer:
        writer.write(b"half")
    assert store.size(name) is None
    assert files(tmp_path) == []


def test_what_a_dead_writer_left_is_cleared_later_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    writer = store.writer(new_id())
    writer.write(b"half")
    assert store.clear_unfinished(before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert store.clear_unfinished(before=datetime.now(UTC) + timedelta(days=1)) == 1
    assert files(tmp_path) == []
    writer.abandon()


def test_deleting_twice_is_fine_and_reading_afterwards_is_an_error(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    name = put(store, b"x")
    store.delete(name)
    store.delete(name)
    with pytest.raises(Damaged, match="object_missing"):
        store.read(name, start=0, length=1)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "a" * 31, f"{'a' * 31}\n", "a" * 33])
def test_a_name_that_is_not_an_id_never_reaches_the_disk(tmp_path: Path, name: str) -> None:
    store = DiskStore(tmp_path)
    with pytest.raises(Invalid, match="bad_object_name"):
        store.read(name, start=0, length=1)
    with pytest.raises(Invalid, match="bad_object_name"):
        store.writer(name)


def test_only_the_service_may_look_at_the_files(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store")
    put(store, b"x")
    folders = [path for path in (tmp_path / "store").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in files(tmp_path)} == {0o600}


def test_a_full_disk_says_so_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    left = 5

    def write(handle: int, data: Bytes) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.ENOSPC, "full")
        count = os.write(handle, data[:left])
        left -= count
        return count

    store = DiskStore(tmp_path, calls=Calls(write=write))
    with pytest.raises(OutOfRoom, match="store_full"), store.writer(new_id()) as writer:
        writer.write(b"0123456789")
    assert files(tmp_path) == []
    assert store.takes_writes
    left = 100
    put(store, b"again")


def test_after_a_failed_sync_nothing_is_acknowledged_any_more(tmp_path: Path) -> None:
    before = put(DiskStore(tmp_path), b"before")

    def sync(handle: int) -> None:
        raise OSError(errno.EIO, "gone")

    store = DiskStore(tmp_path, calls=Calls(sync=sync))
    with pytest.raises(Unavailable, match="store_read_only"), store.writer(new_id()) as writer:
        writer.write(b"x")
        writer.commit()
    assert not store.takes_writes
    with pytest.raises(Unavailable, match="store_read_only"):
        store.writer(new_id())
    assert store.read(before, start=0, length=6) == b"before"


def test_a_disk_that_is_not_mounted_is_away_for_every_call_and_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store")
    name = put(store, b"x")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    (tmp_path / "store").mkdir()
    for act in (
        lambda: store.writer(new_id()),
        lambda: store.delete(name),
        lambda: store.delete(new_id()),
        lambda: store.size(name),
        lambda: store.read(name, start=0, length=1),
        lambda: list(store.names()),
        lambda: list(store.unfinished()),
        lambda: store.clear_unfinished(before=datetime.now(UTC)),
    ):
        with pytest.raises(Unavailable, match="store_unavailable"):
            act()
    assert list((tmp_path / "store").iterdir()) == []
    (tmp_path / "store").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    assert store.read(name, start=0, length=1) == b"x"
    assert store.takes_writes
