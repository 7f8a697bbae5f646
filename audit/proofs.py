"""Proofs for outsiders: that one entry is in the tree that a signed checkpoint is about (C2SP tlog-proof).

A receipt or a certificate carries such a proof. Whoever holds it, the entry's bytes and the public key needs neither
this service nor its software to check it. Specification: c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.checkpoint import Checkpoint, Verifier, open_checkpoint
from audit.leaf import encode
from audit.merkle import inclusion_proof, leaf_hash, verify_inclusion
from audit.models import AuditEntryRow, AuditLeafRow, AuditPendingRow
from audit.rows import entry_of, latest_checkpoint, stored_hashes
from core.db import Database, not_found
from core.errors import Damaged, Unavailable
from core.ids import EntryId

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_SOON = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry stands in the tree of a checkpoint.

    Attributes:
        entry: the canonical bytes that were hashed; nothing where the body has been disposed of.
        leaf_hash: their leaf hash.
        index: the entry's place, from 0.
        hashes: the audit path, from the leaf's sibling up.
        checkpoint: the signed note.
    """

    entry: bytes | None
    leaf_hash: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def text(self) -> str:
        """The proof as a C2SP tlog-proof, to be kept in a ``.tlog-proof`` file."""
        lines = [_HEADER, f"index {self.index}", *(base64.b64encode(step).decode() for step in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint


def prove(db: Database, entry_id: EntryId) -> InclusionProof:
    """Prove an entry against the latest checkpoint.

    Raises:
        NotFound: no such entry.
        Unavailable: it isn't sealed yet; it will be in a moment.
        Damaged: the tree lacks a hash that it must have.
    """
    with db.read() as session:
        return prove_in(session, entry_id)


def prove_in(session: Session, entry_id: EntryId) -> InclusionProof:
    """``prove`` as a step of the caller's transaction."""
    leaf = session.scalars(select(AuditLeafRow).where(AuditLeafRow.entry_id == entry_id)).one_or_none()
    checkpoint = latest_checkpoint(session)
    if leaf is None or checkpoint is None or leaf.position >= checkpoint.size:
        waits = select(AuditPendingRow.position).where(AuditPendingRow.entry_id == entry_id)
        if leaf is None and session.scalar(waits) is None:
            raise not_found()
        raise Unavailable(
            "audit_not_sealed_yet",
            "The proof isn't ready yet. It takes a few seconds; please try again.",
            retry_after=_SOON,
        )
    body = session.get(AuditEntryRow, entry_id)
    return InclusionProof(
        entry=encode(entry_of(body)) if body else None,
        leaf_hash=leaf.leaf_hash,
        index=leaf.position,
        hashes=tuple(inclusion_proof(leaf.position, checkpoint.size, stored_hashes(session))),
        checkpoint=checkpoint.note,
    )


def check_proof(text: str, *, entry: bytes, verifier: Verifier) -> Checkpoint:
    """Check a proof offline.

    Args:
        text: the C2SP tlog-proof.
        entry: the canonical bytes of the entry that it is about.
        verifier: the log's public key, from a place that the log's keeper can't write to.

    Returns:
        The checkpoint that the entry is under.

    Raises:
        Damaged: the proof isn't one, or doesn't hold.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[1:2] and lines[1].startswith("extra "):
        del lines[1]
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if not blank or lines[0] != _HEADER or index is None:
        raise Damaged("proof_malformed", "This isn't an inclusion proof.")
    try:
        steps = [base64.b64decode(line, validate=True) for line in lines[2:]]
    except binascii.Error as error:
        raise Damaged("proof_malformed", "This isn't an inclusion proof.") from error
    checkpoint = open_checkpoint(note, verifier=verifier)
    verify_inclusion(leaf_hash(entry), index=int(index[1]), size=checkpoint.size, proof=steps, root=checkpoint.root)
    return checkpoint
