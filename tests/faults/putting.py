"""One object put into a store on a disk, alone; then its name, and another one's, are tried again with other bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import Conflict
from tests.faults.drill import Acknowledge
from vault import DiskStore

_OLD, _NEW = "0" * 32, "1" * 32
_CONTENT = {_OLD: b"what was there", _NEW: b"a" * 5000 + b"b" * 3000}


class Putting:
    """Whole or absent, and what has a name keeps it."""

    def prepare(self, folder: Path) -> None:
        """A store with one object in it."""
        _put(DiskStore(folder), _OLD, _CONTENT[_OLD])

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """Put another, in two writes; then try to overwrite both."""
        store = DiskStore(folder)
        _put(store, _NEW, _CONTENT[_NEW])
        acknowledge(_NEW)
        for name in (_OLD, _NEW):
            _refused(store, name)
        acknowledge("refused")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """What was there is there; what was told is whole; nothing is half."""
        store = DiskStore(folder)
        there = {stored.name for stored in store.names()}
        assert {_OLD} | ({_NEW} & set(told)) <= there <= set(_CONTENT)
        for name in there:
            assert store.read(name, start=0, length=10_000) == _CONTENT[name]
        assert (store.size(_NEW) is None) == (_NEW not in there)

    def recover(self, folder: Path) -> None:
        """What a writer left is cleared, and whoever wasn't told puts it again."""
        store = DiskStore(folder)
        store.clear_unfinished(before=datetime.now(UTC) + timedelta(days=1))
        if store.size(_NEW) is None:
            _put(store, _NEW, _CONTENT[_NEW])

    def check_end(self, folder: Path) -> None:
        """Both are there, once, and nothing else."""
        store = DiskStore(folder)
        self.check(folder, [_NEW])
        assert list(store.unfinished()) == []
        for name in _CONTENT:
            _refused(store, name)
        self.check(folder, [_NEW])


def _put(store: DiskStore, name: str, content: bytes) -> None:
    with store.writer(name) as writer:
        writer.write(content[:4000])
        writer.write(content[4000:])
        writer.commit()


def _refused(store: DiskStore, name: str) -> None:
    try:
        _put(store, name, b"other bytes")
    except Conflict:
        return
    message = "an object was overwritten"
    raise AssertionError(message)
