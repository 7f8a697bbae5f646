"""Nobody is shown who wasn't chosen: blurred unless kept, and covers are only ever added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged, Invalid
from media.covers import Cover, Covers, CoverShape, CoverStyle
from media.detections import Detections, Face
from redaction import Box, Choices, Keyframe, Region, Split, people, plan, tracks
from redaction.found import understood
from redaction.track import Track, follow
from tests.redaction.films import Walker, any_film, film

HERE = Walker(100, 200)
THERE = Walker(900, 300)


def whole(found: Detections, choices: Choices) -> Covers:
    return plan(found, choices, first_frame=0, last_frame=found.frames)


def covers(cover: Cover, face: Face) -> bool:
    """Whether a cover hides a face, corner to corner."""
    corners = [(x, y) for x in (face.x, face.x + face.width) for y in (face.y, face.y + face.height)]
    if cover.shape is CoverShape.BOX:
        return all(cover.x <= x <= cover.x + cover.width and cover.y <= y <= cover.y + cover.height for x, y in corners)
    across, down = cover.width / 2, cover.height / 2
    return all(((x - cover.x - across) / across) ** 2 + ((y - cover.y - down) / down) ** 2 <= 1 for x, y in corners)


def hides(made: Covers, frame: int, face: Face) -> bool:
    return any(covers(cover, face) for cover in made.at(frame))


def faces_of(found: Detections, tracked: tuple[Track, ...]) -> Iterator[tuple[int, Face]]:
    """Every face that was seen of some people."""
    for track in tracked:
        for one in track.sightings:
            for face in found.looked.get(one.frame, ()):
                box = one.box
                if abs(face.x + face.width / 2 - box.x - box.width / 2) < 0.01 and box.width >= face.width - 0.01:
                    yield one.frame, face


def test_when_nobody_is_kept_everybody_is_covered_in_every_frame() -> None:
    made = whole(film(HERE, THERE), Choices())
    for frame in range(60):
        assert hides(made, frame, HERE.face(frame))
        assert hides(made, frame, THERE.face(frame))


def test_whoever_is_kept_is_shown_and_nobody_else() -> None:
    made = whole(film(HERE, THERE), Choices(kept=frozenset({1})))
    for frame in range(60):
        assert not hides(made, frame, HERE.face(frame))
        assert hides(made, frame, THERE.face(frame))


def test_a_kept_face_takes_nothing_from_the_cover_of_the_one_beside_it() -> None:
    near = Walker(150, 210)
    found = film(HERE, near)
    alone = whole(found, Choices(kept=frozenset({1, 2})))
    made = whole(found, Choices(kept=frozenset({1})))
    assert not any(alone)
    assert all(hides(made, frame, near.face(frame)) for frame in range(60))


def test_a_head_beside_somebody_who_is_kept_is_covered_as_far_as_their_face_and_no_farther() -> None:
    near = Walker(190, 200)
    found = film(HERE, near)
    covered = whole(found, Choices())
    made = whole(found, Choices(kept=frozenset({1})))
    mine = HERE.face(30)
    middle = Face(mine.x, mine.y + mine.height / 3, mine.width, mine.height / 3, 1)
    assert len(covered.at(30)) == 2
    assert all(hides(made, frame, near.face(frame)) for frame in range(60))
    assert all(cover.x >= middle.x + middle.width for cover in made.at(30))


@pytest.mark.parametrize("score", [0.2, 0.25])
def test_what_was_hardly_seen_beside_somebody_well_seen_goes_with_them_only_if_nothing_else_speaks_for_it(
    score: float,
) -> None:
    """A score up to the detector's threshold counts only because of whoever was well seen there."""
    ear = Walker(140, 210, size=30, score=score, first=30, last=30)
    found = film(HERE, ear)
    assert hides(whole(found, Choices()), 30, ear.face(30))
    assert hides(whole(found, Choices(kept=frozenset({1}))), 30, ear.face(30)) is (score > 0.2)


def test_whoever_goes_unseen_beside_somebody_kept_is_covered_but_for_the_others_face() -> None:
    other = Walker(130, 200, last=12)
    found = film(HERE, other)
    made = whole(found, Choices(kept=frozenset({1})))
    assert hides(made, 14, other.face(12))
    assert made.at(16)
    assert not any(hides(made, 16, HERE.face(16)) for _ in made.at(16))
    assert all(cover.x >= HERE.face(16).x + HERE.face(16).width for cover in made.at(16))


def test_one_box_over_two_faces_does_not_uncover_whoever_has_none_of_their_own_any_more() -> None:
    """While one is half behind the other the detector may see one large face: it isn't the kept one's alone."""
    kept, other = Walker(400, 200), Walker(450, 220, last=30)
    base = film(kept, other)
    both = Face(395, 190, 120, 110, 0.8)
    for frames in (range(33, 60), range(33, 37)):
        looked = {frame: (both,) if frame in frames else faces for frame, faces in base.looked.items()}
        made = whole(replace(base, looked=looked), Choices(kept=frozenset({1})))
        assert all(hides(made, frame, other.face(30)) for frame in range(37))


def test_whoever_is_first_seen_in_a_box_over_two_faces_does_not_uncover_who_was_there_before() -> None:
    other = Walker(450, 220, last=30)
    base = film(other)
    late = Face(405, 165, 110, 140, 0.8)
    looked = {frame: (late,) if frame >= 33 else faces for frame, faces in base.looked.items()}
    found = replace(base, looked=looked)
    assert len(tracks(found)) == 2
    made = whole(found, Choices(kept=frozenset({2})))
    assert all(hides(made, frame, other.face(30)) for frame in range(37))


def test_a_box_over_two_faces_stays_one_though_the_other_had_a_box_of_their_own_within_it() -> None:
    kept, other = Walker(380, 180, size=120), Walker(430, 220, size=50, last=30)
    made = whole(film(kept, other), Choices(kept=frozenset({1})))
    assert all(hides(made, frame, other.face(30)) for frame in range(37))


def test_whoever_goes_behind_somebody_kept_gives_way_to_them_if_both_were_seen_apart() -> None:
    kept, other = Walker(400, 200), Walker(475, 200, dx=-1, last=30)
    made = whole(film(kept, other), Choices(kept=frozenset({1})))
    assert not any(hides(made, frame, kept.face(frame)) for frame in range(60))


def test_a_stray_is_covered_even_if_everybody_is_kept() -> None:
    stray = Walker(900, 500, first=30, last=30, score=0.3)
    made = whole(film(HERE, stray), Choices(kept=frozenset({1})))
    assert hides(made, 30, stray.face(30))


@given(any_film())
@settings(max_examples=60, deadline=None)
def test_with_nobody_kept_every_face_that_was_seen_is_under_a_cover(found: Detections) -> None:
    made = whole(found, Choices())
    for frame, faces in found.looked.items():
        assert all(hides(made, frame, face) for face in faces)


@st.composite
def films_and_choices(draw: st.DrawFn) -> tuple[Detections, Choices]:
    found = draw(any_film())
    parted: list[Split] = []
    numbers = [track.number for track in tracks(found)]
    for track in tracks(found):
        if track.last > track.first and draw(st.booleans()):
            parted.append(Split(track.number, draw(st.integers(track.first + 1, track.last))))
            numbers.append(len(numbers) + 1)
    if not numbers:
        return found, Choices()
    some = st.frozensets(st.sampled_from(numbers), max_size=4)
    return found, Choices(kept=draw(some), merged=tuple(draw(st.lists(some, max_size=2))), split=tuple(parted))


@given(films_and_choices())
@settings(max_examples=80, deadline=None)
def test_whatever_is_parted_and_merged_every_face_of_who_is_not_kept_is_under_a_cover(
    both: tuple[Detections, Choices],
) -> None:
    found, choices = both
    made = whole(found, choices)
    for person in people(tracks(found), choices):
        if not person.kept:
            for frame, face in faces_of(found, person.parts):
                assert hides(made, frame, face)


@given(films_and_choices(), st.data())
@settings(max_examples=60, deadline=None)
def test_keeping_somebody_more_uncovers_no_face_that_was_seen_of_anybody_else(
    both: tuple[Detections, Choices], data: st.DataObject
) -> None:
    found, choices = both
    fewer = data.draw(st.frozensets(st.sampled_from(sorted(choices.kept)))) if choices.kept else frozenset()
    some, more = (Choices(kept=kept, merged=choices.merged, split=choices.split) for kept in (fewer, choices.kept))
    by_some, by_more = whole(found, some), whole(found, more)
    for person in people(tracks(found), more):
        if not person.kept:
            for frame, face in faces_of(found, person.parts):
                assert hides(by_some, frame, face)
                assert hides(by_more, frame, face)
    for stray in follow(found).strays:
        for frame, face in faces_of(found, (stray,)):
            assert hides(by_more, frame, face)


@given(films_and_choices())
@settings(max_examples=30, deadline=None)
def test_taking_the_last_parting_back_gives_what_was_before(both: tuple[Detections, Choices]) -> None:
    found, choices = both
    followed = tracks(found)
    before = Choices(split=choices.split[:-1])
    assert {one.number for one in people(followed, before)} <= {
        one.number for one in people(followed, Choices(split=choices.split))
    }
    assert Choices.from_json(choices.to_json()) == choices


def test_whoever_is_parted_is_covered_from_then_on_and_for_a_moment_before() -> None:
    made = whole(film(HERE), Choices(kept=frozenset({1}), split=(Split(1, 30),)))
    hidden = [frame for frame in range(60) if hides(made, frame, HERE.face(frame))]
    assert hidden == list(range(27, 60))


def test_two_who_are_one_are_kept_by_either_name() -> None:
    found = film(HERE, seen=lambda _, frame: not 12 <= frame <= 40)
    made = whole(found, Choices(kept=frozenset({2}), merged=(frozenset({1, 2}),)))
    assert not any(made)
    (person,) = people(tracks(found), Choices(merged=(frozenset({1, 2}),)))
    assert (person.number, len(person.parts), person.kept) == (1, 2, False)


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        (Choices(kept=frozenset({3})), "person_unknown"),
        (Choices(merged=(frozenset({1, 9}),)), "person_unknown"),
        (Choices(split=(Split(4, 10),)), "person_unknown"),
        (Choices(split=(Split(1, 0),)), "split_outside"),
        (Choices(split=(Split(1, 60),)), "split_outside"),
    ],
)
def test_choices_of_another_film_are_refused(choices: Choices, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        whole(film(HERE, THERE), choices)
    assert caught.value.code == code


def test_only_the_span_is_planned_and_half_of_somebody_at_its_edge_is_covered() -> None:
    found = film(Walker(400, 200, first=9, last=48))
    made = plan(found, Choices(), first_frame=20, last_frame=30)
    assert (made.first_frame, made.last_frame, len(made)) == (20, 30, 10)
    assert all(made)
    with pytest.raises(Invalid, match="beyond_end"):
        plan(found, Choices(), first_frame=20, last_frame=61)


@pytest.mark.parametrize("missing", [range(1), range(30, 33), range(59, 60), range(60)])
def test_where_nobody_looked_nothing_is_shown(missing: range) -> None:
    found = film(HERE)
    looked = {frame: faces for frame, faces in found.looked.items() if frame not in missing}
    broken = Detections(found.width, found.height, found.fps, found.frames, looked, ())
    with pytest.raises(Damaged, match="detections_damaged"):
        whole(broken, Choices())
    with pytest.raises(Damaged, match="detections_damaged"):  # nor does anybody choose first and learn of it then
        understood(broken.to_bytes(), sha256="of a search that says less than all")


def test_a_region_by_hand_moves_evenly_covers_everybody_and_ends_with_its_last_keyframe() -> None:
    region = Region(1, (Keyframe(10, Box(0, 0, 100, 50)), Keyframe(20, Box(200, 100, 100, 50))), CoverShape.BOX)
    made = whole(film(), Choices(regions=(region,), style=CoverStyle.SOLID))
    assert [frame for frame in range(60) if made.at(frame)] == list(range(10, 21))
    assert made.at(15) == (Cover(100, 50, 100, 50, CoverShape.BOX, CoverStyle.SOLID),)


def test_sound_is_muted_within_the_span_only() -> None:
    choices = Choices(mutes=((0, 25), (28, 90), (50, 55)))
    assert plan(film(), choices, first_frame=20, last_frame=30).mutes == ((20, 25), (28, 30))


def test_an_endless_region_costs_no_more_than_the_film() -> None:
    region = Region(1, (Keyframe(0, Box(0, 0, 10, 10)), Keyframe((1 << 31) - 1, Box(0, 0, 10, 10))))
    assert all(whole(film(), Choices(regions=(region,))))


EVERYTHING = Choices(
    kept=frozenset({1, 3}),
    merged=(frozenset({1, 2}),),
    split=(Split(2, 30),),
    regions=(Region(1, (Keyframe(0, Box(1.5, 2, 3, 4)), Keyframe(9, Box(1, 2, 3, 4)))),),
    mutes=((3, 9),),
    style=CoverStyle.SOLID,
    shape=CoverShape.BOX,
)


def test_choices_come_back_as_they_were() -> None:
    assert Choices.from_json(EVERYTHING.to_json()) == EVERYTHING
    assert Choices.from_json(Choices().to_json()) == Choices()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"kept":[1,3]', '"kept":[-1]'),
        ('"kept":[1,3]', '"kept":[true]'),
        ('"kept":[1,3]', '"kept":"1"'),
        ('"kept":[1,3],', ""),
        ("[2,30]", "[2]"),
        ("[3,9]", "[9,3]"),
        ("[0,1.5,", "[0,NaN,"),
        ("[0,1.5,", "[0,1e300,"),
        ("3,4],[9", "0,4],[9"),
        ("[9,", "[0,"),
        ('"solid"', '"Solid"'),
        ('"solid"', '"none"'),
        ('"style":"solid"', '"style":1'),
        ("{", "["),
    ],
)
def test_choices_that_make_no_sense_are_refused(good: str, bad: str) -> None:
    text = EVERYTHING.to_json()
    assert good in text
    with pytest.raises(Invalid, match="choices_unreadable"):
        Choices.from_json(text.replace(good, bad, 1))
