from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ranges import ByteRange, Unsatisfiable, parse


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("items=0-1", None),
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        ("BYTES=5-6", ByteRange(5, 7)),
    ],
)
def test_a_legal_range_is_read_as_the_rfc_says(header: str | None, expected: ByteRange | None) -> None:
    assert parse(header, size=100) == expected


@pytest.mark.parametrize(
    "header",
    ["bytes=-0", "bytes=100-", "bytes=5-4", "bytes=", "bytes=-", "bytes=0-1,2-3", "bytes=" + "0-1," * 10_000,
     "bytes=99999999999999999999-", "bytes=a-b", "bytes=0x1-2", "bytes=٣-٤"],
)  # fmt: skip
def test_anything_else_is_refused_simply(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(header, size=100)


@given(st.text(max_size=40), st.integers(min_value=1, max_value=2**40))
def test_no_header_ever_gives_bytes_outside_the_object(text: str, size: int) -> None:
    try:
        found = parse(f"bytes={text}", size=size)
    except Unsatisfiable:
        return
    assert found is not None
    assert 0 <= found.start < found.end <= size
