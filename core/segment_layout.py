"""Where everything lies in a sealed object, and under which key and nonce (PURE): the arithmetic of ``core.segments``.

Sizes are bytes. *Plain* is the plaintext; a segment is its ciphertext with the tag.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Damaged, TooLarge
from core.secret import Secret

Bytes = bytes | bytearray | memoryview
Buffer = bytearray | memoryview
"""Memory to be filled."""

KEY_SIZE = 32
PREFIX_SIZE = 7
HEADER_SIZE = 1 + KEY_SIZE + PREFIX_SIZE
TAG_SIZE = 16
SEGMENT_SIZE = 256 * 1024
"""Bytes of ciphertext in each segment but the last; the header counts towards the first."""

FIRST_PLAIN_SIZE = SEGMENT_SIZE - HEADER_SIZE - TAG_SIZE
PLAIN_SIZE = SEGMENT_SIZE - TAG_SIZE
MOST_SEGMENTS = 2**32


def plain_size_of(ciphertext_size: int) -> int:
    """Bytes of plaintext in an object of this many bytes of ciphertext.

    Raises:
        Damaged: no object has this length.
    """
    return ciphertext_size - HEADER_SIZE - TAG_SIZE * segments_in(ciphertext_size)


def ciphertext_size_of(plain_size: int) -> int:
    """Bytes of ciphertext that a plaintext of this many bytes becomes."""
    segments = 1 + max(0, -(-(plain_size - FIRST_PLAIN_SIZE) // PLAIN_SIZE))
    return plain_size + HEADER_SIZE + TAG_SIZE * segments


def segments_in(ciphertext_size: int) -> int:
    """How many segments an object of this many bytes of ciphertext has.

    Raises:
        Damaged: no object has this length.
    """
    if ciphertext_size < HEADER_SIZE + TAG_SIZE:
        raise damaged()
    count = -(-ciphertext_size // SEGMENT_SIZE)
    if count > 1 and ciphertext_size - (count - 1) * SEGMENT_SIZE <= TAG_SIZE:
        raise damaged()  # a last segment without a byte in it, which no writer makes
    if count >= MOST_SEGMENTS:
        raise damaged()
    return count


def index_of(position: int) -> int:
    """The segment that holds the plaintext byte at ``position``."""
    return 0 if position < FIRST_PLAIN_SIZE else 1 + (position - FIRST_PLAIN_SIZE) // PLAIN_SIZE


def plain_offset_of(index: int) -> int:
    """Where a segment's plaintext begins in the whole."""
    return FIRST_PLAIN_SIZE + (index - 1) * PLAIN_SIZE if index else 0


def fresh_header() -> bytes:
    """A header with a salt and a nonce prefix that nobody used before."""
    return bytes([HEADER_SIZE]) + secrets.token_bytes(KEY_SIZE + PREFIX_SIZE)


def cipher_of(key: Secret[bytes], *, header: bytes, associated_data: bytes) -> AESGCM:
    """What seals and opens the segments of one object."""
    secret = key.reveal()
    if len(secret) != KEY_SIZE or len(header) != HEADER_SIZE:
        message = "an object key has 32 bytes, a header 40"
        raise ValueError(message)
    derived = HKDF(SHA256(), KEY_SIZE, header[1 : 1 + KEY_SIZE], associated_data).derive(secret)
    return AESGCM(derived)


def nonce_of(header: bytes, *, index: int, last: int) -> bytes:
    """The nonce of a segment; ``last`` is 1 for the last one, else 0."""
    return header[1 + KEY_SIZE :] + (index << 8 | last).to_bytes(5, "big")


def damaged() -> Damaged:
    """The one answer to bytes that aren't what was sealed."""
    return Damaged("object_damaged", "This film is damaged and can't be shown. Please tell your administrator.")


def too_large() -> TooLarge:
    """What an object can't hold."""
    return TooLarge("object_too_large", "That is too large to keep in one piece.")
