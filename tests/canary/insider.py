"""Somebody with the passphrase, who tells the search what to look for: every key, and every film in clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select

from app.settings import Settings
from core.clock import SystemClock
from core.db import Database, connect
from core.errors import VaultError
from core.ids import ObjectId
from core.secret import Secret
from keys import KeyStore, LocalRoot
from keys.capsule import open_capsule, open_root
from keys.cases import unwrap_case_key
from keys.keyring import Keyring
from keys.models import CaseKeyRow, KeyState, ObjectKeyRow, RecordKeyRow
from keys.objects import find
from keys.records import open_row
from keys.roots import OpenRoot
from tests.canary.needles import Needles
from vault import DiskStore, sealed
from vault.models import ObjectRow, ObjectState


class Insider:
    """Opens what only the root opens. It leaves no trace in the key database: no process waits for it in a roll.

    Args:
        settings: of the store, or of a copy.
        passphrase: of its keyring.
    """

    def __init__(self, settings: Settings, *, passphrase: str) -> None:
        self._settings, self.passphrase = settings, passphrase
        self._root: OpenRoot | None = None
        self._told: set[str] = set()

    def tell_keys(self, needles: Needles) -> None:
        """Every key there is just now, from the root down."""
        keyring = self._keyring()
        needles.text("the passphrase", self.passphrase)
        for name, value in self.of_the_capsule():
            needles.key(name, value)
        with self.reading("keys") as key_db, key_db.read() as session:
            for case in session.scalars(select(CaseKeyRow).where(CaseKeyRow.state == KeyState.ACTIVE)):
                assert case.wrapped
                found = unwrap_case_key(
                    keyring, wrapped=case.wrapped, own_id=case.id, epoch_id=case.epoch_id, case_id=case.case_id
                )
                needles.key("a case's key", found.reveal())
            for one in session.scalars(select(ObjectKeyRow.object_id)):
                with suppress(VaultError):  # destroyed
                    key = find(session, object_id=ObjectId(one)).open(keyring)
                    needles.key("an object's key", key.reveal())
            for record in session.scalars(select(RecordKeyRow).where(RecordKeyRow.state == KeyState.ACTIVE)):
                needles.key("a record's key", open_row(record, keyring=keyring).key.reveal())

    def tell_films(self, needles: Needles) -> None:
        """Every object that is sealed just now, in clear: working copies, clips, posters, strips."""
        for row, content in self.opened():
            if row.id not in self._told:
                self._told.add(row.id)
                needles.film(f"{row.kind.value}, in clear", content)

    def opened(self) -> Iterator[tuple[ObjectRow, bytes]]:
        """Each sealed object and what is in it."""
        store = DiskStore(self._settings.store / "objects")
        keyring = self._keyring()
        with self.reading("database") as db, self.reading("keys") as key_db:
            with db.read() as session:
                rows = session.scalars(select(ObjectRow).where(ObjectRow.state == ObjectState.SEALED)).all()
            for row in rows:
                with suppress(VaultError), key_db.read() as session:  # destroyed meanwhile
                    key = find(session, object_id=ObjectId(row.id)).open(keyring)
                    reader = sealed.opened(row, key=key, store=store)
                    segments = reader.indexes(0, reader.plain_size)
                    yield row, b"".join(bytes(reader.segment(number)) for number in segments)

    def of_the_capsule(self) -> Iterator[tuple[str, bytes]]:
        """The root and what it seals, by name."""
        keyring = self._keyring()
        capsule = keyring._capsule
        assert capsule
        assert self._root
        yield "the root key", self._root.key.reveal()  # type: ignore[attr-defined]  # a local root's
        yield "the service's seed", capsule.seed.reveal()
        for epoch in capsule.epochs:
            yield "an epoch key", epoch.key.reveal()
        keys = KeyStore.__new__(KeyStore)
        keys.keyring = keyring
        signing = keys.audit_signing_key().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        yield "the log's signing key", signing
        yield "the log's chaining key", keys.audit_mac_key().reveal()
        yield "the key of tokens", keys.token_key().reveal()

    def _keyring(self) -> Keyring:
        keyring = Keyring(self._settings.places)
        file = keyring.file_at(self._settings.places[0])
        if self._root is None:  # it stays the same, and stretching the passphrase takes long
            self._root = open_root(LocalRoot(Secret(self.passphrase)), file=file)
        keyring._take(self._root, open_capsule(file, root=self._root), record=file.root)
        return keyring

    @contextmanager
    def reading(self, name: str) -> Iterator[Database]:
        """One of the store's databases, for a moment."""
        db = connect(self._settings.address_of(name), clock=SystemClock())
        try:
            yield db
        finally:
            db.engine.dispose()
