"""Memory that is used again, but never while anybody looks at it.

Fresh memory for each piece of a film costs about as much as opening it. Whoever hands out a view can't know when the
last reader is done with it (a transport keeps what it couldn't send yet), so that isn't guessed: Python refuses to
change the length of a ``bytearray`` for as long as there is any view of it, and this refusal is what is asked for.
"""

from __future__ import annotations

from core.memory import aligned, roomy


class Spare:
    """Buffers of one length; not for several threads at once.

    Args:
        size: bytes of each.
        most: how many are kept; who looks at more of them at once gets buffers that aren't kept.
    """

    def __init__(self, size: int, *, most: int) -> None:
        self._size, self._most = size, most
        self._kept: list[bytearray] = []

    def view(self) -> memoryview:
        """A view of a buffer that nobody else looks at; it stays yours until this view and all made of it are gone."""
        for buffer in self._kept:
            if _is_free(buffer):
                return aligned(buffer)
        buffer = roomy(self._size)
        if len(self._kept) < self._most:
            self._kept.append(buffer)
        return aligned(buffer)


def _is_free(buffer: bytearray) -> bool:
    try:
        last = buffer.pop()
    except BufferError:
        return False
    buffer.append(last)
    return True
