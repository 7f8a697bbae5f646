"""Merkle tree hashing and proofs (PURE), after RFC 6962 section 2.1; verification after RFC 9162 section 2.1.

A tree is never held in memory. It is read through a *stored hash* look-up: ``stored(level, position)`` gives the hash
of the complete subtree over the leaves ``position << level`` up to ``(position + 1) << level`` (level 0: one leaf).
Every root and every proof is made of a few such hashes, and a hash once stored never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from core.errors import Damaged

StoredHash = Callable[[int, int], bytes]
HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 section 2.1)."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: ``SHA-256(0x00 ‖ data)`` (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: ``SHA-256(0x01 ‖ left ‖ right)`` (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first. At most 64 hashes.

    Args:
        size: number of leaves so far.
        stored: where the edge of these is read from; not needed again.
    """

    def __init__(self, size: int = 0, stored: StoredHash | None = None) -> None:
        self.size = size
        self._edge: list[bytes] = []
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                if stored is None:
                    message = "a tree with leaves needs its stored hashes"
                    raise ValueError(message)
                self._edge.append(stored(level, (size >> level) - 1))

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash.

        Returns:
            The inner hashes that became complete by it, each with its level (from 1) and position.
        """
        made: list[tuple[int, int, bytes]] = []
        level, position = 0, self.size
        while position & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            level, position = level + 1, position >> 1
            made.append((level, position, leaf))
        self._edge.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The tree's root hash (RFC 6962 section 2.1)."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def root(size: int, stored: StoredHash) -> bytes:
    """Root hash of the first ``size`` leaves (RFC 6962 section 2.1)."""
    return Frontier(size, stored).root()


def inclusion_proof(index: int, size: int, stored: StoredHash) -> list[bytes]:
    """Audit path of a leaf, from its sibling up (RFC 6962 section 2.1.1).

    Args:
        index: the leaf, from 0.
        size: of the tree that it is proved to be in, greater than ``index``.
        stored: the look-up.
    """
    if not 0 <= index < size:
        message = "a leaf outside its tree has no path"
        raise ValueError(message)
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(_span(middle, last, stored))
            last = middle
        else:
            path.append(_span(first, middle, stored))
            first = middle
    return path[::-1]


def consistency_proof(old: int, size: int, stored: StoredHash) -> list[bytes]:
    """Proof that the tree of ``old`` leaves is the beginning of the tree of ``size`` (RFC 6962 section 2.1.2).

    Nothing is needed, and nothing is given, from the empty tree and between equal sizes.
    """
    if not 0 <= old <= size:
        message = "a tree doesn't shrink"
        raise ValueError(message)
    if old in {0, size}:
        return []
    proof: list[bytes] = []
    first, last = 0, size
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            proof.append(_span(middle, last, stored))
            last = middle
        else:
            proof.append(_span(first, middle, stored))
            first = middle
    if first > 0:  # otherwise the old tree is a complete subtree by itself, and the verifier has its root
        proof.append(_span(first, last, stored))
    return proof[::-1]


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check an audit path (RFC 9162 section 2.1.3.2).

    Raises:
        Damaged: it doesn't lead from this leaf hash to this root.
    """
    if not 0 <= index < size:
        raise _wrong("inclusion")
    _, found = _climb(index, size - 1, leaf, proof, kind="inclusion")
    if found != root:
        raise _wrong("inclusion")


def verify_consistency(*, old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the old tree is the beginning of the new one (RFC 9162 section 2.1.4.2).

    Raises:
        Damaged: it isn't, or the proof doesn't show it.
    """
    if old in {0, size}:
        if proof or old_root != (EMPTY_ROOT if old == 0 else root):
            raise _wrong("consistency")
        return
    steps = list(proof)
    if not 0 < old < size or not steps:
        raise _wrong("consistency")
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    found_old, found = _climb(position, last, steps[0], steps[1:], kind="consistency")
    if found_old != old_root or found != root:
        raise _wrong("consistency")


def _climb(position: int, last: int, start: bytes, steps: Sequence[bytes], *, kind: str) -> tuple[bytes, bytes]:
    """Follow a proof to the root.

    Returns:
        The hash over what stands at or left of the starting node (the old root of a consistency proof), and the root.
    """
    left = whole = start
    for step in steps:
        if last == 0:
            raise _wrong(kind)
        if position & 1 or position == last:
            left, whole = node_hash(step, left), node_hash(step, whole)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            whole = node_hash(whole, step)
        position, last = position >> 1, last >> 1
    if last:
        raise _wrong(kind)
    return left, whole


def _split(width: int) -> int:
    """The largest power of two smaller than ``width`` (RFC 6962 section 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _span(first: int, last: int, stored: StoredHash) -> bytes:
    """Root over the leaves from ``first`` up to ``last``, where ``first`` begins a subtree at least that wide."""
    width = last - first
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return stored(level, first >> level)
    middle = first + _split(width)
    return node_hash(_span(first, middle, stored), _span(middle, last, stored))


def _wrong(kind: str) -> Damaged:
    return Damaged(f"{kind}_proof_wrong", f"The {kind} proof doesn't lead to the signed root. Something was changed.")
