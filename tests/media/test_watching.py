"""Where looking is put off because nothing seems new, nobody is missed by it; and it is put off.

The one who looks here isn't the network: it knows who is in a picture, and gives those who lie in the part that it is
shown as a whole. So what is tried is only where and when is looked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from media.centerface import NONE, Faces
from media.small import Picture, Rect, Size
from media.watching import Watch
from tests.media.test_changes import HEIGHT, WIDTH, Plane, picture, room, with_face

LONGEST, STEP = 15, 3
WHOLE = (0, 0, WIDTH, HEIGHT)


@dataclass
class Eye:
    """Knows who is in which picture, and writes down where it was made to look.

    Attributes:
        people: each one's box, or nothing, in each frame.
        hardly: likewise, of what it hardly sees.
        shown: pictures so far; they are told apart by what they are.
        looks: frame and part.
    """

    people: Sequence[Callable[[int], tuple[int, int, int] | None]]
    hardly: Sequence[Callable[[int], tuple[int, int, int] | None]] = ()
    shown: list[Picture] = field(default_factory=list)
    looks: list[tuple[int, Rect, Size]] = field(default_factory=list)

    def look(self, picture: Picture, rect: Rect, size: Size, least: float) -> Faces:
        number = next(at for at, one in enumerate(self.shown) if one is picture)
        self.looks.append((number, rect, size))
        places = [(*box, 0.9) for who in self.people if (box := who(number))]
        places += [(*box, 0.15) for what in self.hardly if (box := what(number))]
        left, top, right, bottom = rect
        rows = [
            (x, y, side, side, score)
            for x, y, side, score in places
            if left <= x and x + side <= right and top <= y and y + side <= bottom and side >= 12 * size
        ]
        assert least <= 0.2
        return np.array(rows, np.float64) if rows else NONE


def watched(eye: Eye, planes: Sequence[Plane], *, threads: int = 1) -> Watch:
    watch = Watch(eye.look, step=STEP, longest=LONGEST, threads=threads)
    for number, plane in enumerate(planes):
        eye.shown.append(picture(plane))
        watch.take(number, eye.shown[-1])
    watch.close()
    return watch


def planes_of(eye: Eye, frames: int, *, contrast: Callable[[int], float] = lambda _: 50) -> list[Plane]:
    planes = []
    for number in range(frames):
        plane = room(noise=2, seed=number)
        for who in eye.people:
            if box := who(number):
                plane = with_face(plane, at=box[:2], side=box[2], contrast=contrast(number))
        planes.append(plane)
    return planes


def missed(seen: Mapping[int, Faces], eye: Eye, *, frames: int) -> list[int]:
    """Frames that were looked at in which somebody isn't among those seen, though they were there."""
    return [
        number
        for number in range(frames)
        for who in eye.people
        if number in seen
        and (box := who(number))
        and not any(abs(x - box[0]) < 4 and abs(y - box[1]) < 4 for x, y, *_ in seen[number])
    ]


def test_where_nothing_happens_all_of_it_is_looked_at_now_and_then_and_nothing_in_between() -> None:
    eye = Eye([])
    watch = watched(eye, planes_of(eye, 61))
    assert [number for number, _, _ in eye.looks] == [0, 15, 30, 45, 60]
    assert {rect for _, rect, _ in eye.looks} == {WHOLE}
    assert set(range(0, 61, STEP)) <= set(watch.seen)


def test_somebody_who_stays_is_seen_in_every_third_frame() -> None:
    eye = Eye([lambda _: (100, 60, 40)])
    watch = watched(eye, planes_of(eye, 40))
    assert set(range(0, 40, STEP)) <= set(watch.seen)
    assert missed(watch.seen, eye, frames=40) == []


@pytest.mark.parametrize("first", [16, 17, 18, 20, 28, 29])
@pytest.mark.parametrize("side", [14, 40])
def test_who_turns_up_where_nothing_moved_is_found_to_the_frame(first: int, side: int) -> None:
    eye = Eye([lambda number: (200, 90, side) if number >= first else None])
    watch = watched(eye, planes_of(eye, 45))
    assert missed(watch.seen, eye, frames=45) == []
    assert min(number for number, faces in watch.seen.items() if len(faces)) == first
    assert {first - 1, first} <= set(watch.seen)


def test_who_is_there_between_two_looks_at_everything_only_is_found() -> None:
    eye = Eye([lambda number: (64, 32, 30) if 17 <= number < 24 else None])
    watch = watched(eye, planes_of(eye, 45))
    assert missed(watch.seen, eye, frames=45) == []
    there = {number for number, faces in watch.seen.items() if len(faces)}
    assert (min(there), max(there)) == (17, 23)
    assert {16, 24} <= set(watch.seen)


def test_who_comes_out_of_the_dark_slowly_is_found_while_hardly_to_be_made_out() -> None:
    eye = Eye([lambda number: (96, 64, 32) if number >= 2 else None])
    watch = watched(eye, planes_of(eye, 70, contrast=lambda number: max(0.0, (number - 2) / 3)))
    assert missed(watch.seen, eye, frames=70) == []


def test_who_does_not_seem_new_is_sought_in_the_pictures_before_as_well() -> None:
    eye = Eye([lambda number: (200, 90, 30) if number >= 20 else None])
    watch = watched(eye, [room(noise=2, seed=number) for number in range(40)])  # nothing to be seen of them
    assert {21, 24, 27, 30} <= {number for number, faces in watch.seen.items() if len(faces)}
    assert {19, 20} <= set(watch.seen)
    assert missed(watch.seen, eye, frames=40) == []


def test_the_end_of_a_film_is_looked_at_as_a_whole() -> None:
    eye = Eye([lambda number: (200, 90, 30) if number >= 20 else None])
    watch = watched(eye, [room(noise=2, seed=number) for number in range(26)])
    assert (25, WHOLE, Size.FULL) in eye.looks
    assert {21, 24, 25} <= {number for number, faces in watch.seen.items() if len(faces)}


def test_somebody_small_beside_a_large_face_is_looked_for_at_full_size() -> None:
    small = Eye([lambda number: (240, 90, 16) if number >= 5 else None])
    eye = Eye([lambda number: (20 + 2 * (number % 9), 30, 110), *small.people])
    watch = watched(eye, planes_of(eye, 14))
    assert missed(watch.seen, small, frames=14) == []
    assert any(size is Size.HALF for _, _, size in eye.looks)


def test_who_is_hardly_seen_for_a_moment_counts_and_an_echo_of_who_is_well_seen_does_not() -> None:
    eye = Eye(
        [lambda _: (100, 60, 40), lambda number: (200, 90, 40) if number not in range(13, 17) else None],
        hardly=[lambda _: (108, 66, 32), lambda number: (204, 90, 36) if number in range(13, 17) else None],
    )
    watch = watched(eye, planes_of(eye, 30))
    there = {number: sorted(round(x) for x in faces[:, 0]) for number, faces in watch.seen.items()}
    assert there == {number: [100, 204 if number == 15 else 200] for number in there}


def test_who_is_hardly_seen_where_somebody_was_counts_though_another_is_well_seen_beside_them() -> None:
    """The one beside them is farther from where they were: it isn't an echo."""
    eye = Eye(
        [lambda number: (100, 60, 40) if number < 13 else None, lambda number: (118, 60, 40) if number >= 13 else None],
        hardly=[lambda number: (102, 60, 40) if number >= 13 else None],
    )
    watch = watched(eye, planes_of(eye, 18))
    assert sorted(watch.seen[15][:, 0].tolist()) == [102, 118]


def restless(number: int) -> tuple[int, int, int] | None:
    return (200, 90, 30) if number % 20 > 9 else None


def restless_planes(eye: Eye) -> list[Plane]:
    """Now and then nothing is as it was, so that several looks at all of a picture go on at once."""
    planes = planes_of(eye, 70)
    return [plane // 2 if 25 < number < 45 and number % 2 else plane for number, plane in enumerate(planes)]


def test_it_makes_no_difference_how_many_looks_go_on_at_once() -> None:
    one, three = Eye([restless]), Eye([restless])
    found, as_well = (watched(eye, restless_planes(eye), threads=count) for eye, count in ((one, 1), (three, 3)))
    assert found.cuts == as_well.cuts
    assert {number: faces.tolist() for number, faces in found.seen.items()} == {
        number: faces.tolist() for number, faces in as_well.seen.items()
    }
    assert missed(found.seen, one, frames=70) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_no_picture_is_looked_at_after_it_may_have_been_overwritten(threads: int) -> None:
    eye = Eye([restless])
    watch = Watch(eye.look, step=STEP, longest=LONGEST, threads=threads)
    for number, plane in enumerate(restless_planes(eye)):
        eye.shown.append(picture(plane))
        before = len(eye.looks)
        watch.take(number, eye.shown[-1])
        assert all(number - looked < watch.holds for looked, _, _ in eye.looks[before:])
    watch.close()
