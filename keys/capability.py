"""Who may ask for an object's key: whoever can show that this act, on this object of this case, was allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.errors import Refused
from core.ids import CaseId, ObjectId


class Capability(Protocol):
    """Leave to use the keys of certain objects; ``consent.Permit`` is one, ``JobCapability`` the other."""

    def allows(self, *, case_id: CaseId, object_id: ObjectId) -> bool:
        """Whether it covers this object of this case."""
        ...


@dataclass(frozen=True, slots=True)
class JobCapability:
    """The narrow leave of one deposit or media job.

    Attributes:
        job: what is being done, for whoever reads a traceback.
        case_id: the one case.
        objects: the objects, or nothing for any object of that case (a job that makes new ones).
    """

    job: str
    case_id: CaseId
    objects: frozenset[ObjectId] | None = None

    def allows(self, *, case_id: CaseId, object_id: ObjectId) -> bool:
        """Whether it covers this object of this case."""
        return case_id == self.case_id and (self.objects is None or object_id in self.objects)


def require(capability: Capability, *, case_id: CaseId, object_id: ObjectId) -> None:
    """Go on only with leave.

    Raises:
        Refused: it doesn't cover this object.
    """
    if capability.allows(case_id=case_id, object_id=object_id) is not True:
        raise _refused()


def _refused() -> Refused:
    return Refused("key_refused", "This can't be opened here.")
