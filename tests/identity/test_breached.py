"""A password that was in a breach is refused, by a file of any length and without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import identity
from core.db import Database
from core.errors import Invalid, Unavailable
from core.secret import Secret
from identity.breached import check_breached
from tests.identity.test_tries import ON_SQLITE


def line(password: str, *, ending: str = ":3\r\n") -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper() + ending


def is_refused(db: Database, password: str) -> bool:
    try:
        check_breached(db, Secret(password))
    except Invalid as error:
        return error.code == "password_breached"
    return False


@ON_SQLITE
@pytest.mark.parametrize("ending", [":3\r\n", "\n", ":12345678\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 500])
def test_every_line_is_found_and_nothing_else(db: Database, tmp_path: Path, size: int, ending: str) -> None:
    breached = [f"password number {number}" for number in range(size)]
    file = tmp_path / "breached.txt"
    file.write_text("".join(sorted(line(one, ending=ending) for one in breached)), newline="")
    identity.know_breached(db, file=file)
    assert all(is_refused(db, one) for one in breached)
    assert not any(is_refused(db, f"kettle on a bicycle {number}") for number in range(50))


@ON_SQLITE
def test_a_file_that_is_none_is_refused_at_the_start_and_one_that_goes_away_takes_no_password(
    db: Database, tmp_path: Path
) -> None:
    assert not is_refused(db, "kettle on a red bicycle")
    file = tmp_path / "breached.txt"
    for content in (None, "", "password\n", "5BAA6\n"):
        if content is not None:
            file.write_text(content)
        with pytest.raises(Invalid, match="breach_list_file"):
            identity.know_breached(db, file=file)
    file.write_text(line("password"))
    identity.know_breached(db, file=file)
    file.unlink()
    with pytest.raises(Unavailable):
        check_breached(db, Secret("kettle on a red bicycle"))
