"""Erasing what earlier searches for people found, once a later one took their place: nobody can choose among it.

There is no term to wait for, since nothing was ever decided by it. A hold on the case, or on anybody of it, keeps it.
It is no record of its own, so there is no certificate: the log tells what went, and the footage's certificate lists it.
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
from core.ids import ObjectId
from keys import KeyStore
from retention import holds, rules
from retention.terms import RecordClass, RecordFacts
from vault import ObjectStore, ReplacedSearch


def erase_searches(db: Database, *, keystore: KeyStore, store: ObjectStore) -> int:
    """Erase what nothing holds; go on with what was begun. Safe to repeat.

    Returns:
        How many objects went.
    """
    with db.read() as session:
        found = [one.id for one in vault.replaced_searches(session) if _goes(session, one)]
    gone = 0
    for object_id in found:
        with suppress(Unavailable):  # what was begun is taken up the next time
            gone += _erase(db, object_id, keystore=keystore, store=store)
    return gone


def _erase(db: Database, object_id: ObjectId, *, keystore: KeyStore, store: ObjectStore) -> bool:
    if not _begin(db, object_id):
        return False
    with suppress(NotFound):
        keystore.destroy_object_key(object_id)
    if not _end(db, object_id):
        return False
    with suppress(Unavailable):  # they open nothing; tidying finds them
        store.delete(object_id)
    return True


def _begin(db: Database, object_id: ObjectId) -> bool:
    """Decide again under the case's lock, and begin."""
    with db.begin() as session:
        one = _locked(session, object_id)
        if one is None or not _goes(session, one):
            return False
        if not one.is_going:
            _tell(session, Event.DESTRUCTION_BEGUN, one)
        vault.begin_erasing_search(session, object_id, at=db.clock.now())
    return True


def _end(db: Database, object_id: ObjectId) -> bool:
    with db.begin() as session:
        one = _locked(session, object_id)
        if one is None:
            return False  # its footage went meanwhile, and it with it; or another worker was there first
        vault.search_erased(session, object_id, at=db.clock.now())
        _tell(session, Event.DESTROYED, one)
    return True


def _locked(session: Session, object_id: ObjectId) -> ReplacedSearch | None:
    """As it is now, with its case held."""
    for one in vault.replaced_searches(session, object_id=object_id):
        identity.lock_case(session, one.case_id)
        session.expire_all()
    return next(iter(vault.replaced_searches(session, object_id=object_id)), None)


def _goes(session: Session, one: ReplacedSearch) -> bool:
    facts = RecordFacts(
        record=one.footage_id,
        record_class=RecordClass.FOOTAGE,
        case_id=one.case_id,
        persons=identity.members_of(session, one.case_id),
    )
    return one.is_going or not rules.holding(facts, holds.in_force(session))


def _tell(session: Session, event: Event, one: ReplacedSearch) -> None:
    details = {"footage": one.footage_id, "sha256": one.plain_sha256}
    audit.record(session, event, actor=None, case_id=one.case_id, object_id=one.id, details=details)
