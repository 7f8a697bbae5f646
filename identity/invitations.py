"""A family member's way in: a link from one member of staff, and a code that reaches them by another way.

Whoever scans an invitation must not become the parent, so the link alone is worth nothing: activating needs a code that
goes to the safe contact, or into a sealed letter by a *second* member of staff; nobody but the parent sees both.
Looking at a link consumes nothing (phones fetch previews). A new invitation revokes the older one.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

import audit
from core import outbox
from core.db import Database, lock, not_found
from core.errors import Conflict, Invalid, Refused
from core.ids import CaseId, InvitationId, PersonId, new_id, well_formed
from core.secret import Secret
from identity.access_models import InvitationRow, SecondThing
from identity.authority import require_in_case, require_member
from identity.facts import Actor, Role
from identity.models import PersonRow, RestrictionRow
from identity.rosters import require_open
from identity.sealing import keyed_hash, open_person
from identity.sessions import TOKEN_BYTES, token_hash
from identity.tries import count_guess
from identity.whence import Whence
from keys import KeyStore

INVITATION_LASTS = timedelta(days=7)
CODE_DIGITS = 6
MOST_WRONG_CODES = 5
CODE_MESSAGE = "message.invitation_code"
"""The kind of outbox row whose deliverer calls ``issue_code``; its payload is ``{"invitation_id": …}``."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. The link's token can't be had again.

    Attributes:
        token: for the link or QR code that the family member gets.
    """

    id: InvitationId
    token: Secret[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the holder of a link may see before proving anything: nothing about anybody."""

    id: InvitationId
    second_thing: SecondThing
    expires_at: datetime


def invite(
    db: Database,
    *,
    actor: Actor,
    case_id: CaseId,
    person: PersonId,
    second_thing: SecondThing = SecondThing.MESSAGE,
) -> Invited:
    """Invite a family member to their own pages; an older invitation of theirs ends.

    Args:
        db: the main database.
        actor: the case's guider, or a manager; not the one who entered the contact that the code goes to.
        case_id: the case.
        person: who is invited.
        second_thing: how the code reaches them.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``, ``not_to_be_contacted``, ``second_person_needed``.
        Invalid: ``no_safe_contact``.
        Conflict: ``case_closed``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        row = lock(session, PersonRow, person)
        require_open(session, case_id)
        _require_may_contact(session, person, case_id=case_id, at=at)
        if second_thing is SecondThing.MESSAGE:
            _require_other_contact(row, actor)
        _revoke(session, select(InvitationRow).where(InvitationRow.person_id == person), by=actor.person, at=at)
        token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
        invitation = InvitationRow(
            id=new_id(),
            case_id=case_id,
            person_id=person,
            invited_by=actor.person,
            second_thing=second_thing,
            token_hash=token_hash(token),
            attempts=0,
            made_at=at,
            expires_at=at + INVITATION_LASTS,
        )
        session.add(invitation)
        session.flush()
        if second_thing is SecondThing.MESSAGE:
            outbox.post(session, CODE_MESSAGE, at=at, payload={"invitation_id": invitation.id})
        audit.record(
            session,
            audit.Event.INVITATION_MADE,
            actor=actor.person,
            case_id=case_id,
            object_id=invitation.id,
            details={"person": person, "second_thing": second_thing.value},
        )
        return Invited(InvitationId(invitation.id), token, invitation.expires_at)


def issue_code(db: Database, *, keystore: KeyStore, invitation_id: InvitationId) -> tuple[Secret[str], Secret[str]]:
    """Make the code at the moment of sending it, for the deliverer of ``CODE_MESSAGE``. A newer code voids the older.

    Returns:
        The safe contact, and the code.

    Raises:
        NotFound: no open invitation that is to be answered by message: drop the delivery.
    """
    at = db.clock.now()
    with db.begin() as session:
        row = _open_one(session, invitation_id, at=at)
        person = session.get_one(PersonRow, row.person_id)
        if row.second_thing is not SecondThing.MESSAGE or person.safe_contact is None:
            raise not_found()
        contact = open_person(keystore, PersonId(person.id), column="safe_contact", sealed=person.safe_contact)
        return Secret(contact), _new_code(keystore, row)


def letter_code(db: Database, *, keystore: KeyStore, actor: Actor, invitation_id: InvitationId) -> Secret[str]:
    """Make the code for a sealed letter: by a second member of staff who works on the case, once per letter.

    Raises:
        NotFound: no open invitation by letter, or a foreign one.
        Refused: ``not_your_role``, ``second_person_needed``.
    """
    at = db.clock.now()
    with db.begin() as session:
        row = _open_one(session, invitation_id, at=at)
        case_id = CaseId(row.case_id)
        require_in_case(
            session, actor, Role.GUIDER, Role.SUPERVISOR, Role.SOCIAL_WORKER, Role.MANAGER, case_id=case_id, at=at
        )
        if row.second_thing is not SecondThing.LETTER:
            raise not_found()
        if row.invited_by == actor.person:
            raise _second_person_needed()
        row.code_seen_by = actor.person
        audit.record(
            session, audit.Event.INVITATION_CODE_PRINTED, actor=actor.person, case_id=case_id, object_id=row.id
        )
        return _new_code(keystore, row)


def look(db: Database, *, keystore: KeyStore, token: Secret[str], whence: Whence) -> Invitation:
    """What a link leads to. Consumes nothing.

    Raises:
        NotFound: no such link.
        Conflict: ``invitation_used``; Refused: ``invitation_ended``.
        RateLimited: ``too_many_tries``: links from this address that were none.
    """
    at = db.clock.now()
    with db.read() as session:
        is_link = session.scalars(_linked(token)).first() is not None
    if not is_link:
        count_guess(db, keystore=keystore, whence=whence)
    with db.read() as session:
        row = by_token(session, token)
        require_live(row, at=at)
        return Invitation(InvitationId(row.id), row.second_thing, row.expires_at)


def revoke_invitation(db: Database, *, actor: Actor, case_id: CaseId, person: PersonId) -> None:
    """Take back a family member's open invitation, if there is one.

    Raises:
        NotFound: a foreign case or person.
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    with db.begin() as session:
        require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=case_id, at=at)
        require_member(session, person, case_id=case_id)
        lock(session, PersonRow, person)
        query = select(InvitationRow).where(InvitationRow.person_id == person, InvitationRow.case_id == case_id)
        _revoke(session, query, by=actor.person, at=at)


def revoke_open_in(session: Session, case_id: CaseId, *, by: PersonId, at: datetime) -> None:
    """Take back all open invitations of a case."""
    _revoke(session, select(InvitationRow).where(InvitationRow.case_id == case_id), by=by, at=at)


def by_token(session: Session, token: Secret[str]) -> InvitationRow:
    """The invitation of a link.

    Raises:
        NotFound: no such link.
    """
    row = session.scalars(_linked(token)).first()
    if row is None:
        raise not_found()
    return row


def _linked(token: Secret[str]) -> Select[InvitationRow]:
    return select(InvitationRow).where(InvitationRow.token_hash == token_hash(token))


def require_live(row: InvitationRow, *, at: datetime) -> None:
    """Refuse an invitation that was used, taken back, or is over.

    Raises:
        Conflict: ``invitation_used``.
        Refused: ``invitation_ended``.
    """
    if row.used_at is not None:
        raise Conflict("invitation_used", "This link was used already. If that wasn't you, tell your guider.")
    if row.revoked_at is not None or row.expires_at <= at:
        raise Refused("invitation_ended", "This link has ended. Ask your guider for a new one.")


def code_matches(keystore: KeyStore, row: InvitationRow, *, code: str) -> bool:
    """Whether this is the code that was sent; compared in constant time."""
    if row.code_hash is None or len(code) != CODE_DIGITS:
        return False
    return hmac.compare_digest(row.code_hash, keyed_hash(keystore, "invitation", row.id, code))


def _new_code(keystore: KeyStore, row: InvitationRow) -> Secret[str]:
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    row.code_hash = keyed_hash(keystore, "invitation", row.id, code)
    return Secret(code)


def _open_one(session: Session, invitation_id: InvitationId, *, at: datetime) -> InvitationRow:
    if not well_formed(invitation_id):
        raise not_found()
    row = lock(session, InvitationRow, invitation_id)
    if row.used_at is not None or row.revoked_at is not None or row.expires_at <= at:
        raise not_found()
    return row


def _require_may_contact(session: Session, person: PersonId, *, case_id: CaseId, at: datetime) -> None:
    stopped = session.scalars(
        select(RestrictionRow.id).where(
            RestrictionRow.case_id == case_id,
            RestrictionRow.person_id == person,
            RestrictionRow.not_asked,
            or_(RestrictionRow.ends_at.is_(None), RestrictionRow.ends_at > at),
        )
    ).first()
    if stopped is not None:
        raise Refused("not_to_be_contacted", "A restriction says that this person isn't to be contacted.")


def _require_other_contact(person: PersonRow, actor: Actor) -> None:
    if person.safe_contact is None:
        raise Invalid(
            "no_safe_contact", "Record a safe contact first, or send the code by letter.", field="second_thing"
        )
    if person.contact_set_by == actor.person:
        raise _second_person_needed()


def _second_person_needed() -> Refused:
    return Refused(
        "second_person_needed",
        "Nobody may see both the link and the code: a colleague must do this part.",
    )


def _revoke(session: Session, query: Select[InvitationRow], *, by: PersonId, at: datetime) -> None:
    open_ones = query.where(InvitationRow.used_at.is_(None), InvitationRow.revoked_at.is_(None))
    for row in session.scalars(open_ones).all():
        row.revoked_at = at
        audit.record(
            session,
            audit.Event.INVITATION_REVOKED,
            actor=by,
            case_id=CaseId(row.case_id),
            object_id=row.id,
            details={"person": row.person_id},
        )
    session.flush()
