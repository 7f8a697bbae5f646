"""Parental responsibility: who speaks for a child. It holds in every case with that child."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

import audit
from core.db import Database, get, lock, not_found
from core.errors import Conflict, Invalid
from core.ids import CaseId, PersonId, new_id, well_formed
from identity.authority import require_in_case, require_member
from identity.facts import Actor, PersonKind, RelationshipKind, Role
from identity.models import PersonRow, RelationshipRow, StaffRoleRow
from identity.rosters import changed, hold
from identity.sealing import clean_words, seal_person
from keys import KeyStore


def add_relationship(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    case_id: CaseId,
    holder: PersonId,
    child: PersonId,
    kind: RelationshipKind,
    evidence: str | None = None,
    since: datetime | None = None,
) -> str:
    """Record that someone holds parental responsibility for a child (a mother may be 16 herself).

    Args:
        db: the main database.
        keystore: the key store.
        actor: a manager or the case's guider.
        case_id: a case that the child is in.
        holder: a member of the case; for ``LOCAL_AUTHORITY`` the named manager who decides.
        child: the child.
        kind: how it is held.
        evidence: what was seen, in words.
        since: from when; now where nothing is said.

    Returns:
        The relationship's id.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
        Invalid: ``holder_is_child``, ``holder_not_manager``, ``not_a_child``, ``start_in_future``.
        Conflict: ``already_holds``.
    """
    at = db.clock.now()
    words = None if evidence is None else clean_words(evidence)
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
        require_member(session, child, case_id=case_id)
        if kind is RelationshipKind.LOCAL_AUTHORITY:
            _require_manager(session, holder)
        else:
            require_member(session, holder, case_id=case_id)
        if since is not None and since > at:
            raise Invalid("start_in_future", "The start lies in the future.", field="since")
        cases = hold(session, [holder, child], also=[case_id])
        made = write_relationship(
            session,
            keystore,
            actor,
            case_id=case_id,
            holder=holder,
            child=child,
            kind=kind,
            evidence=words,
            since=since or at,
            at=at,
        )
        changed(session, cases, by=actor.person, at=at)
        return made


def end_relationship(db: Database, *, actor: Actor, case_id: CaseId, relationship: str) -> None:
    """Record that parental responsibility has ended.

    Raises:
        NotFound: a foreign case or relationship.
        Refused: ``not_your_role``.
        Conflict: ``relationship_ended``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.MANAGER, Role.GUIDER, case_id=case_id, at=at)
        found = session.get(RelationshipRow, relationship) if well_formed(relationship) else None
        if found is None:
            raise not_found()
        require_member(session, PersonId(found.child_id), case_id=case_id)
        cases = hold(session, [PersonId(found.holder_id), PersonId(found.child_id)], also=[case_id])
        row = lock(session, RelationshipRow, relationship)
        if row.ends_at is not None and row.ends_at <= at:
            raise Conflict("relationship_ended", "That has ended already.")
        row.ends_at = at
        audit.record(
            session,
            audit.Event.PARENTAL_RESPONSIBILITY_ENDED,
            actor=actor.person,
            case_id=case_id,
            object_id=row.id,
            details={"holder": row.holder_id, "child": row.child_id, "kind": row.kind.value},
        )
        changed(session, cases, by=actor.person, at=at)


def write_relationship(
    session: Session,
    keystore: KeyStore,
    actor: Actor,
    *,
    case_id: CaseId,
    holder: PersonId,
    child: PersonId,
    kind: RelationshipKind,
    evidence: str | None,
    since: datetime,
    at: datetime,
) -> str:
    """Write a relationship and its entry; locks and versions are the caller's."""
    if not get(session, PersonRow, child).was_child:
        raise Invalid("not_a_child", "Parental responsibility is held for a child.", field="child")
    if holder == child:
        raise Invalid("holder_is_child", "Nobody holds parental responsibility for themself.", field="holder")
    there = session.scalars(
        select(RelationshipRow.id).where(
            RelationshipRow.holder_id == holder,
            RelationshipRow.child_id == child,
            or_(RelationshipRow.ends_at.is_(None), RelationshipRow.ends_at > at),
        )
    ).first()
    if there is not None:
        raise Conflict("already_holds", "That is recorded already.")
    row_id = new_id()
    session.add(
        RelationshipRow(
            id=row_id,
            holder_id=holder,
            child_id=child,
            kind=kind,
            evidence=None
            if evidence is None
            else seal_person(keystore, child, table="relationship", column="evidence", row=row_id, value=evidence),
            starts_at=since,
            recorded_by=actor.person,
        )
    )
    audit.record(
        session,
        audit.Event.PARENTAL_RESPONSIBILITY_RECORDED,
        actor=actor.person,
        case_id=case_id,
        object_id=row_id,
        details={"holder": holder, "child": child, "kind": kind.value},
    )
    session.flush()
    return row_id


def _require_manager(session: Session, person: PersonId) -> None:
    row = session.get(PersonRow, person) if well_formed(person) else None
    if row is None or row.kind is not PersonKind.STAFF or row.suspended_at is not None:
        raise not_found()
    if session.get(StaffRoleRow, (person, Role.MANAGER)) is None:
        raise Invalid("holder_not_manager", "The authority decides through a named manager.", field="holder")
