"""The keyring: the capsule in memory, and its file at every registered place. The first place is the live one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.errors import Conflict, Damaged, Invalid, Unavailable
from core.secret import Secret
from keys.capsule import Capsule, KeyringFile, open_capsule, open_root, seal_capsule
from keys.files import only_writer, read_private, write_private
from keys.roots import OpenRoot, Root, RootRecord, sealed, wrong_root

FILE_NAME = "keyring.json"
LOCK_NAME = "keyring.lock"
FEWEST_PLACES = 2


class Keyring:
    """The capsule of one store; many threads may read it at once.

    Args:
        places: folders, the live one first, then at least one recovery place, all without versions or snapshots.

    Raises:
        Invalid: there is no recovery place, or two places are one.
    """

    def __init__(self, places: tuple[Path, ...]) -> None:
        if len({p.resolve() for p in places}) < max(FEWEST_PLACES, len(places)):
            raise _no_recovery_place()
        self.places = places
        self._lock = threading.Lock()
        self._root: OpenRoot | None = None
        self._record: RootRecord | None = None
        self._capsule: Capsule | None = None
        self._evicted_through = 0

    @property
    def is_open(self) -> bool:
        """Whether the root has been given."""
        return self._capsule is not None

    def create(self, root: Root, *, capsule: Capsule, place_ids: tuple[str, ...]) -> RootRecord:
        """Make a new root and write the first file to every place.

        Returns:
            The new root's record.

        Raises:
            Conflict: a keyring is there already; it is never replaced.
        """
        for place in self.places:
            self.require_free(place)
        record, opened = root.make()
        for place, place_id in zip(self.places, place_ids, strict=True):
            file = KeyringFile(capsule.store, place_id, capsule.sequence, root.uri, record, b"")
            self._put(place, replace(file, sealed=seal_capsule(capsule, root=opened)), root=opened)
        self._take(opened, capsule, record=record)
        return record

    def unseal(self, root: Root) -> tuple[Capsule, RootRecord]:
        """Open the live file and keep the capsule in memory.

        Raises:
            Unavailable: ``keyring_missing``.
            Refused: ``wrong_root``.
            Damaged: the file is not what was written.
        """
        file = self.file_at(self.places[0])
        opened = open_root(root, file=file)
        capsule = open_capsule(file, root=opened)
        self._take(opened, capsule, record=file.root)
        return capsule, file.root

    def forget(self) -> None:
        """Drop root and capsule from memory: sealed again."""
        with self._lock:
            self._root = self._record = self._capsule = None

    def evict(self, *, through: int) -> None:
        """Drop the epochs up to a number from memory, for good."""
        with self._lock:
            self._evicted_through = max(self._evicted_through, through)
            if self._capsule is not None:
                self._capsule = self._capsule.without(through=self._evicted_through)

    def epoch_key(self, epoch_id: str) -> Secret[bytes]:
        """An epoch's key; looks at the live file again for one that another process has added.

        Raises:
            Unavailable: ``sealed``.
            Damaged: no place has it.
        """
        for look in (self._opened, self._reload):
            for epoch in look().epochs:
                if epoch.id == epoch_id:
                    return epoch.key
        raise _epoch_missing()

    def current(self) -> Capsule:
        """The capsule as the live file has it now: another process may have changed it.

        Raises:
            Unavailable: ``sealed``.
        """
        return self._reload()

    def seed(self) -> Secret[bytes]:
        """What the service's own secrets are derived from.

        Raises:
            Unavailable: ``sealed``.
        """
        return self._opened().seed

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Be the one writer of this keyring.

        Raises:
            Unavailable: ``keyring_busy``.
        """
        with only_writer(self.places[0] / LOCK_NAME):
            yield

    def change(self, edit: Callable[[Capsule], Capsule]) -> None:
        """Change the capsule at every place, recovery first, and read each back; whoever calls holds ``writer``.

        The live file is the truth: after a crash between places the same edit may simply be made again.
        """
        root, live = self._live()
        capsule = open_capsule(live, root=root)
        capsule = replace(edit(capsule), sequence=capsule.sequence + 1)
        self._write(capsule, root=root, uri=live.root_uri, record=live.root)

    def live_file(self) -> KeyringFile:
        """The live file, if the root that was given still opens it.

        Raises:
            Unavailable: ``sealed``: another process was given a new root.
        """
        return self._live()[1]

    def change_root(self, opened: OpenRoot, *, uri: str, record: RootRecord) -> None:
        """Seal the capsule under a new root at every place (copies of the old files still open with the old one)."""
        root, live = self._live()
        capsule = open_capsule(live, root=root)
        capsule = replace(capsule, sequence=capsule.sequence + 1)
        self._write(capsule, root=opened, uri=uri, record=record)

    def level(self) -> None:
        """Bring every place to the live file's state, where one isn't; whoever calls holds ``writer``."""
        root, live = self._live()
        capsule = open_capsule(live, root=root)
        for place in self.places[1:]:
            try:
                is_level = open_capsule(self.file_at(place), root=root) == capsule
            except Damaged:
                is_level = False
            if not is_level:
                self._write(
                    replace(capsule, sequence=capsule.sequence + 1), root=root, uri=live.root_uri, record=live.root
                )
                return

    def is_superseded(self) -> bool:
        """Whether the live file is under another root than the open one."""
        return self.file_at(self.places[0]).root != self._record

    def require_free(self, folder: Path) -> None:
        """Go on only where no keyring lies.

        Raises:
            Conflict: ``keyring_exists``.
        """
        if (folder / FILE_NAME).exists():
            raise _keyring_exists()

    def copy_to(self, folder: Path, *, place_id: str) -> None:
        """Write the capsule to a further place.

        Raises:
            Conflict: ``keyring_exists``.
        """
        root, live = self._live()
        self._put_first(folder, file=replace(live, place=place_id), root=root)

    def adopt(self, file: KeyringFile, *, root: OpenRoot, capsule: Capsule, place_id: str) -> None:
        """Make a recovery place's file the new live one.

        Raises:
            Conflict: ``keyring_exists``.
        """
        self._put_first(self.places[0], file=replace(file, place=place_id), root=root)
        self._take(root, capsule, record=file.root)

    def file_at(self, place: Path) -> KeyringFile:
        """The file at one place.

        Raises:
            Unavailable: ``keyring_missing``.
            Damaged: it isn't one.
        """
        try:
            data = read_private(place / FILE_NAME)
        except Unavailable as error:
            raise (_keyring_missing() if error.code == "file_missing" else error) from None
        return KeyringFile.from_bytes(data)

    def capsule_at(self, place: Path) -> Capsule:
        """The capsule at one place, as the open root reads it."""
        return open_capsule(self.file_at(place), root=self._opened_root())

    def _write(self, capsule: Capsule, *, root: OpenRoot, uri: str, record: RootRecord) -> None:
        ids = [self.file_at(place).place for place in self.places]  # every place is there before any is changed
        for place, place_id in reversed(list(zip(self.places, ids, strict=True))):
            sealed_capsule = seal_capsule(capsule, root=root)
            file = KeyringFile(capsule.store, place_id, capsule.sequence, uri, record, sealed_capsule)
            self._put(place, file, root=root)
        self._take(root, capsule, record=record)

    def _put_first(self, place: Path, *, file: KeyringFile, root: OpenRoot) -> None:
        self.require_free(place)
        self._put(place, file, root=root)

    def _put(self, place: Path, file: KeyringFile, *, root: OpenRoot) -> None:
        write_private(place / FILE_NAME, file.to_bytes())
        back = self.file_at(place)
        if back != file or not open_capsule(back, root=root).epochs:
            raise _epoch_missing()

    def _take(self, root: OpenRoot, capsule: Capsule, *, record: RootRecord) -> None:
        with self._lock:
            self._root, self._record = root, record
            self._capsule = capsule.without(through=self._evicted_through)

    def _opened(self) -> Capsule:
        with self._lock:
            if self._capsule is None:
                raise sealed()
            return self._capsule

    def _opened_root(self) -> OpenRoot:
        with self._lock:
            if self._root is None:
                raise sealed()
            return self._root

    def _reload(self) -> Capsule:
        root, file = self._live()
        capsule = open_capsule(file, root=root)
        with self._lock:
            if self._root is root:  # else another root was given while we read the former one's file
                self._capsule = capsule.without(through=self._evicted_through)
        return self._opened()

    def _live(self) -> tuple[OpenRoot, KeyringFile]:
        """The open root and the live file, which another process may have changed."""
        with self._lock:
            root, record, capsule = self._root, self._record, self._capsule
        if root is None or capsule is None:
            raise sealed()
        file = self.file_at(self.places[0])
        if file.store != capsule.store:
            raise wrong_root()
        if file.root != record:  # another process was given a new root: this one must be given it too
            with self._lock:
                if self._root is root:  # and wasn't meanwhile
                    self._root = self._record = self._capsule = None
            raise sealed()
        return root, file


def _no_recovery_place() -> Invalid:
    return Invalid("no_recovery_place", "Name a second, separate place for a copy of the keyring.")


def _keyring_exists() -> Conflict:
    return Conflict("keyring_exists", "A keyring is there already. It was left as it is.")


def _keyring_missing() -> Unavailable:
    return Unavailable("keyring_missing", "The keyring is not where it should be. Please tell your administrator.")


def _epoch_missing() -> Damaged:
    return Damaged("epoch_key_missing", "A key is missing from the keyring. Please tell your administrator.")
