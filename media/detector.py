"""What the detector is told, and whether it is there: for the parent; the detector itself is ``media.detect``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from media.jobs import Detect
from media.orders import Shape

MODEL = Path(__file__).resolve().parent / "model" / "centerface.onnx"
"""The build hook puts it there."""


@dataclass(frozen=True, slots=True)
class Order:
    """For the detector, which has no line: it gets frames, and gives bytes of ``media.detections``.

    Attributes:
        width, height: of the frames that it gets, in pixels.
        film_width, film_height: of the film, in whose pixels it answers.
        rate: frames a second.
        step: it looks at every so manyth frame at least.
        threads: for looking.
    """

    width: int
    height: int
    film_width: int
    film_height: int
    rate: tuple[int, int]
    step: int
    threads: int

    @classmethod
    def of(cls, shape: Shape, *, job: Detect, threads: int) -> Order:
        """From what the decoder will emit."""
        rate = (shape.rate.numerator, shape.rate.denominator)
        film = (shape.film_width, shape.film_height)
        return cls(shape.width, shape.height, *film, rate, step=job.step, threads=threads)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Order:
        """From JSON."""
        return cls(**json.loads(text))

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return Fraction(*self.rate)


def is_there() -> bool:
    """Whether the model was put in when the package was built."""
    return MODEL.is_file()
