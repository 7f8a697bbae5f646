"""The doctor: looks at everything that the service stands on, one thing after another, and never changes any of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.doctor import around, data, machine, objects, store
from app.doctor.findings import Check, Finding, State, run
from app.service import clock_for
from app.settings import Settings
from core.db import Database
from core.errors import Refused, Unavailable
from keys import KeyStore, Needs, Root, SecretFile, root_from, root_needs

__all__ = ["Finding", "State", "examine", "examine_machine"]


def examine_machine() -> Iterator[Finding]:
    """Look at the machine alone: what can be done without any setting."""
    checks: dict[str, Check] = {
        "python": machine.python,
        "libraries": machine.libraries,
        "kernel": machine.kernel,
        "sandbox": machine.sandbox,
        "detector": machine.detector,
        "core_dumps": machine.dumps,
        "swap": machine.swap,
        "limits": machine.limits,
        "clock_kept": machine.clock_discipline,
        "schedule": around.schedule,
    }
    for name, check in checks.items():
        yield from run(name, check)


def examine(settings: Settings, *, environment: Mapping[str, str], is_online: bool) -> Iterator[Finding]:
    """Look at everything around one store.

    Args:
        settings: as the service reads them.
        environment: usually ``os.environ``.
        is_online: whether the mail server may be asked.
    """
    clock = clock_for(settings)
    yield from run("settings", lambda: around.settings(settings, environment=environment))
    yield from run("secret_files", lambda: around.secret_files(settings))
    yield from run("objects_environment", lambda: objects.credentials(settings, environment=environment))
    yield from run("certificate", lambda: around.certificate(settings, at=clock.now()))
    yield from run("messages", lambda: around.messages(settings, is_online=is_online))
    yield from run("store", lambda: store.folder(settings))
    yield from run("separate", lambda: data.separate(settings))
    opened = {}
    for name in ("database", "keys", "workflows"):
        opened[name] = data.looking(settings.address_of(name), clock=clock)
    found = [
        finding
        for name, db in opened.items()
        for finding in run(name, lambda name=name, db=db: data.database(name, db))  # type: ignore[misc]  # mypy can't type defaults
    ]
    yield from found
    if not settings.store.is_dir():
        return
    usable = {one.name for one in found if one.state is State.FINE}
    yield from _inside(settings, db=opened["database"], keys_db=opened["keys"], usable=usable)
    if "database_version" in usable:
        yield from run("objects", lambda: objects.place(settings, db=opened["database"], is_online=is_online))
    for db in opened.values():
        db.engine.dispose()


def _inside(settings: Settings, *, db: Database, keys_db: Database, usable: set[str]) -> Iterator[Finding]:
    keystore = KeyStore(db=keys_db, places=settings.places)
    yield from run("keyring", lambda: store.keyring(settings, store=keystore, root=_root(settings)))
    if "keys_database_version" in usable and not keystore.is_sealed:
        yield from run("keys", lambda: data.keys(keystore))
    if "database_version" in usable:
        yield from run("clock", lambda: data.time(db))
        yield from run("witness", lambda: data.witness(settings, db=db, store=keystore))
        yield from run("work", lambda: data.work(db))
        yield from run("scrub", lambda: data.scrub(settings, db=db))


def _root(settings: Settings) -> Root | None:
    given = None if settings.passphrase_file is None else SecretFile(settings.passphrase_file)
    if given is None and root_needs(settings.root) is not Needs.NOTHING:
        return None
    try:
        return root_from(settings.root, given=given)
    except (Refused, Unavailable):  # the file: which `secret_files` has told
        return None
