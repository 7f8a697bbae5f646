"""What a comparison of rows, bytes and keys can find, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """Something that no ordinary crash leaves: a person must look."""

    OBJECT_MISSING = "object_missing"
    OBJECT_DAMAGED = "object_damaged"
    OBJECT_QUARANTINED = "object_quarantined"
    PART_MISSING = "part_missing"
    PART_DAMAGED = "part_damaged"
    KEY_MISSING = "key_missing"
    KEY_ALIVE = "key_alive"
    BYTES_UNCLAIMED = "bytes_unclaimed"
    WORK_STOPPED = "work_stopped"


class Leftover(StrEnum):
    """What an ordinary crash may leave. It opens nothing and is in nobody's way."""

    WRITE_UNFINISHED = "write_unfinished"
    BYTES_UNKNOWN = "bytes_unknown"
    BYTES_OF_DESTROYED = "bytes_of_destroyed"
    UPLOAD_UNCLEARED = "upload_uncleared"
    DRAFT = "draft"
    KEY_UNUSED = "key_unused"


WORDS: Mapping[Trouble | Leftover, str] = {
    Trouble.OBJECT_MISSING: "The database knows it, and its bytes are gone. Restore it from a backup of the objects.",
    Trouble.OBJECT_DAMAGED: "Its bytes aren't what was sealed. Put the right ones back from a backup of the objects.",
    Trouble.OBJECT_QUARANTINED: "It was found damaged, and is out of use. Put the right bytes back from a "
    "backup of the objects, then run vig-vault scrub --quarantined: what is right is used again.",
    Trouble.PART_MISSING: "Bytes of an unfinished deposit are gone. It can't be finished: deposit that film again.",
    Trouble.PART_DAMAGED: "Bytes of an unfinished deposit aren't what was sealed. Deposit that film again.",
    Trouble.KEY_MISSING: "It should open, and its key is gone or damaged. Is the key database an older one?",
    Trouble.KEY_ALIVE: "It was destroyed, and its key opens still. Is the key database old? Tell the IG officer.",
    Trouble.BYTES_UNCLAIMED: "Sealed bytes that a key opens and no row knows. Is the main database old? Never removed.",
    Trouble.WORK_STOPPED: "It waits for work that has ended. Nobody will go on with it by themself.",
    Leftover.WRITE_UNFINISHED: "files of writers that are under way or died",
    Leftover.BYTES_UNKNOWN: "stored objects that no row knows and no key opens",
    Leftover.BYTES_OF_DESTROYED: "stored objects that were destroyed",
    Leftover.UPLOAD_UNCLEARED: "deposits that are over and not cleared",
    Leftover.DRAFT: "objects that a job began and left when it ended",
    Leftover.KEY_UNUSED: "keys of objects that were never begun (they lie harmless)",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble.

    Attributes:
        subject: id of the object, upload, footage or clip; for a part, its name in the store.
    """

    trouble: Trouble
    subject: str

    @property
    def sentence(self) -> str:
        """What it is, and what to do."""
        return WORDS[self.trouble]


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found.

    Attributes:
        objects: how many objects should open, and were looked at.
        parts: how many parts of unfinished deposits.
        read_bytes: how much ciphertext was read and authenticated.
        findings: each confirmed by a second look.
        leftovers: how many of each there are; the service tidies them by itself after a day.
    """

    objects: int
    parts: int
    read_bytes: int
    findings: tuple[Finding, ...]
    leftovers: Mapping[Leftover, int]

    @property
    def is_clean(self) -> bool:
        """Whether nobody has to look."""
        return not self.findings
