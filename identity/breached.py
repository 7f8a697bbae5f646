"""Passwords that were in other services' breaches, from a file that the authority keeps (OWASP ASVS 6.2.12).

Nothing is asked over a network: the file is what *Have I Been Pwned* gives for download, or a part of it. One SHA-1 a
line in hexadecimal, sorted, whatever follows a colon ignored. Of any length: it is searched where it lies.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from core.db import Database
from core.errors import Invalid, Unavailable
from core.secret import Secret

_INFO = "breached_passwords"
_LINE = re.compile(rb"[0-9A-F]{40}")
_LONGEST_LINE = 80


def know_breached(db: Database, *, file: Path) -> None:
    """Have new passwords compared with this file.

    Raises:
        Invalid: ``breach_list_file``: it can't be read, or isn't such a file.
    """
    try:
        first = _line_from(file, 0)
    except OSError:
        first = b""
    if not _LINE.match(first):
        raise Invalid("breach_list_file", "VAULT_BREACH_LIST must be a file of sorted SHA-1 hashes.")
    db.info[_INFO] = file


def check_breached(db: Database, password: Secret[str]) -> None:
    """Refuse a password that stands in the file, where one is set up.

    Raises:
        Invalid: ``password_breached``.
        Unavailable: ``breach_list_unavailable``: the file can't be read now; no password is taken unseen.
    """
    file = db.info.get(_INFO)
    if not isinstance(file, Path):
        return
    wanted = hashlib.sha1(password.reveal().encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        is_there = _is_in(file, wanted)
    except OSError as error:
        raise Unavailable(
            "breach_list_unavailable", "Passwords can't be changed just now. Please tell your administrator."
        ) from error
    if is_there:
        raise Invalid(
            "password_breached", "That password was stolen somewhere else once. Use another.", field="password"
        )


def _is_in(file: Path, wanted: bytes) -> bool:
    """Binary search over bytes: the first line that begins at or after an offset, until none lies between."""
    low, high = 0, file.stat().st_size
    while low < high:
        middle = (low + high) // 2
        line = _line_from(file, middle)
        if line[:40].upper() < wanted and line:
            low = middle + 1
        else:
            high = middle
    return _line_from(file, low)[:40].upper() == wanted


def _line_from(file: Path, offset: int) -> bytes:
    """The first whole line that begins at or after an offset; nothing after the last."""
    with file.open("rb") as lines:
        if offset:
            lines.seek(offset - 1)
            lines.readline(_LONGEST_LINE)
        return lines.readline(_LONGEST_LINE)
