"""Detections of films that nobody filmed: faces that walk in straight lines, seen at every so manyth frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from media.detections import Detections, Face

WIDTH, HEIGHT, FPS = 1280, 720, Fraction(25)


@dataclass(frozen=True)
class Walker:
    """Somebody whose face is ``size`` wide and moves by (dx, dy) a frame, from (x, y) in frame ``first``."""

    x: float
    y: float
    dx: float = 0
    dy: float = 0
    first: int = 0
    last: int = 10_000
    size: float = 60
    score: float = 0.8

    def face(self, frame: int) -> Face:
        steps = frame - self.first
        return Face(self.x + self.dx * steps, self.y + self.dy * steps, self.size, 1.25 * self.size, self.score)


def film(
    *walkers: Walker,
    frames: int = 60,
    step: int = 3,
    cuts: Iterable[int] = (),
    seen: Callable[[int, int], bool] = lambda _walker, _frame: True,
) -> Detections:
    """What a detector that looks at every ``step``-th frame, and the last, sees of walkers; ``seen`` may hide some."""
    looked = {
        frame: tuple(
            walker.face(frame)
            for number, walker in enumerate(walkers)
            if walker.first <= frame <= walker.last and seen(number, frame)
        )
        for frame in sorted({*range(0, frames, step), frames - 1})
    }
    return Detections(WIDTH, HEIGHT, FPS, frames, looked, tuple(cuts))


_faces = st.builds(
    Face,
    st.floats(0, 1200, width=32),
    st.floats(0, 650, width=32),
    st.floats(8, 200, width=32),
    st.floats(8, 200, width=32),
    st.floats(0.25, 1, width=32),
)


@st.composite
def any_film(draw: st.DrawFn) -> Detections:
    """Anything at all that a detector may say of a short film: faces from nowhere beside some who walk."""
    frames = draw(st.integers(1, 24))
    walkers = draw(
        st.lists(
            st.builds(
                Walker,
                st.floats(0, 1000),
                st.floats(0, 500),
                st.floats(-40, 40),
                st.floats(-20, 20),
                st.integers(0, 10),
                st.integers(10, 24),
                st.floats(20, 120),
                st.floats(0.25, 1),
            ),
            max_size=3,
        )
    )
    base = film(*walkers, frames=frames, step=draw(st.integers(1, 3)))
    looked = {frame: (*faces, *draw(st.lists(_faces, max_size=1))) for frame, faces in base.looked.items()}
    cuts = draw(st.sets(st.integers(1, frames - 1), max_size=2)) if frames > 1 else set()
    return Detections(WIDTH, HEIGHT, FPS, frames, looked, tuple(sorted(cuts)))
