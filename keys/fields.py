"""Personal fields: names, dates of birth, contacts, free text, sealed one by one under their record's key.

Sealed form: ``0x01``, 12 bytes of nonce, AES-256-GCM ciphertext and tag, bound to table, column and row, so that a
value moved to another row doesn't open. The text is padded to a multiple of 32 bytes before, so that its length tells
little. A blind index answers "is it exactly this?" and nothing else; that equal values of one record's key and column
have equal indexes is what it leaks.
"""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cryptography.exceptions import InvalidTag

from core.errors import Damaged, Invalid
from core.ids import CaseId, PersonId
from core.secret import Secret
from keys.models import OwnerKind
from keys.wrap import derive, open_sealed, seal

PADDED_TO = 32
_FORM = b"\x01"
_END = b"\x80"


@dataclass(frozen=True, slots=True)
class RecordOwner:
    """Whose record: a case's, a person's, or the organisation's own."""

    kind: OwnerKind
    id: str

    @classmethod
    def case(cls, case_id: CaseId) -> RecordOwner:
        """A case: dies with the last record that needs it."""
        return cls(OwnerKind.CASE, case_id)

    @classmethod
    def person(cls, person_id: PersonId) -> RecordOwner:
        """A person, who may belong to several cases: dies after the last."""
        return cls(OwnerKind.PERSON, person_id)

    @classmethod
    def organisation(cls) -> RecordOwner:
        """The organisation: one key, for what must be found across records (a staff member's address)."""
        return cls(OwnerKind.ORGANISATION, "organisation")


@dataclass(frozen=True, slots=True)
class RecordKey:
    """The opened key of one record; keep it no longer than the request.

    Attributes:
        owner: whose.
        key: the secret, from which field and index keys are derived.
    """

    owner: RecordOwner
    key: Secret[bytes]


class _Use(StrEnum):
    FIELD = "field v1"
    INDEX = "index v1"


def seal_field(key: RecordKey, *, table: str, column: str, row: str, value: str) -> bytes:
    """Seal one value for one place.

    Args:
        key: the record's key.
        table: the table's name.
        column: the column's name.
        row: the row's id, made beforehand.
        value: the text.

    Raises:
        Invalid: it holds something that is no character (half of a surrogate pair).
    """
    text = _encoded(value) + _END
    text += bytes(-len(text) % PADDED_TO)
    bound = _binding(table=table, column=column, row=row)
    return _FORM + seal(derive(key.key, label=_Use.FIELD), plaintext=text, associated_data=bound)


def open_field(key: RecordKey, *, table: str, column: str, row: str, sealed: bytes) -> str:
    """Open one value.

    Raises:
        Damaged: it was sealed for another place or by another key, or has been changed.
    """
    bound = _binding(table=table, column=column, row=row)
    if sealed[:1] != _FORM:
        raise _damaged()
    try:
        text = open_sealed(derive(key.key, label=_Use.FIELD), sealed=sealed[1:], associated_data=bound)
    except InvalidTag:
        raise _damaged() from None
    return text[: text.rindex(_END)].decode()


def blind_index(key: RecordKey, *, table: str, column: str, value: str) -> bytes:
    """A value's fingerprint for exact search: same key, column and words, same 32 bytes.

    Case, spacing and the way a letter is composed don't count.
    """
    words = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    column_key = derive(key.key, label=f"{_Use.INDEX.value}\n{table}\n{column}")
    return hmac.digest(column_key.reveal(), _encoded(words), sha256)


def _binding(*, table: str, column: str, row: str) -> bytes:
    return f"vig-vault field v1\ntable={table}\ncolumn={column}\nrow={row}\n".encode()


def _encoded(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _not_text() from None


def _not_text() -> Invalid:
    return Invalid("not_text", "There is something in there that is not a letter, a digit or a sign.")


def _damaged() -> Damaged:
    return Damaged("field_damaged", "Part of this record is damaged. Please tell your administrator.")
