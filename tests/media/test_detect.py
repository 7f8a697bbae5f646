"""Faces are found in the sandbox, at least in every third frame, and wherever somebody comes, goes or crosses fast."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import Conflict, Invalid, Unavailable
from media import detector, launcher
from media.detections import DETECTIONS, Detections, Face
from media.launcher import Detect, Normalise, run, self_test
from media.spawn import Walls
from tests import clips
from tests.media.helpers import Object, make
from tests.media.visitors import HEIGHT, WIDTH, Visitor, film, pictures

STANDING = Visitor(lambda _: (240, 90))


def found_in(*visitors: Visitor, frames: int = 30) -> Detections:
    made, _ = make(Detect(), Object.of(film(pictures(*visitors, frames=frames))))
    return Detections.from_bytes(made.plain())


def is_found(found: Detections, frame: int, face: Face) -> bool:
    """Whether one of the faces found in a frame is this one: its middle is where the face is."""
    return any(
        abs(one.x + one.width / 2 - face.x - face.width / 2) < face.width / 2
        and abs(one.y + one.height / 2 - face.y - face.height / 2) < face.height / 2
        for one in found.looked[frame]
    )


def missed(found: Detections, visitor: Visitor) -> list[int]:
    """The frames that were looked at, where somebody's whole face was to be seen and wasn't found."""
    return [
        frame
        for frame in found.looked
        if visitor.is_in(frame) and (face := visitor.face(frame)) and not is_found(found, frame, face)
    ]


def test_a_face_is_found_in_the_pixels_of_the_film_and_every_third_frame_is_looked_at() -> None:
    source = Object.of(film(pictures(STANDING, frames=20)))
    told: list[int] = []
    made, result = make(Detect(), source, on_progress=told.append)
    assert (result.media_type, result.width, result.height) == (DETECTIONS, WIDTH, HEIGHT)
    assert (result.fps, result.frames, result.duration_ms, result.has_audio) == (Fraction(25), 20, 0, False)
    found = Detections.from_bytes(made.plain())
    assert (found.width, found.height, found.fps, found.frames) == (WIDTH, HEIGHT, Fraction(25), 20)
    assert set(range(0, 20, 3)) | {19} <= set(found.looked)
    assert missed(found, STANDING) == []
    assert found.cuts == ()
    (face,) = found.looked[0]
    there = STANDING.face(0)
    assert there
    assert face.width == pytest.approx(there.width, rel=0.3)
    assert face.height == pytest.approx(there.height, rel=0.3)


def test_a_film_without_a_face_is_looked_through_and_nothing_is_found() -> None:
    found = found_in(frames=10)
    assert set(found.looked) == {0, 3, 6, 9}
    assert not any(found.looked.values())


def test_who_crosses_fast_is_looked_for_in_every_frame() -> None:
    crosser = Visitor(lambda frame: (-120 + 34 * frame, 90))
    found = found_in(crosser, frames=22)
    assert missed(found, crosser) == []
    there = {frame for frame in range(22) if crosser.is_in(frame)}
    assert there <= set(found.looked)


def test_who_comes_and_goes_is_found_to_the_frame() -> None:
    guest = Visitor(lambda frame: (400, 100) if 8 <= frame < 20 else None)
    found = found_in(STANDING, guest, frames=30)
    assert missed(found, guest) == []
    assert missed(found, STANDING) == []
    assert {7, 8, 19, 20} <= set(found.looked)
    assert found.cuts == ()


def test_a_small_face_is_found_too() -> None:
    child = Visitor(lambda frame: (60 + frame, 200), size=56)
    assert missed(found_in(STANDING, child, frames=12), child) == []


def test_two_who_cross_are_both_found_while_both_are_seen() -> None:
    left, right = Visitor(lambda frame: (40 + 9 * frame, 40)), Visitor(lambda frame: (440 - 9 * frame, 150))
    found = found_in(left, right, frames=40)
    assert missed(found, right) == []
    apart = [frame for frame in missed(found, left) if abs(40 - 440 + 18 * frame) > 120]
    assert apart == []


def test_scenes_are_told_apart_and_both_sides_of_a_cut_are_looked_at() -> None:
    other = Visitor(lambda _: (60, 40))
    scenes = [*pictures(STANDING, frames=10), *pictures(other, frames=10, shade=lambda _: 90)]
    made, _ = make(Detect(), Object.of(film(scenes)))
    found = Detections.from_bytes(made.plain())
    assert found.cuts == (10,)
    assert {9, 10} <= set(found.looked)
    face, other_face = STANDING.face(9), other.face(10)
    assert face
    assert other_face
    assert is_found(found, 9, face)
    assert is_found(found, 10, other_face)


def test_a_phones_film_is_looked_through_as_its_working_copy_is() -> None:
    made, copy = make(Normalise(), Object.of(clips.sideways_mp4()))
    _, of_copy = make(Detect(), made)
    _, of_original = make(Detect(), Object.of(clips.sideways_mp4()))
    assert (of_copy.width, of_copy.height, of_copy.frames) == (copy.width, copy.height, copy.frames)
    assert (of_original.width, of_original.height, of_original.frames) == (copy.width, copy.height, copy.frames)


def test_the_same_film_gives_the_same_detections() -> None:
    source = Object.of(film(pictures(STANDING, Visitor(lambda frame: (20 + 20 * frame, 60)), frames=12)))
    assert make(Detect(), source)[0].plain() == make(Detect(), source)[0].plain()


def test_faces_are_found_where_there_is_no_bubblewrap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = Walls(bubblewrap=None, landlock=True, seccomp=True)
    monkeypatch.setattr(launcher, "_proved", replace(self_test(), walls=walls))
    assert missed(found_in(STANDING, frames=4), STANDING) == []


def test_what_is_no_film_is_refused_as_ever_and_work_can_be_stopped() -> None:
    with pytest.raises(Invalid, match="not_a_film"):
        make(Detect(), Object.of(b"not a film"))
    made = Object()
    source = Object.of(film(pictures(STANDING, frames=10)))
    with pytest.raises(Conflict, match="media_cancelled"):
        run(Detect(), source=source.source(), sink=made.sink(), cancelled=lambda: True)
    assert not made.data


def test_without_the_model_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(detector, "MODEL", tmp_path / "gone")
    with pytest.raises(Unavailable, match="media_model_missing"):
        make(Detect(), Object.of(b""))


@pytest.mark.parametrize(("side", "step"), [(640, 4), (640, 0), (100, 3)])
def test_looking_less_closely_cannot_be_asked_for(side: int, step: int) -> None:
    with pytest.raises(Invalid, match="detect_out_of_bounds"):
        Detect(side, step)


def test_the_pictures_of_these_tests_have_faces_where_they_say() -> None:
    (picture,) = pictures(STANDING, frames=1)
    face = STANDING.face(0)
    assert face
    inside = picture[round(face.y) : round(face.y + face.height), round(face.x) : round(face.x + face.width)]
    red, green, blue = inside.reshape(-1, 3).mean(axis=0)
    assert red > green > blue
    assert np.ptp(inside) > 100
