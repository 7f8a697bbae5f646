"""What the information governance officer's pages share: words for terms, and names for ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import identity
from app.service import Service
from app.words import title
from audit import Outcome
from core.errors import Conflict, Invalid, Refused, VaultError
from core.ids import CaseId, PersonId, well_formed
from retention import HaltReason, Health, RecordClass

RECORD_WORDS = {
    RecordClass.UPLOAD: "Unfinished upload",
    RecordClass.FOOTAGE: "Film",
    RecordClass.CLIP: "Clip",
    RecordClass.CLIP_LOOK_AGAIN: "Clip to look at again",
    RecordClass.FAMILY_COPY: "Family copy",
    RecordClass.REDACTED_RENDITION: "Redacted clip",
    RecordClass.SUPERVISION_CLIP: "Clip for supervision",
    RecordClass.CHILD_PROTECTION_CLIP: "Clip of a child protection record",
    RecordClass.LOOKED_AFTER_CLIP: "Clip of a looked-after child's record",
    RecordClass.CONSENT_RECORD: "Record of consent",
    RecordClass.ACCESS_AUDIT: "Record of who saw what",
    RecordClass.CERTIFICATE: "Certificate",
    RecordClass.BACKUP: "Backup",
}
HALT_WORDS = {
    HaltReason.SHARE: "It would destroy more of what is kept than may go without being asked.",
    HaltReason.CLOCK: "The clock has leapt ahead, and nobody had accepted that when it was planned.",
    HaltReason.SCHEDULE: "The schedule isn't the one of the sweep before.",
}
OUTCOME_WORDS = {
    Outcome.DONE: ("Done", "green"),
    Outcome.REFUSED: ("Refused", "red"),
    Outcome.FAILED: ("Failed", "orange"),
}
SHOWN_AGAIN = (Invalid, Refused, Conflict)
"""Errors that a form is shown again with; the others have a page of their own."""


@dataclass(frozen=True, slots=True)
class Families:
    """What families are called, and who is in them.

    Attributes:
        cases: every case, the newest first.
    """

    cases: tuple[CaseId, ...]
    households: Mapping[CaseId, identity.Household]

    def called(self, case_id: str | None) -> str:
        """A family's name; empty where there is none to say."""
        found = self.households.get(CaseId(case_id)) if case_id else None
        return title(found.children) if found else ""

    def choices(self) -> list[dict[str, str]]:
        """Every family, to choose from."""
        return [{"id": case_id, "name": self.called(case_id)} for case_id in self.cases]


def families(service: Service) -> Families:
    """The names of all families. The caller has found that the reader is an officer."""
    with service.db.read() as session:
        cases = identity.every_case(session)
        return Families(cases, identity.households(session, keystore=service.keystore, cases=cases))


def names(service: Service, people: Iterable[str | None]) -> Mapping[PersonId, str]:
    """The names of some people, staff or family; whoever isn't known isn't in it."""
    wanted = {PersonId(one) for one in people if one and well_formed(one)}
    with service.db.read() as session:
        return identity.person_names(session, keystore=service.keystore, people=wanted)


def short(kind: RecordClass, record: str) -> str:
    """A record by its kind and the beginning of its id: titles stay closed."""
    return f"{RECORD_WORDS[kind]} {record[:8]}"


def spoken(code: str) -> str:
    """A code word as people read it: ``viewing.begun`` is *Viewing begun*."""
    said = code.replace(".", " ").replace("_", " ").replace("-", " ").strip()
    return said[:1].upper() + said[1:]


def of_the_page(problem: VaultError) -> VaultError:
    """The same problem, not beside a field: for forms that stand on a page more than once."""
    return Invalid(problem.code, problem.sentence)


def late_sweep(health: Health) -> str:
    """That no sweep has run, where one should have; else nothing."""
    if not health.overdue:
        return ""
    if health.last_done_at:
        return "No sweep has run for a day."
    return "No sweep has run yet, though the service has been here for more than a day."
