"""Overrides: a lawful disclosure without consent. It names one clip and one recipient, and never looks like a yes.

Proposed by one person, with necessity and proportionality in words; approved by another, from information governance
or management; at most 72 hours; and it says when the family is told, or why not yet. Their page then shows "shown by
law".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from consent.facts import Rendition
from consent.models import OverrideRow, OverrideShownRow
from consent.purposes import LONGEST_OVERRIDE
from consent.terms import LawfulBasis
from core.db import Database, lock, not_found
from core.errors import Conflict, Invalid, Refused
from core.ids import CaseId, OverrideId, PersonId, RenditionId, new_id, well_formed
from identity import Actor, Role, lock_case, raise_version, require_in_case, require_role
from keys import KeyStore, RecordOwner, open_field, seal_field

PROPOSERS: Final = (Role.MANAGER, Role.SOCIAL_WORKER)
APPROVERS: Final = (Role.IG_OFFICER, Role.MANAGER)
SHORTEST_WORDS: Final = 20
LONGEST_WORDS: Final = 4000


@dataclass(frozen=True, slots=True)
class OverrideView:
    """An override as those who decide on it see it."""

    id: OverrideId
    case_id: CaseId
    rendition_id: RenditionId
    recipient: PersonId
    basis: LawfulBasis
    necessity: str = field(repr=False)
    proportionality: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    tell_family_on: datetime | None
    proposer: PersonId
    approver: PersonId | None
    ended_at: datetime | None


def propose_override(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    rendition: Rendition,
    recipient: PersonId,
    basis: LawfulBasis,
    necessity: str,
    proportionality: str,
    starts_at: datetime,
    ends_at: datetime,
    tell_family_on: datetime | None = None,
    not_told_because: str | None = None,
) -> OverrideId:
    """Propose to show one clip to one recipient by law. It opens nothing until somebody else approves it.

    Raises:
        NotFound: a foreign case.
        Refused: neither manager nor the case's social worker.
        Invalid: ``end_before_start``, ``too_long``, ``words_form``, ``family_told_or_why``, ``not_a_clip``.
    """
    at = db.clock.now()
    if ends_at <= starts_at or ends_at <= at:
        raise Invalid("end_before_start", "It must end after it begins, and not in the past.", field="ends_at")
    if ends_at - starts_at > LONGEST_OVERRIDE:
        raise Invalid("too_long", "It lasts 72 hours at most.", field="ends_at")
    if (tell_family_on is None) == (not_told_because is None):
        raise Invalid("family_told_or_why", "Say when the family is told, or why not yet.", field="tell_family_on")
    if rendition.is_footage:
        raise Invalid("not_a_clip", "Choose a clip. A whole film is never shown to others.")
    texts = {"necessity": _words(necessity), "proportionality": _words(proportionality)}
    if not_told_because is not None:
        texts["not_told_because"] = _words(not_told_because)
    case_id = rendition.case_id
    with db.begin() as session:
        require_in_case(session, actor, *PROPOSERS, case_id=case_id, at=at)
        lock_case(session, case_id)
        override = OverrideId(new_id())
        key = keystore.record_key(RecordOwner.case(case_id))
        sealed = {
            column: seal_field(key, table="consent_override", column=column, row=override, value=text)
            for column, text in texts.items()
        }
        session.add(
            OverrideRow(
                id=override,
                case_id=case_id,
                rendition_id=rendition.id,
                rendition_hash=rendition.content_hash,
                recipient=recipient,
                basis=basis,
                starts_at=starts_at,
                ends_at=ends_at,
                tell_family_on=tell_family_on,
                proposer=actor.person,
                proposed_at=at,
                **sealed,
            )
        )
        session.flush()
        session.add_all(OverrideShownRow(override_id=override, person_id=person) for person in rendition.persons_shown)
        audit.record(
            session,
            audit.Event.OVERRIDE_PROPOSED,
            actor=actor.person,
            case_id=case_id,
            object_id=override,
            reason=basis.value,
            details={"rendition": rendition.id, "recipient": recipient},
        )
        return override


def approve_override(db: Database, *, actor: Actor, override: OverrideId) -> None:
    """Approve what somebody else proposed: it is in force from its start.

    Raises:
        NotFound: no such override.
        Refused: ``not_your_role``; ``second_person_needed``: one's own proposal, or one's own eyes.
        Conflict: ``override_settled``: approved, ended or past already.
    """
    at = db.clock.now()
    require_role(actor, *APPROVERS)
    with db.begin() as session:
        row = _locked(session, override)
        if actor.person in {row.proposer, row.recipient}:
            audit.record(
                session,
                audit.Event.OVERRIDE_APPROVED,
                actor=actor.person,
                outcome=audit.Outcome.REFUSED,
                case_id=CaseId(row.case_id),
                object_id=row.id,
                reason="second_person_needed",
            )
            refused = True
        else:
            if row.approver is not None or row.ended_at is not None or row.ends_at <= at:
                raise Conflict("override_settled", "This has been settled already.")
            row.approver, row.approved_at = actor.person, at
            refused = False
            _changed(session, actor, row, audit.Event.OVERRIDE_APPROVED)
    if refused:
        raise Refused("second_person_needed", "Someone other than the proposer and the recipient must approve this.")


def end_override(db: Database, *, actor: Actor, override: OverrideId) -> None:
    """End an override (or turn a proposal down): what is playing on it stops at once.

    Raises:
        NotFound: no such override.
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    require_role(actor, *APPROVERS)
    with db.begin() as session:
        row = _locked(session, override)
        if row.ended_at is None:
            row.ended_at, row.ended_by = at, actor.person
            _changed(session, actor, row, audit.Event.OVERRIDE_ENDED)


def overrides_waiting(db: Database, *, keystore: KeyStore, actor: Actor) -> list[OverrideView]:
    """What waits for approval, the soonest to begin first.

    Raises:
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    require_role(actor, *APPROVERS)
    with db.read() as session:
        rows = session.scalars(
            select(OverrideRow)
            .where(OverrideRow.approver.is_(None), OverrideRow.ended_at.is_(None), OverrideRow.ends_at > at)
            .order_by(OverrideRow.starts_at)
        )
        return [_view(keystore, row) for row in rows]


def _locked(session: Session, override: OverrideId) -> OverrideRow:
    row = session.get(OverrideRow, override) if well_formed(override) else None
    if row is None:
        raise not_found()
    lock_case(session, CaseId(row.case_id))
    return lock(session, OverrideRow, override)


def _changed(session: Session, actor: Actor, row: OverrideRow, event: audit.Event) -> None:
    case_id = CaseId(row.case_id)
    version = raise_version(session, case_id)
    audit.record(
        session,
        event,
        actor=actor.person,
        case_id=case_id,
        object_id=row.id,
        reason=row.basis.value,
        details={"rendition": row.rendition_id, "recipient": row.recipient, "version": version},
    )


def _view(keystore: KeyStore, row: OverrideRow) -> OverrideView:
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))

    def opened(column: str, sealed: bytes) -> str:
        return open_field(key, table="consent_override", column=column, row=row.id, sealed=sealed)

    return OverrideView(
        id=OverrideId(row.id),
        case_id=CaseId(row.case_id),
        rendition_id=RenditionId(row.rendition_id),
        recipient=PersonId(row.recipient),
        basis=row.basis,
        necessity=opened("necessity", row.necessity),
        proportionality=opened("proportionality", row.proportionality),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        tell_family_on=row.tell_family_on,
        proposer=PersonId(row.proposer),
        approver=None if row.approver is None else PersonId(row.approver),
        ended_at=row.ended_at,
    )


def _words(text: str) -> str:
    found = text.strip()
    if not SHORTEST_WORDS <= len(found) <= LONGEST_WORDS:
        raise Invalid("words_form", "Say why, in a sentence at least.", field="necessity")
    return found
