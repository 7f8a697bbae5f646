"""Composition: what one process holds, made from settings once, handed to routes and duties as a value."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

import audit
import consent
import identity
import retention
from app.demo.clock import DemoClock
from app.messages import Sender, sender_for
from app.schema import Tree, check_current
from app.settings import Settings
from consent import Policy, PrMode, Watch
from core.clock import Clock, SteadyClock, SystemClock
from core.db import Database, connect
from core.errors import Invalid, VaultError
from core.mark import mark
from keys import KeyStore, Root
from vault import Address, BothStores, Bounds, KnownStore, ObjectStore, open_store


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that use cases are given.

    Attributes:
        db: the main database, with the audit writer attached.
        keystore: unsealed.
        store: where sealed objects lie; refuses everything until its mark was seen.
        watch: this process's eye on consent versions and sessions.
        policy: the authority's settings for the consent rule.
        bounds: its settings for deposits.
        sender: how messages go out.
        signer: signs checkpoints of the log.
        schedule: what is kept how long.
        witness: the place outside that remembers checkpoints, if one is set up.
    """

    settings: Settings
    db: Database
    keystore: KeyStore
    store: ObjectStore
    watch: Watch
    policy: Policy
    bounds: Bounds
    sender: Sender
    signer: audit.Signer
    schedule: retention.Schedule
    witness: audit.Witness | None
    _closing: list[Database] = field(default_factory=list)

    def close(self) -> None:
        """Let go of everything."""
        self.watch.stop()
        with suppress(VaultError):  # then no roll waits for this process, unless its database is away
            self.keystore.leave()
        for database in (self.db, *self._closing):
            database.engine.dispose()


def service_of(request: Request) -> Service:
    """The service of the application that a request came to (a FastAPI dependency)."""
    service: Service = request.app.state.service
    return service


def clock_for(settings: Settings) -> Clock:
    """The machine's clock, or the demonstration's."""
    return DemoClock(settings.demo_clock) if settings.demo_clock else SystemClock()


def databases(settings: Settings, *, clock: Clock) -> tuple[Database, Database]:
    """The main database and the key database."""
    return tuple(connect(settings.address_of(name), clock=clock) for name in ("database", "keys"))  # type: ignore[return-value]  # two names, two databases


def open_service(settings: Settings, *, root: Root) -> Service:
    """Open a store that ``vig-vault init`` made.

    Raises:
        Refused: the root is another one; nothing is made or changed.
        Unavailable: a database is gone or of another version, the root can't be reached, or the objects aren't where
            they were. A store that only doesn't answer is no reason: what needs it is refused until it does.
    """
    clock = SteadyClock(clock_for(settings))
    db, keys_db = databases(settings, clock=clock)
    check_current(db, Tree.VAULT)
    check_current(keys_db, Tree.KEYS)
    with db.read() as session:
        clock.raise_to(mark(session))
    store = KnownStore(db, objects_of(settings), address=str(Address.parsed(settings.objects_address)))
    store.start()
    keystore = KeyStore.open(db=keys_db, root=root, places=settings.places)
    audit.attach(db, writer_key=keystore.audit_mac_key())
    identity.attach(db, keystore=keystore)
    if settings.breach_list:
        identity.know_breached(db, file=settings.breach_list)
    policy = consent_policy(settings)
    consent.attach(db, policy=policy)
    schedule = retention.load()
    watch = consent.Watch(db)
    watch.start()
    return Service(
        settings=settings,
        db=db,
        keystore=keystore,
        store=store,
        watch=watch,
        policy=policy,
        bounds=Bounds(most_bytes=settings.max_upload_bytes, life=retention.uploads_wait(schedule)),
        sender=sender_for(settings.messages, sender=settings.messages_from),
        signer=audit.Signer(name=log_origin(settings), key=keystore.audit_signing_key()),
        schedule=schedule,
        witness=audit.FileWitness(settings.witness) if settings.witness else None,
        _closing=[keys_db],
    )


def objects_of(settings: Settings) -> ObjectStore:
    """Where the sealed objects lie. Nothing is asked of a store elsewhere yet.

    Raises:
        Invalid: an address or its credentials can't be used, or an extra isn't installed.
    """
    spool = settings.objects_spool or settings.store / "spool"
    first = open_store(Address.parsed(settings.objects_address), spool=spool, credentials=settings.objects_credentials)
    if not settings.objects_also:
        return first
    also = Address.parsed(settings.objects_also)
    return BothStores(first, open_store(also, spool=spool, credentials=settings.objects_also_credentials))


def consent_policy(settings: Settings) -> Policy:
    """The authority's settings for the consent rule.

    Raises:
        Invalid: ``pr_mode`` is none that we know.
    """
    try:
        mode = PrMode(settings.pr_mode)
    except ValueError:
        raise Invalid("setting_invalid", "VAULT_PR_MODE must be one_and_notice or all.") from None
    return Policy(pr_mode=mode, pr_notice=settings.pr_notice)


def log_origin(settings: Settings) -> str:
    """The name under which this store's log signs: kept from ``init`` on, so that a moved server stays one log."""
    return (settings.store / ORIGIN_FILE).read_text(encoding="utf-8").strip()


ORIGIN_FILE = Path("log-origin")
