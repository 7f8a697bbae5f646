"""Who may run retention, and the reasons they give."""

from __future__ import annotations

import unicodedata

from core.errors import Invalid, NotSignedIn, Refused
from core.ids import CaseId, PersonId
from identity import Actor, PersonKind, Role
from keys import KeyStore, RecordOwner, open_field, seal_field

LONGEST_REASON = 2000


def require_officer(actor: Actor) -> None:
    """Refuse everyone but an information governance officer with two factors.

    Raises:
        NotSignedIn: no second factor.
        Refused: ``officers_only``.
    """
    if not actor.has_two_factors:
        raise NotSignedIn("second_factor_needed", "Please finish signing in.")
    if actor.kind is not PersonKind.STAFF or Role.IG_OFFICER not in actor.roles:
        raise Refused("officers_only", "Only an information governance officer can do that.")


def clean_reason(text: str) -> str:
    """A reason as it is kept.

    Raises:
        Invalid: ``reason_needed`` where it is empty, too long, or has control characters in it.
    """
    found = unicodedata.normalize("NFC", text).strip()
    strange = any(
        unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} and letter not in "\n\r\t" for letter in found
    )
    if not found or len(found) > LONGEST_REASON or strange:
        raise Invalid("reason_needed", f"Give a reason in words, at most {LONGEST_REASON} characters.", field="reason")
    return found


def owner_of(*, case_id: str | None, person: str | None = None) -> RecordOwner:
    """Whose record key seals the words of a row: the case's, else the person's, else the organisation's."""
    if case_id is not None:
        return RecordOwner.case(CaseId(case_id))
    if person is not None:
        return RecordOwner.person(PersonId(person))
    return RecordOwner.organisation()


def sealed(keystore: KeyStore, owner: RecordOwner, *, table: str, column: str, row: str, words: str) -> bytes:
    """Seal words of a row of this room."""
    return seal_field(keystore.record_key(owner), table=f"retention_{table}", column=column, row=row, value=words)


def opened(
    keystore: KeyStore, owner: RecordOwner, *, table: str, column: str, row: str, words: bytes | None
) -> str | None:
    """Open words of a row of this room, if there are any."""
    if words is None:
        return None
    return open_field(keystore.record_key(owner), table=f"retention_{table}", column=column, row=row, sealed=words)
