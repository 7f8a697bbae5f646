from __future__ import annotations

import random

import pytest

from core.spare import Spare


def test_memory_is_used_again_only_when_every_view_of_it_is_gone() -> None:
    spare = Spare(100, most=1)
    first = spare.view()
    memory = first.obj
    part = memoryview(first[10:20])  # as a transport keeps what it couldn't send yet
    first.release()
    second = spare.view()
    assert second.obj is not memory
    part.release()
    second.release()
    assert spare.view().obj is memory


def test_what_somebody_still_holds_never_changes() -> None:
    spare, dice = Spare(64, most=3), random.Random(4)  # noqa: S311 - an order
    held: list[tuple[memoryview, bytes]] = []
    for number in range(2000):
        view = spare.view()
        content = number.to_bytes(64, "big")
        view[:] = content
        held.append((view[8:], content[8:]))
        del view
        while held and dice.random() < 0.5:
            held.pop(dice.randrange(len(held)))
        assert all(view == content for view, content in held)


@pytest.mark.parametrize("size", [1, 2, 64 * 1024, 262_128])
def test_it_has_its_length_and_its_content_however_often_it_is_asked_whether_it_is_free(size: int) -> None:
    spare = Spare(size, most=1)
    with spare.view() as view:
        view[-1] = 7
    for _ in range(3):
        with spare.view() as view:
            assert len(view) == size
            assert view[-1] == 7
