"""tus 1.0 (core, creation, expiration, checksum, termination): the protocol's words, apart from routes and storage.

Source: the tus resumable upload protocol, version 1.0.0. Ours, because the film must be sealed as it arrives and
nothing may be read before the sender is known. What we don't speak is refused by name rather than passed over: a film
of unknown length, bytes with the announcement, films put together from several uploads.
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


class Malformed(Invalid):
    """Not tus as it is written, or a part of it that this server doesn't speak (400)."""


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


def check_creation(given: Mapping[str, str]) -> None:
    """Refuse an announcement that asks for more than *creation*.

    Raises:
        Malformed: an unknown length, bytes in the same request, or a part of something larger.
    """
    if "upload-defer-length" in given:
        raise Malformed("length_deferred", "Say how long the film is before you send it.")
    if "upload-concat" in given:
        raise Malformed("no_concatenation", "Send each film as one upload, from its beginning to its end.")
    if given.get("content-type") == OFFSET_TYPE:
        raise Malformed("creation_with_upload", "Announce the film first, then send it to the address in the answer.")


def check_type(given: Mapping[str, str]) -> None:
    """Refuse a body of another type than tus's."""
    if given.get("content-type") != OFFSET_TYPE:
        raise WrongType("tus_type", f"The body of this request must be {OFFSET_TYPE}.")


def length(given: Mapping[str, str]) -> int:
    """``Upload-Length`` in bytes."""
    return _number(given, "upload-length")


def offset(given: Mapping[str, str]) -> int:
    """``Upload-Offset`` in bytes."""
    return _number(given, "upload-offset")


def body_size(given: Mapping[str, str]) -> int | None:
    """How many bytes the body has, if it says so."""
    text = given.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def metadata(given: Mapping[str, str]) -> dict[str, str]:
    """``Upload-Metadata``: keys and base64 texts. A key alone has an empty text.

    Raises:
        Malformed: it can't be read, or says a thing twice.
    """
    text = given.get("upload-metadata", "")
    if len(text) > MAX_METADATA:
        raise Malformed("metadata_too_long", "The description of this upload is too long.")
    pairs: dict[str, str] = {}
    for item in text.split(",") if text.strip() else ():
        name, _, value = item.strip().partition(" ")
        try:
            said = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            name, said = "", ""
        if not name or not name.isascii() or name in pairs:
            raise Malformed("metadata_unreadable", "The description of this upload can't be read.")
        pairs[name] = said
    return pairs


def described(pairs: Mapping[str, str | None]) -> dict[str, str]:
    """``Upload-Metadata`` of an answer, without what is empty; no header where nothing is left."""
    said = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in pairs.items() if text)
    return {"Upload-Metadata": said} if said else {}


def checksum(given: Mapping[str, str]) -> bytes | None:
    """``Upload-Checksum``: 32 bytes of SHA-256, or nothing.

    Raises:
        Malformed: another algorithm, or not a digest.
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
        raise Malformed("checksum_unreadable", "The checksum must be sha256.")
    return digest


def expires(at: datetime | None) -> dict[str, str]:
    """``Upload-Expires``, where the upload waits for bytes."""
    return {"Upload-Expires": format_datetime(at.astimezone(UTC), usegmt=True)} if at else {}


def _number(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - fits 64 bits
        raise Malformed("number_unreadable", f"{name.title()} must be a whole number.")
    return int(text)
