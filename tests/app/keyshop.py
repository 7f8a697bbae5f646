"""A store with a keyring that opens quickly, and the commands about keys as an administrator runs them on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from typer.testing import CliRunner

import app.cli.keys
import app.cli.places
import app.cli.roots
import app.cli.store  # noqa: F401 - these register commands
import audit
import consent
from app.cli import application
from app.schema import Tree, upgrade
from app.service import ORIGIN_FILE, Service, databases, open_service
from app.settings import Settings
from app.setup import make_store
from audit.models import AuditEntryRow
from core.clock import SystemClock
from core.errors import VaultError
from core.ids import CaseId, ObjectId, new_id
from core.secret import Secret
from keys import Cost, JobCapability, KeyStore, LocalRoot
from tests.app.browser import ORIGIN

PASSPHRASE = "correct horse battery"
QUICK = Cost(passes=1, memory_kib=64, lanes=1)
CASE = CaseId(new_id())
MAY = JobCapability("test", CASE)


@dataclass(frozen=True, slots=True)
class Shop:
    """One store and its settings."""

    settings: Settings

    @property
    def folder(self) -> Path:
        return self.settings.store.parent

    @contextmanager
    def opened(self, passphrase: str = PASSPHRASE) -> Iterator[Service]:
        """The store as another process has it."""
        service = open_service(self.settings, root=LocalRoot(Secret(passphrase)))
        try:
            yield service
        finally:
            service.close()

    def run(self, *words: str, said: str = "") -> tuple[int, str]:
        """A command's status, and what it said; an error is its code."""
        environment = {
            "VAULT_STORE": str(self.settings.store),
            "VAULT_PASSPHRASE_FILE": str(self.settings.passphrase_file),
            "VAULT_RECOVERY_PLACE": ":".join(map(str, self.settings.recovery_place)),
            "VAULT_WITNESS": str(self.settings.witness),
            "VAULT_OBJECTS": self.settings.objects,
            "VAULT_OBJECTS_ALSO": self.settings.objects_also,
        }
        done = CliRunner().invoke(application, list(words), env=environment, input=said)
        if isinstance(done.exception, VaultError):
            return done.exit_code, done.exception.code
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    def ask(self, *words: str) -> tuple[int, dict[str, Any]]:
        """A command's status, and its JSON."""
        status, text = self.run(*words, "--json")
        answer: dict[str, Any] = json.loads(text)
        return status, answer

    def copied(self, to: Path) -> Shop:
        """The same store once more, to be broken."""
        shutil.copytree(self.folder, to)
        return Shop(settings_in(to))

    def write_passphrase(self, text: str, *, name: str = "passphrase") -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="ascii")
        return path

    def with_places(self, *places: Path) -> Shop:
        return Shop(replace(self.settings, recovery_place=places))


def settings_in(folder: Path) -> Settings:
    return Settings(
        store=folder / "store",
        passphrase_file=folder / "passphrase",
        recovery_place=(folder / "recovery",),
        witness=folder / "witness",
        origin=ORIGIN,
    )


def make_shop(folder: Path) -> Shop:
    """A new store."""
    folder.mkdir(exist_ok=True)
    shop = Shop(settings_in(folder))
    shop.write_passphrase(PASSPHRASE)
    make_store(
        shop.settings,
        root=LocalRoot(Secret(PASSPHRASE), cost=QUICK),
        log_name="vig-vault",
        admin_name="Ada Min",
        admin_email="ada@example.gov.uk",
    )
    with shop.opened() as service:
        service.keystore.back_up()
    return shop


def make_without_staff(settings: Settings) -> None:
    """As ``vig-vault init`` does, but for the first administrator: families bring their own staff."""
    settings.store.mkdir(mode=0o700)
    (settings.store / ORIGIN_FILE).write_text("test\n", encoding="utf-8")
    db, keys_db = databases(settings, clock=SystemClock())
    upgrade(keys_db, Tree.KEYS)
    root = LocalRoot(Secret(PASSPHRASE), cost=QUICK)
    keystore = KeyStore.create(db=keys_db, root=root, places=settings.places)
    upgrade(db, Tree.VAULT)
    audit.attach(db, writer_key=keystore.audit_mac_key())
    consent.publish_notices(db)
    keystore.leave()
    for database in (db, keys_db):
        database.engine.dispose()


def logged(shop: Shop) -> list[str]:
    """The events in the log, in order."""
    with shop.opened() as service, service.db.read() as session:
        return list(session.scalars(select(AuditEntryRow.event).order_by(AuditEntryRow.at)))


def an_object(keystore: KeyStore) -> tuple[ObjectId, Secret[bytes]]:
    """A new object of a case, and its key."""
    object_id = ObjectId(new_id())
    return object_id, keystore.new_object_key(case_id=CASE, object_id=object_id, capability=MAY)
