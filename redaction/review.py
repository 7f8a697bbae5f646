"""A second trained person looks whether anyone is visible who isn't listed.

Nothing leaves the family before a colleague off the case, who didn't make the rendition, has watched it whole and
attested who is recognisable: exactly those listed, or nobody. Where they see anybody else, they send it back. When the
list changes later, the attestation is void (``vault.set_persons_shown``) and a new check is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import identity
import keys
import vault
from audit import Event
from consent import Rendition, RenditionState
from core.db import Database, not_found
from core.errors import Conflict, Invalid, Refused
from core.ids import CaseId, PersonId, RenditionId, new_id
from identity import Actor, Role
from keys import KeyStore, RecordOwner
from redaction.models import CheckRow, CheckState

_LONGEST_NOTE = 2000


def request_check(
    db: Database, *, actor: Actor, rendition_id: RenditionId, checker: PersonId, needed_by: date | None = None
) -> str:
    """Ask a colleague off the case to check a clip; they see this one rendition, until they have answered.

    Args:
        db: the main database.
        actor: the case's guider, or a manager.
        rendition_id: what to check.
        checker: who looks.
        needed_by: the day of the meeting that waits for it.

    Returns:
        The check's id.

    Raises:
        NotFound: no such rendition or colleague, or none of the actor's business.
        Refused: ``not_your_role``, ``role_not_held``, ``not_off_case``, ``checker_made_it``.
        Invalid: ``footage_not_checked``.
        Conflict: ``check_waiting``, ``film_not_in_use``, ``superseded``, or the case is closed.
    """
    at, check_id = db.clock.now(), new_id()
    with (
        audit.refusals_recorded(db, Event.CHECK_ASKED, actor=actor.person, object_id=rendition_id),
        db.begin() as session,
    ):
        facts = _held(session, rendition_id)
        identity.require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=facts.case_id, at=at)
        _drop_lost(session, rendition_id, at=at)
        _check_fit(session, facts, checker=checker)
        made = identity.assign_step(
            session,
            actor,
            case_id=facts.case_id,
            staff=checker,
            role=Role.CHECKER,
            at=at,
            rendition=rendition_id,
        )
        if not isinstance(made, Refused):
            session.add(
                CheckRow(
                    id=check_id,
                    case_id=facts.case_id,
                    rendition_id=rendition_id,
                    asked_by=actor.person,
                    checker=checker,
                    state=CheckState.WAITING,
                    needed_by=needed_by,
                    asked_at=at,
                )
            )
            audit.record(
                session,
                Event.CHECK_ASKED,
                actor=actor.person,
                case_id=facts.case_id,
                object_id=rendition_id,
                details={"check": check_id, "checker": checker},
            )
    if isinstance(made, Refused):
        raise made
    return check_id


def attest(db: Database, *, actor: Actor, rendition_id: RenditionId, persons: Iterable[PersonId]) -> None:
    """Say, having watched it, that exactly these people are recognisable; an empty list says that nobody is.

    Raises:
        NotFound: no check of this rendition waits for the actor.
        Refused: ``checker_made_it``: they guide the family by now.
        Conflict: ``watch_first``, or the list is another one by now (``persons_changed``).
    """
    at, seen = db.clock.now(), frozenset(persons)
    with (
        audit.refusals_recorded(db, Event.CHECK_PASSED, actor=actor.person, object_id=rendition_id),
        db.begin() as session,
    ):
        facts = _held(session, rendition_id)
        row = _own(session, actor=actor, rendition_id=rendition_id, at=at)
        if actor.person in vault.makers_of(session, rendition_id):
            raise _made_it()
        _require_watched(session, row, at=at)
        vault.attest(session, rendition_id, persons=seen, by=actor.person, at=at)
        row.state, row.answered_at = CheckState.PASSED, at
        identity.end_checks(session, by=actor.person, case_id=facts.case_id, rendition=rendition_id, at=at)
        audit.record(
            session,
            Event.CHECK_PASSED,
            actor=actor.person,
            case_id=facts.case_id,
            object_id=rendition_id,
            details={"check": row.id, "persons": len(seen)},
        )


def send_back(db: Database, *, keystore: KeyStore, actor: Actor, rendition_id: RenditionId, note: str) -> None:
    """Say that somebody is visible who isn't listed, or that something else is wrong; a former attestation is void.

    Raises:
        NotFound: no check of this rendition waits for the actor.
        Invalid: ``check_note``.
    """
    at, words = db.clock.now(), note.strip()
    if not 1 <= len(words) <= _LONGEST_NOTE:
        raise Invalid("check_note", f"Say what you saw, in 1 to {_LONGEST_NOTE} characters.", field="note")
    with (
        audit.refusals_recorded(db, Event.CHECK_SENT_BACK, actor=actor.person, object_id=rendition_id),
        db.begin() as session,
    ):
        facts = _held(session, rendition_id)
        row = _own(session, actor=actor, rendition_id=rendition_id, at=at)
        row.state, row.answered_at = CheckState.SENT_BACK, at
        row.note = keys.seal_field(
            keystore.record_key(RecordOwner.case(facts.case_id)),
            table="redaction_check",
            column="note",
            row=row.id,
            value=words,
        )
        vault.void(session, rendition_id)
        identity.end_checks(session, by=actor.person, case_id=facts.case_id, rendition=rendition_id, at=at)
        audit.record(
            session,
            Event.CHECK_SENT_BACK,
            actor=actor.person,
            case_id=facts.case_id,
            object_id=rendition_id,
            details={"check": row.id},
        )


def take_back(db: Database, *, actor: Actor, rendition_id: RenditionId) -> None:
    """The guider no longer needs a check; the colleague's access ends.

    Raises:
        NotFound: no such rendition, or none of the actor's; or no check of it waits.
        Refused: ``not_your_role``.
    """
    at = db.clock.now()
    with db.begin() as session:
        facts = _held(session, rendition_id)
        identity.require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=facts.case_id, at=at)
        row = _waiting(session, rendition_id)
        if row is None:
            raise not_found()
        row.state, row.answered_at = CheckState.TAKEN_BACK, at
        identity.end_checks(session, by=actor.person, case_id=facts.case_id, rendition=rendition_id, at=at)


def drop_checks(session: Session, *, by: PersonId, renditions: Iterable[RenditionId], at: datetime) -> None:
    """Nobody need check these any more: another version took their place, and the colleague's access ends."""
    for rendition_id in renditions:
        row = _waiting(session, rendition_id)
        if row is not None:
            row.state, row.answered_at = CheckState.TAKEN_BACK, at
            identity.end_checks(session, by=by, case_id=CaseId(row.case_id), rendition=rendition_id, at=at)


def _held(session: Session, rendition_id: RenditionId) -> Rendition:
    """The facts about a rendition, with its case held."""
    identity.lock_case(session, vault.facts_for(session, rendition_id).case_id)
    session.expire_all()
    return vault.facts_for(session, rendition_id)


def _check_fit(session: Session, facts: Rendition, *, checker: PersonId) -> None:
    if facts.is_footage:
        raise _footage_not_checked()
    if facts.state is not RenditionState.LIVE:
        raise _not_in_use()
    if not vault.is_current(session, facts.id):
        raise _superseded()
    if checker in vault.makers_of(session, facts.id):
        raise _made_it()
    if _waiting(session, facts.id) is not None:
        raise _check_waiting()


def _placed(session: Session, rendition_id: RenditionId, *, at: datetime) -> frozenset[PersonId]:
    return identity.checkers_of(session, rendition_id, at=at)


def _drop_lost(session: Session, rendition_id: RenditionId, *, at: datetime) -> None:
    """A check whose checker has lost their place waits for nobody: it doesn't keep another from being asked."""
    row = _waiting(session, rendition_id)
    if row is not None and row.checker not in _placed(session, rendition_id, at=at):
        row.state, row.answered_at = CheckState.TAKEN_BACK, at
        session.flush()


def _waiting(session: Session, rendition_id: RenditionId) -> CheckRow | None:
    query = select(CheckRow).where(CheckRow.rendition_id == rendition_id, CheckRow.state == CheckState.WAITING)
    return session.scalars(query.with_for_update()).one_or_none()


def _own(session: Session, *, actor: Actor, rendition_id: RenditionId, at: datetime) -> CheckRow:
    """The check that waits for the actor, as long as they still have their place: it may have ended since."""
    identity.require_signed_in(actor)
    row = _waiting(session, rendition_id)
    if row is None or row.checker != actor.person or row.checker not in _placed(session, rendition_id, at=at):
        raise not_found()
    return row


def _require_watched(session: Session, row: CheckRow, *, at: datetime) -> None:
    if not vault.has_watched_whole(
        session,
        RenditionId(row.rendition_id),
        checker=PersonId(row.checker),
        since=row.asked_at,
        at=at,
    ):
        raise _watch_first()


def _footage_not_checked() -> Invalid:
    return Invalid("footage_not_checked", "Footage isn't shown to others, so it isn't checked. Cut a clip first.")


def _not_in_use() -> Conflict:
    return Conflict("film_not_in_use", "This film is no longer in use, so nothing about it can be changed.")


def _superseded() -> Conflict:
    return Conflict("superseded", "A blurred version was made since. Have that one checked.")


def _made_it() -> Refused:
    return Refused("checker_made_it", "Whoever made a clip can't also check it. Ask another colleague.")


def _check_waiting() -> Conflict:
    return Conflict("check_waiting", "A colleague has been asked to check this clip already.")


def _watch_first() -> Conflict:
    return Conflict("watch_first", "Watch the clip to its end first, at its normal speed.")
