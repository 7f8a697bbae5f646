"""What a detector found is kept in a form that is checked in every field when it comes back."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged
from media.detections import Detections, Face

places = st.floats(-300, 300, width=32)
sides = st.floats(1, 300, width=32)
faces = st.builds(Face, places, places, sides, sides, st.floats(0.125, 1, width=32))
found = st.builds(
    lambda looked, cuts: Detections(320, 180, Fraction(30000, 1001), 75, looked, tuple(sorted(cuts))),
    st.dictionaries(st.integers(0, 74), st.lists(faces, max_size=3).map(tuple), max_size=5),
    st.sets(st.integers(1, 74), max_size=3),
)
GOOD = Detections(320, 180, Fraction(30), 75, {0: (), 3: (Face(10, 20, 30, 40, 0.5),)}, (40,))
HEAD = struct.calcsize(">8sHHIIIII")
FRAME = HEAD + 5
FACE = FRAME + 5


@given(found)
@settings(max_examples=50)
def test_what_was_found_comes_back_as_it_was(one: Detections) -> None:
    assert Detections.from_bytes(one.to_bytes()) == one


@given(st.integers(0, len(GOOD.to_bytes()) - 1))
def test_half_of_it_is_refused(length: int) -> None:
    with pytest.raises(Damaged, match="detections_damaged"):
        Detections.from_bytes(GOOD.to_bytes()[:length])


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        Detections.from_bytes(b"VIGDET01" + data)


@pytest.mark.parametrize(
    ("at", "lie"),
    [
        pytest.param(0, b"VIGDET02", id="another form"),
        pytest.param(8, b"\0\0", id="no width"),
        pytest.param(10, b"\xff\xff", id="far too high"),
        pytest.param(12, bytes(4), id="no rate"),
        pytest.param(16, bytes(4), id="a rate without end"),
        pytest.param(20, b"\x7f\xff\xff\xff", id="years of frames"),
        pytest.param(20, b"\0\0\0\2", id="a face after the last frame"),
        pytest.param(24, b"\0\0\0\x60", id="looked at more frames than there are"),
        pytest.param(FRAME, b"\0\0\0\0", id="the same frame twice"),
        pytest.param(FACE, struct.pack(">f", float("nan")), id="a face nowhere"),
        pytest.param(FACE, struct.pack(">f", 1e6), id="a face far away"),
        pytest.param(FACE + 8, struct.pack(">f", -1), id="a face inside out"),
        pytest.param(FACE + 12, struct.pack(">f", float("inf")), id="an endless face"),
        pytest.param(FACE + 16, struct.pack(">f", 0), id="a face that isn't one"),
        pytest.param(FACE + 20, b"\0\0\0\0", id="a cut before the film"),
        pytest.param(FACE + 20, b"\0\0\0\x4b", id="a cut after it"),
    ],
)
def test_a_field_that_lies_is_refused(at: int, lie: bytes) -> None:
    data = bytearray(GOOD.to_bytes())
    data[at : at + len(lie)] = lie
    with pytest.raises(Damaged, match="detections_damaged"):
        Detections.from_bytes(bytes(data))
