"""What an error page says: a heading, a sentence, and what to do next.

Staff read what happened; a family never reads anything about their case there, and is never blamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.pages.words import count
from core import errors

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
SEALED = frozenset({"keys_unavailable", "sealed"})
"""Codes of a service whose keys aren't open."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the page says.

    Attributes:
        heading: of the page.
        sentence: what happened; empty where the error's own sentence is to be shown.
        advice: what to do next.
    """

    heading: str
    sentence: str
    advice: str


_NOTHING_DONE = "Nothing was changed."
_STAFF = {
    401: Said("Please sign in", "", "Sign in, then open the page again."),
    403: Said(
        "You can't do that",
        "",
        f"{_NOTHING_DONE} If you should be able to do it, ask your manager.",
    ),
    404: Said(
        "Page not found",
        "There is nothing here for you. The address may be wrong or old, or what was here is gone or not yours to see.",
        "If you typed the address, check it. If you pasted it, check that you copied all of it.",
    ),
    405: Said(
        "That page can't be used in this way",
        "It can't be opened by its address alone, or its form was sent to the wrong place.",
        "Go back, and press the button on the page again.",
    ),
    409: Said("Something has changed", "", "Go back, look at the page anew, and try again if you still want to."),
    413: Said("That is too much at once", "", f"{_NOTHING_DONE} Send less, or send it in parts."),
    429: Said("Too many tries", "", _NOTHING_DONE),
    500: Said(
        "Sorry, something went wrong",
        "It is our fault, not yours. We have noted it.",
        "Try again. Look first whether what you did was saved.",
    ),
    503: Said("Sorry, the service isn't working just now", "", f"{_NOTHING_DONE} Films that had arrived are safe."),
    507: Said("Sorry, there is no room just now", "", "What had arrived is safe. Tell your administrator."),
}
_SEALED = Said(
    "The service is locked just now",
    "Its keys aren't open, so no film, name or record can be opened.",
    "Nothing is lost. Your administrator has to unlock it.",
)
_AT_HOME = {
    401: Said("Please sign in", "You were signed out.", "Sign in again. What you saved is kept."),
    403: Said("This page isn't for you", "You can't open this page.", "Nothing was changed."),
    404: Said("Page not found", "There is nothing here.", "The link may be old, or not all of it was copied."),
    405: Said("Page not found", "This page can't be opened like this.", "Go back to your clips and try again."),
    409: Said("Something has changed", "", "Go back to your clips and look again."),
    413: Said("That is too much", "That was too long for this page.", "Nothing was changed. Please write less."),
    429: Said("Please wait a bit", "That was tried too many times.", "Nothing was changed."),
}
_WRONG = Said("Please check what you typed", "", "Go back and try again.")
_WRONG_AT_HOME = Said("That didn't work", "", "Go back and try again.")
_SORRY_AT_HOME = Said(
    "Sorry, this isn't working",
    "This is not your fault.",
    "What you saved is kept. To stop sharing now, phone us or tell any worker.",
)


def for_staff(error: errors.VaultError, *, status: int) -> Said:
    """What a member of staff, or nobody in particular, reads."""
    if error.code in SEALED:
        return _SEALED
    return _with_wait(_STAFF.get(status, _STAFF[503] if status >= 500 else _WRONG), error)  # noqa: PLR2004 - server's own


def for_family(error: errors.VaultError, *, status: int) -> Said:
    """What somebody at home reads."""
    if status >= 500:  # noqa: PLR2004 - ours, whatever it is
        return _SORRY_AT_HOME
    return _with_wait(_AT_HOME.get(status, _WRONG_AT_HOME), error)


def wait(length: timedelta) -> str:
    """How long to wait, rounded up: ``a minute``, ``15 minutes``, ``2 hours``."""
    minutes = -(-length // _MINUTE)
    if minutes <= 1:
        return "a minute"
    return count(minutes, "minute") if length < _HOUR else count(-(-length // _HOUR), "hour")


def _with_wait(said: Said, error: errors.VaultError) -> Said:
    if isinstance(error, errors.RateLimited | errors.Unavailable) and not isinstance(error, errors.OutOfRoom):
        return Said(said.heading, said.sentence, f"{said.advice} Try again in {wait(error.retry_after)}.")
    return said
