"""Receipts: whose they are, what is in them, and that an outsider can check them."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator

import audit
import consent
from consent import Audience, Purpose
from core.errors import NotFound
from core.ids import ConsentEventId, new_id
from tests.consent.story import AUTHORITY, Story
from tests.families import Someone

SIGNER = audit.Signer("vault.example/audit", Ed25519PrivateKey.from_private_bytes(b"7" * 32))
SCHEMA = json.loads((Path(__file__).parent / "receipt_schema.json").read_text(encoding="utf-8"))


def _receipt(story: Story, who: Someone, event: ConsentEventId) -> dict[str, Any]:
    return consent.receipt(story.db, keystore=story.keystore, actor=who.actor, event=event, controller=AUTHORITY)


def test_every_answer_has_a_receipt_that_fits_the_schema(story: Story) -> None:
    validator = Draft202012Validator(SCHEMA)
    story.film()
    story.ask()
    story.ask(Purpose.FAMILY_REVIEW, Audience(person=story.family.father.id))
    mother = story.family.mother
    events = [*story.says_yes(mother), *story.says_no(mother, Purpose.FAMILY_REVIEW), *story.stops(mother)]
    events += [line.id for line in consent.history(story.db, actor=mother.actor)]
    states = set()
    for event in events:
        found = json.loads(json.dumps(_receipt(story, mother, event)))
        validator.validate(found)
        states.add(found["isoIec27560"]["events"][0]["event_state"])
    assert states == {"given", "refused", "withdrawn"}


def test_a_receipt_names_the_one_recipient_and_the_exact_words(story: Story) -> None:
    story.ask()
    found = _receipt(story, story.family.mother, story.says_yes(story.family.mother)[0])
    notice = found["isoIec27560"]["pii_processing"]["privacy_notice"]
    assert found["services"][0]["purposes"][0]["thirdPartyName"] == "Sam Okafor"
    assert sha256(notice["text"].encode()).hexdigest() == notice["sha256"]


def test_a_receipt_shows_nothing_of_the_other_parent(story: Story) -> None:
    story.ask()
    story.says_no(story.family.father)
    text = json.dumps(_receipt(story, story.family.mother, story.says_yes(story.family.mother)[0]))
    assert story.family.father.id not in text
    assert "Father" not in text


def test_somebody_elses_receipt_is_not_there(story: Story) -> None:
    story.ask()
    fathers = story.says_yes(story.family.father)[0]
    for event in (fathers, ConsentEventId(new_id()), ConsentEventId("no id")):
        with pytest.raises(NotFound):
            _receipt(story, story.family.mother, event)


def test_the_proof_comes_once_the_log_is_sealed_and_an_outsider_can_check_it(story: Story) -> None:
    story.ask()
    event = story.says_yes(story.family.mother)[0]
    assert _receipt(story, story.family.mother, event)["auditProof"]["tlog_proof"] is None
    audit.seal(story.db, signer=SIGNER)
    proof = _receipt(story, story.family.mother, event)["auditProof"]
    entry = base64.b64decode(proof["entry"])
    audit.check_proof(proof["tlog_proof"], entry=entry, verifier=SIGNER.verifier)
    assert json.loads(entry)["event"] == "consent.granted"
