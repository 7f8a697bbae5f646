"""A disk that fails in the middle: a real EIO or ENOSPC from the very call, in a process of its own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import OutOfRoom, Unavailable
from core.ids import new_id
from tests.faults.consenting import Consenting
from tests.faults.depositing import FILM, LAST, Depositing
from tests.faults.soundness import AFTER_A_CRASH, assert_sound
from tests.faults.tracer import Call, Decide, Then, run
from tests.faults.world import World, opened
from vault.models import UploadRow

Act = Callable[[Callable[[str], object]], object]


def tried(folder: Path, act: Act, decide: Decide) -> list[str]:
    """Run something in a traced process; what it said until its end."""
    out, into = os.pipe()
    status = run(lambda: act(lambda word: os.write(into, f"{word}\n".encode())), folder=folder, decide=decide)
    os.close(into)
    with os.fdopen(out) as said:
        assert status == 0
        return said.read().split()


def failing(number: int, *, calls: set[str], on: str) -> Decide:
    """Have these calls fail on files whose path has something in it."""
    return lambda call: number if call.name in calls and on in call.path else Then.GO_ON


def code_of(act: Callable[[], object]) -> str:
    """The code of the refusal, or ``done``."""
    try:
        act()
    except Unavailable as error:
        return f"{error.code}:{'room' if isinstance(error, OutOfRoom) else 'fault'}"
    return "done"


@pytest.fixture
def deposit(tmp_path: Path) -> Depositing:
    story = Depositing()
    story.prepare(tmp_path)
    return story


@pytest.fixture
def consenting(tmp_path: Path) -> Consenting:
    story = Consenting()
    story.prepare(tmp_path)
    return story


def offset(world: World, story: Depositing) -> int:
    with world.db.read() as session:
        return session.get_one(UploadRow, story.upload).offset


def test_a_part_that_could_not_be_synced_is_not_acknowledged_and_the_store_takes_nothing_more(
    deposit: Depositing, tmp_path: Path
) -> None:
    def act(say: Callable[[str], object]) -> None:
        with opened(tmp_path) as world:
            say(code_of(lambda: deposit.send(world)))
            say(code_of(lambda: world.store.writer(new_id())))
            say(str(offset(world, deposit)))

    said = tried(tmp_path, act, failing(errno.EIO, calls={"fsync"}, on="/objects/incoming/"))
    assert said == ["store_read_only:fault", "store_read_only:fault", str(LAST)]
    with opened(tmp_path, after=AFTER_A_CRASH) as world:
        assert_sound(world)
        deposit.send(world)
        assert offset(world, deposit) == len(FILM)


def test_a_disk_that_is_full_in_the_middle_of_a_part_keeps_the_true_offset_and_the_deposit_goes_on(
    deposit: Depositing, tmp_path: Path
) -> None:
    def act(say: Callable[[str], object]) -> None:
        with opened(tmp_path) as world:
            say(code_of(lambda: deposit.send(world)))
            say(str(offset(world, deposit)))
            assert list((tmp_path / "objects" / "incoming").iterdir()) == []
            say(code_of(lambda: deposit.send(world)))

    writes = 0

    def decide(call: Call) -> Then | int:
        nonlocal writes
        writes += (is_part := call.name == "write" and "/incoming/" in call.path)
        return errno.ENOSPC if is_part and writes == 1 else Then.GO_ON

    assert tried(tmp_path, act, decide) == ["store_full:room", str(LAST), "done"]


def test_an_answer_whose_transaction_could_not_be_synced_is_not_acknowledged_and_nothing_is_shown_any_more(
    consenting: Consenting, tmp_path: Path
) -> None:
    with opened(tmp_path) as world:
        consenting.asked.agree(world.db, consenting.asked.father)

    def act(say: Callable[[str], object]) -> None:
        with opened(tmp_path) as world:
            for step in (consenting.asked.stop, consenting.asked.watch, consenting.asked.stop):
                say(code_of(lambda step=step: step(world.db)))

    said = tried(tmp_path, act, failing(errno.EIO, calls={"fdatasync", "fsync"}, on="/vault.db"))
    assert said == ["database_fault:fault"] * 3
    consenting.check(tmp_path, ["yes"])
    consenting.recover(tmp_path)
    consenting.check_end(tmp_path)


def test_where_the_log_cannot_be_written_nobody_watches_and_no_answer_is_acknowledged(
    consenting: Consenting, tmp_path: Path
) -> None:
    with opened(tmp_path) as world:
        consenting.asked.agree(world.db, consenting.asked.father)

    def act(say: Callable[[str], object]) -> None:
        with opened(tmp_path) as world:
            say(code_of(lambda: consenting.asked.watch(world.db)))
            say(code_of(lambda: consenting.asked.stop(world.db)))

    full = failing(errno.ENOSPC, calls={"pwrite64"}, on="/vault.db")
    assert tried(tmp_path, act, full) == ["disk_full:room", "disk_full:room"]
    with opened(tmp_path) as world:
        consenting.asked.watch(world.db)  # with room again it plays, as everyone agreed
    consenting.check(tmp_path, ["yes"])
    consenting.recover(tmp_path)
    consenting.check_end(tmp_path)
