"""What a media job must put aside lies on the store's disk, sealed, and belongs to nobody once the job is over."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.ids import VisitId
from keys import KeyStore
from media import launcher
from tests.families import Family
from tests.vault.films import small_film
from tests.vault.sending import Sender
from tests.vault.test_finishing import deposit, finish, lease_of, objects, plaintext
from vault import DiskStore
from vault.disk import DiskWriter
from vault.models import ObjectKind
from vault.objects import Bytes


class Onlooker(DiskStore):
    """A store that looks at what lies in the spool whenever something is written to it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.seen: list[bytes] = []

    def writer(self, name: str) -> DiskWriter:
        found = super().writer(name)
        write = found.write

        def looking(data: Bytes, /) -> None:
            self.seen += [file.read_bytes() for file in open_files_in(self.spool)]
            write(data)

        found.write = looking  # type: ignore[method-assign]
        return found


def open_files_in(folder: Path) -> list[Path]:
    """What this process has open there, nameless files too."""
    own = [Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names, not paths
    return [link for link in own if link.is_symlink() and str(link.readlink()).startswith(f"{folder}/")]


def test_a_film_needs_no_room_in_the_machines_temporary_folder_and_lies_sealed_in_the_stores(
    db: Database,
    keystore: KeyStore,
    family: Family,
    visit: VisitId,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher.self_test()  # once for the process; it tries its forbidden things in the machine's own folder
    store = Onlooker(tmp_path / "store")
    sender = Sender(db, keystore, store, family, visit)
    footage_id = deposit(sender, small_film())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    finish(sender, lease_of(db, footage_id))
    film = plaintext(sender, objects(db)[ObjectKind.WORKING_COPY])
    kept = max(store.seen, key=len)
    assert len(kept) > len(film) / 2
    pieces = {film[start : start + 12] for start in range(0, len(film) - 12, 12)}
    assert not {kept[start : start + 12] for start in range(len(kept))} & pieces
    assert list(store.spool.iterdir()) == []
    assert open_files_in(store.spool) == []


def test_the_spool_is_ours_alone_and_cleared_at_start_of_what_is_left_from_long_ago(tmp_path: Path) -> None:
    spool = DiskStore(tmp_path).spool
    old, new = spool / "old", spool / "new"
    for path in (old, new):
        path.write_bytes(b"")
    long_ago = time.time() - timedelta(hours=2).total_seconds()
    os.utime(old, (long_ago, long_ago))
    spool.chmod(0o755)
    DiskStore(tmp_path)
    assert list(spool.iterdir()) == [new]
    assert spool.stat().st_mode & 0o777 == 0o700
