"""The two drills of erasure, on both databases: what every old copy is worth with today's capsule, and with an old one.

Real keys, real ciphertext, real disposal and certificate; the database's own files, logs, backups and dumps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

import retention
from core.db import Database, connect
from core.errors import Damaged
from core.ids import CaseId, ObjectId, PersonId, new_id
from core.secret import Secret
from core.segments import HEADER_SIZE, SegmentReader
from keys import (
    KEYS_METADATA,
    KeyStore,
    LocalRoot,
    RecordOwner,
    SurvivorKind,
    add_recovery,
    lose,
    object_binding,
)
from keys.roots import RootRecord
from retention import Certificate, Schedule, disposal
from retention.disposal import Work
from retention.models import ItemRow
from tests.databases import administration
from tests.fakes import HandClock
from tests.families import Family, make_family, make_staff
from tests.keys.conftest import PASSPHRASE, QUICK, may
from tests.keys.rolling import fresh_database
from tests.retention.conftest import Night, Shelf
from tests.retention.hoard import Hoard
from vault import DiskStore
from vault.models import ObjectRow

ROOT = LocalRoot(PASSPHRASE, cost=QUICK)


@pytest.fixture
def keystore(database_url: str, tmp_path: Path, clock: HandClock, request: pytest.FixtureRequest) -> Iterator[KeyStore]:
    """Keys in a database of the same kind as the main one."""
    places = [tmp_path / "keyring", tmp_path / "recovery"]
    if database_url.startswith("sqlite"):
        yield from _keystore(f"sqlite:///{tmp_path / 'keys.db'}", places, clock)
        return
    name = f"k{new_id()}"
    with administration(request.getfixturevalue("postgres_address")) as run_sql:
        run_sql(f"CREATE DATABASE {name}")
        address = make_url(database_url).set(database=name)
        yield from _keystore(address.render_as_string(hide_password=False), places, clock)
        run_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _keystore(address: str, places: list[Path], clock: HandClock) -> Iterator[KeyStore]:
    database = connect(address, clock=clock)
    KEYS_METADATA.create_all(database.engine)
    yield KeyStore.create(db=database, root=ROOT, places=places)
    database.engine.dispose()


@dataclass
class Told:
    """What happened, and what everybody kept of it.

    Attributes:
        gone: the objects that were destroyed.
        kept: the objects that weren't.
        person: whose record key was destroyed.
        sealed: a field of theirs.
    """

    hoard: Hoard
    shelf: Shelf
    gone: list[ObjectRow]
    kept: list[ObjectRow]
    keys: dict[str, bytes]
    person: RecordOwner
    record: bytes
    pending: Certificate
    after: Certificate

    def film_opens(self, step: str, row: ObjectRow, keys: set[bytes]) -> bool:
        """Whether a copied object opens with any of these keys."""
        data = self.hoard.object(step, row.id)
        assert data is not None
        binding = object_binding(case_id=CaseId(row.case_id), object_id=ObjectId(row.id), generation=1)
        for key in keys:
            reader = SegmentReader(
                Secret(key),
                associated_data=binding,
                size=len(data),
                header=data[:HEADER_SIZE],
                read_at=lambda start, length: data[start : start + length],
            )
            try:
                return len(bytes(reader.read(0, 10))) == 10
            except Damaged:
                continue
        return False


@pytest.fixture
def told(
    db: Database, shelf: Shelf, night: Night, family: Family, schedule: Schedule, store: DiskStore, tmp_path: Path
) -> Told:
    """Two films, one of them destroyed by the schedule; a person's record key too; copies after every step."""
    keystore = shelf.keystore
    hoard = Hoard(tmp_path / "hoard", keystore, db.engine.url, tmp_path / "store")
    gone = shelf.film()
    person = RecordOwner.person(PersonId(new_id()))
    record = keystore.record_key(person).key.reveal()
    keystore.copy_rows()
    hoard.take("made")
    assert keystore.roll_epoch().is_done
    hoard.take("rolled once")
    shelf.pass_days(20)
    kept = shelf.film()
    keystore.roll_case(family.case_id)
    hoard.take("a case rolled")
    rows = shelf.objects(gone)
    living = shelf.objects(kept)
    keys = {row.id: _key(keystore, row) for row in (*rows, *living)}
    shelf.pass_days(8)
    hoard.back_up("backed up before")
    sweep_id = retention.plan(db, schedule=schedule)
    with db.read() as session:
        item = session.scalars(select(ItemRow.id)).one()
    for number in range(4):
        disposal.advance(Work(db, keystore, store, schedule), item_id=item)
        hoard.take(f"disposal step {number}")
    keystore.destroy_record_key(person)
    keystore.copy_rows()
    hoard.take("before the last roll")
    pending = _certificate(db, keystore, family)
    assert night.carry_out(sweep_id).rolled
    hoard.take("today")
    hoard.back_up("backed up after")
    return Told(hoard, shelf, rows, living, keys, person, record, pending, _certificate(db, keystore, family))


def _key(keystore: KeyStore, row: ObjectRow) -> bytes:
    return keystore.object_key(ObjectId(row.id), capability=may(CaseId(row.case_id))).reveal()


def _certificate(db: Database, keystore: KeyStore, family: Family) -> Certificate:
    (found,), _ = retention.certificates_issued(db, keystore=keystore, actor=family.staff.officer.actor)
    return found


def test_old_copies_open_nothing_destroyed_with_todays_capsule_and_everything_with_the_old_one(told: Told) -> None:
    """One story, looked at in every way: making it costs more than looking."""
    _nothing_was_missed(told)
    _drill_a(told)
    _drill_b(told)


def _nothing_was_missed(told: Told) -> None:
    """The thief's own tool: it finds every wrapping that lay in a row, in the bytes of that step's copy."""
    for step, written in told.hoard.written.items():
        assert written
        assert written <= told.hoard.wrapped(step), step
    before = set().union(*(told.hoard.written[step] for step in ("made", "rolled once", "a case rolled")))
    now = told.hoard.written["today"]
    assert (before - now) & told.hoard.wrapped("today"), "today's own files still hold old wrappings"


def _drill_a(told: Told) -> None:
    today = told.hoard.capsule("today")
    opened = told.hoard.opened(today, root=ROOT)
    assert {told.keys[row.id] for row in told.kept} <= opened.keys(), "the tool does open what lives"
    assert {told.keys[row.id] for row in told.gone}.isdisjoint(opened)
    assert told.record not in opened
    for row in told.gone:
        for step in ("made", "disposal step 1"):
            assert not told.film_opens(step, row, set(opened))
    assert all(told.film_opens("today", row, set(opened)) for row in told.kept)
    assert told.after.irrecoverable_since is not None
    assert told.after.pending == ()


def _drill_b(told: Told) -> None:
    assert told.pending.irrecoverable_since is None
    assert told.pending.rolled_at is None
    places = {place.id for place in told.shelf.keystore.status().places}
    assert {(one.kind, one.id) for one in told.pending.pending} == {(SurvivorKind.PLACE, place) for place in places}
    gone = {told.keys[row.id] for row in told.gone}
    for capsule in ("made", "rolled once", "before the last roll"):
        opened = told.hoard.opened(told.hoard.capsule(capsule), root=ROOT)
        assert gone <= opened.keys(), capsule
        assert told.record in opened
        assert all(told.film_opens("made", row, set(opened)) for row in told.gone)


class Waiting(LocalRoot):
    """A root key that lies elsewhere, and whose deletion waits for a week."""

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime:  # noqa: ARG002 - as every root
        return at + timedelta(days=7)

    def reference(self, record: RootRecord) -> RootRecord:  # noqa: ARG002 - as every root
        return {"lies": "elsewhere"}


def test_a_certificate_names_what_may_still_open_an_old_copy_and_until_when(
    db: Database, store: DiskStore, schedule: Schedule, clock: HandClock, tmp_path: Path
) -> None:
    """A recovery disk was lost with an old capsule on it, and the root key of its time is being deleted."""
    root = Waiting(PASSPHRASE, cost=QUICK)
    places = [tmp_path / "waiting" / name for name in ("live", "lost", "second")]
    with fresh_database(tmp_path / "waiting.db", clock) as keys_db:
        keystore = KeyStore.create(db=keys_db, root=root, places=places[:2])
        family = make_family(db, keystore, staff=make_staff(db, keystore))
        shelf, night = Shelf(db, keystore, store, family), Night(db, keystore, store, schedule)
        film = shelf.film()
        lost = next(place.id for place in keystore.status().places if place.kind == "recovery")
        lose(keys_db, place_id=lost)
        add_recovery(keys_db, keyring=keystore.keyring, folder=places[2])
        keystore = KeyStore.open(db=keys_db, root=root, places=[places[0], places[2]])
        shelf.pass_days(28)
        shelf.keystore = night.keystore = keystore
        keystore.rotate_root(root)
        old = keystore.destroy_root(keystore.roots()[0].id, root=root)
        assert old.gone_at == clock.now() + timedelta(days=7)
        night()
        assert shelf.is_gone(film)
        found = _certificate(db, keystore, family)
        assert (found.rolled_at, found.irrecoverable_since) == (clock.now(), None)
        assert [(one.kind, one.id, one.until) for one in found.pending] == [
            (SurvivorKind.PLACE, lost, old.gone_at),
            (SurvivorKind.ROOT, old.id, old.gone_at),
        ]
        document = retention.export(db, keystore=keystore, actor=family.staff.officer.actor, certificate_id=found.id)
        assert json.loads(document)["pending"][0] == {"kind": "place", "id": lost, "until": old.gone_at.isoformat()}
        shelf.pass_days(7)
        found = _certificate(db, keystore, family)
        assert (found.irrecoverable_since, found.pending) == (old.gone_at, ())
