"""What an address of a store may say, and where credentials come from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Invalid, Refused, Unavailable
from vault import Address, open_store

GOOD = {
    "/srv/vault/objects": "/srv/vault/objects",
    "s3://films": "s3://films",
    "s3://films/a/b/": "s3://films/a/b",
    "s3://films/a?endpoint=https://s3.example.gov.uk&region=eu-west-1": "s3://films/a",
    "s3://films?endpoint=http://127.0.0.1:8333": "s3://films",
    "az://films/a?account=council": "az://films/a",
    "gs://films": "gs://films",
}
BAD = [
    "",
    "objects",
    "file:///srv/objects",
    "ftp://films",
    "s3://",
    "s3:///prefix",
    "s3://films:80/a",
    "s3://key:hunter2@films/a",
    "s3://films?access_key_id=x",
    "s3://films?secret_access_key=hunter2",
    "gs://films?region=x",
    "s3://films#a",
    "s3://films?endpoint=http://s3.example.gov.uk",
    "s3://films?endpoint=films",
    "s3://films?endpoint=https://key:hunter2@s3.example.gov.uk",
]


@pytest.mark.parametrize(("text", "shown"), GOOD.items())
def test_an_address_says_where_objects_lie_and_is_shown_without_its_options(text: str, shown: str) -> None:
    assert str(Address.parsed(text)) == shown


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address_or_holds_a_secret_or_would_go_in_clear_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="store_address") as told:
        Address.parsed(text)
    assert "hunter2" not in told.value.sentence


@pytest.fixture
def s3() -> Address:
    return Address.parsed("s3://films")


def file(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    path = folder / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


FILES = ["", "access_key_id", "password = x", "access_key_id = x\nendpoint = https://elsewhere.example"]


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_holds_something_else_is_refused(s3: Address, tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="credentials_unreadable"):
        open_store(s3, spool=tmp_path / "spool", credentials=file(tmp_path, text))


def test_a_file_that_others_may_read_is_refused_and_a_missing_one_is_told(s3: Address, tmp_path: Path) -> None:
    open_to_all = file(tmp_path, "access_key_id = x\nsecret_access_key = y", mode=0o644)
    with pytest.raises(Refused, match="file_too_open"):
        open_store(s3, spool=tmp_path / "spool", credentials=open_to_all)
    with pytest.raises(Unavailable, match="file_missing"):
        open_store(s3, spool=tmp_path / "spool", credentials=tmp_path / "nothing")


def test_an_azure_store_without_an_account_is_refused_without_quoting_anything(tmp_path: Path) -> None:
    credentials = file(tmp_path, "account_key = bm90IGEgcmVhbCBrZXk=")
    with pytest.raises(Invalid, match="credentials_unreadable") as told:
        open_store(Address.parsed("az://films"), spool=tmp_path / "spool", credentials=credentials)
    assert told.value.__suppress_context__


WITHOUT = """
import sys
sys.modules["obstore"] = None
from pathlib import Path
from core.errors import Invalid
from vault import Address, open_store
open_store(Address.parsed(sys.argv[1]), spool=Path("unused"))
try:
    open_store(Address.parsed("s3://films"), spool=Path(sys.argv[1]))
except Invalid as error:
    print(error.code)
"""


def test_without_the_extra_a_folder_works_and_a_bucket_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "store")]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "objects_extra_missing\n"
