"""Receipts: what a person said, as a JSON document that they keep and that others can check.

After the Kantara Initiative's Consent Receipt Specification 1.1.0, with the fields of ISO/IEC TS 27560:2023 beside it,
and the proof that the answer stands in the audit log (``audit.InclusionProof`` as a C2SP tlog-proof) once it is sealed.
Forms for linked data (W3C DPV) and for health records (HL7 FHIR R5 ``Consent``) are not made yet.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

import audit
from consent.models import ConferenceRow, EventRow
from consent.notices import Notice, notice
from consent.terms import Decision, How, Purpose
from core.db import Database, get, not_found
from core.errors import Unavailable
from core.ids import CaseId, ConsentEventId, EntryId, NoticeId, PersonId, well_formed
from identity import Actor, person_name, require_signed_in
from keys import KeyStore, RecordOwner, open_field

KANTARA_VERSION: Final = "KI-CR-v1.1.0"
SCHEMA_VERSION: Final = "ISO/IEC TS 27560:2023"
RECEIPT_VERSION: Final = "1"

_STATES: Final = {
    Decision.GRANT: "given",
    Decision.REFUSE: "refused",
    Decision.WITHDRAW: "withdrawn",
}
_METHODS: Final = {
    How.OWN_DEVICE: "own device, signed in with a bound device and a passcode",
    How.WITNESSED_TABLET: "a tap on the guider's tablet, witnessed",
    How.PAPER: "signed paper, kept as a scan",
    How.TOLD_TO_STAFF: "told to a member of staff",
    How.OBSERVED: "seen by a member of staff",
}
_FAMILY: Final = frozenset({Purpose.FAMILY_REVIEW, Purpose.FAMILY_COPY})


@dataclass(frozen=True, slots=True)
class Controller:
    """The authority that answers for the data, as its receipts name it.

    Attributes:
        contact: who in it to turn to.
        jurisdiction: ISO 3166 code.
        policy_url: its privacy notice.
        lawful_basis: on which the work itself rests; a person's permission comes besides it and is never it.
        retention: how long films are kept, in words.
        storage: where, in words.
        how_to_withdraw: in words, with a telephone number.
    """

    name: str
    contact: str
    email: str
    phone: str
    street_address: str
    locality: str
    postcode: str
    policy_url: str
    how_to_withdraw: str
    jurisdiction: str = "GB"
    lawful_basis: str = "UK GDPR Article 6(1)(e) and Article 9(2)(g)"
    retention: str = "Until two months after the work has ended, or sooner on request"
    storage: str = "United Kingdom, encrypted"


def receipt(
    db: Database, *, keystore: KeyStore, actor: Actor, event: ConsentEventId, controller: Controller
) -> dict[str, Any]:
    """The receipt of one of a person's own answers; ask again later for the proof, if it wasn't sealed yet.

    Args:
        db: the main database.
        keystore: to open the recipient's name.
        actor: who gave the answer, or in whose name it was entered.
        event: the answer.
        controller: the authority.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: somebody else's answer, or none.
    """
    require_signed_in(actor)
    with db.begin() as session:
        row = session.get(EventRow, event) if well_formed(event) else None
        if row is None or row.grantor != actor.person or row.how is How.OBSERVED:
            raise not_found()
        words = None if row.notice_id is None else notice(session, NoticeId(row.notice_id))
        recipient = _recipient(session, keystore, row)
        made = _kantara(row, words=words, recipient=recipient, controller=controller)
        made["isoIec27560"] = _iso(row, words=words, recipient=recipient, controller=controller)
        made["auditProof"] = _proof(session, EntryId(row.entry_id))
        audit.record(
            session,
            audit.Event.RECEIPT_ISSUED,
            actor=actor.person,
            case_id=CaseId(row.case_id),
            object_id=row.id,
            purpose=row.purpose.value,
        )
    return made


def _kantara(row: EventRow, *, words: Notice | None, recipient: str, controller: Controller) -> dict[str, Any]:
    is_disclosed = row.purpose not in _FAMILY | {Purpose.FILMING}
    purpose = {
        "purpose": words.body if words else row.purpose.value,
        "purposeCategory": [row.purpose.value],
        "consentType": "EXPLICIT",
        "piiCategory": ["video of a person at home", "sound of a person at home"],
        "primaryPurpose": row.purpose is Purpose.FILMING,
        "termination": _until(row),
        "thirdPartyDisclosure": is_disclosed,
    }
    if is_disclosed:
        purpose["thirdPartyName"] = recipient
    return {
        "version": KANTARA_VERSION,
        "jurisdiction": controller.jurisdiction,
        "consentTimestamp": int(row.at.timestamp()),
        "collectionMethod": _METHODS[row.how],
        "consentReceiptID": str(uuid.UUID(hex=row.id)),
        "language": row.language,
        "piiPrincipalId": row.grantor,
        "piiControllers": [
            {
                "piiController": controller.name,
                "onBehalf": False,
                "contact": controller.contact,
                "address": {
                    "streetAddress": controller.street_address,
                    "addressLocality": controller.locality,
                    "postalCode": controller.postcode,
                    "addressCountry": controller.jurisdiction,
                },
                "email": controller.email,
                "phone": controller.phone,
            }
        ],
        "policyUrl": controller.policy_url,
        "services": [{"service": "Video Interaction Guidance", "purposes": [purpose]}],
        "sensitive": True,
        "spiCat": ["1 - Family life", "2 - Children"],
    }


def _iso(row: EventRow, *, words: Notice | None, recipient: str, controller: Controller) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "receipt_version": RECEIPT_VERSION,
        "record_id": row.id,
        "pii_principal_id": row.grantor,
        "on_behalf_of": row.on_behalf_of,
        "pii_processing": {
            "privacy_notice": None
            if words is None
            else {
                "id": words.id,
                "version": words.version,
                "sha256": words.sha256,
                "format": row.format.value,
                "text": words.body,
            },
            "language": row.language,
            "purpose": row.purpose.value,
            "lawful_basis": controller.lawful_basis,
            "content_sha256": row.rendition_hash or None,
            "recipients": [recipient],
            "storage_locations": [controller.storage],
            "retention_period": controller.retention,
            "withdrawal_method": controller.how_to_withdraw,
            "jurisdictions": [controller.jurisdiction],
        },
        "events": [
            {
                "event_time": _iso_time(row.at),
                "validity_duration": _until(row),
                "entity_id": row.recorded_by,
                "event_type": "explicit",
                "event_state": _STATES[row.decision],
                "assurance": row.assurance,
                "witness_id": row.witness,
            }
        ],
    }


def _proof(session: Session, entry: EntryId) -> dict[str, Any]:
    try:
        found = audit.prove_in(session, entry)
    except Unavailable:
        return {"entry_id": entry, "entry": None, "tlog_proof": None}
    body = None if found.entry is None else base64.b64encode(found.entry).decode()
    return {"entry_id": entry, "entry": body, "tlog_proof": found.text()}


def _recipient(session: Session, keystore: KeyStore, row: EventRow) -> str:
    if row.audience_person is not None:
        return person_name(session, keystore=keystore, person=PersonId(row.audience_person))
    meeting = get(session, ConferenceRow, row.audience_conference or "")
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return open_field(key, table="consent_conference", column="title", row=meeting.id, sealed=meeting.title)


def _until(row: EventRow) -> str:
    return "until it is withdrawn" if row.expires_at is None else _iso_time(row.expires_at)


def _iso_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
