"""Many who ask at one moment share one collection, and nobody ever gets facts from before they asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from consent.facts import Facts
from consent.together import Together
from core.errors import Unavailable
from core.ids import CaseId, RenditionId, new_id

KEY = (CaseId(new_id()), RenditionId(new_id()))
PATIENCE_SECONDS = 30


class Slow:
    """A collection that waits until it is let go, and counts how often it ran."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Semaphore(0), threading.Semaphore(0)
        self.count = 0

    def __call__(self) -> Facts:
        self.count += 1
        number = self.count
        self.begun.release()
        assert self.let_go.acquire(timeout=PATIENCE_SECONDS)
        return cast("Facts", f"collection {number}")


def wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError


def waiting(together: Together) -> int:
    return sum(turn.waiting for turn in together._turns.values())


def test_all_who_ask_while_facts_are_collected_share_the_next_collection() -> None:
    together, slow = Together(), Slow()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(together.collected, KEY, slow)
        assert slow.begun.acquire(timeout=PATIENCE_SECONDS)
        others = [pool.submit(together.collected, KEY, slow) for _ in range(19)]
        wait_until(lambda: waiting(together) == 20)
        slow.let_go.release(2)
        assert str(first.result()) == "collection 1"
        assert {str(one.result()) for one in others} == {"collection 2"}
    assert slow.count == 2


def test_who_asks_later_never_gets_what_was_collected_before() -> None:
    together, slow = Together(), Slow()
    slow.let_go.release(2)
    assert [str(together.collected(KEY, slow)) for _ in range(2)] == ["collection 1", "collection 2"]
    assert together._turns == {}


def test_a_fault_is_everybodys_who_waited_and_nobodys_after() -> None:
    together = Together()

    def fail() -> Facts:
        raise Unavailable("database_busy", "Please try again.")

    with pytest.raises(Unavailable):
        together.collected(KEY, fail)
    assert together.collected(KEY, lambda: cast("Facts", "found")) == "found"


def test_two_renditions_do_not_wait_for_each_other() -> None:
    together, slow = Together(), Slow()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(together.collected, KEY, slow)
        assert slow.begun.acquire(timeout=PATIENCE_SECONDS)
        other = (KEY[0], RenditionId(new_id()))
        assert together.collected(other, lambda: cast("Facts", "found")) == "found"
        slow.let_go.release()
        first.result()
