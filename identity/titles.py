"""Who is in which case, and what families are called: for an officer's pages, which look across all cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import CaseId, PersonId
from identity.models import CaseRow, MemberRow, PersonRow
from identity.sealing import open_people
from keys import KeyStore

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Household:
    """The people of one case by name, the index child first.

    Attributes:
        children: their names: what a family is called on staff's pages.
        members: everyone, with their names.
    """

    children: tuple[str, ...] = field(repr=False)
    members: tuple[tuple[PersonId, str], ...] = field(repr=False)


def every_case(session: Session) -> tuple[CaseId, ...]:
    """Every case, the newest first."""
    rows = session.scalars(select(CaseRow.id).order_by(CaseRow.opened_at.desc(), CaseRow.id))
    return tuple(CaseId(one) for one in rows)


def households(session: Session, *, keystore: KeyStore, cases: Iterable[CaseId]) -> dict[CaseId, Household]:
    """The people of some cases, in one look. The caller has found that the reader may know them."""
    found: dict[CaseId, list[tuple[PersonId, bool]]] = {}
    sealed: dict[PersonId, bytes] = {}
    wanted = sorted(set(cases))
    for start in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(
            select(MemberRow.case_id, PersonRow.id, PersonRow.was_child, PersonRow.name)
            .join(PersonRow, PersonRow.id == MemberRow.person_id)
            .where(MemberRow.case_id.in_(wanted[start : start + _AT_ONCE]))
            .order_by(MemberRow.is_index.desc(), PersonRow.was_child.desc(), MemberRow.joined_at, PersonRow.id)
        )
        for case_id, person, was_child, name in rows:
            found.setdefault(CaseId(case_id), []).append((PersonId(person), was_child))
            sealed[PersonId(person)] = name
    names = open_people(keystore, column="name", sealed=sealed)
    return {
        case_id: Household(
            children=tuple(names[person] for person, was_child in people if was_child),
            members=tuple((person, names[person]) for person, _ in people),
        )
        for case_id, people in found.items()
    }
