from __future__ import annotations

from itertools import pairwise

import pytest

from core.errors import Conflict, Invalid, VaultError
from core.ids import PersonId, new_id
from media.covers import CoverShape, CoverStyle
from redaction.history import MOST_BACK, History
from redaction.steps import (
    Cover,
    Keep,
    KeepAll,
    Merge,
    Mute,
    Paint,
    Part,
    Place,
    Remove,
    Shape,
    State,
    Step,
    Unmute,
    Unplace,
)
from redaction.track import Box

AVA, NOAH = PersonId(new_id()), PersonId(new_id())
BOX, OTHER = Box(1, 2, 30, 40), Box(5, 6, 30, 40)
EVERY_KIND: tuple[Step, ...] = (
    Keep(1, AVA),
    Part(1, 40),
    Keep(2, NOAH),
    KeepAll(frozenset({5, 6, 7}), AVA),
    Merge(frozenset({2, 3})),
    Cover(1),
    Place(0, 10, BOX),
    Place(1, 20, OTHER),
    Unplace(1, 10),
    Place(0, 5, BOX),
    Remove(2),
    Mute(3, 9),
    Mute(20, 30),
    Unmute(3, 9),
    Paint(CoverStyle.SOLID),
    Shape(CoverShape.BOX),
)


def taken(*steps: Step) -> History:
    history = History("f" * 64)
    for step in steps:
        history = history.then(step)
    return history


def test_nobody_stays_visible_before_anything_is_chosen() -> None:
    assert taken().state == State()
    assert taken().state.choices.kept == frozenset()
    assert taken().state.persons == frozenset()


def test_every_step_can_be_taken_back_and_done_again() -> None:
    stages = [History("f" * 64)]
    for step in EVERY_KIND:
        stages.append(stages[-1].then(step))
    history = stages[-1]
    for earlier, later in reversed(list(pairwise(stages))):
        assert history.state == later.state
        history = history.undo()
        assert history.state == earlier.state
    for later in stages[1:]:
        history = history.redo()
        assert history.state == later.state


def test_what_is_kept_reads_back_as_it_was() -> None:
    history = taken(*EVERY_KIND).undo().undo()
    assert History.from_json(history.to_json()) == history


def test_a_new_step_after_taking_back_forgets_what_was_taken_back() -> None:
    history = taken(Keep(1, AVA), Paint(CoverStyle.SOLID)).undo().then(Keep(2, NOAH))
    with pytest.raises(Conflict, match="nothing_to_redo"):
        history.redo()


def test_there_is_nothing_to_take_back_before_the_first_step() -> None:
    with pytest.raises(Conflict, match="nothing_to_undo"):
        taken().undo()


def test_old_steps_are_folded_and_lose_nothing() -> None:
    steps = [Place(0, 0, BOX), *(Place(1, frame, BOX) for frame in range(1, MOST_BACK + 20))]
    history = taken(*steps)
    assert len(history.done) == MOST_BACK
    assert len(history.state.choices.regions[0].keyframes) == MOST_BACK + 20
    assert History.from_json(history.to_json()).state == history.state


def test_blurring_somebody_who_was_merged_blurs_all_of_them() -> None:
    state = taken(Keep(1, AVA), Keep(2, AVA), Merge(frozenset({1, 2})), Cover(1)).state
    assert state.choices.kept == frozenset()
    assert state.persons == frozenset()


def test_whoever_was_lost_from_sight_is_kept_whole_by_one_step() -> None:
    history = taken(Keep(1, NOAH), KeepAll(frozenset({2, 4, 9}), AVA))
    assert history.state.choices.kept == {1, 2, 4, 9}
    assert history.state.choices.merged == (frozenset({2, 4, 9}),)
    assert history.state.persons == {AVA, NOAH}
    assert history.undo().state.choices.kept == {1}
    assert history.then(Cover(4)).state.choices.kept == {1}


def test_somebody_who_is_parted_later_is_not_kept_by_that() -> None:
    assert taken(Keep(1, AVA), Part(1, 40)).state.choices.kept == {1}


def test_a_cover_without_its_last_place_is_gone() -> None:
    assert taken(Place(0, 10, BOX), Unplace(1, 10)).state.choices.regions == ()


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((Keep(1, AVA), Keep(2, NOAH), Merge(frozenset({1, 2}))), "two_names"),
        ((Merge(frozenset({1})),), "merge_two"),
        ((KeepAll(frozenset(), AVA),), "merge_two"),
        ((Keep(1, AVA), Merge(frozenset({1, 2})), KeepAll(frozenset({2, 3}), NOAH)), "two_names"),
        ((Mute(9, 9),), "mute_end_before_start"),
        ((Place(7, 1, BOX),), "region_gone"),
        ((Remove(1),), "region_gone"),
        (tuple(Place(0, 1, BOX) for _ in range(51)), "too_many_regions"),
        (tuple(Mute(at, at + 1) for at in range(101)), "too_many_mutes"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_step_that_makes_no_sense_is_refused_and_nothing_changes(steps: tuple[Step, ...], code: str) -> None:
    *before, last = steps
    history = taken(*before)
    with pytest.raises(VaultError, match=code):
        history.then(last)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"faces": 1}', '{"faces":"f","choices":"{}","names":{}}'])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="choices_unreadable"):
        History.from_json(text)
