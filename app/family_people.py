"""The people of one family, as pages for the staff on its case call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import consent
from app.service import Service
from app.words import title
from core.ids import PersonId
from identity import CaseView, MemberView, Role


def title_of(view: CaseView) -> str:
    """What a family is called."""
    return title([one.name for one in view.members if one.is_child])


def about(member: MemberView, *, at: date) -> str:
    """How old a child is, or that they are grown up."""
    if member.born_on is None:
        return "Child" if member.is_child else "Adult"
    born = member.born_on
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    kind = "Child" if member.is_child else "Adult"
    return f"{kind}, {years} years" if years > 1 else f"{kind}, under 2 years"


def names_of(view: CaseView, people: Iterable[PersonId]) -> list[str]:
    """Some of a family, by name."""
    return [one.name for one in view.members if one.id in set(people)]


def filming_of(service: Service, view: CaseView) -> Mapping[PersonId, object] | None:
    """Who hasn't agreed to be filmed, with the reason; nothing where nobody guides the family."""
    guider = next((one.person for one in view.staff if one.role is Role.GUIDER and one.span.end is None), None)
    if guider is None:
        return None
    with service.db.read() as session:
        people = [one.id for one in view.members]
        return consent.filming_state(session, case_id=view.id, people=people, guider=guider)
