"""The one base of every error that may cross a room's door.

An error carries a *stable code* (for machines and support calls) and a *sentence* (for the person who reads it).
Neither may hold a secret, a name or an address of a file. HTTP status belongs to the ``app`` room only: it maps the
classes below, never single codes.
"""

from __future__ import annotations

from datetime import timedelta


class VaultError(Exception):
    """Base of all errors of this product.

    Args:
        code: stable, lower_snake_case, never reused for another meaning.
        sentence: what happened and what to do next, in the reader's words.
        field: name of the form field that the sentence is about, where there is one.
    """

    def __init__(self, code: str, sentence: str, *, field: str | None = None) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.field = field


class Invalid(VaultError):
    """What was given can't be used: wrong type, out of bounds, end before start."""


class NotSignedIn(VaultError):
    """Nobody is signed in, or the sign-in has ended or lacks a factor."""


class Refused(VaultError):
    """Known and understood, and the answer is no."""


class NotFound(VaultError):
    """It isn't there, or it is none of this person's business: the two look alike on purpose."""


class Conflict(VaultError):
    """The state moved on since the asker looked: wrong offset, stale version, link already used."""


class Gone(Conflict):
    """It was there, and is over for good: asking again never helps."""


class TooLarge(VaultError):
    """Over a bound that was stated beforehand."""


class RateLimited(VaultError):
    """Too many tries.

    Args:
        retry_after: how long to wait.
    """

    def __init__(self, code: str, sentence: str, *, retry_after: timedelta) -> None:
        super().__init__(code, sentence)
        self.retry_after = retry_after


class Unavailable(VaultError):
    """It should have worked and can't now: sealed, busy, out of room. Nothing was done; trying again is safe.

    Args:
        retry_after: when trying again makes sense.
    """

    def __init__(self, code: str, sentence: str, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(code, sentence)
        self.retry_after = retry_after


class OutOfRoom(Unavailable):
    """The disk is full (HTTP 507). What was acknowledged before is safe."""


class Damaged(VaultError):
    """Stored bytes or records fail their authentication. No part of them is given out."""
