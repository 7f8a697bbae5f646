from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import pytest

import redaction
from app.blur_words import look_lines
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import ClipId, PersonId, new_id
from media.detections import Face
from redaction import Box, Cover, Keep, LookHere, LookKind, Merge, Mute, Part, Place, Step
from tests.redaction.chooser import Chooser
from tests.redaction.faces import add_detections, numbered_otherwise, two_people
from tests.vault.cinema import Cinema
from vault.models import RenditionRow
from vault.redaction_models import ChoicesRow


@pytest.fixture
def chooser(cinema: Cinema) -> Chooser:
    made = Chooser(cinema)
    made.finds()
    return made


def test_everyone_in_the_clip_is_blurred_until_the_guider_says_who_they_are(chooser: Chooser) -> None:
    before = chooser.looks()
    assert [(one.number, one.kept, one.first, one.last) for one in before.somebody] == [
        (1, None, 0, 24),
        (2, None, 0, 24),
    ]
    assert before.state.persons == frozenset()
    chooser.takes(Keep(2, chooser.family.child))
    after = chooser.looks()
    assert [one.kept for one in after.somebody] == [None, chooser.family.child]
    assert after.state.persons == {chooser.family.child}


def test_a_person_of_another_family_or_of_the_staff_is_nobody_to_name(chooser: Chooser) -> None:
    for stranger in (PersonId(new_id()), chooser.family.staff.guider.id):
        with pytest.raises(Invalid, match="persons_unknown"):
            chooser.takes(Keep(1, stranger))
    assert chooser.looks().version == 0


def test_a_second_window_cannot_overwrite_what_the_first_one_chose(chooser: Chooser) -> None:
    seen = chooser.looks().version
    chooser.takes(Keep(1, chooser.family.mother.id), looked_at=seen)
    with pytest.raises(Conflict, match="choices_moved"):
        chooser.takes(Cover(1), looked_at=seen)
    with pytest.raises(Conflict, match="choices_moved"):
        redaction.undo(
            chooser.cinema.db,
            keystore=chooser.cinema.keystore,
            actor=chooser.cinema.guider.actor,
            clip_id=chooser.clip_id,
            looked_at=seen,
        )
    assert chooser.looks().state.persons == {chooser.family.mother.id}


def test_two_faces_of_one_person_are_merged_and_one_that_is_two_is_parted(chooser: Chooser) -> None:
    chooser.takes(Merge(frozenset({1, 2})))
    (one,) = chooser.looks().somebody
    assert one.numbers == (1, 2)
    chooser.takes(Part(1, 10))
    assert {each.number for each in chooser.looks().somebody} == {1, 3}


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (Cover(9), ""),
        (Part(1, 25), "outside_clip"),
        (Part(1, 0), "split_outside"),
        (Part(9, 3), "person_unknown"),
        (Merge(frozenset({1, 9})), "person_unknown"),
        (Place(0, 99, Box(0, 0, 9, 9)), "outside_clip"),
        (Mute(0, 99), "outside_clip"),
    ],
    ids=repr,
)
def test_what_isnt_in_the_film_cannot_be_chosen(chooser: Chooser, step: Step, code: str) -> None:
    if not code:
        chooser.takes(step)  # whoever isn't there is covered already
        assert chooser.looks().state.persons == frozenset()
        return
    with pytest.raises(Invalid, match=code):
        chooser.takes(step)
    assert chooser.looks().version == 0


def test_frames_of_a_clip_are_those_of_its_footage(chooser: Chooser) -> None:
    other = chooser.also_cut(first_frame=50, last_frame=75)
    assert [(one.number, one.first, one.last) for one in other.looks().somebody] == [(1, 0, 24), (2, 0, 24)]
    other.takes(Place(0, 3, Box(1, 1, 20, 20)))
    other.takes(Mute(2, 10))
    chosen = other.looks().state.choices
    assert chosen.regions[0].keyframes[0].frame == 53
    assert chosen.mutes == ((52, 60),)


def test_choices_among_other_faces_no_longer_count(chooser: Chooser) -> None:
    chooser.takes(Keep(1, chooser.family.mother.id))
    chooser.finds(right_from=6)
    seen = chooser.looks()
    assert seen.started_over
    assert seen.state.persons == frozenset()


def test_who_was_kept_by_number_is_nobody_once_the_numbers_mean_others(
    chooser: Chooser, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooser.takes(Keep(1, chooser.family.mother.id))
    assert [one.still for one in chooser.looks().somebody] == [0, 1]
    monkeypatch.setattr("redaction.found.follow", numbered_otherwise)
    monkeypatch.setattr("redaction.found._remembered", OrderedDict())  # it is another process
    seen = chooser.looks()
    assert seen.started_over
    assert seen.state.persons == frozenset()
    assert [one.still for one in seen.somebody] == [None, None], "the stills were drawn in the order of then"
    (told,) = chooser.also_cut(first_frame=0, last_frame=20).looks().beside
    assert told.state is None, "nor can another clip begin from them"
    chooser.takes(Keep(2, chooser.family.child))
    assert chooser.looks().state.persons == {chooser.family.child}
    monkeypatch.undo()
    assert chooser.looks().state.persons == frozenset()


def test_only_the_familys_guider_chooses(chooser: Chooser) -> None:
    staff = chooser.family.staff
    for stranger in (staff.colleague, chooser.family.mother, staff.administrator):
        with pytest.raises(NotFound):
            chooser.looks(actor=stranger.actor)
        with pytest.raises(NotFound):
            chooser.takes(Keep(1, chooser.family.child), actor=stranger.actor)
        with pytest.raises(NotFound):
            chooser.begins(ClipId(new_id()), looked_at=1, actor=stranger.actor)
    with pytest.raises(Refused, match="not_the_guider"):
        chooser.looks(actor=staff.social_worker.actor)
    for foreign in (new_id(), "", "x"):
        with pytest.raises(NotFound):
            chooser.looks(clip_id=ClipId(foreign))


def test_nothing_can_be_chosen_before_faces_are_found(cinema: Cinema) -> None:
    with pytest.raises(Conflict, match="faces_not_found_yet"):
        Chooser(cinema).looks()


def test_nothing_is_chosen_for_a_clip_that_is_out_of_use(chooser: Chooser, db: Database) -> None:
    with db.begin() as session:
        row = session.get_one(RenditionRow, chooser.cinema.clip.rendition_id)
        row.state = type(row.state).WITHDRAWN_FROM_USE
    with pytest.raises(Conflict, match="film_not_in_use"):
        chooser.takes(Cover(1), looked_at=0)


def test_what_is_chosen_lies_sealed_in_the_database(chooser: Chooser, db: Database) -> None:
    chooser.takes(Keep(1, chooser.family.mother.id))
    with db.read() as session:
        sealed = session.get_one(ChoicesRow, chooser.clip_id).choices
    assert sealed
    assert chooser.family.mother.id.encode() not in sealed


def test_a_face_that_was_seen_once_and_badly_is_a_moment_at_which_to_look(chooser: Chooser) -> None:
    found = two_people()
    first = chooser.looks().clip.first_frame
    frame = next(one for one in sorted(found.looked) if one > first)
    looked = {**found.looked, frame: (*found.looked[frame], Face(70.0, 90.0, 12.0, 15.0, 0.25))}
    cinema = chooser.cinema
    blink = replace(found, looked=looked)
    add_detections(cinema.db, cinema.keystore, cinema.store, cinema.family, chooser.footage_id, blink)
    (doubt,) = [one for one in chooser.looks().look_here if one.kind is LookKind.UNSURE]
    assert (doubt.frame, doubt.number, doubt.kept) == (frame - first, None, False)
    assert [line["text"] for line in look_lines((doubt,), rate=25)] == ["Something like a face was hardly seen"]


def test_what_happens_to_several_at_once_is_one_moment_and_so_is_half_a_second_of_a_crowd() -> None:
    def coming(frame: int, number: int) -> LookHere:
        return LookHere(frame, LookKind.BIRTH, number, kept=number == 3)

    at_once = tuple(coming(10, number) for number in (1, 2, 3))
    assert [line["text"] for line in look_lines(at_once, rate=25)] == [
        "Person 3 appears, and stays visible. People 1 and 2 appear"
    ]
    lines = look_lines(tuple(coming(frame, 1) for frame in range(600)), rate=24)
    assert [line["frame"] for line in lines] == list(range(0, 600, 12)), "none is left out"
    assert lines[0]["text"] == "Person 1 appears. Go on to 0:00.46"
