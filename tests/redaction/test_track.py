"""Faces in single frames become people; where it isn't sure who is who, they stay two."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from media.detections import Detections
from redaction.track import LookKind, Track, follow, look_here, tracks
from tests.redaction.films import Walker, any_film, film

HERE = Walker(100, 200)
THERE = Walker(900, 300)


def spans(found: Detections) -> list[tuple[int, int]]:
    return [(track.first, track.last) for track in tracks(found)]


def test_somebody_who_stays_is_one_person_in_every_frame() -> None:
    (track,) = tracks(film(HERE))
    assert [one.frame for one in track.sightings] == list(range(60))
    assert [one.frame for one in track.sightings if one.sure] == [*range(0, 60, 3), 59]


def test_a_film_without_faces_has_no_people() -> None:
    assert tracks(film()) == ()


def test_people_are_numbered_by_when_they_come_and_always_alike() -> None:
    found = film(Walker(900, 300, first=12), HERE, Walker(500, 100, first=30))
    assert [(track.number, track.first) for track in tracks(found)] == [(1, 0), (2, 12), (3, 30)]
    assert tracks(Detections.from_bytes(found.to_bytes())) == tracks(Detections.from_bytes(found.to_bytes()))


@pytest.mark.parametrize("speed", [5, 15, 25, 40])
def test_a_fast_walker_is_one_person_and_is_found_between_the_looks(speed: float) -> None:
    walker = Walker(0, 200, dx=speed, size=90)
    (track,) = tracks(film(walker, frames=30))
    for one in track.sightings:
        assert one.box.x == pytest.approx(walker.face(one.frame).x, abs=1)


def test_somebody_who_comes_is_expected_a_little_sooner_and_for_a_little_after_they_go() -> None:
    (track,) = tracks(film(Walker(400, 200, dx=6, first=20, last=40), frames=80))
    assert (track.first, track.last) == (21, 39)
    assert [one.frame for one in track.before] == list(range(15, 21))
    assert [one.frame for one in track.after] == list(range(40, 46))
    earlier = Walker(400, 200, dx=6, first=20).face(18)
    box = track.before[-3].box
    assert box.x <= earlier.x + 1
    assert box.x + box.width >= earlier.x + earlier.width - 1


def test_nobody_is_followed_over_a_cut_nor_expected_beyond_it() -> None:
    found = film(HERE, cuts=(30,))
    assert spans(found) == [(0, 27), (30, 59)]
    first, second = tracks(found)
    assert [one.frame for one in first.after] == [28, 29]
    assert second.before == ()


def test_a_short_while_unseen_is_filled_in_evenly() -> None:
    walker = Walker(100, 200, dx=4)
    (track,) = tracks(film(walker, seen=lambda _, frame: not 12 <= frame <= 18))
    assert [one.frame for one in track.sightings if not one.sure and 9 < one.frame < 21] == list(range(10, 21))
    assert track.sightings[15].box.x == pytest.approx(160)


def test_after_a_long_while_unseen_it_may_be_somebody_else() -> None:
    assert spans(film(HERE, seen=lambda _, frame: not 12 <= frame <= 40)) == [(0, 9), (42, 59)]


def test_two_who_pass_each_other_at_a_distance_stay_themselves() -> None:
    left, right = Walker(100, 100, dx=12), Walker(800, 400, dx=-12)
    one, two = tracks(film(left, right))
    assert one.sightings[-1].box.x == pytest.approx(left.face(59).x, abs=2)
    assert two.sightings[-1].box.x == pytest.approx(right.face(59).x, abs=2)


def test_two_whose_faces_meet_are_never_taken_for_each_other() -> None:
    """Whoever is kept before must not lend their name to the other after."""
    left, right = Walker(200, 200, dx=4), Walker(440, 205, dx=-4)

    def whose(track: Track, frame: int) -> set[int]:
        box = next(one.box for one in track.sightings if one.frame == frame)
        return {at for at, one in enumerate((left, right)) if abs(one.face(frame).x - box.x) < 3}

    for hidden in ((), range(27, 34), range(24, 37)):
        found = film(left, right, seen=lambda who, frame, hidden=hidden: who == 0 or frame not in hidden)
        for track in tracks(found):
            seen = [one.frame for one in track.sightings if one.frame % 3 == 0 and abs(one.frame - 30) > 9]
            assert len(set().union(*(whose(track, frame) for frame in seen))) <= 1


def test_a_face_that_was_seen_once_and_hardly_is_nobody_to_choose_but_a_stray() -> None:
    found = film(HERE, Walker(900, 500, first=30, last=30, score=0.3))
    followed = follow(found)
    assert len(followed.tracks) == 1
    assert [stray.first for stray in followed.strays] == [30]
    assert len(tracks(film(HERE, Walker(900, 500, first=30, last=30, score=0.7)))) == 2


def test_sizes_are_steady_and_never_smaller_than_what_was_seen() -> None:
    base = film(HERE)
    looked = {
        frame: tuple(type(face)(face.x, face.y, face.width + frame % 2 * 20, face.height, face.score) for face in faces)
        for frame, faces in base.looked.items()
    }
    found = Detections(base.width, base.height, base.fps, base.frames, looked, ())
    (track,) = tracks(found)
    for frame, (face,) in looked.items():
        box = track.sightings[frame].box
        assert box.width >= face.width
        assert box.width > 65


@given(any_film())
@settings(max_examples=60, deadline=None)
def test_every_face_that_was_seen_belongs_to_exactly_one_person_or_stray(found: Detections) -> None:
    followed = follow(found)
    everyone = [*followed.tracks, *followed.strays]
    for frame, faces in found.looked.items():
        for face in faces:
            assert any(
                one.box.x <= face.x + 0.01
                and one.box.y <= face.y + 0.01
                and one.box.x + one.box.width >= face.x + face.width - 0.01
                and one.box.y + one.box.height >= face.y + face.height - 0.01
                for track in everyone
                for one in track.sightings
                if one.frame == frame
            )
    for track in everyone:
        frames = [one.frame for one in (*track.before, *track.sightings, *track.after)]
        assert frames == list(range(frames[0], frames[-1] + 1))
        assert not set(found.cuts) & set(frames[1:])
    assert [track.number for track in followed.tracks] == list(range(1, len(followed.tracks) + 1))


def test_a_checker_is_sent_to_who_comes_who_goes_cuts_gaps_and_doubts() -> None:
    found = film(
        Walker(400, 200, first=9, last=48),
        Walker(900, 500, score=0.33),
        cuts=(54,),
        seen=lambda who, frame: not (who == 0 and 18 <= frame <= 24),
    )
    looks = look_here(found, tracks(found))
    assert [(look.kind, look.frame, look.track) for look in looks] == [
        (LookKind.UNSURE, 0, 1),
        (LookKind.BIRTH, 9, 2),
        (LookKind.GAP, 16, 2),
        (LookKind.DEATH, 48, 2),
        (LookKind.UNSURE, 54, 3),
        (LookKind.CUT, 54, None),
    ]


@pytest.mark.parametrize("back_at", [24, 27, 30])
@pytest.mark.parametrize("apart", [80, 120, 160])
def test_whoever_turns_up_beside_somebody_who_turned_away_is_somebody_else(apart: float, back_at: int) -> None:
    """Whoever is kept must not lend their name to whoever sits next to them."""
    found = film(Walker(400, 200, last=20), Walker(400 + apart, 200, first=back_at))
    assert spans(found) == [(0, 18), (back_at, 59)]


def test_whoever_comes_out_from_behind_somebody_who_walks_is_somebody_else() -> None:
    """Their way was known: whoever turns up beside it in the next look isn't they."""
    found = film(Walker(400, 200, dx=5, last=30), Walker(560, 265, first=31))
    assert spans(found) == [(0, 30), (33, 59)]


def test_somebody_filmed_by_a_shaking_hand_at_ten_frames_a_second_is_one_person() -> None:
    """Two looks next to each other say little of where somebody is three frames on; and a tenth of a second is long."""
    base = film(HERE, frames=14)
    heights = {0: 390, 3: 372, 6: 366, 9: 340, 10: 290, 11: 291, 12: 270, 13: 270}
    looked = {frame: (replace(HERE, y=y).face(frame),) for frame, y in heights.items()}
    assert spans(replace(base, looked=looked, fps=Fraction(10))) == [(0, 13)]
