"""Holding the root: opening and sealing the keyring, living beside other processes, and the service's own secrets.

In memory are only the root and the epoch keys. What the keyring remembers of the audit log is the third voice beside
the store and its witness: ``remember`` notes a checkpoint, ``agrees`` compares the key rows with the capsule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select

from core.db import Database
from core.ids import new_id
from core.secret import Secret
from keys import copies, heartbeat, rooting
from keys.keyring import Keyring
from keys.models import EpochRow, EpochState, ProcessRow, RootRow, StoreRow
from keys.rooting import RootStanding
from keys.roots import Assurance, Destruction, OpenRoot, Root, RootRecord, sealed, wrong_root
from keys.wrap import derive

_LOOKS = 3


@dataclass(frozen=True, slots=True)
class RootFacts:
    """What may be said of a root, without anything that opens it.

    Attributes:
        uri: its name.
        assurance: what erasure under it is worth.
        destruction: how soon it destroys.
    """

    uri: str
    assurance: Assurance
    destruction: Destruction

    @classmethod
    def of(cls, root: Root) -> RootFacts:
        """A root's."""
        return cls(root.uri, root.assurance, root.destruction)


class Custody:
    """The keyring of one store in one process.

    Args:
        db: the key database, with the tables of ``KEYS_METADATA``.
        places: registered erasable folders: the live keyring's, then at least one recovery place.
    """

    def __init__(self, *, db: Database, places: Sequence[Path]) -> None:
        self.db = db
        self.keyring = Keyring(tuple(places))
        self.process = heartbeat.Process(new_id())
        self._root: RootFacts | None = None

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
        return self.root.assurance

    @property
    def root(self) -> RootFacts:
        """What may be said of the root.

        Raises:
            Unavailable: ``sealed``.
        """
        if self._root is None:
            raise sealed()
        return self._root

    def unseal(self, root: Root) -> None:
        """Give the root to a store that was made without.

        Raises:
            Unavailable: ``keyring_missing``.
            Refused: ``wrong_root``.
        """
        capsule, record = self.keyring.unseal(root)
        self._root = RootFacts.of(root)
        with self.db.read() as session:
            known = session.get(StoreRow, capsule.store)
            noted = session.get(RootRow, rooting.fingerprint(root.uri, record))
        if known is None:
            self.keyring.forget()
            raise wrong_root()
        if noted is None:
            self._note(root, record)
        self.beat()

    def unseal_again(self, root: Root) -> bool:
        """Give the root to this process unless it has the one that the keyring is under now.

        Returns:
            Whether it was needed.

        Raises:
            Unavailable: ``keyring_missing``.
            Refused: ``wrong_root``; nothing was changed.
        """
        is_needed = self.is_sealed or self.keyring.is_superseded()
        if is_needed:
            self.unseal(root)
        return is_needed

    def seal(self) -> None:
        """Forget the root and every key."""
        self.keyring.forget()

    def leave(self) -> None:
        """Forget the root and every key, and let no roll wait for this process any more."""
        self.keyring.forget()
        with self.db.begin() as session:
            session.execute(delete(ProcessRow).where(ProcessRow.id == self.process.id))

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
            copies.require_places(self.db, keyring=self.keyring)
            return rooting.destroy(self.db, keyring=self.keyring, root_id=root_id, root=root)

    def require_former(self, root_id: str) -> None:
        """Go on only with a root key that sealed the keyring once and seals no place of it now.

        Raises:
            NotFound: ``root_unknown``.
            Conflict: ``root_in_use``.
        """
        with self.db.read() as session:
            rooting.require_former(session, keyring=self.keyring, root_id=root_id)

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

    @property
    def remembered(self) -> str:
        """The checkpoint of the audit log that the keyring keeps, a signed note; empty where it keeps none yet.

        Raises:
            Unavailable: ``sealed``.
        """
        return self.keyring.current().remembered

    def remember(self, note: str) -> None:
        """Keep another checkpoint, at every place.

        Whoever calls has seen that the log extends the one that is kept (``audit.to_remember``).

        Raises:
            Unavailable: ``keyring_busy``, or a registered place can't be reached. Nothing was changed.
        """
        self._ready()
        with self.keyring.writer():
            copies.require_places(self.db, keyring=self.keyring)
            self.keyring.change(lambda capsule: capsule.remembering(note))

    def agrees(self) -> bool:
        """Whether key rows and keyring are of one time: each epoch of either is known to the other.

        An older key database doesn't know the newest epoch of the keyring; an older keyring lacks the active one.
        """
        for _ in range(_LOOKS):  # a roll may pass between the two looks
            epochs = {epoch.id for epoch in self.keyring.current().epochs}
            with self.db.read() as session:
                rows = session.execute(select(EpochRow.id, EpochRow.state)).all()
            alive = {row.id for row in rows if row.state is not EpochState.DESTROYED}
            active = {row.id for row in rows if row.state is EpochState.ACTIVE}
            if active <= epochs <= alive:
                return True
        return False

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

    def _reseal(self, root: Root, *, make: Callable[[RootRecord], tuple[RootRecord, OpenRoot]]) -> RootStanding:
        self._ready()
        with self.keyring.writer():
            copies.require_places(self.db, keyring=self.keyring)
            record, opened = make(self.keyring.live_file().root)
            root_id = self._note(root, record)
            self.keyring.change_root(opened, uri=root.uri, record=record)
            self._root = RootFacts.of(root)
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
