"""What a power cut leaves at worst: of every file only what was synced, of every folder only the names that were.

A disk may keep more than that, in any order; what was acknowledged must be in this least of all states already. Inodes
must not be used twice meanwhile, so the drill lies in memory (tmpfs counts them up).
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.tracer import Call

_NOT_KEPT = "-shm"
"""SQLite's index; it is made anew."""
_SYNCS = frozenset({"fsync", "fdatasync"})


class Plug:
    """Follows what is synced in a folder.

    Args:
        folder: all that lies in it now counts as synced.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder.stat().st_ino
        self._content: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for path in (folder, *folder.rglob("*")):
            self._sync(path)

    def after(self, call: Call) -> bool:
        """This call was made; whether it synced something."""
        path = Path(call.path)
        if call.name not in _SYNCS or not path.exists():
            return False
        self._sync(path)
        return True

    def leave(self, folder: Path) -> None:
        """Make what would be found."""
        self._make(self._root, folder)

    def _sync(self, path: Path) -> None:
        if not path.is_dir():
            self._content[path.stat().st_ino] = path.read_bytes()
            return
        found = [entry for entry in path.iterdir() if not entry.name.endswith(_NOT_KEPT)]
        self._names[path.stat().st_ino] = {entry.name: entry.stat().st_ino for entry in found}
        for entry in found:
            if entry.is_dir():
                self._names.setdefault(entry.stat().st_ino, {})

    def _make(self, inode: int, path: Path) -> None:
        if inode not in self._names:
            path.touch(mode=0o600)
            path.write_bytes(self._content.get(inode, b""))
            return
        path.mkdir(mode=0o700)
        for name, child in self._names[inode].items():
            self._make(child, path / name)
