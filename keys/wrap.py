"""Wrapping one key under another: AES-256-GCM, bound to both ids, the kind and the owner (NIST SP 800-38D, 800-57).

A wrapped key that is moved to another row, another parent or another case doesn't open.
"""

from __future__ import annotations

import secrets
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Damaged
from core.secret import Secret

KEY_SIZE = 32
NONCE_SIZE = 12


class WrapKind(StrEnum):
    """What kind of key is inside."""

    CASE_MEDIA = "case_media"
    OBJECT = "object"
    RECORD = "record"


def fresh_key() -> Secret[bytes]:
    """256 random bits."""
    return Secret(secrets.token_bytes(KEY_SIZE))


def wrap(
    parent: Secret[bytes], *, key: Secret[bytes], kind: WrapKind, parent_id: str, own_id: str, owner: str
) -> bytes:
    """Seal ``key`` under ``parent``.

    Args:
        parent: the wrapping key.
        key: what is wrapped.
        kind: what kind it is.
        parent_id: id of the wrapping key.
        own_id: id of the wrapped key.
        owner: the case or record that it belongs to.

    Returns:
        Nonce, ciphertext, tag.
    """
    bound = _binding(kind, parent_id=parent_id, own_id=own_id, owner=owner)
    return seal(parent, plaintext=key.reveal(), associated_data=bound)


def unwrap(
    parent: Secret[bytes], *, wrapped: bytes, kind: WrapKind, parent_id: str, own_id: str, owner: str
) -> Secret[bytes]:
    """Open what ``wrap`` sealed.

    Raises:
        Damaged: the row isn't the one that was written.
    """
    bound = _binding(kind, parent_id=parent_id, own_id=own_id, owner=owner)
    try:
        return Secret(open_sealed(parent, sealed=wrapped, associated_data=bound))
    except InvalidTag:
        raise key_damaged() from None


def seal(key: Secret[bytes], *, plaintext: bytes, associated_data: bytes) -> bytes:
    """AES-256-GCM under a random nonce: nonce, ciphertext, tag."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(key.reveal()).encrypt(nonce, plaintext, associated_data)


def open_sealed(key: Secret[bytes], *, sealed: bytes, associated_data: bytes) -> bytes:
    """Open what ``seal`` made.

    Raises:
        InvalidTag: it isn't that (for the caller in this room to put into words).
    """
    if len(sealed) < NONCE_SIZE:
        raise InvalidTag
    return AESGCM(key.reveal()).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated_data)


def derive(key: Secret[bytes], *, label: str) -> Secret[bytes]:
    """A key for one use from a key for many (HKDF-SHA256)."""
    return Secret(HKDF(SHA256(), KEY_SIZE, None, f"vig-vault {label}".encode()).derive(key.reveal()))


def key_damaged() -> Damaged:
    """The one answer to a key row that doesn't open."""
    return Damaged("key_damaged", "A key is damaged, so this can't be opened. Please tell your administrator.")


def is_key_damaged(error: Damaged) -> bool:
    """Whether one key's row is damaged, and not the keyring or a whole database."""
    return error.code == key_damaged().code


def _binding(kind: WrapKind, *, parent_id: str, own_id: str, owner: str) -> bytes:
    return f"vig-vault wrap v1\nkind={kind.value}\nparent={parent_id}\nid={own_id}\nowner={owner}\n".encode()
