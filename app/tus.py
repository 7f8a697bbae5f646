"""tus 1.0 (core, creation, expiration, checksum, termination): the protocol's words, apart from routes and storage.

Source: the tus resumable upload protocol, version 1.0.0. Ours, because the film must be sealed as it arrives and
nothing may be read before the sender is known.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from core.errors import Invalid, VaultError

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
CHECKSUMS = "sha256"
OFFSET_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460
MAX_METADATA = 4096


class WrongVersion(VaultError):
    """The client speaks another version (412)."""


class WrongType(VaultError):
    """The body is not of tus's type (415)."""


def headers(**more: str) -> dict[str, str]:
    """Headers of an answer; keywords become names with hyphens."""
    return {"Tus-Resumable": VERSION} | {name.replace("_", "-"): value for name, value in more.items()}


def options(*, max_bytes: int) -> dict[str, str]:
    """Headers of the answer to ``OPTIONS``."""
    return headers(
        Tus_Version=VERSION,
        Tus_Extension=EXTENSIONS,
        Tus_Checksum_Algorithm=CHECKSUMS,
        Tus_Max_Size=str(max_bytes),
    )


def headers_of_error(error: VaultError, given: Mapping[str, str]) -> dict[str, str]:
    """What an error's answer carries for a client that speaks tus, or should; nothing for others."""
    return headers(Tus_Version=VERSION) if "tus-resumable" in given or isinstance(error, WrongVersion) else {}


def check_version(given: Mapping[str, str]) -> None:
    """Refuse another version of the protocol."""
    if given.get("tus-resumable") != VERSION:
        raise WrongVersion("tus_version", "This server speaks tus 1.0.0.")


def length(given: Mapping[str, str]) -> int:
    """``Upload-Length`` in bytes."""
    return _number(given, "upload-length")


def offset(given: Mapping[str, str]) -> int:
    """``Upload-Offset`` in bytes."""
    return _number(given, "upload-offset")


def metadata(given: Mapping[str, str]) -> dict[str, str]:
    """``Upload-Metadata``: keys and base64 texts.

    Raises:
        Invalid: it can't be read.
    """
    text = given.get("upload-metadata", "")
    if len(text) > MAX_METADATA:
        raise Invalid("metadata_too_long", "The description of this upload is too long.")
    pairs: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition(" ")
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid("metadata_unreadable", "The description of this upload can't be read.") from None
    return pairs


def checksum(given: Mapping[str, str]) -> bytes | None:
    """``Upload-Checksum``: 32 bytes of SHA-256, or nothing.

    Raises:
        Invalid: another algorithm, or not a digest.
    """
    text = given.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except binascii.Error:
        digest = b""
    if algorithm != CHECKSUMS or len(digest) != 32:  # noqa: PLR2004 - SHA-256
        raise Invalid("checksum_unreadable", "The checksum must be sha256.")
    return digest


def expires(at: datetime) -> str:
    """``Upload-Expires``."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _number(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - fits 64 bits
        raise Invalid("number_unreadable", f"{name.title()} must be a whole number.")
    return int(text)
