"""A secret as a type whose ``repr`` says nothing, so that no log, traceback or debugger page shows it."""

from __future__ import annotations

import hmac
from typing import Generic, TypeVar

T = TypeVar("T", bytes, str)


class Secret(Generic[T]):
    """Something that must not be printed.

    Args:
        value: the secret itself; ``reveal()`` gives it back where it is used.
    """

    __slots__ = ("_value",)
    _value: T

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The secret. Call it where it is used, and keep nothing."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value, other._value
        if isinstance(mine, str) or isinstance(theirs, str):
            return hmac.compare_digest(str(mine).encode(), str(theirs).encode())
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a secret is never a key of a mapping

    def __reduce__(self) -> str | tuple[object, ...]:
        message = "a secret can't be pickled"
        raise TypeError(message)
