"""The databases and what they know: versions, safety, time, the witness, sweeps and what waits. Only ever read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

import audit
import retention
import vault
from app.doctor.findings import Finding, fault, fine, left_out, warning
from app.schema import Tree, newest
from app.service import log_origin
from app.settings import Settings
from core import jobs, outbox
from core.clock import Clock, Leap, judge
from core.db import Database
from core.mark import mark
from keys import KeyStore

OLDEST_POSTGRESQL = 15
_PATIENCE_SECONDS = 5
_TREES = {"database": Tree.VAULT, "keys": Tree.KEYS}
_SLACK = timedelta(minutes=2)


def looking(address: str, *, clock: Clock) -> Database:
    """Open a database to look only: nothing is written, made or changed, not even a journal."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "").absolute()
        # With a journal beside it somebody may be writing; without one the file stands still.
        query = {"mode": "ro", "uri": "true"} | ({} if Path(f"{path}-wal").exists() else {"immutable": "1"})
        engine = create_engine(URL.create("sqlite", database=f"file:{path}", query=query), hide_parameters=True)
    else:
        options = f"-c statement_timeout={_PATIENCE_SECONDS * 1000} -c default_transaction_read_only=on"
        waits = {"connect_timeout": str(_PATIENCE_SECONDS)} | ({} if "options" in url.query else {"options": options})
        engine = create_engine(url, connect_args=waits, hide_parameters=True)
    return Database(engine, clock)


def database(name: str, db: Database) -> Iterator[Finding]:
    """One database: there, safe, of this program's version."""
    label = "database" if name == "database" else f"{name}_database"
    if db.is_sqlite and not _file_of(db).exists():
        if name == "workflows":
            yield fine(label, "It is made when a worker first starts.")
        else:
            yield fault(label, "It isn't there.", "Make the store with `vig-vault init`, or look at the setting.")
        return
    try:
        with db.engine.connect() as connection:
            yield from _sqlite(label, _file_of(db)) if db.is_sqlite else _postgresql(label, connection)
            if name in _TREES:
                yield _version(label, connection, tree=_TREES[name])
    except SQLAlchemyError:
        yield fault(label, "It can't be reached or read.", "Look at the server, the address and the rights.")


def separate(read: Settings) -> Iterator[Finding]:
    """Whether each has a database of its own."""
    urls = [make_url(read.address_of(name)) for name in ("database", "keys", "workflows")]
    places = [(url.host, url.port, url.database) for url in urls]
    if len(set(places)) < len(places):
        yield fault("separate", "Two of the three databases are one.", "Give each its own.")
    elif urls[0].get_backend_name() != "sqlite" and places[0][:2] == places[1][:2]:
        advice = "Keep the key database on another server: whoever has one backup should not have both."
        yield warning("separate", "Data and keys are on the same database server.", advice)
    else:
        yield fine("separate", "Data, keys and workflows have databases of their own.")


def time(db: Database) -> Iterator[Finding]:
    """The clock, against the highest time that was ever believed."""
    with db.read() as session:
        highest = mark(session)
    now = db.clock.now()
    if highest is None:
        yield left_out("clock", "No time was noted yet.")
    elif judge(mark=highest, now=now) is Leap.AHEAD:
        advice = "If the machine is right: vig-vault clock accept. It also says so after more than a day switched off."
        yield warning("clock", "The time is more than 26 hours past the last that was believed.", advice)
    elif now < highest - _SLACK:
        yield fault("clock", "The clock is behind what it was before.", "Set it right; the service waits for it.")
    else:
        yield fine("clock", "The clock agrees with what was noted.")


def witness(read: Settings, *, db: Database, store: KeyStore) -> Iterator[Finding]:
    """The store against its witness."""
    if read.witness is None:
        yield left_out("witness", "There is none.")
        return
    if store.is_sealed:
        yield left_out("witness", "Comparing takes the keys, which weren't opened.")
        return
    audit.attach(db, writer_key=store.audit_mac_key())
    signer = audit.Signer(name=log_origin(read), key=store.audit_signing_key())
    report = audit.check_witness(
        db, witness=audit.FileWitness(read.witness), verifier=signer.verifier, remembered=store.remembered
    )
    if report.standing in audit.MAY_SERVE:
        yield fine("witness", f"Store and witness agree ({report.standing}).")
    else:
        advice = "The service refuses to start: see Restore in docs/operations.md."
        yield fault("witness", f"Store and witness don't agree ({report.standing}).", advice)


def work(db: Database) -> Iterator[Finding]:
    """Sweeps, and what waits for a person."""
    health = retention.health(db)
    if health.halted:
        yield warning("sweep", "A sweep waits for an officer.", "They look at Retention.")
    elif health.last_done_at is None:
        yield warning("sweep", "No sweep has run yet.", "A new store has its first in its first night.")
    elif health.overdue:
        yield warning("sweep", f"The last sweep was on {health.last_done_at:%d %B %Y}.", "Is a worker running?")
    else:
        yield fine("sweep", f"The last sweep was on {health.last_done_at:%d %B %Y, %H:%M} UTC.")
    with db.read() as session:
        counts = {"jobs": jobs.parked(session), "deliveries": outbox.parked(session)}
    if any(counts.values()):
        said = f"{counts['jobs']} jobs were given up, {counts['deliveries']} deliveries failed again and again."
        yield warning("waiting", said, "Jobs: their pages say why. Deliveries: look at mail server and witness.")
    else:
        yield fine("waiting", "Nothing waits for a person.")


def scrub(read: Settings, *, db: Database) -> Iterator[Finding]:
    """When every stored object was last read and compared."""
    with db.read() as session:
        last = vault.last_scrub(session)
    if last is None or last.finished_at is None:
        yield warning(
            "scrub", "No reading of every stored object has ended yet.", "A worker does it; or vig-vault scrub."
        )
        return
    said = f"Every stored object was last read by {last.finished_at:%d %B %Y}."
    if last.damaged or last.missing:
        found = f"{said} {last.damaged} were damaged, {last.missing} missing."
        yield fault("scrub", found, "vig-vault fsck names what is missing, the log what is damaged: see Restore.")
    elif db.clock.now() - last.finished_at > 2 * read.scrub_every:
        yield warning("scrub", said, "Is a worker running, and VAULT_SCRUB_RATE more than 0? Or vig-vault scrub.")
    else:
        yield fine("scrub", said)


def keys(store: KeyStore) -> Iterator[Finding]:
    """Who uses the keys, and whether a roll is under way."""
    standing = store.status()
    yield fine("processes", f"Processes that used the keys lately: {standing.processes}.")
    if standing.roll is not None:
        yield warning("epoch_roll", "A roll of the epoch is under way.", "The worker goes on with it within seconds.")
    if store.copy_is_overdue():
        advice = "`vig-vault key backup`. Is a worker running?"
        yield warning("key_copy", "The key rows weren't copied to a recovery place for half an hour.", advice)
    else:
        yield fine("key_copy", "The recovery places were given the key rows within the last half hour.")
    lost = [place for place in standing.places if place.lost_at is not None and place.gone_at is None]
    if lost:
        advice = "Certificates wait until its destruction is attested."
        yield warning("lost_places", f"{len(lost)} places of the keyring are noted as lost.", advice)
    damaged = store.damaged_keys()
    if damaged:
        said = f"{len(damaged)} keys don't open (key_damaged)."
        yield fault("wrapped_keys", said, "`vig-vault key status` names each; docs/operations.md: What is damaged.")
    else:
        yield fine("wrapped_keys", "Every key of a case and of personal fields opens.")


def _sqlite(label: str, file: Path) -> Iterator[Finding]:
    with file.open("rb") as opened:
        head = opened.read(20)
    if head[18:20] == b"\2\2":  # what the file format says of its journal; a look without one can't ask
        yield fine(label, "SQLite, with a write-ahead log; the program writes through at each commit.")
    else:
        yield warning(label, "SQLite without a write-ahead log.", "Start the service: it sets that.")


def _postgresql(label: str, connection: Connection) -> Iterator[Finding]:
    names = ("server_version_num", "fsync", "synchronous_commit", "full_page_writes")
    shown = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in names}
    major = int(shown.pop("server_version_num")) // 10_000
    off = [name for name, value in shown.items() if value == "off"]
    if major < OLDEST_POSTGRESQL:
        yield fault(label, f"PostgreSQL {major}.", f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer.")
    elif off:
        yield fault(label, f"PostgreSQL {major} with {', '.join(off)} off: it may forget a withdrawal.", "Set it on.")
    else:
        yield fine(label, f"PostgreSQL {major}, which writes through at each commit.")
    if label == "database":
        yield from _rights(connection)


def _rights(connection: Connection) -> Iterator[Finding]:
    if connection.execute(text("SELECT to_regclass('audit_entry')")).scalar_one() is None:
        return
    may = "SELECT bool_or(has_table_privilege('audit_entry', verb)) FROM unnest(ARRAY['UPDATE', 'TRUNCATE']) AS verb"
    if connection.execute(text(may)).scalar_one():
        advice = "Let the service run under a role that can only add to the log: docs/audit-log.md."
        yield warning("rights", "This role may change the log's table; triggers and signatures guard it.", advice)
    else:
        yield fine("rights", "This role can only add to the log.")


def _version(label: str, connection: Connection, *, tree: Tree) -> Finding:
    name = f"{label}_version"
    try:
        have = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    except SQLAlchemyError:
        return fault(name, "It has no tables of ours.", "Make the store with `vig-vault init`.")
    if have == newest(tree):
        return fine(name, "Its tables are of this program's version.")
    return fault(name, "Its tables are of another version.", "Back up, then `vig-vault upgrade`.")


def _file_of(db: Database) -> Path:
    return Path(str(db.engine.url.database).removeprefix("file:"))
