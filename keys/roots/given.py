"""How what opens a root is given: a private file that is read when needed, or typed in by a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.secret import Secret
from keys.files import read_passphrase_file


class Needs(StrEnum):
    """What a root must be given before it opens, in words for a prompt."""

    PASSPHRASE = "Passphrase of the keyring"  # noqa: S105 - words for a prompt
    PIN = "PIN of the token"
    TOKEN = "Token of the key service"  # noqa: S105 - likewise
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file of mode 0600 (or a systemd credential); what renews a token may write it anew at any time."""

    path: Path

    def read(self) -> Secret[str]:
        """What is in it now.

        Raises:
            Refused: others may read the file.
            Unavailable: it isn't there.
            Invalid: it is empty, too long or not text.
        """
        return read_passphrase_file(self.path)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has just typed."""

    secret: Secret[str]

    def read(self) -> Secret[str]:
        """What was typed."""
        return self.secret


Given = SecretFile | Typed
