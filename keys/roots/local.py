"""The embedded root: a random key, sealed under a passphrase by Argon2id (RFC 9106), kept in the keyring file.

Changing the passphrase can't protect copies of the keyring that somebody made before.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag

from core.errors import Invalid
from core.secret import Secret
from keys.roots import Assurance, Destruction, RootRecord, keyring_damaged, wrong_root
from keys.wrap import KEY_SIZE, fresh_key, key_damaged, open_sealed, seal

SALT_SIZE = 16
SHORTEST_PASSPHRASE = 12
_MOST_MEMORY_KIB = 4 * 1024 * 1024
_MOST_PASSES = 64
_MOST_LANES = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of the passphrase costs.

    Attributes:
        passes: over the memory.
        memory_kib: kibibytes of it.
        lanes: in parallel.
    """

    passes: int = 3
    memory_kib: int = 256 * 1024
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class _Opened:
    key: Secret[bytes]

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        return seal(self.key, plaintext=plaintext, associated_data=associated_data)

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        try:
            return open_sealed(self.key, sealed=ciphertext, associated_data=associated_data)
        except InvalidTag:
            raise key_damaged() from None


class LocalRoot:
    """``local:``, the default of the embedded vault.

    Args:
        passphrase: from a private file or a prompt, never from the environment.
        cost: for a new root; an old one carries its own.
    """

    uri = "local:"
    destruction = Destruction.IMMEDIATE
    assurance = Assurance.FILE

    def __init__(self, passphrase: Secret[str], *, cost: Cost | None = None) -> None:
        self._passphrase = passphrase
        self._cost = cost or Cost()

    def make(self) -> tuple[RootRecord, _Opened]:
        """Make a new root key and seal it.

        Raises:
            Invalid: the passphrase is too short.
        """
        if len(self._passphrase.reveal()) < SHORTEST_PASSPHRASE:
            raise _too_short()
        root, salt = fresh_key(), secrets.token_bytes(SALT_SIZE)
        by_passphrase = self._stretch(salt, self._cost)
        sealed = seal(by_passphrase, plaintext=root.reveal(), associated_data=_binding(salt, self._cost))
        record: RootRecord = {
            "salt": base64.b64encode(salt).decode(),
            "passes": self._cost.passes,
            "memory_kib": self._cost.memory_kib,
            "lanes": self._cost.lanes,
            "sealed_key": base64.b64encode(sealed).decode(),
        }
        return record, _Opened(root)

    def open(self, record: RootRecord) -> _Opened:
        """Open the root key of a keyring.

        Raises:
            Refused: ``wrong_root``: another passphrase sealed it, or somebody has changed it.
            Damaged: the record can't be read.
        """
        try:
            salt, sealed = (base64.b64decode(str(record[name]), validate=True) for name in ("salt", "sealed_key"))
            cost = Cost(int(record["passes"]), int(record["memory_kib"]), int(record["lanes"]))
        except (KeyError, ValueError, binascii.Error):
            raise keyring_damaged() from None
        if not (
            len(salt) == SALT_SIZE
            and 1 <= cost.passes <= _MOST_PASSES
            and 1 <= cost.lanes <= _MOST_LANES
            and 8 * cost.lanes <= cost.memory_kib <= _MOST_MEMORY_KIB
        ):
            raise keyring_damaged()
        by_passphrase = self._stretch(salt, cost)
        try:
            return _Opened(Secret(open_sealed(by_passphrase, sealed=sealed, associated_data=_binding(salt, cost))))
        except InvalidTag:
            raise wrong_root() from None

    def rotate(self, record: RootRecord) -> tuple[RootRecord, _Opened]:
        """A new key under the passphrase given."""
        self.open(record)
        return self.make()

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime | None:  # noqa: ARG002 - as every root
        """Nothing to do, and nothing to promise: it lay in the keyring's files only, which have been overwritten.

        Whoever kept a copy of such a file opens it with the passphrase of that time.
        """
        return None

    def reference(self, record: RootRecord) -> RootRecord:  # noqa: ARG002 - as every root
        """Nothing: the record holds the key itself, sealed under the passphrase."""
        return {}

    def _stretch(self, salt: bytes, cost: Cost) -> Secret[bytes]:
        return Secret(
            hash_secret_raw(
                self._passphrase.reveal().encode("utf-8", "surrogatepass"),
                salt,
                time_cost=cost.passes,
                memory_cost=cost.memory_kib,
                parallelism=cost.lanes,
                hash_len=KEY_SIZE,
                type=Type.ID,
            )
        )


def _binding(salt: bytes, cost: Cost) -> bytes:
    return f"vig-vault local root v1\n{salt.hex()} {cost.passes} {cost.memory_kib} {cost.lanes}\n".encode()


def _too_short() -> Invalid:
    return Invalid("passphrase_too_short", f"Please choose a passphrase of at least {SHORTEST_PASSPHRASE} characters.")
