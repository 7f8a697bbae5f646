"""Erasing the redacted versions that a later one took the place of, some time after that, while their clip lives on.

The schedule says when (``never_past`` of the class *redacted rendition*, counted from *replaced*); without such a term
they stay as long as their clip. A hold on the clip, the case or anybody of it keeps them. They are no record of their
own, so there is no certificate: the log tells what went and by which rule, and the clip's certificate lists it by hash.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.orm import Session

import audit
import identity
import vault
from audit import Event
from core.db import Database
from core.errors import NotFound, Unavailable
from core.ids import ObjectId, RenditionId
from keys import KeyStore
from retention import holds, rules
from retention.terms import Destroy, RecordClass, RecordFacts, Schedule, Trigger
from vault import ObjectStore, Replaced


def erase_replaced(db: Database, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule) -> int:
    """Erase what is due of them; go on with what was begun. Safe to repeat.

    Returns:
        How many went.
    """
    with db.read() as session:
        found = [one for one in vault.replaced_versions(session) if _goes(session, one, db=db, schedule=schedule)]
    gone = 0
    for one in found:
        with suppress(Unavailable):  # what was begun is taken up the next time
            gone += _erase(db, one.id, keystore=keystore, store=store, schedule=schedule)
    return gone


def _erase(
    db: Database, rendition_id: RenditionId, *, keystore: KeyStore, store: ObjectStore, schedule: Schedule
) -> bool:
    names = _begin(db, rendition_id, schedule=schedule)
    for object_id in names:
        with suppress(NotFound):
            keystore.destroy_object_key(object_id)
    if not names or not _end(db, rendition_id):
        return False
    with suppress(Unavailable):  # they open nothing; tidying finds them
        for name in names:
            store.delete(name)
    return True


def _begin(db: Database, rendition_id: RenditionId, *, schedule: Schedule) -> list[ObjectId]:
    """Decide again under the case's lock, and begin."""
    with db.read() as session:
        found = vault.replaced_versions(session, rendition_id=rendition_id)
    if not found:
        return []
    with db.begin() as session:
        identity.lock_case(session, found[0].case_id)
        found = vault.replaced_versions(session, rendition_id=rendition_id)
        if not found or not _goes(session, found[0], db=db, schedule=schedule):
            return []
        (one,) = found
        if not one.is_going:
            rule = schedule.rules[RecordClass.REDACTED_RENDITION]
            audit.record(
                session,
                Event.DESTRUCTION_BEGUN,
                actor=None,
                case_id=one.case_id,
                object_id=one.id,
                details={"rule": rule.name, "clip": one.clip_id, "sha256": one.content_hash},
            )
        return vault.begin_erasing(session, one.id, at=db.clock.now())


def _end(db: Database, rendition_id: RenditionId) -> bool:
    with db.read() as session:
        found = vault.replaced_versions(session, rendition_id=rendition_id)
    if not found:
        return False  # its clip went meanwhile, and it with it; or another worker was there first
    with db.begin() as session:
        identity.lock_case(session, found[0].case_id)
        found = vault.replaced_versions(session, rendition_id=rendition_id)
        if not found:
            return False
        vault.erased(session, rendition_id, at=db.clock.now())
        audit.record(
            session,
            Event.DESTROYED,
            actor=None,
            case_id=found[0].case_id,
            object_id=rendition_id,
            details={"clip": found[0].clip_id, "sha256": found[0].content_hash},
        )
    return True


def _goes(session: Session, one: Replaced, *, db: Database, schedule: Schedule) -> bool:
    """Whether it is due and nothing holds it, or there is no way back any more."""
    facts = RecordFacts(
        record=one.clip_id,
        record_class=RecordClass.REDACTED_RENDITION,
        case_id=one.case_id,
        triggers={Trigger.REPLACED: one.since},
        persons=identity.members_of(session, one.case_id)
        | vault.persons_in(session, case_id=one.case_id, clip_id=one.clip_id),
    )
    found = rules.disposition(facts, schedule, rules.civil_day(db.clock.now()), holds=holds.in_force(session))
    return one.is_going or isinstance(found, Destroy)
