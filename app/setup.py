"""Making a store: everything that `vig-vault init` does, in an order that a crash leaves explainable."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import audit
import consent
import identity
from app.schema import Tree, upgrade
from app.service import ORIGIN_FILE, clock_for, databases
from app.settings import Settings
from audit import Event
from core import mark
from core.errors import Conflict, Invalid
from keys import KeyStore, Root

_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9./-]{2,100}")


@dataclass(frozen=True, slots=True)
class Made:
    """What a new store's owner must be told.

    Attributes:
        log_key: the log's public key as a C2SP verifier key, to be kept elsewhere.
        enrolment: address at which the first administrator sets password and second factor.
    """

    log_key: str
    enrolment: str = field(repr=False)


def make_store(settings: Settings, *, root: Root, log_name: str, admin_name: str, admin_email: str) -> Made:
    """Make keyring, databases, log and the first administrator.

    Raises:
        Conflict: there is a store already; it is never replaced.
        Invalid: the log's name, the root, its passphrase or the email can't be used.
        Unavailable: the root can't be reached.
    """
    if not _LOG_NAME.fullmatch(log_name):
        raise Invalid("log_name", "Name the log with small letters, digits, dots, slashes and hyphens.")
    if settings.store.exists() and any(settings.store.iterdir()):
        raise Conflict("store_exists", "There is something in that folder already. Nothing was changed.")
    for folder in (settings.store, settings.store / "objects", *settings.places):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.store / ORIGIN_FILE).write_text(log_name + "\n", encoding="utf-8")
    db, keys_db = databases(settings, clock=clock_for(settings))
    upgrade(keys_db, Tree.KEYS)
    keystore = KeyStore.create(db=keys_db, root=root, places=settings.places)
    upgrade(db, Tree.VAULT)
    audit.attach(db, writer_key=keystore.audit_mac_key())
    identity.attach(db, keystore=keystore)
    consent.publish_notices(db)
    with db.begin() as session:
        audit.record(session, Event.STORE_MADE, actor=None)
        mark.raise_to(session, at=db.clock.now())
    signer = audit.Signer(name=log_name, key=keystore.audit_signing_key())
    enrolment = identity.bootstrap_administrator(db, keystore=keystore, name=admin_name, email=admin_email)
    audit.seal(db, signer=signer)
    keystore.leave()
    for database in (db, keys_db):
        database.engine.dispose()
    return Made(log_key=signer.verifier.vkey, enrolment=f"{settings.public_origin}/enrol/{enrolment.token.reveal()}")
