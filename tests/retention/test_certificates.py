from __future__ import annotations

import base64
import hashlib
import json

import pytest
from sqlalchemy import delete, select, update

import audit
import identity
import retention
from audit import Signer
from core.db import Database
from core.errors import NotFound
from core.ids import CertificateId, ObjectId
from keys import JobCapability, KeyStore
from keys.models import KeyState, ObjectKeyRow
from retention import Certificate, Schedule, disposal
from retention.disposal import Work
from retention.models import ItemRow
from tests.families import Family
from tests.retention.conftest import Night, Shelf
from vault.models import FootageRow, FootageState, ObjectRow, RenditionRow, UploadRow, UploadState


def only(db: Database, keystore: KeyStore, family: Family) -> Certificate:
    (found,), _ = retention.certificates_issued(db, keystore=keystore, actor=family.staff.officer.actor)
    assert found == retention.certificate(
        db, keystore=keystore, actor=family.staff.officer.actor, certificate_id=found.id
    )
    return found


def test_a_certificate_says_what_went_by_which_rule_how_and_when(
    db: Database, shelf: Shelf, night: Night, family: Family, schedule: Schedule
) -> None:
    film = shelf.film()
    rows = shelf.objects(film)
    shelf.pass_days(28)
    night()
    found = only(db, shelf.keystore, family)
    facts = found.facts()
    assert facts["record"] == film
    assert facts["rule"]["name"] == "raw-film"
    assert facts["schedule"] == {"profile": schedule.profile, "release": schedule.release, "sha256": schedule.version}
    assert facts["due"] == {"on": "2026-03-30", "because": "28 days after the visit"}
    assert {one["sha256"] for one in facts["objects"]} == {row.plain_sha256 for row in rows}
    assert {one["key"] for one in facts["objects"]} == {row.id for row in rows}
    assert "NIST SP 800-88" in facts["method"]
    assert facts["assurance"] == "file"
    assert facts["approved"] == {"by": "schedule"}
    assert [one["kind"] for one in facts["surviving_copies"]] == ["phone_not_recorded_as_removed"]
    assert found.destroyed_at == found.rolled_at == found.irrecoverable_since == db.clock.now()


def test_a_certificate_names_no_person_and_no_case(db: Database, shelf: Shelf, night: Night, family: Family) -> None:
    shelf.film()
    shelf.pass_days(28)
    night()
    text = retention.export(
        db,
        keystore=shelf.keystore,
        actor=family.staff.officer.actor,
        certificate_id=only(db, shelf.keystore, family).id,
    )
    with db.read() as session:
        people = identity.roster(session, family.case_id).persons
    for nobody in (*people, family.case_id, "Example", "Ivy"):
        assert nobody not in text
        assert nobody not in json.loads(text)["body"]


def test_until_the_epoch_has_rolled_a_certificate_promises_nothing(
    db: Database, shelf: Shelf, night: Night, family: Family, schedule: Schedule
) -> None:
    shelf.film()
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    with db.read() as session:
        item = session.scalars(select(ItemRow.id)).one()
    for _ in range(4):
        disposal.advance(Work(db, shelf.keystore, shelf.store, schedule), item_id=item)
    before = only(db, shelf.keystore, family)
    assert before.rolled_at is None
    assert before.irrecoverable_since is None
    assert len(before.pending) == 2  # both registered places still hold the old capsule
    night.carry_out(sweep_id)
    after = only(db, shelf.keystore, family)
    assert after.irrecoverable_since is not None
    assert after.pending == ()
    assert after.body == before.body


def test_a_deposit_that_was_never_made_whole_is_promised_no_more_than_any_other(
    db: Database, shelf: Shelf, night: Night, family: Family, schedule: Schedule
) -> None:
    film = shelf.film()
    with db.begin() as session:
        footage = session.get_one(FootageRow, film)
        upload = session.get_one(UploadRow, footage.upload_id)
        footage.original_id, footage.state, upload.state = None, FootageState.REJECTED, UploadState.RECEIVED
        session.flush()
        session.execute(delete(RenditionRow))
        session.execute(delete(ObjectRow))
    name = ObjectId(upload.id)
    use = JobCapability(job="deposit", case_id=family.case_id, objects=frozenset({name}))
    shelf.keystore.new_object_key(case_id=family.case_id, object_id=name, capability=use)
    shelf.pass_days(28)
    sweep_id = retention.plan(db, schedule=schedule)
    with db.read() as session:
        item = session.scalars(select(ItemRow.id)).one()
    for _ in range(4):
        disposal.advance(Work(db, shelf.keystore, shelf.store, schedule), item_id=item)
    before = only(db, shelf.keystore, family)
    assert (before.rolled_at, before.irrecoverable_since) == (None, None), "its parts open with the old capsule"
    assert before.facts()["upload_key"] == name
    night.carry_out(sweep_id)
    assert only(db, shelf.keystore, family).irrecoverable_since


@pytest.mark.parametrize("came_back", [{"state": KeyState.ACTIVE, "destroyed_at": None, "destroyed_epoch": None}, None])
def test_a_certificate_promises_nothing_once_older_key_rows_were_brought_back(
    db: Database, shelf: Shelf, night: Night, family: Family, schedule: Schedule, came_back: dict[str, object] | None
) -> None:
    shelf.film()
    shelf.pass_days(28)
    night.carry_out(retention.plan(db, schedule=schedule))
    assert only(db, shelf.keystore, family).irrecoverable_since
    with shelf.keystore.db.begin() as session:
        session.execute(update(ObjectKeyRow).values(came_back) if came_back else delete(ObjectKeyRow))
    found = only(db, shelf.keystore, family)
    assert (found.rolled_at, found.irrecoverable_since, found.pending) == (None, None, ())


def test_an_outsider_verifies_a_certificate_with_the_logs_public_key_alone(
    db: Database, shelf: Shelf, night: Night, family: Family
) -> None:
    shelf.film()
    shelf.pass_days(28)
    night()
    officer = family.staff.officer.actor
    found = only(db, shelf.keystore, family)
    unsealed = json.loads(retention.export(db, keystore=shelf.keystore, actor=officer, certificate_id=found.id))
    assert unsealed["audit"]["proof"] is None
    signer = Signer("vault.example/log", shelf.keystore.audit_signing_key())
    audit.seal(db, signer=signer)
    document = json.loads(retention.export(db, keystore=shelf.keystore, actor=officer, certificate_id=found.id))

    entry = base64.b64decode(document["audit"]["entry_bytes"])
    audit.check_proof(document["audit"]["proof"], entry=entry, verifier=signer.verifier)
    said = json.loads(entry)
    assert said["event"] == "certificate.issued"
    assert said["object"] == hashlib.sha256(document["body"].encode()).hexdigest()


def test_an_unknown_certificate_is_not_found(db: Database, keystore: KeyStore, family: Family) -> None:
    for stranger in ("0" * 32, "../../etc"):
        with pytest.raises(NotFound):
            retention.certificate(
                db, keystore=keystore, actor=family.staff.officer.actor, certificate_id=CertificateId(stranger)
            )
