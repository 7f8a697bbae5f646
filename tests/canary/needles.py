"""What must not be found: values in every form in which a program writes them down, and a search for thousands at once.

Each pattern's first four bytes are marked in a table of 16 million bits; a look at data is then one table look-up for
each byte, and only where the table says so are the bytes compared.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

import numpy as np
import numpy.typing as npt

WINDOW, STRIDE, FEWEST_KINDS = 32, 512, 26
_BITS, _FACTOR = 24, np.uint32(2654435761)
_HEAD = 4
SHORTEST = 7


@dataclass(slots=True)
class Needles:
    """Patterns by the name of what they betray. Add as they become known; ``find`` says which are in some data."""

    _names: dict[bytes, str] = field(default_factory=dict)
    _by_head: dict[bytes, list[bytes]] = field(default_factory=dict)
    _table: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1 << _BITS, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self._names)

    def text(self, name: str, value: str) -> None:
        """A word, as UTF-8, UTF-16, JSON's and an address's escapes, base64 and hex."""
        plain = value.encode()
        forms = {plain, plain.lower(), plain.upper(), value.encode("utf-16-le"), value.encode("utf-16-be")}
        forms |= {json.dumps(value)[1:-1].encode(), quote(value).encode(), quote_plus(value).encode()}
        self._add(name, forms | set(_encoded(plain)))

    def key(self, name: str, value: bytes) -> None:
        """A key, raw and encoded."""
        self._add(name, {value, *_encoded(value)})

    def film(self, name: str, content: bytes) -> None:
        """Bytes of a film or picture: a window every half a kilobyte, but none that any film has (words, silence)."""
        windows = (content[at : at + WINDOW] for at in range(0, len(content) - WINDOW + 1, STRIDE))
        self._add(name, {window for window in windows if len(set(window)) >= FEWEST_KINDS})

    def find(self, data: bytes) -> set[str]:
        """The names of what is in the data."""
        return {self._names[pattern] for at in self._candidates(data) for pattern in self._at(data, at)}

    def _add(self, name: str, patterns: Iterable[bytes]) -> None:
        new = [pattern for pattern in patterns if pattern not in self._names]
        for pattern in new:
            assert len(pattern) >= SHORTEST, f"{name} is too short to be told from chance"
            self._names[pattern] = name
            self._by_head.setdefault(pattern[:_HEAD], []).append(pattern)
        self._table[_places(np.frombuffer(b"".join(pattern[:_HEAD] for pattern in new), dtype="<u4"))] = True

    def _candidates(self, data: bytes) -> Iterator[int]:
        for shift in range(_HEAD):
            count = (len(data) - shift) // _HEAD
            if count > 0:
                heads = np.frombuffer(data, dtype="<u4", count=count, offset=shift)
                for at in np.flatnonzero(self._table[_places(heads)]):
                    yield int(at) * _HEAD + shift

    def _at(self, data: bytes, at: int) -> Iterator[bytes]:
        for pattern in self._by_head.get(data[at : at + _HEAD], ()):
            if data.startswith(pattern, at):
                yield pattern


def _places(heads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (heads * _FACTOR) >> np.uint32(32 - _BITS)


def _encoded(value: bytes) -> Iterator[bytes]:
    """Hex, and base64 at each of its three alignments, without the characters that the neighbours decide."""
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + value)
        first = (before * 8 + 5) // 6
        last = (before + len(value)) * 8 // 6
        yield whole[first:last]
        yield whole[first:last].replace(b"+", b"-").replace(b"/", b"_")
