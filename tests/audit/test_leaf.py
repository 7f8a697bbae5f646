from __future__ import annotations

import hashlib
import hmac
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from audit.entry import NARROWING, WIDENING_OR_NEUTRAL
from audit.leaf import NO_MAC, chain, check_words, commit, encode
from audit.merkle import leaf_hash
from core.errors import Invalid
from core.secret import Secret

ENTRY = audit.Entry(
    id="0123456789abcdef0123456789abcdef",
    at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
    writer="fedcba9876543210fedcba9876543210",
    number=7,
    event="consent.withdrawn",
    outcome="done",
    actor="11111111111111111111111111111111",
    case_id="22222222222222222222222222222222",
    object_id=None,
    reason=None,
    purpose="share",
    request_id=None,
    details="ab" * 32,
    salt=bytes(range(32)),
)
CANONICAL = (
    b'{"actor":"11111111111111111111111111111111","at":"2026-03-02T09:00:00.123456Z",'
    b'"case":"22222222222222222222222222222222",'
    b'"details":"abababababababababababababababababababababababababababababababab",'
    b'"event":"consent.withdrawn","id":"0123456789abcdef0123456789abcdef","number":7,"object":null,"outcome":"done",'
    b'"purpose":"share","reason":null,"request":null,'
    b'"salt":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","v":1,'
    b'"writer":"fedcba9876543210fedcba9876543210"}'
)


def test_the_canonical_form_is_the_one_that_the_document_fixes() -> None:
    assert encode(ENTRY) == CANONICAL


def test_the_leaf_hash_commitment_and_chain_are_what_any_language_can_compute() -> None:
    assert leaf_hash(CANONICAL) == hashlib.sha256(b"\x00" + CANONICAL).digest()
    assert commit({"b": 1, "a": True}, salt=b"s" * 32) == hmac.digest(b"s" * 32, b'{"a":true,"b":1}', "sha256").hex()
    text = b"vig-vault audit chain v1\n" + ENTRY.writer.encode() + b"\n7\n" + NO_MAC + leaf_hash(CANONICAL)
    mac = chain(Secret(b"k" * 32), writer=ENTRY.writer, number=7, previous=NO_MAC, leaf_hash=leaf_hash(CANONICAL))
    assert mac == hmac.digest(b"k" * 32, text, "sha256")


def test_one_moment_has_one_form_whatever_the_zone() -> None:
    elsewhere = replace(ENTRY, at=ENTRY.at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert encode(elsewhere) == CANONICAL


@pytest.mark.parametrize("name", [field.name for field in fields(audit.Entry)])
def test_two_entries_that_differ_in_anything_differ_in_their_bytes(name: str) -> None:
    other = {"at": ENTRY.at + timedelta(microseconds=1), "number": 8, "salt": bytes(32)}.get(name, "0" * 32)
    assert encode(replace(ENTRY, **{name: other})) != CANONICAL


@given(value=st.text(min_size=1).filter(lambda text: not text.isascii() or " " in text or "@" in text))
def test_nothing_with_a_space_an_accent_or_an_at_sign_is_a_word(value: str) -> None:
    with pytest.raises(Invalid, match="audit_not_a_word") as caught:
        check_words({"note": value})
    assert value not in caught.value.sentence or value in "An audit entry takes ids, numbers and code words only"


def test_details_are_bounded() -> None:
    with pytest.raises(Invalid, match="audit_too_many_details"):
        check_words({str(turn): turn for turn in range(33)})


def test_every_kind_of_event_is_said_once_to_narrow_or_not() -> None:
    assert frozenset(audit.Event) == NARROWING | WIDENING_OR_NEUTRAL
    assert not NARROWING & WIDENING_OR_NEUTRAL
