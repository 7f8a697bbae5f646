from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import Damaged, Invalid, Refused, Unavailable
from core.secret import Secret
from keys import LocalRoot, read_passphrase_file
from keys.capsule import KeyringFile
from keys.files import only_writer, read_private, write_private
from keys.keyring import FILE_NAME
from keys.keystore import KeyStore
from tests.keys.conftest import PASSPHRASE, QUICK, Keys


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_passphrase_comes_from_a_private_file_without_its_lines_end(tmp_path: Path, end: bytes) -> None:
    path = private(tmp_path / "passphrase", b" a pass phrase " + end)
    assert read_passphrase_file(path) == Secret(" a pass phrase ")
    path.chmod(0o400)
    assert read_passphrase_file(path) == Secret(" a pass phrase ")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700, 0o644])
def test_a_passphrase_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "passphrase", b"a pass phrase")
    path.chmod(mode)
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 5000])
def test_a_passphrase_file_with_something_else_in_it_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid, match="passphrase_file_unusable"):
        read_passphrase_file(private(tmp_path / "passphrase", content))


def test_what_is_no_plain_file_is_no_private_file(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="file_missing"):
        read_passphrase_file(tmp_path / "nothing")
    private(tmp_path / "real", b"a pass phrase")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(Unavailable, match="file_unreachable"):
        read_passphrase_file(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe", mode=0o600)
    with pytest.raises(Refused, match="file_too_open"):
        read_passphrase_file(tmp_path / "pipe")


def test_a_private_file_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    for content in (b"one", b"other"):
        write_private(path, content)
        assert read_private(path) == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_can_not_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_private(path, b"old")
    path.rename(tmp_path / "kept")
    path.mkdir()  # a rename over a folder fails, for root too
    with pytest.raises(Unavailable, match="file_unreachable"):
        write_private(path, b"new")
    assert (tmp_path / "kept").read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_there_is_one_writer_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path / "lock"),
        pytest.raises(Unavailable, match="keyring_busy"),
        only_writer(tmp_path / "lock"),
    ):
        pass
    with only_writer(tmp_path / "lock"):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"format": "vig-vault-keyring/2"}', b"\x00" * 100, b'{"format":']
)
def test_a_file_that_is_no_keyring_is_called_damaged(store: KeyStore, keys: Keys, content: bytes) -> None:
    write_private(keys.places[0] / FILE_NAME, content)
    with pytest.raises(Damaged, match="keyring_damaged"):
        keys.open()


def test_a_keyring_with_a_changed_capsule_is_called_damaged_not_wrong(store: KeyStore, keys: Keys) -> None:
    path = keys.places[0] / FILE_NAME
    file = KeyringFile.from_bytes(path.read_bytes())
    for changed in (
        file.sealed[:-1] + bytes([file.sealed[-1] ^ 1]),
        b"",
    ):
        again = KeyringFile(file.store, file.place, file.sequence, file.root_uri, file.root, changed)
        write_private(path, again.to_bytes())
        with pytest.raises(Damaged, match="key_damaged"):
            keys.open()


@pytest.mark.parametrize(
    "edit", [{"memory_kib": 2**40}, {"passes": 0}, {"lanes": 10**6}, {"salt": "!"}, {"salt": ""}, {"passes": "many"}]
)
def test_a_root_record_that_asks_for_too_much_is_not_obeyed(edit: dict[str, str | int]) -> None:
    root = LocalRoot(PASSPHRASE, cost=QUICK)
    record, _ = root.make()
    with pytest.raises(Damaged, match="keyring_damaged"):
        root.open({**record, **edit})
    with pytest.raises(Refused, match="wrong_root"):
        root.open({**record, "passes": 2})
