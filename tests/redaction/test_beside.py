"""Beginning from what was chosen for another clip of the same footage: never by itself, never more than was said."""

from __future__ import annotations

import pytest

from consent import RenditionState
from core.db import Database
from core.errors import Conflict, Invalid, VaultError
from core.ids import ClipId, PersonId, VisitId, new_id
from keys import KeyStore
from redaction import Box, Keep, KeepAll, Keyframe, Merge, Mute, Paint, Part, Place, Region, State, Step
from redaction.beside import held
from redaction.choices import Choices
from redaction.history import History
from redaction.plan import people
from redaction.steps import Begin
from redaction.track import Track, tracks
from tests.families import Family
from tests.redaction.chooser import Chooser
from tests.redaction.faces import two_people
from tests.vault.cinema import Cinema
from tests.vault.scene import add_footage
from vault import DiskStore
from vault.models import ClipRow, ClipState, RenditionRow

AVA, NOAH = PersonId(new_id()), PersonId(new_id())
FOUND = tracks(two_people(right_from=60))
"""1 is there all the time, 2 from about frame 60 on."""


def state(*steps: Step) -> State:
    history = History("f" * 64)
    for step in steps:
        history = history.then(step)
    return history.state


def in_frames(first: int, last: int, *steps: Step, found: tuple[Track, ...] = FOUND) -> State:
    return held(state(*steps), tracks=found, members={AVA, NOAH}, first_frame=first, last_frame=last)


def test_whoever_is_not_seen_in_the_new_cut_is_not_said_to_stay_visible_in_it() -> None:
    both = (Keep(1, AVA), Keep(2, NOAH))
    assert in_frames(0, 30, *both).persons == {AVA}
    assert in_frames(50, 100, *both).persons == {AVA, NOAH}
    together = in_frames(0, 30, KeepAll(frozenset({1, 2}), AVA))
    assert together.choices.kept == {1, 2}
    assert together.persons == {AVA}


def test_whoever_left_the_family_does_not_stay_visible() -> None:
    chosen = state(Keep(1, AVA), Keep(2, NOAH))
    after = held(chosen, tracks=FOUND, members={NOAH}, first_frame=0, last_frame=100)
    assert (after.choices.kept, after.persons) == ({2}, {NOAH})


def test_somebody_parted_elsewhere_keeps_their_number_and_is_not_kept_by_it() -> None:
    steps = (Part(1, 40), Part(2, 80), Keep(3, AVA))
    before = people(FOUND, in_frames(0, 30, *steps).choices)
    assert [(one.number, one.kept) for one in before] == [(1, False), (2, False), (3, False), (4, False)]
    later = people(FOUND, in_frames(40, 70, *steps).choices)
    assert [one.number for one in later if one.kept] == [3]


def test_merges_and_the_look_of_covers_hold() -> None:
    steps = (Merge(frozenset({1, 2})), Paint(state().choices.style))
    assert in_frames(0, 30, *steps).choices.merged == (frozenset({1, 2}),)


@pytest.mark.parametrize(
    ("span", "frames"),
    [
        ((0, 100), [10, 30, 50]),
        ((20, 40), [20, 30, 39]),
        ((30, 50), [30, 49]),
        ((32, 36), [32, 35]),
        ((33, 34), [33]),
        ((51, 90), []),
        ((0, 10), []),
        ((0, 11), [10]),
    ],
)
def test_a_cover_is_cut_off_at_the_ends_and_lies_where_it_lay(span: tuple[int, int], frames: list[int]) -> None:
    steps = [Place(0, 10, Box(0, 0, 20, 20)), Place(1, 30, Box(40, 20, 30, 30)), Place(1, 50, Box(80, 60, 50, 20))]
    regions = in_frames(*span, *steps).choices.regions
    assert [one.frame for region in regions for one in region.keyframes] == frames
    for region in regions:
        assert region.number == 1
        for place in region.keyframes:
            at = place.frame
            first, second = (steps[0], steps[1]) if at <= 30 else (steps[1], steps[2])
            part = (at - first.frame) / 20
            assert place.box.x == pytest.approx(first.box.x + (second.box.x - first.box.x) * part)
            assert place.box.height == pytest.approx(first.box.height + (second.box.height - first.box.height) * part)


def test_silences_are_cut_off_at_the_ends() -> None:
    steps = (Mute(5, 20), Mute(30, 35), Mute(50, 70))
    assert in_frames(10, 60, *steps).choices.mutes == ((10, 20), (30, 35), (50, 60))
    assert in_frames(20, 30, *steps) == State()


def test_choices_about_people_whom_the_film_has_not_are_refused() -> None:
    with pytest.raises(Invalid, match="person_unknown"):
        in_frames(0, 30, Keep(9, AVA))


def test_beginning_reads_back_as_it_was_and_can_be_taken_back() -> None:
    cover = Region(1, (Keyframe(3, Box(1, 2, 30, 40)),))
    begun = State(Choices(kept=frozenset({1}), regions=(cover,), mutes=((2, 9),)), {1: AVA})
    history = History("f" * 64).then(Begin(begun)).then(Keep(2, NOAH))
    assert history.state.persons == {AVA, NOAH}
    assert History.from_json(history.to_json()) == history
    assert history.undo().undo().state == State()
    assert History.from_json(history.undo().undo().to_json()).redo().state == begun


@pytest.fixture
def first(cinema: Cinema) -> Chooser:
    made = Chooser(cinema)
    made.finds()
    return made


def test_choices_of_another_clip_are_offered_and_hold_only_once_the_guider_says_so(first: Chooser) -> None:
    for step in (Keep(1, first.family.child), Mute(2, 20), Place(0, 15, Box(1, 1, 20, 20))):
        first.takes(step)
    other = first.also_cut(first_frame=10, last_frame=60)
    (offer,) = other.looks().beside
    assert other.looks().state == State()  # nothing by itself, however often it is looked at
    assert (offer.clip_id, offer.version) == (first.clip_id, 3)
    assert offer.state is not None
    assert offer.state.persons == {first.family.child}
    other.begins(first.clip_id, looked_at=3)
    seen = other.looks()
    assert seen.state == offer.state
    assert [one.kept for one in seen.somebody] == [first.family.child, None]
    assert seen.state.choices.mutes == ((10, 20),)
    assert seen.beside == ()
    assert first.looks().version == 3
    other.undoes()
    assert other.looks().state == State()
    assert [one.clip_id for one in other.looks().beside] == [first.clip_id]


def test_nothing_is_taken_over_where_something_is_chosen_already(first: Chooser) -> None:
    first.takes(Keep(1, first.family.child))
    other = first.also_cut(first_frame=0, last_frame=50)
    other.takes(Mute(1, 3))
    assert other.looks().beside == ()
    with pytest.raises(Conflict, match="begun_already"):
        other.begins(first.clip_id, looked_at=1)


def test_choices_among_other_faces_are_told_of_and_not_taken_over(first: Chooser) -> None:
    first.takes(Keep(1, first.family.child))
    first.finds(right_from=6)
    other = first.also_cut(first_frame=0, last_frame=50)
    (told,) = other.looks().beside
    assert (told.clip_id, told.state) == (first.clip_id, None)
    with pytest.raises(Conflict, match="none_beside"):
        other.begins(first.clip_id, looked_at=1)
    assert other.looks().state == State()


def test_what_was_changed_since_it_was_offered_is_looked_at_again_first(first: Chooser) -> None:
    first.takes(Keep(1, first.family.child))
    other = first.also_cut(first_frame=0, last_frame=50)
    (offer,) = other.looks().beside
    first.takes(Keep(2, first.family.mother.id))
    with pytest.raises(Conflict, match="choices_moved"):
        other.begins(first.clip_id, looked_at=offer.version)
    assert other.looks().state == State()


def test_a_clip_out_of_use_or_of_other_footage_is_neither_offered_nor_taken(
    first: Chooser, db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId
) -> None:
    first.takes(Keep(1, first.family.child))
    footage_id = add_footage(db, keystore, store, family, visit)
    elsewhere = first.also_cut(first_frame=0, last_frame=25, footage_id=footage_id)
    elsewhere.finds()
    assert elsewhere.looks().beside == ()
    other = first.also_cut(first_frame=0, last_frame=50)
    for refuses, beside in ((elsewhere, first.clip_id), (other, elsewhere.clip_id), (other, ClipId(new_id()))):
        with pytest.raises(Conflict, match="none_beside"):
            refuses.begins(beside, looked_at=1)
    with db.begin() as session:
        cut = session.get_one(RenditionRow, first.cinema.clip.rendition_id)
        cut.state = RenditionState.WITHDRAWN_FROM_USE
    refused(other, first.clip_id)
    with db.begin() as session:
        cut = session.get_one(RenditionRow, first.cinema.clip.rendition_id)
        cut.state = RenditionState.LIVE
        session.get_one(ClipRow, first.clip_id).state = ClipState.DESTROYING
    refused(other, first.clip_id)


def refused(other: Chooser, beside: ClipId) -> None:
    assert other.looks().beside == ()
    with pytest.raises(VaultError, match="none_beside"):
        other.begins(beside, looked_at=1)
