"""A store whose root key is in a token, by the commands that an administrator has."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import app.cli.doctor
import app.cli.fsck
import app.cli.roots
import app.cli.store  # noqa: F401 - these register commands
from app.cli import application
from core.errors import Refused
from tests.keys.roots.peers import PIN, WRONG_PIN, Tokens, tokens


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tokens]:
    with tokens(tmp_path / "softhsm", monkeypatch) as found:
        yield found


def test_a_store_is_made_examined_and_opened_with_a_token_and_by_no_other_root(hsm: Tokens, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text(PIN)
    uri = f"pkcs11:token=first;object=vig-vault-root?module-path={hsm.module}"
    environment = {"VAULT_STORE": str(tmp_path / "store"), "VAULT_PASSPHRASE_FILE": str(pin)}

    def vig_vault(*words: str, **more: str) -> Result:
        return CliRunner().invoke(application, list(words), env=environment | more)

    made = vig_vault("init", "--root", uri, "--admin-name", "Ada Min", "--admin-email", "a@example.gov.uk")
    assert made.exit_code == 0, made.output
    assert len(hsm.keys()) == 1
    assert vig_vault("fsck", VAULT_ROOT=uri).exit_code == 0
    found = json.loads(vig_vault("doctor", "--json", "--no-network", VAULT_ROOT=uri).stdout)
    states = {one["name"]: one["state"] for one in found["findings"]}
    assert (states["root"], states["root_destruction"]) == ("fine", "fine")
    for other in ("", uri.replace("first", "second")):
        refused = vig_vault("fsck", VAULT_ROOT=other).exception
        assert isinstance(refused, Refused)
        assert refused.code == "wrong_root"
    pin.write_text(WRONG_PIN)
    refused = vig_vault("fsck", VAULT_ROOT=uri).exception
    assert isinstance(refused, Refused)
    assert refused.code == "pin_refused"
    assert len(hsm.keys()) == 1, "nothing was made in its place"

    pin.write_text(PIN)
    rotated = json.loads(vig_vault("key", "rotate-root", "--json", VAULT_ROOT=uri).stdout)
    assert len(hsm.keys()) == 2
    (former,) = rotated["former"]
    for _ in range(2):  # a command that was killed after the token's work is simply given again
        assert vig_vault("key", "destroy-root", former, "--yes", VAULT_ROOT=uri).exit_code == 0
    assert vig_vault("key", "destroy-root", rotated["id"], "--yes", VAULT_ROOT=uri).exit_code == 1
    assert len(hsm.keys()) == 1
    with closing(sqlite3.connect(tmp_path / "store" / "database.db")) as log:
        said = log.execute("SELECT event, object_id FROM audit_entry WHERE event LIKE 'root.%' ORDER BY at, number")
        assert said.fetchall() == [
            ("root.change_begun", None),
            ("root.rotated", rotated["id"]),
            ("root.destruction_begun", former),
            ("root.destroyed", former),
            ("root.destruction_begun", former),
        ]
