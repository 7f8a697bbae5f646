"""Film that this program sealed opens by ``docs/reader.py``, which was written from ``docs/file-format.md`` alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from core.db import Database
from core.ids import ObjectId
from keys import KeyStore
from tests.docs.repository import ROOT
from tests.families import make_family
from tests.vault.scene import add_object, noise
from vault import DiskStore
from vault.models import ObjectKind

READER = ROOT / "docs" / "reader.py"
OURS = {"app", "audit", "consent", "core", "identity", "keys", "media", "redaction", "retention", "vault"}
THREE_SEGMENTS_AND_A_BIT = 3 * 262_144 + 5
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def read(
    folder: Path, wanted: ObjectId, *, passphrase: str = "correct horse battery"
) -> subprocess.CompletedProcess[bytes]:
    (folder / "passphrase").write_text(passphrase + "\n", encoding="utf-8")
    names = ("keyring/keyring.json", "passphrase", "keys.db", "vault.db", "store/objects")
    command = [sys.executable, "-I", str(READER), *(str(folder / name) for name in names), wanted]
    return subprocess.run(command, capture_output=True, check=False, cwd=folder)


def test_the_reader_of_the_documents_imports_nothing_of_ours() -> None:
    tree = ast.parse(READER.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names
    assert not {name.split(".")[0] for name in names} & OURS


@on_sqlite
@pytest.mark.parametrize("size", [0, 1, 262_088, 262_089, THREE_SEGMENTS_AND_A_BIT])
def test_what_was_sealed_opens_without_this_program(
    db: Database, keystore: KeyStore, tmp_path: Path, size: int
) -> None:
    store, family, content = DiskStore(tmp_path / "store"), make_family(db, keystore), noise(size)
    film = add_object(db, keystore, store, family, content, kind=ObjectKind.ORIGINAL, job="0" * 32)
    found = read(tmp_path, film)
    assert found.stderr == b""
    assert found.stdout == content


@on_sqlite
def test_without_the_passphrase_or_the_key_it_opens_nothing(db: Database, keystore: KeyStore, tmp_path: Path) -> None:
    store, family = DiskStore(tmp_path / "store"), make_family(db, keystore)
    film = add_object(db, keystore, store, family, noise(1000), kind=ObjectKind.ORIGINAL, job="0" * 32)
    assert read(tmp_path, film, passphrase="incorrect horse").stdout == b""
    keystore.destroy_object_key(film)
    gone = read(tmp_path, film)
    assert gone.stdout == b""
    assert b"destroyed" in gone.stderr
