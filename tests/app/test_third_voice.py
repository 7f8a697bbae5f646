"""Store, witness and keyring: one that was put back alone, or two together, is found out by the third."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import app.cli.fsck  # noqa: F401 - it registers a command
import audit
from app import keeping, running
from audit import Event
from core.errors import Damaged, Unavailable
from core.ids import new_id
from tests.app.keyshop import Shop


@pytest.fixture
def shop(made_shop: Shop, tmp_path: Path) -> Shop:
    """A store whose log goes on after a backup of database and witness was made."""
    shop = made_shop.copied(tmp_path / "copy")
    work(shop)
    shutil.copytree(shop.folder, tmp_path / "backup")
    work(shop)
    return shop


def work(shop: Shop) -> None:
    """What a worker does at its beats, after something happened."""
    with shop.opened() as service:
        with service.db.begin() as session:
            audit.record(session, Event.STORE_TIDIED, actor=None)
        audit.seal(service.db, signer=service.signer)
        assert service.witness
        audit.tell_checkpoint(service.db, witness=service.witness)
        keeping.note_log(service)


def put_back(shop: Shop, *names: str) -> None:
    backup = shop.folder.with_name("backup")
    for name in names:
        for path in shop.folder.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in backup.glob(f"{name}*"):
            to = shop.folder / path.relative_to(backup)
            shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)


def starts(shop: Shop) -> str:
    """Whether a process would start; else why not."""
    with shop.opened() as service:
        try:
            running.check_witness(service)
        except Unavailable as error:
            return error.sentence.partition("(")[2].partition(")")[0] if error.code == "quarantined" else error.code
        return "starts"


def test_a_store_as_it_was_left_starts(shop: Shop) -> None:
    assert starts(shop) == "starts"
    work(shop)
    assert starts(shop) == "starts"


def test_an_older_database_with_the_older_witness_that_fits_it_is_quarantined(shop: Shop) -> None:
    put_back(shop, "witness")
    for path in (shop.folder / "store").glob("database.db*"):
        path.unlink()
    shutil.copy(shop.folder.with_name("backup") / "store" / "database.db", shop.folder / "store")
    assert starts(shop) == "store_behind"
    with shop.opened() as service:
        before = service.keystore.remembered
        with pytest.raises(Damaged, match="log_rolled_back"):
            keeping.note_log(service)
        assert service.keystore.remembered == before, "the older note stays"


def test_nothing_is_tidied_away_beside_an_older_database(shop: Shop) -> None:
    """A part of a film that came after the backup has no row in it, and no key of its own name."""
    part = new_id()
    with shop.opened() as service:
        with service.store.writer(part) as writer:
            writer.write(b"sealed")
            writer.commit()
        (path,) = (shop.folder / "store").rglob(part)
        two_days_ago = path.stat().st_mtime - 2 * 24 * 3600
        os.utime(path, (two_days_ago, two_days_ago))
    for old in (shop.folder / "store").glob("database.db*"):
        old.unlink()
    shutil.copy(shop.folder.with_name("backup") / "store" / "database.db", shop.folder / "store")
    put_back(shop, "witness")
    assert shop.run("fsck", "--repair") == (1, "quarantined")
    assert path.exists()
    assert shop.run("fsck")[0] == 0, "looking is allowed"


def test_a_history_that_was_written_anew_is_quarantined(shop: Shop) -> None:
    put_back(shop, "witness")
    for path in (shop.folder / "store").glob("database.db*"):
        path.unlink()
    shutil.copy(shop.folder.with_name("backup") / "store" / "database.db", shop.folder / "store")
    with shop.opened() as service:
        for _ in range(3):
            with service.db.begin() as session:
                audit.record(session, Event.STORE_MADE, actor=None)
        audit.seal(service.db, signer=service.signer)
    assert starts(shop) == "forked"


def test_older_key_rows_are_quarantined_and_so_is_an_older_keyring(shop: Shop) -> None:
    assert shop.run("key", "roll-epoch", "--wait")[0] == 0
    newer = shop.folder.with_name("newer")
    shutil.copytree(shop.folder, newer)
    backup = shop.folder.with_name("backup") / "store"
    for path in (shop.folder / "store").glob("keys.db*"):
        path.unlink()
    shutil.copy(backup / "keys.db", shop.folder / "store")
    assert starts(shop) == "keys_behind"
    for path in (shop.folder / "store").glob("keys.db*"):
        path.unlink()
    shutil.copy(newer / "store" / "keys.db", shop.folder / "store")
    assert starts(shop) == "starts"
    shutil.copy(backup / "keyring" / "keyring.json", shop.folder / "store" / "keyring")
    assert starts(shop) == "keys_behind"


def test_all_three_put_back_together_are_not_found_out_here(shop: Shop) -> None:
    """As the documents say: only a witness in other hands remembers."""
    backup = shop.folder.with_name("backup")
    shutil.rmtree(shop.folder)
    shutil.copytree(backup, shop.folder)
    assert starts(shop) == "starts"


def test_nothing_is_written_to_the_keyring_while_the_log_stands_still(shop: Shop) -> None:
    keyring = shop.folder / "store" / "keyring" / "keyring.json"
    with shop.opened() as service:
        before = keyring.stat().st_ino
        keeping.note_log(service)
        assert keyring.stat().st_ino == before
