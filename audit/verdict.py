"""What a verification says (PURE): all is as it was signed, or the first place where it isn't, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from audit.checkpoint import Checkpoint


class Fault(StrEnum):
    """What is wrong at the first bad index."""

    ENTRY_EDITED = "entry_edited"
    """The entry isn't what was hashed, or its leaf isn't what its writer vouched for."""
    ENTRY_DROPPED = "entry_dropped"
    """An entry is gone, or stands in another's place."""
    TAIL_CUT = "tail_cut"
    """The newest entries are gone: something vouches for more than is there."""
    CHECKPOINT_FORGED = "checkpoint_forged"
    """A checkpoint isn't signed by the log's key, or isn't what was signed."""
    REWRITTEN = "rewritten"
    """A checkpoint is genuine, and the entries under it are not those that it was signed over."""
    HASH_EDITED = "hash_edited"
    """A stored hash of a subtree isn't what its leaves give. The entries themselves stand."""
    NOT_SIGNED = "not_signed"
    """There are leaves that no checkpoint covers: they were put there from outside."""
    SMUGGLED = "smuggled"
    """There is an entry that no writer of ours queued."""


_WORDS = {
    Fault.ENTRY_EDITED: "was edited",
    Fault.ENTRY_DROPPED: "is missing from its place",
    Fault.TAIL_CUT: "and what followed it were cut off",
    Fault.CHECKPOINT_FORGED: "is the first under a forged checkpoint",
    Fault.REWRITTEN: "is the first that may have been rewritten",
    Fault.HASH_EDITED: "is the first under an edited hash of the tree",
    Fault.NOT_SIGNED: "was never signed",
    Fault.SMUGGLED: "would be the place of one that was put in from outside",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong.

    Attributes:
        index: the first entry that can't be relied on, counted from 0.
        until: the first entry after it that this fault doesn't touch, where that is known.
        fault: what is wrong.
        detail: more of it, in ids and numbers.
    """

    index: int
    fault: Fault
    until: int | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """For the officer who reads it."""
        bound = f" (somewhere before entry {self.until})" if self.until is not None else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"Entry {self.index} {_WORDS[self.fault]}{bound}{detail}."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was recomputed, and what was found.

    Attributes:
        size: how many leaves were recomputed.
        checkpoint: the last checkpoint that holds.
        disposed: how many of the leaves have no body any more, by a certificate.
        waiting: how many entries wait to be sealed; their chains were checked too, where the key was given.
        finding: the first thing that is wrong; nothing where all is as it was signed.
    """

    size: int
    checkpoint: Checkpoint | None
    disposed: int
    waiting: int
    finding: Finding | None

    @property
    def sentence(self) -> str:
        """For the officer who reads it."""
        if self.finding is not None:
            return self.finding.sentence
        return (
            f"All {self.size} entries are as they were signed ({self.disposed} disposed of by certificate, "
            f"{self.waiting} waiting to be sealed)."
        )
