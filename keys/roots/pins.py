"""When a token's PIN may be tried: a service that a service manager starts over and over must not lock the token.

A PIN that was refused is never tried a second time by this process; and where the token itself remembers a wrong one, a
PIN from a file isn't tried at all. A person at a terminal may try, until the last try is left.
"""

from __future__ import annotations

from typing import Any

from core.errors import Refused, Unavailable
from core.secret import Secret
from keys.roots.given import Given, Typed


class Pin:
    """The PIN of one token.

    Args:
        given: where it comes from.
    """

    def __init__(self, given: Given) -> None:
        self._given = given
        self._refused: Secret[str] | None = None

    def read(self, flags: Any, *, meaning: Any) -> Secret[str]:
        """The PIN, if it may be tried.

        Args:
            flags: of the token.
            meaning: names them (``pkcs11.constants.TokenFlag``).

        Raises:
            Refused: ``pin_refused``.
            Unavailable: ``pin_locked``, ``pin_held_back``.
        """
        pin = self._given.read()
        if flags & (meaning.USER_PIN_FINAL_TRY | meaning.USER_PIN_LOCKED):
            raise pin_locked()
        if self._refused == pin:
            raise pin_refused()
        if flags & meaning.USER_PIN_COUNT_LOW and not isinstance(self._given, Typed):
            raise _held_back()
        return pin

    def was_refused(self, pin: Secret[str]) -> None:
        """Never try this one again."""
        self._refused = pin


def pin_refused() -> Refused:
    """The answer to a PIN that isn't the token's."""
    return Refused(
        "pin_refused", "The token refused the PIN. It isn't tried again: a token locks after a few wrong ones."
    )


def pin_locked() -> Unavailable:
    """The answer of a token that takes no more PINs, or one more."""
    return Unavailable(
        "pin_locked", "The token is locked, or has one try left. Its security officer must set the PIN anew."
    )


def _held_back() -> Unavailable:
    return Unavailable(
        "pin_held_back",
        "A wrong PIN was given to the token before, so the one in the file isn't tried. Type it in once, by hand.",
    )
