"""A store in one folder, opened as a process opens it, and film that needs no sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, event

import audit
import identity
from app import tables
from core.db import Database, connect
from core.ids import CaseId, ObjectId
from core.secret import Secret
from core.segments import SegmentWriter
from keys import KEYS_METADATA, Cost, JobCapability, KeyStore, LocalRoot
from media.launcher import Grid, Job, Poster, Result, Sheet, Sink, Source, Strip
from tests.fakes import HandClock
from tests.vault.scene import noise
from vault import DiskStore, sealed
from vault.models import ObjectRow

ROOT = LocalRoot(Secret("correct horse battery"), cost=Cost(passes=1, memory_kib=64, lanes=1))
PIECE = 100_000


@dataclass(frozen=True, slots=True)
class World:
    """One process's view of a store."""

    folder: Path
    db: Database
    keystore: KeyStore
    store: DiskStore
    signer: audit.Signer

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        clock = self.db.clock
        assert isinstance(clock, HandClock)
        clock.move(by)

    def opens(self, row: ObjectRow) -> bytes:
        """An object's plaintext.

        Raises:
            VaultError: it can't be opened.
        """
        use = JobCapability("test", CaseId(row.case_id), frozenset({ObjectId(row.id)}))
        reader = sealed.opened(row, key=self.keystore.object_key(ObjectId(row.id), capability=use), store=self.store)
        return reader.read(0, reader.plain_size)


def places(folder: Path) -> list[Path]:
    """Where a store's keyring lies."""
    return [folder / "keyring", folder / "recovery"]


def make(folder: Path) -> None:
    """An empty store with all tables."""
    for name, metadata in (("vault", tables.METADATA), ("keys", KEYS_METADATA)):
        database = connect(f"sqlite:///{folder / name}.db", clock=HandClock())
        metadata.create_all(database.engine)
        if name == "keys":
            KeyStore.create(db=database, root=ROOT, places=places(folder))
        database.engine.dispose()


@contextmanager
def opened(folder: Path, *, after: timedelta = timedelta(0)) -> Iterator[World]:
    """Open a store as a new process does, some time after it was made."""
    clock = HandClock()
    clock.move(after)
    db, keys_db = (Database(_engine(name, folder=folder), clock) for name in ("vault", "keys"))
    try:
        keystore = KeyStore.open(db=keys_db, root=ROOT, places=places(folder))
        audit.attach(db, writer_key=keystore.audit_mac_key())
        identity.attach(db, keystore=keystore)
        signer = audit.Signer(name="drill", key=keystore.audit_signing_key())
        yield World(folder, db, keystore, DiskStore(folder / "objects"), signer)
    finally:
        db.engine.dispose()
        keys_db.engine.dispose()


_folders: dict[str, Path] = {}
_engines: dict[str, Engine] = {}


def _engine(name: str, *, folder: Path) -> Engine:
    """An engine without a connection; kept for the next folder, since it remembers the statements that it compiled."""
    _folders[name] = folder
    if name not in _engines:
        engine = connect(f"sqlite:///{name}", clock=HandClock()).engine

        @event.listens_for(engine, "do_connect")
        def there(_dialect: object, _record: object, place: list[Any], _more: object) -> None:
            place[:] = [str(_folders[name] / f"{name}.db")]

        _engines[name] = engine
    return _engines[name]


def without_sandbox(
    job: Job,
    *,
    source: Source,
    sink: Sink,
    on_progress: Callable[[int], object],
    cancelled: Callable[[], bool],
    spool: Path,
    outputs: Mapping[type[Job], bytes] = MappingProxyType({}),
) -> Result:
    """Stand in for ``media.launcher.run``: seal made-up output as the last of its children does, in the same pieces.

    What the children do leaves nothing on a disk but nameless files; their own deaths are ``tests/media``'s. Where what
    comes out counts, ``outputs`` says what it is, by the kind of job.
    """
    del spool
    source.read(0, source.size)
    plain = outputs.get(type(job)) or noise(5000 if isinstance(job, Poster | Strip | Sheet) else 3 * PIECE)
    sealer = SegmentWriter(sink.key, associated_data=sink.associated_data, write=sink.write)
    for start in range(0, len(plain), PIECE):
        assert not cancelled()
        on_progress(1000 * start // len(plain))
        sealer.write(plain[start : start + PIECE])
    return Result(
        media_type="video/mp4",
        width=160,
        height=120,
        fps=Fraction(25),
        frames=50,
        duration_ms=2000,
        has_audio=True,
        plain_sha256=hashlib.sha256(plain).hexdigest(),
        sealed=sealer.close(),
        grid=Grid(columns=1, rows=1, width=160, height=120, count=1) if isinstance(job, Strip | Sheet) else None,
    )
