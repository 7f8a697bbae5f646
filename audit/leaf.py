"""The bytes that are hashed (PURE): one entry's canonical form, the commitment to its details, its writer's MAC.

- *Canonical form*: JSON in ASCII, keys sorted, no spaces, every key always there. Two entries that differ in anything
  differ in their bytes, and an outsider can rebuild them in any language.
- *Salt*: 32 random bytes inside the canonical form. Without it the leaf hash of a disposed entry could be found again
  by trying all likely entries.
- *Commitment*: ``HMAC-SHA256(details salt, canonical details)``; the details can be withheld from an export, or
  removed, and the leaf still stands.
- *Chain*: until an entry is sealed into the tree, ``HMAC-SHA256(key, writer ‖ number ‖ previous MAC ‖ leaf hash)``
  protects it under a key that the database never sees. The MAC covers the leaf hash, not the body, so that the chain
  survives the disposal of bodies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import Invalid
from core.secret import Secret

Detail = str | int | bool | None
FORMAT = 1
SALT_BYTES = 32
NO_MAC = bytes(32)
"""What the first entry of a writer is chained to."""
MAX_ENTRY_BYTES = 65_535
"""The bound of an entry in a C2SP tlog-tiles bundle."""
MAX_DETAILS = 32

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,99}", re.ASCII)
_CHAIN_LABEL = b"vig-vault audit chain v1\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which thing, for which purpose, with what outcome. Ids and words only.

    Attributes:
        id: names it for good.
        at: when, in UTC to the microsecond.
        writer: the chain that it belongs to.
        number: its place in that chain, from 1, without gaps.
        event: the kind of act (a value of ``audit.Event``; an older program's may be unknown to this one).
        outcome: how it ended (a value of ``audit.Outcome``).
        actor: who; nothing where the service itself acted or nobody was signed in.
        case_id: in which case.
        object_id: on which thing: a clip, a session, a hold.
        reason: a code, as in ``no_assignment``.
        purpose: what for, as the consent decision names it.
        request_id: which request, to find it in the server's own log.
        details: commitment to what else was noted, in hexadecimal digits.
        salt: 32 random bytes.
    """

    id: str
    at: datetime
    writer: str
    number: int
    event: str
    outcome: str
    actor: str | None
    case_id: str | None
    object_id: str | None
    reason: str | None
    purpose: str | None
    request_id: str | None
    details: str | None
    salt: bytes


def encode(entry: Entry) -> bytes:
    """The canonical form: what goes under the leaf hash and into an export."""
    return _canonical(
        {
            "actor": entry.actor,
            "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "case": entry.case_id,
            "details": entry.details,
            "event": entry.event,
            "id": entry.id,
            "number": entry.number,
            "object": entry.object_id,
            "outcome": entry.outcome,
            "purpose": entry.purpose,
            "reason": entry.reason,
            "request": entry.request_id,
            "salt": entry.salt.hex(),
            "v": FORMAT,
            "writer": entry.writer,
        }
    )


def commit(details: Mapping[str, Detail], *, salt: bytes) -> str:
    """The salted commitment to an entry's details, in hexadecimal digits."""
    return hmac.digest(salt, _canonical(dict(details)), hashlib.sha256).hex()


def chain(key: Secret[bytes], *, writer: str, number: int, previous: bytes, leaf_hash: bytes) -> bytes:
    """The MAC that ties an entry to its writer's previous one (32 bytes)."""
    text = _CHAIN_LABEL + f"{writer}\n{number}\n".encode() + previous + leaf_hash
    return hmac.digest(key.reveal(), text, hashlib.sha256)


def check_words(words: Mapping[str, Detail]) -> None:
    """Refuse what could be a name or free text: an entry holds ids, numbers and words of our own.

    Raises:
        Invalid: with the name of the first that is none of these; its value isn't repeated.
    """
    if len(words) > MAX_DETAILS:
        raise Invalid("audit_too_many_details", f"An audit entry takes at most {MAX_DETAILS} details.")
    for name, value in words.items():
        if value is None or isinstance(value, int):
            continue
        if not isinstance(value, str) or not _WORD.fullmatch(value):
            raise Invalid(
                "audit_not_a_word", f"An audit entry takes ids, numbers and code words only: {name!r} is none."
            )


def _canonical(value: Mapping[str, Detail]) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
