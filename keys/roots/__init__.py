"""Where the root key lives, after Tink's ``KmsClient``: a URI names it; it encrypts and decrypts the capsule.

Rules for every kind:

1. Only ``make`` and ``rotate`` bring a root key into the world; a failed opening never does.
2. ``open`` tries the key at once, by a round trip.
3. What can't be reached is ``Unavailable``; what doesn't fit is ``Refused("wrong_root")``. Neither changes anything.
4. Each says honestly how soon it destroys; ``destroy`` answers with the moment from which the key is gone, or nothing.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.errors import Damaged, Invalid, Refused, Unavailable


class Destruction(StrEnum):
    """How soon a root can destroy a root key, in every copy of it."""

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
        """Seal.

        Raises:
            Unavailable: the root can't be reached just now.
        """
        ...

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """Open what ``encrypt`` sealed.

        Raises:
            Damaged: it isn't that.
            Unavailable: the root can't be reached just now.
        """
        ...


class Root(Protocol):
    """One kind of root key."""

    @property
    def uri(self) -> str:
        """Its name, such as ``local:``, without what differs from machine to machine (paths, addresses)."""
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
        """Make a new root key. Only ``KeyStore.create`` and ``change_root`` do so, never a failed opening."""
        ...

    def open(self, record: RootRecord) -> OpenRoot:
        """Open the root key that this record names.

        Raises:
            Refused: ``wrong_root``.
        """
        ...

    def rotate(self, record: RootRecord) -> tuple[RootRecord, OpenRoot]:
        """Make the key that follows the one of this record, under the same name; the old one still opens."""
        ...

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime | None:
        """Destroy the key that this record names; a second time is no error.

        Args:
            record: of a key that seals nothing which is still needed.
            at: now.

        Returns:
            From when no copy of the key exists (now, or a date to come); nothing where that can't be known.
        """
        ...

    def reference(self, record: RootRecord) -> RootRecord:
        """As much of the record as may be written outside the keyring; empty where the key itself lies in it."""
        ...


def prove(root: OpenRoot) -> None:
    """Try an opened root by a round trip, so that a fault shows before anything depends on it.

    Raises:
        Damaged: ``root_unsound``: it doesn't give back what it was given, or opens what it mustn't.
    """
    plain, bound = secrets.token_bytes(32), secrets.token_bytes(16)
    sealed_once = root.encrypt(plain, associated_data=bound)
    if root.decrypt(sealed_once, associated_data=bound) != plain or plain in sealed_once:
        raise _unsound()
    try:
        root.decrypt(sealed_once, associated_data=bound + b"!")
    except Damaged:
        return
    raise _unsound()


def extra(module: str, *, name: str) -> Any:
    """A library that only one kind of root needs.

    Args:
        module: what to import.
        name: the extra of the package that brings it.

    Raises:
        Invalid: ``root_extra_missing``; the sentence says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise Invalid(
            "root_extra_missing",
            f"This root needs more than is installed. Install it with: pip install vig-vault[{name}]",
        ) from None


def sealed() -> Unavailable:
    """The answer while nobody has given the root."""
    return Unavailable("sealed", "The vault is sealed: its root has not been given since it started. Nothing was lost.")


def wrong_root() -> Refused:
    """The answer to a root that doesn't fit."""
    return Refused(
        "wrong_root", "That does not open this vault: it is another passphrase, or another root. Nothing was changed."
    )


def keyring_damaged() -> Damaged:
    """The answer to a keyring file, or a root's record in it, that isn't what was written."""
    return Damaged("keyring_damaged", "The keyring can't be read. Please bring back the copy at the recovery place.")


def unreachable(why: str) -> Unavailable:
    """The answer while a root that is elsewhere can't be reached.

    Args:
        why: a sentence for the administrator, without secrets.
    """
    return Unavailable("root_unreachable", f"{why} Nothing was lost.")


def unusable(why: str) -> Invalid:
    """The answer to a root key that could be had, and mustn't be used.

    Args:
        why: a sentence for the administrator.
    """
    return Invalid("root_unusable", why)


def _unsound() -> Damaged:
    return Damaged("root_unsound", "The root key doesn't give back what it was given, so it isn't used.")
