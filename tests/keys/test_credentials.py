"""A credential as systemd gives it since 254, and everything that only looks like one."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Refused
from core.secret import Secret
from keys import read_passphrase_file
from keys.credentials import FOLDER_VARIABLE, file_system_of, lets_only_read

ME = os.geteuid()
NOBODY = 0xFFFFFFFF
LIST = "system.posix_acl_access"


def acl(*entries: tuple[int, int, int], version: int = 2) -> bytes:
    return struct.pack("<I", version) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


OWNER, GROUP, MASK, OTHERS = (1, 4, NOBODY), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY)
USER = (2, 4, 1234)
AS_SYSTEMD_GIVES_IT = acl(OWNER, USER, GROUP, MASK, OTHERS)


@pytest.mark.parametrize(
    ("listed", "is_fine"),
    [
        pytest.param(AS_SYSTEMD_GIVES_IT, True, id="as systemd gives it"),
        pytest.param(acl(OWNER, USER, (4, 4, NOBODY), MASK, OTHERS), False, id="its group may read too"),
        pytest.param(acl(OWNER, USER, GROUP, MASK, (32, 4, NOBODY)), False, id="everybody may read too"),
        pytest.param(acl(OWNER, USER, (2, 4, 1235), GROUP, MASK, OTHERS), False, id="another user may read too"),
        pytest.param(acl(OWNER, USER, (8, 4, 50), GROUP, MASK, OTHERS), False, id="another group may read too"),
        pytest.param(acl(OWNER, (2, 6, 1234), GROUP, MASK, OTHERS), False, id="we may write"),
        pytest.param(acl(OWNER, USER, GROUP, MASK, OTHERS, (64, 0, 0)), False, id="an entry of an unknown kind"),
        pytest.param(acl(OWNER, USER, GROUP, MASK, OTHERS, version=3), False, id="a list of another version"),
        pytest.param(AS_SYSTEMD_GIVES_IT[:-1], False, id="a torn list"),
        pytest.param(b"", False, id="no list"),
    ],
)
def test_a_list_that_lets_anybody_else_in_is_refused(*, listed: bytes, is_fine: bool) -> None:
    assert lets_only_read(listed, user=1234) is is_fine


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The unit's folder of credentials, in memory, as its process sees it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="credentials") as name:
        folder = Path(name)
        folder.chmod(0o700)
        monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
        yield folder


def credential(folder: Path, listed: bytes | None) -> Path:
    path = folder / "passphrase"
    path.write_text("a pass phrase")
    path.chmod(0o440)
    if listed is not None:
        os.setxattr(path, LIST, listed)
    return path


MINE = acl(OWNER, (2, 4, ME), GROUP, MASK, OTHERS)


def test_a_systemd_credential_is_read(folder: Path) -> None:
    path = credential(folder, MINE)
    assert path.stat().st_mode & 0o777 == 0o440
    assert read_passphrase_file(path) == Secret("a pass phrase")


def test_a_file_of_that_mode_without_its_list_is_refused(folder: Path) -> None:
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(credential(folder, None))


def test_a_list_that_lets_a_group_in_is_refused(folder: Path) -> None:
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(credential(folder, acl(OWNER, (2, 4, ME), (4, 4, NOBODY), MASK, OTHERS)))


def test_a_credential_that_lies_elsewhere_than_in_the_units_folder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = credential(folder, MINE)
    for elsewhere in (str(folder.parent), str(folder / "deeper"), ""):
        monkeypatch.setenv(FOLDER_VARIABLE, elsewhere)
        with pytest.raises(Refused, match="file_too_open"):
            read_passphrase_file(path)


def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    path = credential(folder, MINE)
    folder.chmod(0o770)
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(path)


def test_a_credential_on_a_disk_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = credential(folder, MINE)
    assert file_system_of(path.stat().st_dev) in {"tmpfs", "ramfs"}
    monkeypatch.setattr("keys.credentials._IN_MEMORY", frozenset())
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(path)
