"""Disposal certificates: what was destroyed, by which rule, how and when. They name no person and are kept for good.

A certificate's body never changes: its SHA-256 is the object of the audit entry that issued it, so an inclusion proof
of that entry proves the body. What can only be known later stands beside it:

* *rolled at*: an epoch roll that started after the destruction has completed on every registered place;
* *irrecoverable since*: that moment, or nothing while a registered place may still hold an old capsule, or a root key's
  deletion waits; ``pending`` says which, and until when.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import audit
import vault
from audit import Event, InclusionProof
from core.db import Database, get, not_found
from core.errors import NotFound, Unavailable
from core.ids import CertificateId, EntryId, ObjectId, new_id, well_formed
from identity import Actor
from keys import Erasure, KeyStore, Survivor
from retention import officers
from retention.models import CertificateRow, ItemRow, SweepRow
from retention.terms import RecordClass, Schedule

FORMAT = "vig-vault-disposal-certificate/1"
METHOD = "Cryptographic erase after NIST SP 800-88: every copy of the object's AES-256 key is made unusable"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it stands now.

    Attributes:
        body: what was certified, as canonical JSON; ``sha256`` is over exactly these bytes.
        rolled_at: when the epoch roll that began after the destruction had completed; nothing while none has.
        irrecoverable_since: from when no copy of anything can bring it back, as far as the registered places go.
        pending: what may still open an old copy: registered places, root keys whose deletion waits; with its end.
        audit_entry: whose inclusion proof proves the body.
    """

    id: CertificateId
    record: str
    record_class: RecordClass
    rule: str
    size_bytes: int
    destroyed_at: datetime
    rolled_at: datetime | None
    irrecoverable_since: datetime | None
    pending: tuple[Survivor, ...]
    assurance: str
    body: str
    sha256: str
    audit_entry: EntryId

    def facts(self) -> Mapping[str, Any]:
        """The body, read."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def certificates_issued(
    db: Database, *, keystore: KeyStore, actor: Actor, page: int = 1, of: RecordClass | None = None
) -> tuple[tuple[Certificate, ...], int]:
    """Certificates, newest first.

    Args:
        db: the main database.
        keystore: what came after, asked of the keys themselves.
        actor: an information governance officer.
        page: from 1, ``PAGE`` on each.
        of: only those of this class; all without it.

    Returns:
        Those of the page, and how many there are in all.

    Raises:
        Refused: not an officer.
    """
    officers.require_officer(actor)
    wanted = (CertificateRow.record_class == of,) if of else ()
    with db.read() as session:
        count = session.scalar(select(func.count()).select_from(CertificateRow).where(*wanted)) or 0
        rows = session.scalars(
            select(CertificateRow)
            .where(*wanted)
            .order_by(CertificateRow.destroyed_at.desc(), CertificateRow.id)
            .limit(PAGE)
            .offset(PAGE * (max(page, 1) - 1))
        ).all()
    return tuple(_shown(row, keystore=keystore) for row in rows), count


def certificate(db: Database, *, keystore: KeyStore, actor: Actor, certificate_id: CertificateId) -> Certificate:
    """One certificate.

    Raises:
        Refused: not an officer.
        NotFound: no such certificate.
    """
    officers.require_officer(actor)
    if not well_formed(certificate_id):
        raise not_found()
    with db.read() as session:
        row = get(session, CertificateRow, certificate_id)
    return _shown(row, keystore=keystore)


def export(db: Database, *, keystore: KeyStore, actor: Actor, certificate_id: CertificateId) -> str:
    """A certificate as a JSON document that an outsider can check: body, what came after, and the proof of its entry.

    The proof is left out, with a word why, until its entry is sealed (a second or so after it was issued).

    Raises:
        Refused: not an officer.
        NotFound: no such certificate.
    """
    found = certificate(db, keystore=keystore, actor=actor, certificate_id=certificate_id)
    try:
        proof: InclusionProof | None = audit.prove(db, found.audit_entry)
    except Unavailable:
        proof = None
    document = {
        "body": found.body,
        "sha256": found.sha256,
        "rolled_at": _iso(found.rolled_at),
        "irrecoverable_since": _iso(found.irrecoverable_since),
        "pending": [{"kind": one.kind.value, "id": one.id, "until": _iso(one.until)} for one in found.pending],
        "audit": _proof(found.audit_entry, proof),
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def issue(session: Session, item: ItemRow, *, keystore: KeyStore, schedule: Schedule, at: datetime) -> CertificateId:
    """Certify an item whose keys are gone, in the transaction that marks its record destroyed."""
    certificate_id = CertificateId(new_id())
    sweep = session.get_one(SweepRow, item.sweep_id)
    rule = schedule.rules[item.record_class]
    gone = vault.objects_of(session, item.record_id)
    copies = vault.copies_outside(session, item.record_id)
    keys = vault.keys_of(session, item.record_id)  # beside its objects' that of the upload: its parts may be all of it
    last = _last(keystore, keys)
    body = _canonical(
        {
            "format": FORMAT,
            "certificate": certificate_id,
            "record": item.record_id,
            "record_class": item.record_class.value,
            "rule": {"name": item.rule, "words": rule.words, "source": rule.source, "act": rule.act.value},
            "schedule": {"profile": schedule.profile, "release": schedule.release, "sha256": schedule.version},
            "due": {"on": item.due_on.isoformat(), "because": item.because},
            "objects": [
                {
                    "object": one.id,
                    "key": one.id,
                    "kind": one.kind,
                    "sha256": one.plain_sha256,
                    "sealed_sha256": one.sealed_sha256,
                    "sealed_bytes": one.size_bytes,
                }
                for one in sorted(gone, key=lambda one: one.id)
            ],
            "upload_key": next((key for key in keys if key not in {one.id for one in gone}), None),
            "method": METHOD,
            "destroyed_at": _iso(item.key_destroyed_at),
            "epoch": last[1].epoch if last else None,
            "assurance": keystore.assurance.value,
            "approved": _approval(sweep),
            "surviving_copies": [{"kind": copy.kind, "since": _iso(copy.since)} for copy in copies],
        }
    )
    digest = hashlib.sha256(body.encode()).hexdigest()
    entry = audit.record(
        session,
        Event.CERTIFICATE_ISSUED,
        actor=None,
        object_id=digest,
        details={"certificate": certificate_id, "record": item.record_id},
    )
    session.add(
        CertificateRow(
            id=certificate_id,
            item_id=item.id,
            record_id=item.record_id,
            record_class=item.record_class,
            rule=item.rule,
            size_bytes=item.size_bytes,
            destroyed_at=item.key_destroyed_at,
            last_key=last[0] if last else None,
            epoch=last[1].epoch if last else None,
            issued_at=at,
            body=body,
            sha256=digest,
            audit_entry=entry,
        )
    )
    return certificate_id


def roll_if_needed(db: Database, *, keystore: KeyStore, sweep_id: str) -> bool:
    """Roll the epoch where a sweep destroyed something that no finished roll has put beyond use yet.

    Returns:
        Whether everything that it destroyed is now; where not, a process must still forget an old key: ask again.
    """
    with db.read() as session:
        last = session.scalars(
            select(CertificateRow.last_key)
            .join(ItemRow, ItemRow.id == CertificateRow.item_id)
            .where(ItemRow.sweep_id == sweep_id, CertificateRow.last_key.is_not(None))
            .order_by(CertificateRow.epoch.desc())
            .limit(1)
        ).first()
    if last is None or _erasure(keystore, last).rolled_at is not None:
        return True
    report = keystore.roll_epoch()
    if report.is_done:
        with db.begin() as session:
            if not audit.told(session, Event.EPOCH_ROLLED, object_ids=[report.id]):
                audit.record(
                    session, Event.EPOCH_ROLLED, actor=None, object_id=report.id, details={"epoch": report.from_number}
                )
    return _erasure(keystore, last).rolled_at is not None


def _approval(sweep: SweepRow) -> dict[str, str | None]:
    if sweep.approved_at is None:
        return {"by": "schedule"}
    return {"by": "information_governance_officer", "at": _iso(sweep.approved_at), "audit_entry": sweep.approval_entry}


def _last(keystore: KeyStore, keys: Iterable[ObjectId]) -> tuple[ObjectId, Erasure] | None:
    """The key that was destroyed last, which the others are no better than."""
    found = []
    for key in keys:
        with suppress(NotFound):  # what a killed job left behind may never have had one
            found.append((key, _erasure(keystore, key)))
    return max(found, key=lambda pair: (pair[1].epoch, pair[1].destroyed_at), default=None)


def _erasure(keystore: KeyStore, object_id: str) -> Erasure:
    found = keystore.erasure_of(ObjectId(object_id))
    if found is None:
        message = "a certified key is alive"
        raise RuntimeError(message)
    return found


def _shown(row: CertificateRow, *, keystore: KeyStore) -> Certificate:
    gone, is_promised = None, True
    if row.last_key is not None:
        with suppress(NotFound):  # older key rows were brought back, which never knew it: nothing is promised then
            gone = keystore.erasure_of(ObjectId(row.last_key))
        is_promised = gone is not None
    at_once = row.destroyed_at if is_promised else None
    return Certificate(
        id=CertificateId(row.id),
        record=row.record_id,
        record_class=row.record_class,
        rule=row.rule,
        size_bytes=row.size_bytes,
        destroyed_at=row.destroyed_at,
        rolled_at=gone.rolled_at if gone else at_once,
        irrecoverable_since=gone.irrecoverable_since if gone else at_once,
        pending=gone.survivors if gone else (),
        assurance=str(json.loads(row.body)["assurance"]),
        body=row.body,
        sha256=row.sha256,
        audit_entry=EntryId(row.audit_entry),
    )


def _proof(entry: EntryId, proof: InclusionProof | None) -> dict[str, str | None]:
    if proof is None or proof.entry is None:
        return {"entry": entry, "proof": None, "why": "The entry isn't sealed yet."}
    return {
        "entry": entry,
        "entry_bytes": base64.b64encode(proof.entry).decode(),
        "proof": proof.text(),
    }


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
