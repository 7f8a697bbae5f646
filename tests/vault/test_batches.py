"""Segments come in order, whether they are at hand or have to be waited for, and never from the wrong thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged
from core.ids import new_id
from core.segments import damaged
from vault import DiskStore
from vault.batches import MOST_AHEAD, Ahead, Batch


def piece(index: int) -> bytes:
    return b"%d" % index


def batch(indexes: range) -> Batch:
    assert threading.current_thread() is not threading.main_thread()
    return Batch([piece(index) for index in indexes])


def take(count: int, *, at_hand: Callable[[int], bytes | None], opened: Callable[[range], Batch]) -> list[bytes]:
    async def all_of_it() -> list[bytes]:
        return [one async for one in Ahead(range(count), at_hand=at_hand, opened=opened)]

    return asyncio.run(all_of_it())


@settings(deadline=None)  # threads, on a machine that may be busy
@given(st.lists(st.booleans(), max_size=40))
def test_whatever_lies_at_hand_all_come_once_and_in_order(lies: list[bool]) -> None:
    found = take(len(lies), at_hand=lambda index: piece(index) if lies[index] else None, opened=batch)
    assert found == [piece(index) for index in range(len(lies))]


def test_what_is_far_is_opened_one_then_more_at_a_time() -> None:
    asked: list[range] = []

    def opened(indexes: range) -> Batch:
        asked.append(indexes)
        return batch(indexes)

    take(20, at_hand=lambda _index: None, opened=opened)
    assert [len(one) for one in asked] == [1, 2, MOST_AHEAD, MOST_AHEAD, MOST_AHEAD, MOST_AHEAD, 1]
    assert [index for one in asked for index in one] == list(range(20))


def test_what_stands_before_damage_is_given_out_and_nothing_after_it() -> None:
    def opened(indexes: range) -> Batch:
        good = [index for index in indexes if index < 5]
        return Batch([piece(index) for index in good], damaged() if len(good) < len(indexes) else None)

    found = []

    async def some_of_it() -> None:
        async for one in Ahead(range(9), at_hand=lambda _index: None, opened=opened):
            found.append(one)  # noqa: PERF401 - it raises on the way

    with pytest.raises(Damaged):
        asyncio.run(some_of_it())
    assert found == [piece(index) for index in range(5)]


def test_a_disk_fills_a_buffer_at_once_only_with_all_of_it(tmp_path: Path) -> None:
    """Some file systems can't say what is in memory: then it is never at once, and never wrong."""
    store, name, content = DiskStore(tmp_path / "store"), new_id(), bytes(range(256)) * 100
    with store.writer(name) as writer:
        writer.write(content)
        writer.commit()
    buffer = bytearray(1000)
    with memoryview(buffer) as view:
        if store.read_at_once(name, start=500, into=view):
            assert buffer == content[500:1500]
        assert not store.read_at_once(name, start=len(content) - 999, into=view)
        assert not store.read_at_once(new_id(), start=0, into=view)
