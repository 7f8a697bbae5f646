"""Nobody guides a family that is on their own caseload (PURE)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.ids import PersonId
from identity.facts import Assignment, CaseloadEntry, Role

CONFLICTING = frozenset({Role.SOCIAL_WORKER})
"""Case roles that put a family on somebody's caseload by themselves."""


def in_conflict(
    staff: PersonId,
    *,
    family: Iterable[PersonId],
    caseload: Iterable[CaseloadEntry],
    assignments: Iterable[Assignment],
    at: datetime,
) -> bool:
    """Whether this member of staff may not guide this family.

    Args:
        staff: who would guide, or does.
        family: the case's people, and who else holds parental responsibility for its children.
        caseload: entries that may concern them.
        assignments: assignments to this case, and to other cases with any of these people.
        at: the moment that is asked about.
    """
    people = frozenset(family)
    carries = any(entry.staff == staff and entry.person in people and entry.span.covers(at) for entry in caseload)
    works_with = any(one.person == staff and one.role in CONFLICTING and one.span.covers(at) for one in assignments)
    return carries or works_with
