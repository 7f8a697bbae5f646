"""Checkpoints (PURE): the tree's size and root as a C2SP *tlog-checkpoint*, signed as a C2SP *signed note* by Ed25519.

The format is not ours, on purpose: anyone with the public key can check our log with Go's ``sumdb/note``, with sigstore
or with any other tool that speaks it. Specifications: c2sp.org/signed-note, c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.merkle import HASH_BYTES
from core.errors import Damaged, Invalid

MAX_NOTE_CHARACTERS = 100_000
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,255}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed.

    Attributes:
        origin: names the log.
        size: number of leaves.
        root: root hash over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text (c2sp.org/tlog-checkpoint, "Note text")."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A log's public key under its name.

    Attributes:
        name: the log's origin, which is also the key's name.
        key: the public key.
    """

    name: str
    key: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart (c2sp.org/signed-note, "Ed25519 signatures")."""
        encoded = _ED25519 + self.key.public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n" + encoded).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The verifier key as text, as Go's ``sumdb/note`` reads it: ``name+id+key``."""
        encoded = base64.b64encode(_ED25519 + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Read a verifier key.

        Raises:
            Invalid: it isn't one.
        """
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _unbase64(encoded)
        if not _NAME.fullmatch(name) or raw is None or raw[:1] != _ED25519 or len(raw) != HASH_BYTES + 1:
            raise _not_a_key()
        found = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        if found.key_id.hex() != key_id:
            raise _not_a_key()
        return found


@dataclass(frozen=True, slots=True)
class Signer:
    """A log's name and its signing key; only the worker has one.

    Attributes:
        name: the log's origin, best an address without scheme, as in ``vault.example.gov.uk/audit``.
        key: the signing key.

    Raises:
        Invalid: the name is empty, too long, or has a space or a plus sign.
    """

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Invalid("audit_name_invalid", "A log's name has no spaces and no plus sign.")

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key.public_key())

    def sign(self, *, size: int, root: bytes) -> str:
        """Make the signed note of a checkpoint."""
        text = Checkpoint(self.name, size, root).text()
        signature = base64.b64encode(self.verifier.key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.name} {signature}\n"


def open_note(note: str, *, verifier: Verifier) -> str:
    """Check a signed note and give its text.

    Raises:
        Damaged: it isn't a note, or isn't signed by this key, or carries a false signature under it.
    """
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or len(note) > MAX_NOTE_CHARACTERS or not signatures.endswith("\n"):
        raise _forged()
    text += "\n"
    checked = False
    for line in signatures[:-1].split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        raw = _unbase64(encoded)
        if not line.startswith(_DASH) or raw is None:
            raise _forged()
        if name == verifier.name and raw[:_KEY_ID_BYTES] == verifier.key_id:
            try:
                verifier.key.verify(raw[_KEY_ID_BYTES:], text.encode())
            except InvalidSignature as error:
                raise _forged() from error
            checked = True
    if not checked:
        raise _forged()
    return text


def open_checkpoint(note: str, *, verifier: Verifier) -> Checkpoint:
    """Check a checkpoint's signature and form, and that it is this log's.

    Raises:
        Damaged: any of that fails.
    """
    lines = open_note(note, verifier=verifier).split("\n")
    if len(lines) < 4 or "" in lines[:-1] or lines[0] != verifier.name or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - three lines and the end
        raise _forged()
    root = _unbase64(lines[2])
    if root is None or len(root) != HASH_BYTES:
        raise _forged()
    return Checkpoint(lines[0], int(lines[1]), root)


def _unbase64(text: str) -> bytes | None:
    """Decode standard base64, refusing every spelling but the one."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def _forged() -> Damaged:
    return Damaged("checkpoint_forged", "This isn't a checkpoint that the log's key has signed.")


def _not_a_key() -> Invalid:
    return Invalid("verifier_key_invalid", "This isn't a verifier key: it has the form name+id+key.")
