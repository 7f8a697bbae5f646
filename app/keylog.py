"""Telling the log what became of the keys: rolls, roots, places.

Keys have a database of their own, and a root may be slow (Argon2, a token, a key service) or away. So nothing is asked
of a root while a transaction of the main database is open: a withdrawal would wait for it. Instead what is about to be
done is noted first (``intend``), then done, then told (``catch_up``). A process that is killed in between leaves it to
the next one: what the key rows know and the log doesn't is told by the worker, and by each command about keys.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

import audit
from app.service import Service
from audit import Event
from keys import Change, ChangeKind, RootStanding

LATELY = timedelta(days=30)
"""How far back the log is compared. It may lose the bodies of old entries, which aren't told a second time."""
_EVENTS = {
    ChangeKind.EPOCH_ROLLED: Event.EPOCH_ROLLED,
    ChangeKind.ROOT_DESTROYED: Event.ROOT_DESTROYED,
    ChangeKind.PLACE_ADDED: Event.KEY_PLACE_ADDED,
    ChangeKind.PLACE_LOST: Event.KEY_PLACE_LOST,
    ChangeKind.PLACE_GONE: Event.KEY_PLACE_GONE,
    ChangeKind.KEY_DAMAGED: Event.KEY_DAMAGED,
}


def intend(service: Service, event: Event, *, uri: str, root_id: str | None = None) -> None:
    """Note that a root is about to be changed or destroyed. Where that can't be noted, nothing is done."""
    catch_up(service)
    with service.db.begin() as session:
        audit.record(session, event, actor=None, object_id=root_id, details={"root": kind_of(uri)})


def catch_up(service: Service) -> None:
    """Tell the log whatever it doesn't know yet of the keys. Cheap where that is nothing."""
    keystore, since = service.keystore, service.db.clock.now() - LATELY
    known, roots = keystore.changes(since=since), keystore.roots()
    with service.db.read() as session:
        is_told = not (_untold(session, known) or _changed_root(session, roots))
    if is_told:
        return
    with service.db.begin() as session:  # looked at again, since another process may have told it meanwhile
        for change in _untold(session, known):
            _tell(session, change)
        root = _changed_root(session, roots)
        if root is not None:
            audit.record(
                session, Event.ROOT_ROTATED, actor=None, object_id=root.id, details={"root": kind_of(root.uri)}
            )


def kind_of(uri: str) -> str:
    """A root's kind, as the log may say it: the rest of its name isn't made of ids and code words."""
    return uri.partition(":")[0]


def _tell(session: Session, change: Change) -> None:
    event, bad = _EVENTS[change.kind], change.damaged
    if bad is None:
        details = {} if change.epoch is None else {"epoch": change.epoch}
        audit.record(session, event, actor=None, object_id=change.id, details=details)
        return
    audit.record(
        session,
        event,
        actor=None,
        outcome=_outcome(change.kind),
        case_id=bad.case_id,
        object_id=change.id,
        details={"kind": bad.kind.value, "of": bad.owner_kind.value, "owner": bad.owner_id},
    )


def _outcome(kind: ChangeKind) -> audit.Outcome:
    return audit.Outcome.FAILED if kind is ChangeKind.KEY_DAMAGED else audit.Outcome.DONE


def _untold(session: Session, known: tuple[Change, ...]) -> list[Change]:
    found = []
    for kind, event in _EVENTS.items():
        of_kind = [change for change in known if change.kind is kind]
        ids, outcome = [change.id for change in of_kind], _outcome(kind)
        done = audit.told(session, event, object_ids=ids, outcome=outcome) if of_kind else frozenset()
        found += [change for change in of_kind if change.id not in done]
    return sorted(found, key=lambda change: change.at)


def _changed_root(session: Session, roots: tuple[RootStanding, ...]) -> RootStanding | None:
    """The root that seals the keyring now, unless the log knows that."""
    live = next((one for one in roots if one.is_live), None)
    last = audit.told_last(session, Event.ROOT_ROTATED) or roots[0].id
    return live if live is not None and live.id != last else None
