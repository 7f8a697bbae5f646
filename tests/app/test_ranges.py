from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ranges import ByteRange, Unsatisfiable, holds_if, parse

BIG = "9" * 30


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=99-", ByteRange(99, 100)),
        (f"bytes=5-{BIG}", ByteRange(5, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        (f"bytes=-{BIG}", ByteRange(0, 100)),
        ("bytes=0005-00006", ByteRange(5, 7)),
        ("bytes=" + "0" * 40 + "5-6", ByteRange(5, 7)),
        ("BYTES=5-6", ByteRange(5, 7)),
        ("bytes=5-6,", ByteRange(5, 7)),
        ("bytes=, ,5-6 ,", ByteRange(5, 7)),
    ],
)
def test_a_legal_range_is_read_as_the_rfc_says(header: str, expected: ByteRange) -> None:
    assert parse(header, size=100) == expected


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0x1-2", "bytes=٣-٤",
     "bytes=1", "bytes=1-2-3", "bytes=--1", "bytes=1--1", "bytes=+1-2", "bytes=1.0-2", "bytes=1 - 2", "bytes 0-1",
     "bytes=0-1;2-3", "bytes=0-1,x", "bytes=5-4,0-1", "items=0-1", "seconds=0-1", "none", "b\u00e4tes=0-1"],
)  # fmt: skip
def test_what_is_no_range_of_bytes_is_as_if_it_were_not_there(header: str | None) -> None:
    assert parse(header, size=100) is None


@pytest.mark.parametrize(
    "header",
    ["bytes=-0", "bytes=100-", "bytes=100-200", f"bytes={BIG}-", "bytes=0-1,2-3", "bytes=0-,0-", "bytes=0-0,-1",
     "bytes=100-,0-1", "bytes=" + "0-1," * 10_000],
)  # fmt: skip
def test_what_lies_outside_and_several_at_once_are_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(header, size=100)


numbers = st.integers(0, 2**41) | st.integers(0, 10**30)
sizes = st.integers(1, 2**40)


@given(first=numbers, last=st.none() | numbers, size=sizes)
def test_a_range_is_exactly_the_bytes_that_are_asked_for_and_there(first: int, last: int | None, size: int) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert parse(header, size=size) is None
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            parse(header, size=size)
    else:
        assert parse(header, size=size) == ByteRange(first, size if last is None else min(last + 1, size))


@given(count=numbers, size=sizes)
def test_so_many_last_bytes_are_as_many_as_there_are(count: int, size: int) -> None:
    if count == 0:
        with pytest.raises(Unsatisfiable):
            parse("bytes=-0", size=size)
    else:
        assert parse(f"bytes=-{count}", size=size) == ByteRange(max(0, size - count), size)


@given(text=st.text(max_size=40) | st.text("0123456789-, \tbytes=", max_size=40), size=sizes)
def test_no_header_ever_gives_bytes_outside_the_object(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = parse(header, size=size)
        except Unsatisfiable:
            continue
        assert found is None or 0 <= found.start < found.end <= size


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        (None, True),
        ('"abc"', True),
        (' "abc" ', True),
        ('W/"abc"', False),
        ('"abd"', False),
        ("abc", False),
        ('"abc", "abc"', False),
        ("Sun, 22 Nov 2026 19:00:00 GMT", False),
        ("*", False),
        ("", False),
    ],
)
def test_a_range_counts_only_with_the_very_tag(condition: str | None, counts: bool) -> None:  # noqa: FBT001 - expected
    assert holds_if(condition, etag='"abc"') is counts
