"""Passwords of staff and passcodes of family devices: what is accepted, and how they are kept (Argon2id).

No rule asks for digits or signs (NIST SP 800-63B, section 3.1.1.2; OWASP ASVS 6.2.5): length, and not one of the words
that everybody tries first. A passcode is short because it only opens one bound device, which locks itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from core.errors import Invalid
from core.secret import Secret

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
SHORTEST_PASSCODE = 6
LONGEST_PASSCODE = 12
MOST_LETTERS_BESIDES = 2
"""A password of known words with no more letters than this besides is refused."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
"""OWASP Password Storage Cheat Sheet, Argon2id: a try costs about 40 ms and 19 MiB."""
_NOBODY = _HASHER.hash("nobody has this password")

SHORTEST_KNOWN = 3
"""Shorter parts of a name or address are no words to look for."""

_WORDS = """
    password passwort passw0rd passphrase letmein welcome changeme qwerty qwertyuiop qwertyui azerty asdfghjkl zxcvbnm
    iloveyou sunshine princess football liverpool arsenal chelsea monkey dragon master superman batman starwars
    trustno1 whatever computer internet secret admin administrator login default temp temporary staff
    spring summer autumn winter january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday london england wales cymru council children services
    family families safeguarding socialworker socialwork guider supervisor manager vig vault vigvault video
    interaction guidance abc abcd abcdef abcdefgh
"""
_COMMON = frozenset(_WORDS.split())
_LEET = str.maketrans("0134578@$!", "oieastbasi")


def check_password(password: Secret[str], *, context: Iterable[str] = ()) -> None:
    """Refuse a password that is too short or that everybody would try first.

    Args:
        password: as typed.
        context: words about its owner (name, email), each refused as the heart of the password too.

    Raises:
        Invalid: ``password_form``, ``password_too_short``, ``password_too_long``, ``password_too_common``.
    """
    text = _folded(password)
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
        raise Invalid("password_form", "Use letters, digits, signs and spaces only.", field="password")
    if len(text) < SHORTEST_PASSWORD:
        raise Invalid(
            "password_too_short",
            f"Use at least {SHORTEST_PASSWORD} characters. Three words work well.",
            field="password",
        )
    if len(text) > LONGEST_PASSWORD:
        raise Invalid("password_too_long", f"Use at most {LONGEST_PASSWORD} characters.", field="password")
    known = _COMMON | {part for word in context for part in _parts(word)}
    if _is_common(text, known):
        raise Invalid(
            "password_too_common", "Many people would try that password first. Use another.", field="password"
        )


def check_passcode(passcode: Secret[str]) -> None:
    """Refuse a passcode that isn't 6 to 12 digits, or is a run or a repetition.

    Raises:
        Invalid: ``passcode_form``, ``passcode_too_easy``.
    """
    check_passcode_form(passcode)
    if _is_pattern(passcode.reveal()):
        raise Invalid("passcode_too_easy", "That is too easy to guess. Use other numbers.", field="passcode")


def check_passcode_form(passcode: Secret[str]) -> None:
    """Refuse what can't be a passcode, whoever's. It isn't counted as a try: it could never have been right.

    Raises:
        Invalid: ``passcode_form``.
    """
    if not re.fullmatch(rf"[0-9]{{{SHORTEST_PASSCODE},{LONGEST_PASSCODE}}}", passcode.reveal()):
        raise Invalid(
            "passcode_form",
            f"Use {SHORTEST_PASSCODE} to {LONGEST_PASSCODE} numbers, with no spaces or other signs.",
            field="passcode",
        )


def hashed(secret: Secret[str]) -> str:
    """Argon2id of a password or passcode, in PHC form."""
    return _HASHER.hash(_folded(secret))


def matches(secret: Secret[str], kept: str | None) -> bool:
    """Whether it is the one that was kept. Takes as long where nothing is kept, so that time tells no account."""
    text = _folded(secret)
    if len(text) > LONGEST_PASSWORD:
        return False
    try:
        right = _HASHER.verify(kept or _NOBODY, text)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return right and kept is not None


def _folded(secret: Secret[str]) -> str:
    """One form for what looks the same, whichever keyboard wrote it (NFKC)."""
    return unicodedata.normalize("NFKC", secret.reveal())


def _parts(word: str) -> list[str]:
    return [
        part
        for part in re.split(r"[^a-z]+", unicodedata.normalize("NFKC", word).casefold())
        if len(part) >= SHORTEST_KNOWN
    ]


def _is_common(text: str, known: Iterable[str]) -> bool:
    """Whether hardly a letter is left once known words, digits and signs are taken away."""
    if _is_pattern(text):
        return True
    longest_first = sorted(known, key=len, reverse=True)
    for spelling in (text.casefold(), text.casefold().translate(_LEET)):
        rest = spelling
        for word in longest_first:
            rest = rest.replace(word, " ")
        if len(re.sub(r"[\W\d_]+", "", rest)) <= MOST_LETTERS_BESIDES:
            return True
    return False


def _is_pattern(text: str) -> bool:
    """Whether it is one short piece repeated, or a run up or down."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    if steps in ({1}, {-1}, {0}):
        return True
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, min(4, len(text) // 2 + 1)))
