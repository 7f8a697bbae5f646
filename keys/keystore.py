"""The key store of one process: the door to every key, safe for many threads.

Rules:

1. The store's row is the truth: each use looks it up, so another process's destruction counts at once. In memory are
   only the root and the epoch keys; case and object keys are unwrapped for each use.
2. An object's key is given only to a ``Capability`` that covers that object of that case.
3. One object, one key, one ciphertext. A destroyed key's id is never used again.
4. The key database is separate from the main one: create the key, then the data row; destroy the data row's use, then
   the key, then write the certificate.
5. Without the root everything raises ``Unavailable("sealed")``; a wrong root is ``Refused("wrong_root")`` and changes
   nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.db import Database
from core.errors import Conflict, Damaged
from core.ids import CaseId, ObjectId, UploadId, new_id
from core.secret import Secret
from keys import cases, objects, records, rooting
from keys.capability import Capability, require
from keys.capsule import Capsule, Epoch
from keys.custody import RootFacts
from keys.fields import RecordKey, RecordOwner
from keys.models import StoreRow
from keys.places import first_rows
from keys.roots import Root
from keys.upkeep import Upkeep
from keys.wrap import fresh_key

_LOOKS = 3
T = TypeVar("T")


class KeyStore(Upkeep):
    """All keys of one store. Make it with ``create`` once, with ``open`` ever after; ``Custody`` has what it takes."""

    @classmethod
    def create(cls, *, db: Database, root: Root, places: Sequence[Path]) -> KeyStore:
        """Make a new store: first epoch, first keyring at every place.

        Raises:
            Conflict: ``keyring_exists``: there is one; nothing was changed.
            Invalid: the passphrase is too short, or there is no recovery place.
        """
        store = cls(db=db, places=places)
        at = db.clock.now()
        epoch = Epoch(new_id(), 1, fresh_key())
        capsule = Capsule(new_id(), 1, fresh_key(), (epoch,))
        place_ids = tuple(new_id() for _ in places)
        with db.begin() as session:
            if session.scalars(select(StoreRow)).first() is not None:
                raise _store_exists()
            first_rows(session, capsule=capsule, place_ids=place_ids, at=at)
            record = store.keyring.create(root, capsule=capsule, place_ids=place_ids)
            rooting.note(session, uri=root.uri, record=record, reference=root.reference(record), at=at)
        store._root = RootFacts.of(root)
        store.beat()
        return store

    @classmethod
    def open(cls, *, db: Database, root: Root, places: Sequence[Path]) -> KeyStore:
        """Open a store that exists.

        Raises:
            Unavailable: ``keyring_missing``.
            Refused: ``wrong_root``: another passphrase, or another store's keyring.
        """
        store = cls(db=db, places=places)
        store.unseal(root)
        return store

    def new_object_key(self, *, case_id: CaseId, object_id: ObjectId, capability: Capability) -> Secret[bytes]:
        """Make the key of a new object. A crashed attempt takes a new object id, never the old key again.

        Raises:
            Refused: ``key_refused``: the capability doesn't cover it.
            Conflict: ``key_exists``.
        """
        require(capability, case_id=case_id, object_id=object_id)
        self._ready()
        try:
            with self.db.begin() as session:
                return objects.insert(
                    session, keyring=self.keyring, case_id=case_id, object_id=object_id, at=self.db.clock.now()
                )
        except IntegrityError:
            raise objects.key_exists() from None

    def object_key(self, object_id: ObjectId, *, capability: Capability) -> Secret[bytes]:
        """The key of an object.

        Raises:
            Refused: ``key_refused``: the capability doesn't cover it.
            NotFound: ``key_gone``: it was destroyed, or never was.
        """
        self._ready()

        def look() -> Secret[bytes]:
            with self.db.read() as session:
                found = objects.find(session, object_id=object_id)
            require(capability, case_id=found.case_id, object_id=object_id)
            return found.open(self.keyring)

        return _again_if_rolled(look)

    def destroy_object_key(self, object_id: ObjectId) -> None:
        """Destroy an object's key and roll its case's media key; doing it again does nothing.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        self._destroy(object_id, then=objects.AndThen.ROLL_CASE)

    def destroy_upload_key(self, upload_id: UploadId) -> None:
        """Destroy the key of an upload's parts; its case rolls with the next epoch roll.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        self._destroy(ObjectId(upload_id), then=objects.AndThen.LEAVE)

    def roll_case(self, case_id: CaseId) -> int:
        """Give a case a new media key; returns how many object keys were wrapped again."""
        self._ready()
        with self.db.begin() as session:
            return cases.roll_case(session, keyring=self.keyring, case_id=case_id, at=self.db.clock.now())

    def record_key(self, owner: RecordOwner) -> RecordKey:
        """The key of a record's personal fields, made on first use.

        Raises:
            NotFound: ``key_gone``: it was destroyed.
        """
        found = self.record_keys([owner])
        if owner in found:
            return found[owner]
        with self.db.begin() as session:
            row = records.find_or_make(session, keyring=self.keyring, owner=owner, at=self.db.clock.now())
        return records.open_row(row, keyring=self.keyring)

    def record_keys(self, owners: Iterable[RecordOwner]) -> dict[RecordOwner, RecordKey]:
        """The keys of many records in one look; owners without one are left out (for lists).

        Raises:
            NotFound: ``key_gone``: one of them was destroyed.
        """
        wanted = list(owners)
        self._ready()

        def look() -> dict[RecordOwner, RecordKey]:
            with self.db.read() as session:
                rows = records.find_all(session, owners=wanted)
            return {owner: records.open_row(row, keyring=self.keyring) for owner, row in rows.items()}

        return _again_if_rolled(look)

    def destroy_record_key(self, owner: RecordOwner) -> None:
        """Destroy the key of a record's fields; doing it again does nothing.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        self._ready()
        with self.db.begin() as session:
            records.destroy(session, owner=owner, at=self.db.clock.now())

    def _destroy(self, object_id: ObjectId, *, then: objects.AndThen) -> None:
        self._ready()
        with self.db.begin() as session:
            objects.destroy(session, keyring=self.keyring, object_id=object_id, at=self.db.clock.now(), then=then)


def _store_exists() -> Conflict:
    return Conflict("keyring_exists", "This vault has been made already. It was left as it is.")


def _again_if_rolled(look: Callable[[], T]) -> T:
    """Look at a row and unwrap it; between the two its epoch may have gone, and then the row has moved on."""
    for _ in range(_LOOKS - 1):
        try:
            return look()
        except Damaged as error:
            if error.code != "epoch_key_missing":
                raise
    return look()
