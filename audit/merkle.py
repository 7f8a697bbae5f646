"""Merkle tree hashing (PURE), RFC 6962 section 2.1."""

from __future__ import annotations

import hashlib


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: ``SHA-256(0x00 ‖ data)`` (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()
