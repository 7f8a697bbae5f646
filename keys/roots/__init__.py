"""Where the root key lives, after Tink's ``KmsClient``: a URI names it; it encrypts and decrypts the capsule."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from core.errors import Refused, Unavailable


class Destruction(StrEnum):
    """How soon a root can destroy what it sealed."""

    IMMEDIATE = "immediate"
    DELAYED = "delayed"
    NONE = "none"


class Assurance(StrEnum):
    """What a certificate may say of the place where epoch keys were erased."""

    FILE = "file"
    """Remnants of the keyring file's blocks may exist; opening them needs the root."""
    TPM = "tpm"
    HSM = "hsm"


RootRecord = Mapping[str, str | int]
"""What a root needs to find itself again; kept in clear in the keyring file, so nothing in it may open anything."""


class OpenRoot(Protocol):
    """A root key ready for use."""

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Seal."""
        ...

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """Open what ``encrypt`` sealed.

        Raises:
            Damaged: it isn't that.
        """
        ...


class Root(Protocol):
    """One kind of root key."""

    @property
    def uri(self) -> str:
        """Its name, such as ``local:``."""
        ...

    @property
    def destruction(self) -> Destruction:
        """How soon it destroys."""
        ...

    @property
    def assurance(self) -> Assurance:
        """What its erasure is worth."""
        ...

    def make(self) -> tuple[RootRecord, OpenRoot]:
        """Make a new root key. Only ``KeyStore.create`` does so, never a failed opening."""
        ...

    def open(self, record: RootRecord) -> OpenRoot:
        """Open the root key that this record names.

        Raises:
            Refused: ``wrong_root``.
        """
        ...


def sealed() -> Unavailable:
    """The answer while nobody has given the root."""
    return Unavailable(
        "sealed", "The vault is sealed: its passphrase has not been given since it started. Nothing was lost."
    )


def wrong_root() -> Refused:
    """The answer to a root that doesn't fit."""
    return Refused("wrong_root", "That passphrase does not open this vault. Nothing was changed.")
