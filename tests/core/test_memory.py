"""Memory that begins where the system copies quickly."""

from __future__ import annotations

import ctypes

import pytest

from core.memory import aligned, roomy


@pytest.mark.parametrize("size", [1, 63, 64, 65, 256 * 1024])
def test_aligned_memory_begins_at_a_cache_line_and_has_the_size_that_was_asked_for(size: int) -> None:
    buffer = roomy(size)
    view = aligned(buffer)
    assert (len(view), view.readonly) == (size, False)
    assert ctypes.addressof(ctypes.c_char.from_buffer(view)) % 64 == 0
    with pytest.raises(BufferError):
        buffer.pop()
    view.release()
    buffer.pop()
