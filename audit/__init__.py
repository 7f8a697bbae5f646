"""The log that cannot be quietly changed."""

from __future__ import annotations

from audit.checkpoint import Checkpoint, Signer, Verifier, open_checkpoint
from audit.disposal import dispose
from audit.entry import NARROWING, Event, Outcome
from audit.export import Exported, export
from audit.figures import Extent, begun_at, extent, per_day
from audit.leaf import Detail, Entry
from audit.log import WITNESS, AuditWriter, attach, record
from audit.models import disposal_guard_ddl
from audit.offline import verify_export
from audit.patterns import Heavy, Hours, watched_in_bulk, watched_out_of_hours
from audit.proofs import InclusionProof, check_proof, prove, prove_in
from audit.refusals import refusals_recorded
from audit.remembered import check_remembered, to_remember
from audit.roles import grants
from audit.sealing import seal
from audit.search import Filters, Found, Page, search
from audit.standing import (
    MAY_SERVE,
    Report,
    Standing,
    Witnessed,
    check_mark,
    check_witness,
    tell_checkpoint,
    tell_narrowing,
    witnessed_checkpoints,
)
from audit.told import told, told_last
from audit.verdict import Fault, Finding, Verdict
from audit.verify import verify
from audit.witness import FileWitness, Witness

__all__ = [
    "MAY_SERVE",
    "NARROWING",
    "WITNESS",
    "AuditWriter",
    "Checkpoint",
    "Detail",
    "Entry",
    "Event",
    "Exported",
    "Extent",
    "Fault",
    "FileWitness",
    "Filters",
    "Finding",
    "Found",
    "Heavy",
    "Hours",
    "InclusionProof",
    "Outcome",
    "Page",
    "Report",
    "Signer",
    "Standing",
    "Verdict",
    "Verifier",
    "Witness",
    "Witnessed",
    "attach",
    "begun_at",
    "check_mark",
    "check_proof",
    "check_remembered",
    "check_witness",
    "disposal_guard_ddl",
    "dispose",
    "export",
    "extent",
    "grants",
    "open_checkpoint",
    "per_day",
    "prove",
    "prove_in",
    "record",
    "refusals_recorded",
    "seal",
    "search",
    "tell_checkpoint",
    "tell_narrowing",
    "to_remember",
    "told",
    "told_last",
    "verify",
    "verify_export",
    "watched_in_bulk",
    "watched_out_of_hours",
    "witnessed_checkpoints",
]
