"""The log that cannot be quietly changed."""

from __future__ import annotations

from audit.checkpoint import Checkpoint, Signer, Verifier, open_checkpoint
from audit.entry import NARROWING, Event, Outcome
from audit.leaf import Detail, Entry
from audit.log import WITNESS, AuditWriter, attach, record
from audit.proofs import InclusionProof, check_proof, prove, prove_in
from audit.sealing import seal

__all__ = [
    "NARROWING",
    "WITNESS",
    "AuditWriter",
    "Checkpoint",
    "Detail",
    "Entry",
    "Event",
    "InclusionProof",
    "Outcome",
    "Signer",
    "Verifier",
    "attach",
    "check_proof",
    "open_checkpoint",
    "prove",
    "prove_in",
    "record",
    "seal",
]
