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
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict
from core.ids import CaseId, ObjectId, UploadId, new_id
from core.secret import Secret
from keys import copies, heartbeat, inventory, objects, records, roll, rooting, standing
from keys.capability import Capability, require
from keys.capsule import Capsule, Epoch
from keys.fields import RecordKey, RecordOwner
from keys.inventory import KeyLine, KeyStanding
from keys.keyring import Keyring, again_if_rolled
from keys.models import ObjectKeyRow, RecordKeyRow, RootRow, StoreRow
from keys.places import first_rows
from keys.roll import RollReport
from keys.rooting import RootStanding
from keys.roots import Assurance, OpenRoot, Root, RootRecord, sealed, wrong_root
from keys.standing import Erasure, Standing
from keys.wrap import derive, fresh_key


class KeyStore:
    """All keys of one store. Make it with ``create`` once, with ``open`` ever after.

    Args:
        db: the key database, with the tables of ``KEYS_METADATA``.
        places: registered erasable folders: the live keyring's, then at least one recovery place.
    """

    def __init__(self, *, db: Database, places: Sequence[Path]) -> None:
        self.db = db
        self.keyring = Keyring(tuple(places))
        self.process = heartbeat.Process(new_id())
        self._assurance: Assurance | None = None

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
        store._assurance = root.assurance
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

    @property
    def is_sealed(self) -> bool:
        """Whether the root is still to be given (or was forgotten)."""
        return not self.keyring.is_open

    @property
    def assurance(self) -> Assurance:
        """What the erasure of an epoch key is worth under this root, as certificates say it.

        Raises:
            Unavailable: ``sealed``.
        """
        if self._assurance is None:
            raise sealed()
        return self._assurance

    def unseal(self, root: Root) -> None:
        """Give the root to a store that was made without.

        Raises:
            Unavailable: ``keyring_missing``.
            Refused: ``wrong_root``.
        """
        capsule, record = self.keyring.unseal(root)
        self._assurance = root.assurance
        with self.db.read() as session:
            known = session.get(StoreRow, capsule.store)
            noted = session.get(RootRow, rooting.fingerprint(root.uri, record))
        if known is None:
            self.keyring.forget()
            raise wrong_root()
        if noted is None:
            self._note(root, record)
        self.beat()

    def seal(self) -> None:
        """Forget the root and every key."""
        self.keyring.forget()

    def change_root(self, new: Root) -> RootStanding:
        """Seal the keyring under a new root (another passphrase, or another kind), at every registered place.

        Copies made before still open with the old one, until that is destroyed (``destroy_root``). Other processes are
        sealed from their next look at the keyring on, until they are given the new root.

        Raises:
            Unavailable: a registered place can't be reached, or one of the two roots; nothing was changed.
        """
        return self._reseal(new, make=lambda _record: new.make())

    def rotate_root(self, root: Root) -> RootStanding:
        """Seal the keyring under the next key of the same root, by whatever opens it now.

        Raises:
            Refused: ``wrong_root``: this root doesn't open the keyring.
            Unavailable: as ``change_root``.
        """
        return self._reseal(root, make=partial(self._next, root))

    def destroy_root(self, root_id: str, *, root: Root) -> RootStanding:
        """Destroy a former root key where it lies (in the token, in the key service), as soon as that can.

        Args:
            root_id: from ``roots``.
            root: of its name.

        Returns:
            How it stands; ``gone_at`` may be a date to come, or nothing where the root can't promise one.

        Raises:
            NotFound: ``root_unknown``.
            Conflict: ``root_in_use``: a place of the keyring is sealed under it.
            Invalid: ``root_in_keyring``: a ``local:`` root is nowhere else.
        """
        self._ready()
        with self.keyring.writer():
            roll.require_places(self.db, keyring=self.keyring)
            return rooting.destroy(self.db, keyring=self.keyring, root_id=root_id, root=root)

    def roots(self) -> tuple[RootStanding, ...]:
        """Every root key that ever sealed the keyring, the oldest first."""
        live = rooting.live_id(self.keyring)
        with self.db.read() as session:
            return rooting.standings(session, live=live)

    def beat(self) -> None:
        """Say that this process lives, and forget the epochs that are being retired.

        The app calls it every ``heartbeat.BEAT_EVERY``; every use of a key does so where that was missed.
        """
        heartbeat.beat(self.db, process=self.process, keyring=self.keyring)

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

        return again_if_rolled(look)

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
            return objects.roll_case(session, keyring=self.keyring, case_id=case_id, at=self.db.clock.now())

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

        return again_if_rolled(look)

    def destroy_record_key(self, owner: RecordOwner) -> None:
        """Destroy the key of a record's fields; doing it again does nothing.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        self._ready()
        with self.db.begin() as session:
            records.destroy(session, owner=owner, at=self.db.clock.now())

    def roll_epoch(self) -> RollReport:
        """Roll the epoch, or go on with a roll that was stopped. A second call is needed while it waits for others.

        Raises:
            Unavailable: another process rolls, or a registered place can't be reached.
        """
        self._ready()
        return roll.roll_epoch(roll.Roller(self.db, self.keyring, self.process))

    def copy_rows(self) -> int:
        """Copy the key rows to the recovery places where they have changed; call it every quarter of an hour.

        Returns:
            How many places were written.
        """
        self._ready()
        with self.keyring.writer():
            return copies.write_copies(self.db, keyring=self.keyring)

    def erasure_of(self, object_id: ObjectId) -> Erasure | None:
        """What may be promised of a destroyed object's key; nothing while it lives.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        return self._erasure(lambda session: session.get(ObjectKeyRow, object_id))

    def erasure_of_record(self, owner: RecordOwner) -> Erasure | None:
        """What may be promised of a destroyed record key; nothing while it lives.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        return self._erasure(lambda session: records.find_all(session, owners=[owner]).get(owner))

    def status(self) -> Standing:
        """How the keys stand."""
        return standing.standing(self.db, keyring=self.keyring)

    def standings(self, object_ids: Iterable[str]) -> dict[ObjectId, KeyStanding]:
        """How the keys of these objects (or uploads) stand, each live one tried; who never had one is left out."""
        self._ready()
        with self.db.read() as session:
            return inventory.standings(session, keyring=self.keyring, object_ids=object_ids)

    def live_keys(self, *, after: str = "", most: int = 500) -> list[KeyLine]:
        """The live keys of objects and uploads, by id, a page at a time."""
        with self.db.read() as session:
            return inventory.live_keys(session, after=after, most=most)

    def audit_mac_key(self) -> Secret[bytes]:
        """The key that chains audit entries."""
        return derive(self.keyring.seed(), label="service v1 audit-mac")

    def audit_signing_key(self) -> Ed25519PrivateKey:
        """The key that signs the log's checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(
            derive(self.keyring.seed(), label="service v1 audit-signing").reveal()
        )

    def token_key(self) -> Secret[bytes]:
        """The key of the fingerprints of tokens and tickets."""
        return derive(self.keyring.seed(), label="service v1 tokens")

    def _destroy(self, object_id: ObjectId, *, then: objects.AndThen) -> None:
        self._ready()
        with self.db.begin() as session:
            objects.destroy(session, keyring=self.keyring, object_id=object_id, at=self.db.clock.now(), then=then)

    def _erasure(self, find: Callable[[Session], ObjectKeyRow | RecordKeyRow | None]) -> Erasure | None:
        with self.db.read() as session:
            row = find(session)
            if row is None:
                raise objects.key_gone()
            return standing.erasure(session, row, at=self.db.clock.now())

    def _reseal(self, root: Root, *, make: Callable[[RootRecord], tuple[RootRecord, OpenRoot]]) -> RootStanding:
        self._ready()
        with self.keyring.writer():
            roll.require_places(self.db, keyring=self.keyring)
            record, opened = make(self.keyring.live_file().root)
            root_id = self._note(root, record)
            self.keyring.change_root(opened, uri=root.uri, record=record)
            self._assurance = root.assurance
        return next(one for one in self.roots() if one.id == root_id)

    def _next(self, root: Root, record: RootRecord) -> tuple[RootRecord, OpenRoot]:
        if root.uri != self.keyring.live_file().root_uri:
            raise wrong_root()
        return root.rotate(record)

    def _note(self, root: Root, record: RootRecord) -> str:
        with self.db.begin() as session:
            return rooting.note(
                session, uri=root.uri, record=record, reference=root.reference(record), at=self.db.clock.now()
            )

    def _ready(self) -> None:
        if self.is_sealed:
            raise sealed()
        if heartbeat.is_due(self.process, at=self.db.clock.now()):
            self.beat()


def _store_exists() -> Conflict:
    return Conflict("keyring_exists", "This vault has been made already. It was left as it is.")
