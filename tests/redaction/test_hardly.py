"""What is hardly seen beside somebody goes with them only if nobody else can be there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.detections import Detections
from redaction import Choices
from redaction.track import follow
from tests.redaction.films import Walker, film
from tests.redaction.test_plan import HERE, hides, whole

BEHIND = Walker(HERE.x - 14, HERE.y - 30, first=12, last=24, score=0.25)
"""As large as the face, and as near as the detector lets two boxes be: a face seen twice, or somebody looking out."""


def shown_in(found: Detections, other: Walker) -> list[int]:
    """The frames with a look in which somebody isn't covered if only the first person is kept."""
    made = whole(found, Choices(kept=frozenset({1})))
    there = range(max(0, other.first), min(found.frames - 1, other.last) + 1)
    return [frame for frame in there if frame in found.looked and not hides(made, frame, other.face(frame))]


def test_what_counts_only_because_of_somebody_is_shown_and_covered_with_them() -> None:
    ear = replace(BEHIND, score=0.2)
    found = film(HERE, ear)
    assert shown_in(found, ear) == [12, 15, 18, 21, 24]
    assert not follow(found).strays
    hidden = whole(found, Choices())
    assert all(hides(hidden, frame, ear.face(frame)) for frame in range(12, 25))


@pytest.mark.parametrize(
    "other",
    [
        BEHIND,
        replace(BEHIND, size=40, x=BEHIND.x + 10),
        replace(BEHIND, size=80, x=BEHIND.x - 10),
        replace(BEHIND, x=HERE.x - 45),
        replace(BEHIND, y=HERE.y - 60),
        replace(BEHIND, score=0.29, last=12),
        replace(BEHIND, score=0.45, last=12),
    ],
    ids=[
        "looking out from behind",
        "a child's",
        "one in front",
        "beside",
        "above",
        "as well seen, behind one hardly seen",
        "well seen",
    ],
)
def test_a_face_that_may_be_anybody_elses_is_covered(other: Walker) -> None:
    kept = replace(HERE, score=0.5) if other.score == pytest.approx(0.29) else HERE
    assert shown_in(film(kept, other), other) == []


@pytest.mark.parametrize("speed", [3, 5, 8, 12])
def test_whoever_goes_by_behind_somebody_who_is_kept_is_covered_all_the_way(speed: float) -> None:
    """As large, hardly seen, and for a moment just beside them."""
    other = Walker(HERE.x - 30 * speed, HERE.y - 30, dx=speed, score=0.25)
    assert shown_in(film(HERE, other), other) == []


def test_what_lies_between_two_people_goes_with_neither() -> None:
    other = Walker(HERE.x + 70, HERE.y)
    between = Walker(HERE.x + 35, HERE.y, score=0.25, first=12, last=24)
    beside_one = {12: HERE.x + 25, 15: HERE.x + 45}
    found = film(HERE, other, between)
    moved = {
        frame: tuple(replace(face, x=beside_one.get(frame, face.x)) if face.score < 0.5 else face for face in faces)
        for frame, faces in found.looked.items()
    }
    made = whole(replace(found, looked=moved), Choices(kept=frozenset({1})))
    for frame in range(12, 25, 3):
        (face,) = (one for one in moved[frame] if one.score < 0.5)
        assert hides(made, frame, face)


def test_where_they_are_not_well_seen_themselves_what_is_beside_them_is_covered_throughout() -> None:
    """Then it may be the face, and what was taken for theirs somebody else's."""
    ear = replace(BEHIND, score=0.2)
    found = film(HERE, ear)
    dim = {
        frame: tuple(replace(face, score=0.3) if frame == 18 and face.score > 0.5 else face for face in faces)
        for frame, faces in found.looked.items()
    }
    assert shown_in(replace(found, looked=dim), ear) == []
