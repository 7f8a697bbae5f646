"""What isn't what was sealed is never given out again, wherever it was noticed, and an officer is told.

The object's row says so from then on, so that the next reader is refused before a byte of it is read; whatever plays it
is cut, since the case's version rises with it. Only once all of it was read again and is right is that lifted
(``vault.lifting``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
import identity
from audit import Event
from consent import RenditionState
from core.db import Database, lock
from core.errors import Damaged, VaultError
from core.ids import CaseId, FootageId, ObjectId
from core.segments import damaged
from vault.models import FootageRow, FootageState, ObjectRow, ObjectState, RenditionRow


@contextmanager
def quarantining(db: Database, object_id: ObjectId) -> Iterator[None]:
    """Around a read of an object. What is merely missing, or can't be read just now, may return and stays as it is.

    Raises:
        Damaged: as the read raised it.
    """
    try:
        yield
    except Damaged as error:
        if is_certain(error):
            with suppress(VaultError), db.begin() as session:  # it isn't given out whether or not that can be written
                quarantine(session, object_id)
        raise


def is_certain(error: Damaged) -> bool:
    """Whether bytes were there and weren't what was sealed."""
    return error.code == damaged().code


def refuse_unsound(row: ObjectRow) -> None:
    """Go on only with an object that is sealed and, for all that anybody knows, sound.

    Raises:
        Damaged: it isn't.
    """
    if row.state is not ObjectState.SEALED:
        raise damaged()


def quarantine(session: Session, object_id: ObjectId) -> None:
    """An object failed its authentication: neither it nor what is made of it is given out again."""
    found = session.get(ObjectRow, object_id)
    if found is None or found.state is not ObjectState.SEALED:
        return
    identity.lock_case(session, CaseId(found.case_id))
    row = lock(session, ObjectRow, object_id)
    if row.state is not ObjectState.SEALED:
        return
    row.state = ObjectState.QUARANTINED
    for rendition in session.scalars(select(RenditionRow).where(RenditionRow.object_id == object_id)):
        if rendition.state is RenditionState.LIVE:
            rendition.state = RenditionState.QUARANTINED
    identity.raise_version(session, CaseId(row.case_id))
    audit.record(
        session,
        Event.OBJECT_QUARANTINED,
        actor=None,
        outcome=audit.Outcome.FAILED,
        case_id=CaseId(row.case_id),
        object_id=object_id,
    )


def lift(session: Session, seen: ObjectRow) -> bool:
    """An object was read whole and is what was sealed: it isn't damaged, and neither is what plays it.

    Nothing else changes. What was stopped meanwhile is no longer marked as damaged but as stopped, and stays so.

    Args:
        session: the caller's transaction.
        seen: the row that its bytes were compared with.

    Returns:
        Whether it was quarantined until now, and is the same object still.
    """
    identity.lock_case(session, CaseId(seen.case_id))
    row = lock(session, ObjectRow, seen.id)
    if row.state is not ObjectState.QUARANTINED or row.sealed_sha256 != seen.sealed_sha256:
        return False
    row.state = ObjectState.SEALED
    for rendition in session.scalars(select(RenditionRow).where(RenditionRow.object_id == row.id)):
        if rendition.state is RenditionState.QUARANTINED:
            rendition.state = RenditionState.LIVE
    identity.raise_version(session, CaseId(row.case_id))
    audit.record(
        session,
        Event.QUARANTINE_LIFTED,
        actor=None,
        case_id=CaseId(row.case_id),
        object_id=ObjectId(row.id),
        details={"sha256": row.sealed_sha256},
    )
    return True


@contextmanager
def telling_of_deposit(db: Database, *, case_id: CaseId, footage_id: FootageId) -> Iterator[None]:
    """Around a read of the parts of a deposit: they are no objects yet, so the footage itself is what is told of.

    Raises:
        Damaged: as the read raised it; whoever runs the job gives it up, and the deposit with it.
    """
    try:
        yield
    except Damaged as error:
        if is_certain(error):
            with suppress(VaultError), db.begin() as session:
                audit.record(
                    session,
                    Event.OBJECT_QUARANTINED,
                    actor=None,
                    outcome=audit.Outcome.FAILED,
                    case_id=case_id,
                    object_id=footage_id,
                    reason="part_damaged",
                )
        raise


def damaged_deposits(session: Session) -> list[FootageId]:
    """Footage that could not be made of its parts, since they weren't what was sealed."""
    gone = FootageRow.state.in_((FootageState.DESTROYING, FootageState.DESTROYED))
    query = select(FootageRow.id).where(
        FootageRow.error_code == damaged().code, FootageRow.original_id.is_(None), ~gone
    )
    return [FootageId(found) for found in session.scalars(query)]
