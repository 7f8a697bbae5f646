"""Somebody who keeps everything: copies of databases, write-ahead logs, dumps, places and objects after every step.

And what they try with it: every wrapped key that is found in any copy's bytes, by its form and not by any table of
contents (free pages, dead rows, logs), under every key that a capsule leads to.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import URL

from core.errors import Damaged
from core.secret import Secret
from keys import KeyStore, Root
from keys.capsule import Epoch, open_capsule, open_root
from keys.keyring import FILE_NAME, Keyring
from keys.models import CaseKeyRow, KeyState, ObjectKeyRow, RecordKeyRow
from keys.wrap import KEY_SIZE, NONCE_SIZE, WrapKind, unwrap

WRAPPED = NONCE_SIZE + KEY_SIZE + 16
RAW = re.compile(rb"(?s)active(?=(.{%d}))" % (WRAPPED + 1))
HEX = re.compile(rb"\\x([0-9a-f]{%d})(?![0-9a-f])" % (2 * WRAPPED))
BASE64 = re.compile(rb'"([A-Za-z0-9+/]{%d})"' % (WRAPPED * 4 // 3))


class Name(NamedTuple):
    """What a wrapped key is bound to, but for its parent."""

    kind: WrapKind
    own_id: str
    owner: str


@dataclass
class Hoard:
    """Copies, step by step.

    Attributes:
        folder: where they go.
        keystore: whose rows and places.
        main: address of the main database.
        objects: folder of the object store.
        steps: names of the copies that were taken.
        names: of every key that ever was (whoever has a database knows them).
        written: every wrapping that was ever seen in a row.
    """

    folder: Path
    keystore: KeyStore
    main: URL
    objects: Path
    steps: list[str] = field(default_factory=list)
    names: set[Name] = field(default_factory=set)
    written: dict[str, set[bytes]] = field(default_factory=dict)
    _found: dict[str, set[bytes]] = field(default_factory=dict)

    def take(self, step: str) -> None:
        """Copy all there is."""
        at = self.folder / step
        at.mkdir(parents=True)
        self.steps.append(step)
        self._note(step)
        for url in (self.main, self.keystore.db.engine.url):
            if url.get_backend_name() == "sqlite":
                self._take_sqlite(url, at)
            else:
                self._take_postgresql(url, at)
        for place in self.keystore.keyring.places:
            shutil.copytree(place, at / "places" / place.name)
        shutil.copytree(self.objects, at / "objects")

    def back_up(self, step: str) -> None:
        """Take a base backup of the whole PostgreSQL server, and a dump of the keys, with its own programs."""
        if self.main.get_backend_name() != "postgresql":
            return
        at, url = self.folder / step, self.keystore.db.engine.url
        at.mkdir()
        self._note(step)
        self.steps.append(step)
        (programs,) = _ask(url, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        for words in (["pg_basebackup", "-X", "stream", "-c", "fast", "-D", "base"], ["pg_dump", "-f", "dump.sql"]):
            command = [str(Path(programs) / words[0]), "-d", address, *words[1:]]
            subprocess.run(command, check=True, capture_output=True, cwd=at)

    def capsule(self, step: str) -> Path:
        """The live place as it was copied."""
        return self.folder / step / "places" / self.keystore.keyring.places[0].name / FILE_NAME

    def object(self, step: str, object_id: str) -> bytes | None:
        """An object's bytes as they were copied."""
        found = [path for path in (self.folder / step / "objects").rglob("*") if path.name.startswith(object_id)]
        return found[0].read_bytes() if found else None

    def wrapped(self, step: str) -> set[bytes]:
        """Everything in a copy that has the form of a wrapped key, wherever it lies."""
        if step in self._found:
            return self._found[step]
        found = self._found.setdefault(step, set())
        for path in (self.folder / step).rglob("*"):
            if path.is_file() and "objects" not in path.relative_to(self.folder).parts:
                found.update(carved(path.read_bytes()))
        return found

    def opened(self, capsule: Path, *, root: Root, steps: Iterable[str] | None = None) -> dict[bytes, Name]:
        """Every key that comes open with a capsule, by its bytes."""
        keyring = Keyring((capsule.parent, self.folder))
        file = keyring.file_at(capsule.parent)
        epochs = open_capsule(file, root=open_root(root, file=file)).epochs
        tried = set().union(*(self.wrapped(step) for step in steps or self.steps))
        first = dict(self._under(epochs, tried))
        cases = [(key, name) for key, name in first.items() if name.kind is WrapKind.CASE_MEDIA]
        objects = [name for name in self.names if name.kind is WrapKind.OBJECT]
        found = dict(first)
        for parent, parent_name in cases:
            mine = [name for name in objects if name.owner == parent_name.owner]
            found |= dict(_open(Secret(parent), parent_name.own_id, tried, mine))
        return found

    def _under(self, epochs: Iterable[Epoch], tried: set[bytes]) -> Iterator[tuple[bytes, Name]]:
        names = [name for name in self.names if name.kind is not WrapKind.OBJECT]
        for epoch in epochs:
            yield from _open(epoch.key, epoch.id, tried, names)

    def _note(self, step: str) -> None:
        kept = self.written.setdefault(step, set())
        with self.keystore.db.read() as session:
            for case in session.scalars(select(CaseKeyRow).where(CaseKeyRow.state == KeyState.ACTIVE)):
                self.names.add(Name(WrapKind.CASE_MEDIA, case.id, case.case_id))
                kept.add(case.wrapped or b"")
            for one in session.scalars(select(ObjectKeyRow).where(ObjectKeyRow.state == KeyState.ACTIVE)):
                self.names.add(Name(WrapKind.OBJECT, one.object_id, one.case_id))
                kept.add(one.wrapped or b"")
            for record in session.scalars(select(RecordKeyRow).where(RecordKeyRow.state == KeyState.ACTIVE)):
                self.names.add(Name(WrapKind.RECORD, record.id, f"{record.owner_kind.value}:{record.owner_id}"))
                kept.add(record.wrapped or b"")

    def _take_sqlite(self, url: URL, at: Path) -> None:
        assert url.database
        for path in Path(url.database).parent.glob(Path(url.database).name + "*"):
            shutil.copyfile(path, at / path.name)

    def _take_postgresql(self, url: URL, at: Path) -> None:
        """The keys' tables after a checkpoint (heap, dead rows, indexes), and the log's current segment."""
        _ask(url, "CHECKPOINT")
        (data,) = _ask(url, "SHOW data_directory")
        (segment,) = _ask(url, "SELECT pg_walfile_name(pg_current_wal_lsn())")
        for table in _ask(url, "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relname LIKE 'keys_%'"):
            if table is not None:
                shutil.copyfile(Path(data) / table, at / Path(table).name)
        shutil.copyfile(Path(data) / "pg_wal" / segment, at / segment)


def _ask(url: URL, statement: str) -> list[Any]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = connection.execute(text(statement))
        answer = list(found.scalars()) if found.returns_rows else []
    engine.dispose()
    return answer


def carved(data: bytes) -> Iterator[bytes]:
    """What has the form of a wrapped key: behind *active* in pages and logs, in a dump, in a copy of the rows."""
    for match in RAW.finditer(data):
        yield match[1][:WRAPPED]
        yield match[1][1:]
    for match in HEX.finditer(data):
        yield bytes.fromhex(match[1].decode())
    for match in BASE64.finditer(data):
        yield base64.b64decode(match[1])


def _open(
    parent: Secret[bytes], parent_id: str, tried: set[bytes], names: Iterable[Name]
) -> Iterator[tuple[bytes, Name]]:
    named = list(names)
    for wrapped in tried:
        for name in named:
            try:
                key = unwrap(
                    parent, wrapped=wrapped, kind=name.kind, parent_id=parent_id, own_id=name.own_id, owner=name.owner
                )
            except Damaged:
                continue
            yield key.reveal(), name
            break
