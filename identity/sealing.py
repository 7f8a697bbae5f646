"""Sealing this room's personal fields, each under the record key of the person or case that it is about."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Mapping
from datetime import date
from hashlib import sha256

from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Damaged, Invalid, Unavailable
from core.ids import CaseId, PersonId
from keys import KeyStore, RecordOwner, blind_index, open_field, seal_field

LONGEST_NAME = 200
LONGEST_WORDS = 2000
LONGEST_CONTACT = 254
_INFO = "record_keys"


def attach(db: Database, *, keystore: KeyStore) -> None:
    """Let steps that have only a session (``roster``) open birth dates: put the key store into every session's info."""
    db.info[_INFO] = keystore


def attached(session: Session) -> KeyStore:
    """The key store that was attached.

    Raises:
        Unavailable: none was; the asker gets no facts, and so no yes.
    """
    keys = session.info.get(_INFO)
    if not isinstance(keys, KeyStore):
        raise Unavailable("keys_unavailable", "The service is sealed just now. Please tell your administrator.")
    return keys


def seal_person(
    keystore: KeyStore, person: PersonId, *, column: str, value: str, table: str = "person", row: str | None = None
) -> bytes:
    """Seal words about a person: a field of their own row, or of another table's ``row``."""
    key = keystore.record_key(RecordOwner.person(person))
    return seal_field(key, table=f"identity_{table}", column=column, row=row or person, value=value)


def open_person(
    keystore: KeyStore, person: PersonId, *, column: str, sealed: bytes, table: str = "person", row: str | None = None
) -> str:
    """Open words about a person."""
    key = keystore.record_key(RecordOwner.person(person))
    return open_field(key, table=f"identity_{table}", column=column, row=row or person, sealed=sealed)


def open_people(keystore: KeyStore, *, column: str, sealed: Mapping[PersonId, bytes]) -> dict[PersonId, str]:
    """Open one field of many people, with one look for their keys."""
    owners = {person: RecordOwner.person(person) for person in sealed}
    found = keystore.record_keys(owners.values())
    if len(found) < len(owners):
        raise Damaged("record_key_missing", "Some records can't be opened. Please tell your administrator.")
    return {
        person: open_field(found[owner], table="identity_person", column=column, row=person, sealed=sealed[person])
        for person, owner in owners.items()
    }


def open_birth_dates(keystore: KeyStore, *, sealed: Mapping[PersonId, bytes | None]) -> dict[PersonId, date]:
    """Open the birth dates of those who have one."""
    known = {person: value for person, value in sealed.items() if value is not None}
    found = open_people(keystore, column="born_on", sealed=known)
    return {person: date.fromisoformat(text) for person, text in found.items()}


def seal_case(keystore: KeyStore, case_id: CaseId, *, table: str, column: str, row: str, value: str) -> bytes:
    """Seal words that belong to a case, in a row of one of its tables."""
    key = keystore.record_key(RecordOwner.case(case_id))
    return seal_field(key, table=f"identity_{table}", column=column, row=row, value=value)


def open_case_field(keystore: KeyStore, case_id: CaseId, *, table: str, column: str, row: str, sealed: bytes) -> str:
    """Open words that belong to a case."""
    key = keystore.record_key(RecordOwner.case(case_id))
    return open_field(key, table=f"identity_{table}", column=column, row=row, sealed=sealed)


def email_index(keystore: KeyStore, email: str) -> bytes:
    """What a member of staff is found by when signing in."""
    key = keystore.record_key(RecordOwner.organisation())
    return blind_index(key, table="identity_person", column="email", value=email)


def keyed_hash(keystore: KeyStore, *parts: str) -> bytes:
    """HMAC-SHA256 of what has too few values for a plain hash (codes, network addresses)."""
    return hmac.new(keystore.token_key().reveal(), "\x1f".join(parts).encode(errors="surrogatepass"), sha256).digest()


def clean_name(text: str) -> str:
    """A name as it is kept.

    Raises:
        Invalid: ``name_form``.
    """
    return _clean(text, code="name_form", what="a name", longest=LONGEST_NAME, field="name")


def clean_words(text: str) -> str:
    """A reason or other free words as they are kept.

    Raises:
        Invalid: ``words_form``.
    """
    return _clean(text, code="words_form", what="a reason in words", longest=LONGEST_WORDS, field="reason")


def clean_contact(text: str) -> str:
    """A telephone number or email address as it is kept.

    Raises:
        Invalid: ``contact_form``.
    """
    return _clean(
        text,
        code="contact_form",
        what="a telephone number or an email address",
        longest=LONGEST_CONTACT,
        field="contact",
    )


def clean_email(text: str) -> str:
    """A staff email address in the one form that it is found by.

    Raises:
        Invalid: ``email_form``.
    """
    found = _clean(text, code="email_form", what="an email address", longest=LONGEST_CONTACT, field="email").casefold()
    name, sign, domain = found.rpartition("@")
    if not (name and sign and "." in domain) or any(letter.isspace() for letter in found):
        raise Invalid("email_form", "Give an email address, like name@example.gov.uk.", field="email")
    return found


def _clean(text: str, *, code: str, what: str, longest: int, field: str) -> str:
    found = unicodedata.normalize("NFC", text).strip()
    if not found or len(found) > longest:
        raise Invalid(code, f"Give {what}, at most {longest} characters.", field=field)
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} and letter not in "\n\r\t" for letter in found):
        raise Invalid(code, f"Give {what} without control characters.", field=field)
    return found
